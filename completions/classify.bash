# Completion of classify's options, and after them of the command that it wraps.

# Completes the value of the option before it. Fails when that takes none.
_classify_value()
{
	local current=$1

	case $2 in
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
		COMPREPLY=($(compgen -W "text json folded speedscope pprof" -- "$current"))
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
	-d | --duration | --concurrency | -F | --frequency | --runs | --before | --after) ;;
	*)
		return 1
		;;
	esac
}

# Reports, options, and after "--" a command.
_classify_verify()
{
	local current=${COMP_WORDS[COMP_CWORD]} i
	local options="--before --after --runs --as-advised --same-work --source --as-root --concurrency --output
		--format --json --json-schema --color --quiet --verbose --help"

	for ((i = 2; i < COMP_CWORD; i++)); do
		if [[ ${COMP_WORDS[i]} == -- ]]; then
			_command_offset $((i + 1))
			return
		fi
	done
	if _classify_value "$current" "${COMP_WORDS[COMP_CWORD - 1]}"; then
		return
	elif [[ $current == -* ]]; then
		COMPREPLY=($(compgen -W "$options" -- "$current"))
	else
		COMPREPLY=($(compgen -f -- "$current"))
	fi
}

_classify()
{
	local current=${COMP_WORDS[COMP_CWORD]} i
	local with_value="--pid --duration --output --format --concurrency --frequency --source
		--save-recording --replay --color --cgroup --expect"
	local without_value="--json --json-schema --no-children --no-stacks --as-root --quiet
		--verbose --version --help"

	if [[ COMP_CWORD -gt 1 && ${COMP_WORDS[1]} == verify ]]; then
		_classify_verify
		return
	fi
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
	if _classify_value "$current" "${COMP_WORDS[COMP_CWORD - 1]}"; then
		return
	elif [[ $current == -* ]]; then
		COMPREPLY=($(compgen -W "$with_value $without_value" -- "$current"))
	else
		COMPREPLY=($(compgen -c -- "$current"))
		if [[ COMP_CWORD -eq 1 ]]; then
			COMPREPLY+=($(compgen -W verify -- "$current"))
		fi
	fi
}
complete -F _classify classify
