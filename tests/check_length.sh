#!/usr/bin/env bash
# No function of the product or its benchmarks is longer than 60 lines, no file longer than 600.
set -euo pipefail

find analyzer bench bpf cli -name '*.[ch]' -print0 | sort -z | xargs -0 awk '
	function too_long(cnt, limit, what) {
		if (cnt > limit) {
			printf "%d lines, not %d: %s\n", cnt, limit, what
			found = 1
		}
	}
	FNR == 1 { too_long(last, 600, file); file = FILENAME }
	{ last = FNR }
	/^[a-zA-Z_].*\(/ { name = $0 }
	/^\{/ { start = FNR }
	/^\}/ && start { too_long(FNR - start + 1, 60, FILENAME ":" start ": " name); start = 0 }
	END { too_long(last, 600, file); exit found }'
