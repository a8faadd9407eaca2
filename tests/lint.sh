#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lint.sh -- reads the source without running it (make lint).
#
#	form        clang-format on the C files that differ from git's HEAD, all of
#	            them with LINT_ALL=1 or outside a git checkout
#	warnings    gcc and clang with -Werror, every C file
#	unended     gcc: no text fills its array so that its NUL has no room
#	tidy        clang-tidy with the checks of .clang-tidy, every C file
#	shell       shellcheck, every script
#	house       layers, headers, file and function sizes, comments, marks of unfinished work
#
# A missing tool is a failure, not a pass: it says which package brings it.
# Changes nothing.
set -u

cd "$(dirname "$0")/.." || exit 1
bad=0
CLANG=${CLANG:-clang}
flags=(-std=c11 -D_GNU_SOURCE '-DTAF_VERSION="0"' -Wall -Wextra -Wpedantic -Wconversion -Wshadow
	-Wstrict-prototypes)

folders=(policy shim hooks cli tests)
mapfile -t sources < <(find "${folders[@]}" -name '*.c' -not -path '*/node_modules/*' | sort)
mapfile -t all < <(find "${folders[@]}" -name '*.[ch]' -not -path '*/node_modules/*' | sort)
mapfile -t tables < <(find "${folders[@]}" -name '*.def' | sort)
mapfile -t scripts < <(find . -path ./build -prune -o -path ./.git -prune -o \
	\( -name '*.sh' -o -path ./.ci/run \) -type f -print | sort)

has_tool() { # TOOL PACKAGE
	command -v "$1" >/dev/null && return 0
	echo "lint: $1 is missing (Debian: $2); tests/deps.sh lint"
	bad=1
	return 1
}

# Runs COMMAND once a file, two at a time; its output is the finding.
each() { # NAME COMMAND... -- FILE...
	local name=$1 command=()
	shift
	while [ "$1" != -- ]; do
		command+=("$1")
		shift
	done
	shift
	echo "$name: $# files"
	[ $# -gt 0 ] || return 0
	printf '%s\0' "$@" | xargs -0 -n 1 -P 2 "${command[@]}" || bad=1
}

form() {
	local files=("${all[@]}")
	has_tool clang-format clang-format || return
	if [ -z "${LINT_ALL:-}" ] && git rev-parse -q --verify HEAD >/dev/null 2>&1; then
		mapfile -t files < <({
			git diff --name-only --diff-filter=d HEAD
			git ls-files --others --exclude-standard
		} | grep -E '^(policy|shim|hooks|cli|tests)/.*\.[ch]$' | sort)
	fi
	each form clang-format --dry-run -Werror --style=file -- "${files[@]}"
}

warnings() {
	each "gcc" gcc "${flags[@]}" -Werror -fsyntax-only -- "${sources[@]}"
	has_tool "$CLANG" clang || return
	each "clang" "$CLANG" "${flags[@]}" -Werror -fsyntax-only -- "${sources[@]}"
}

unended_in() { # FILE...
	printf '%s\0' "$@" | LC_ALL=C xargs -0 -n 1 -P 2 gcc "${flags[@]}" -Wc++-compat -fsyntax-only 2>&1 |
		grep -F 'initializer-string for array'
}

# Text of exactly N letters in a char [N], as tables have them, loses its NUL without a word: of
# all that is said for C++ that one line counts. From 15 on gcc says it with -Wextra as well.
unended() {
	local sample found
	echo "text that fills its array: ${#sources[@]} files"
	sample=$(mktemp --suffix=.c)
	echo 'extern const char name[3]; const char name[3] = "abc";' >"$sample"
	found=$(unended_in "$sample")
	rm -f "$sample"
	[ -n "$found" ] || finding "gcc does not say when text fills its array" "  $(gcc --version | head -n 1)"
	finding "text that fills its array, and has no NUL:" "$(unended_in "${sources[@]}")"
}

tidy() {
	has_tool clang-tidy clang-tidy || return
	echo "clang-tidy: ${#sources[@]} files"
	[ ${#sources[@]} -gt 0 ] || return
	# It counts suppressed warnings on stderr; the findings are on stdout.
	# shellcheck disable=SC2016 # for the inner shell
	printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P 2 sh -c \
		'out=$(clang-tidy --quiet "$1" -- -std=c11 -D_GNU_SOURCE -DTAF_VERSION="\"0\"" 2>&1) ||
		{ printf "%s\n" "$out"; exit 1; }' sh || bad=1
}

shell() {
	has_tool shellcheck shellcheck || return
	each shellcheck shellcheck -S warning -- "${scripts[@]}"
}

finding() { # TEXT LINES
	[ -z "$2" ] && return
	printf '%s\n%s\n' "lint: $1" "$2"
	bad=1
}

sizes() {
	finding "files over 500 lines:" \
		"$(wc -l "${all[@]}" | awk '$2 != "total" && $1 > 500 { print "  " $2 ": " $1 }')"
	finding "functions over 60 lines:" "$(awk '
		FNR == 1 { start = 0 }
		/^[A-Za-z_].*\)[ \t]*$/ { name = $0 }
		/^\{/ { start = FNR }
		/^\}/ { if (start && FNR - start > 60)
			printf "  %s:%d %d lines: %.60s\n", FILENAME, start, FNR - start, name
			start = 0 }' "${all[@]}")"
	finding "lines over 100 columns:" "$(for f in "${all[@]}"; do
		expand -t 8 "$f" | awk -v f="$f" 'length > 100 { print "  " f ":" NR ": " length }'
	done)"
}

words() {
	finding "// comments:" "$(grep -nE '(^|[;{}[:space:]])//' "${all[@]}" | grep -v '://' |
		grep -vE '"[^"]*//[^"]*"')"
	# The pattern is in two parts, so that it does not find itself.
	finding "work left undone, by its own words:" "$(grep -nE '\b(TO''DO|FIX''ME|X''XX)\b' "${all[@]}" \
		"${scripts[@]}" Makefile README.md docs/*.md)"
	finding "C files without the licence line first:" "$(for f in "${all[@]}"; do
		head -n 1 "$f" | grep -qF '/* SPDX-License-Identifier: MIT */' || echo "  $f"
	done)"
	# A file of C whose header tells has its includes there.
	finding "heads that do not name their file:" "$(for f in "${all[@]}" "${tables[@]}" "${scripts[@]}"; do
		case $f:$(sed -n 2p "$f") in *.c:'#'*) continue ;; esac
		head -n 8 "$f" | grep -qF "${f##*/} -- " || echo "  $f"
	done)"
}

form
warnings
unended
tidy
shell
sizes
words
for script in tests/layers.sh tests/headers.sh; do
	echo "$script"
	"$script" || bad=1
done
[ "$bad" -eq 0 ] && echo "lint: clean"
exit "$bad"
