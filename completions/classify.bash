# Completion of classify's options, and after them of the command that it wraps.
_classify()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local with_value="--pid --duration --output --format --concurrency --frequency --source
		--save-recording --replay --color --cgroup --expect"
	local without_value="--json --json-schema --no-children --no-stacks --as-root --quiet
		--verbose --version --help"
	local i

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			_command_offset $((i + 1))
			return
			;;
		-[pdofF] | --pid | --duration | --output | --format | --concurrency | --frequency | \
			--source | --save-recording | --replay | --color | --cgroup | --expect)
			((i++))
			;;
		-*) ;;
		*)
			_command_offset "$i"
			return
			;;
		esac
	done

	case $previous in
	-p | --pid)
		COMPREPLY=($(compgen -W "$(ps -eo pid=)" -- "$current"))
		;;
	--cgroup)
		COMPREPLY=($(compgen -d -- "$current"))
		;;
	-o | --output | --save-recording | --replay)
		COMPREPLY=($(compgen -f -- "$current"))
		;;
	-f | --format)
		COMPREPLY=($(compgen -W "text json" -- "$current"))
		;;
	--source)
		COMPREPLY=($(compgen -W "auto ebpf procfs" -- "$current"))
		;;
	--expect)
		COMPREPLY=($(compgen -W "cpu-bound cpu-bound/gil cpu-bound/parallel cpu-bound/polling
			io-bound io-bound/network io-bound/disk io-bound/ipc lock-bound timer-bound
			cpu-starved idle mixed no-finding=high" -- "$current"))
		;;
	--color)
		COMPREPLY=($(compgen -W "auto always never" -- "$current"))
		;;
	-d | --duration | --concurrency | -F | --frequency) ;;
	*)
		if [[ $current == -* ]]; then
			COMPREPLY=($(compgen -W "$with_value $without_value" -- "$current"))
		else
			COMPREPLY=($(compgen -c -- "$current"))
		fi
		;;
	esac
}
complete -F _classify classify
