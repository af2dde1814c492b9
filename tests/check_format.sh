#!/usr/bin/env bash
# Every C file is as clang-format leaves it. Versions of clang-format differ in details: ours is 14, as
# Debian 12 and Ubuntu 22.04 have it.
set -euo pipefail
version=14

for formatter in "clang-format-$version" clang-format; do
	if "$formatter" --version 2>/dev/null | grep -q "version $version\."; then
		find analyzer bench bpf cli samples tests -name '*.[ch]' -print0 |
			xargs -0 "$formatter" --dry-run -Werror
		exit
	fi
done
echo "SKIPPED: there is no clang-format $version here"
exit 77
