#!/usr/bin/env bash
# What the linker can't see of the layering (cmake/layer.cmake has the rest): the analyzer is pure. It
# includes nothing of the observers, the command line or the system, prints nothing and ends nothing.
set -euo pipefail
status=0

# forbid WHY PATTERN DIRECTORY...: no line of C there may match the extended regular expression
forbid() {
	local why=$1 pattern=$2
	shift 2
	if grep -rnE --include='*.[ch]' "$pattern" "$@"; then
		echo "^ $why"
		status=1
	fi
}

forbid "the analyzer includes a header of probes, options, signals or threads" \
	'^#include [<"](bpf/|libelf|gelf|.*\.skel\.h|argp|getopt|signal|pthread|unistd|fcntl|sys/[^t])' \
	analyzer
forbid "the analyzer includes a header of a layer above it" \
	'^#include [<"](observer|inspect|wire|render/|options|run)\b' analyzer
forbid "the analyzer prints, ends the program, opens files, or asks for the time" \
	'\b(v?printf|puts|putchar|perror|_?exit|abort|fopen|open|system|getenv|time|clock_gettime)\(' \
	analyzer
forbid "the analyzer uses a standard stream" '\bstd(in|out|err)\b' analyzer
forbid "an observer or a renderer knows the command line" '^#include [<"](argp|options|run)\b' \
	bpf cli/render
forbid "a renderer knows an observer" '^#include [<"](observer|inspect|wire)\b' cli/render
exit $status
