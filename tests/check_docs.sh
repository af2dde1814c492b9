#!/usr/bin/env bash
# The documents are true of the program: the manual page has every option, README names none that isn't
# there, every document is reached from README, and every link to a file leads to one.
set -euo pipefail
manual=docs/classify.1
status=0

fail() {
	echo "$*"
	status=1
}

# In the manual page's own language "Fl -pid" is --pid.
manual_text() {
	sed 's/Fl -/Fl --/g; s/\\-/-/g' "$manual"
}

# long_options: the long options in the text on stdin, one a line
long_options() {
	grep -oE -- '(^|[^[:alnum:]-])--[a-z][a-z-]+' | grep -oE -- '--[a-z][a-z-]+' | sort -u
}

options=$({ "$CLASSIFY" --help && "$CLASSIFY" verify --help; } | long_options)
described=$(manual_text | long_options)
for option in $options; do
	grep -qxe "$option" <<<"$described" || fail "$manual: does not describe $option"
done
for option in $described; do
	grep -qxe "$option" <<<"$options" || fail "$manual: describes $option, which --help does not"
done
# In README, options of classify: of other programs there are none on its lines.
for option in $(grep -E '(^|[^[:alnum:]/])classify .*--' README.md | sed 's/ -- .*//' | long_options); do
	grep -qxe "$option" <<<"$options" || fail "README.md: $option is no option of classify"
done

# links FILE: the targets of its links to files
links() {
	{ grep -oE '\]\([^)#: ]+' "$1" || true; } | cut -c 3-
}

for document in README.md docs/*.md; do
	for target in $(links "$document"); do
		[ -e "$(dirname "$document")/$target" ] || fail "$document: no file at the link $target"
	done
done
linked=$(for document in README.md docs/*.md; do links "$document"; done | xargs -n 1 basename)
for document in docs/*.md; do
	grep -qxF "${document#docs/}" <<<"$linked" || fail "$document: nothing links to it"
done
exit $status
