# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034 # what it sets is for the sourcing script
# lib_doctor.sh -- what the scripts about `taffrail doctor` share. Sourced, never run.
set -u

bin=${TAFFRAIL:?the path of the taffrail binary}
cc=${CC:-cc}
unset TAFFRAIL LD_PRELOAD LD_LIBRARY_PATH TAFFRAIL_STRICT NO_COLOR
command -v python3 >/dev/null || { echo "needs python3" && exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export TAFFRAIL_STATE=$work/state
passed=0 failed=0

ok() { # NAME STATUS
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		sed 's/^/  /' out err 2>/dev/null
	fi
}

left_out() {
	echo "not tried: $*"
}

doctor() { # ARGUMENT...
	"$bin" doctor "$@" >out 2>err </dev/null
}

# The last line of the text begins with this verdict, and the JSON agrees.
verdict() { # NAME TEXT ID COMMAND...
	local name=$1 text=$2 id=$3 status
	shift 3
	doctor -- "$@"
	status=$?
	[ "$status" -eq 0 ] && [ ! -s err ] && grep -Eq "^  verdict +$text" out
	ok "$name: verdict" $?
	doctor --json -- "$@"
	[ "$(json 'd["verdict"]')" = "$id" ]
	ok "$name: JSON verdict" $?
	[ "$(json 'd["hookable"]')" = "$([ "$id" = unguarded ] && echo False || echo True)" ]
	ok "$name: hookable" $?
	doctor --strict -- "$@"
	status=$?
	[ "$status" -eq "$([ "$id" = unguarded ] && echo 69 || echo "${strict:-0}")" ]
	ok "$name: exit status with --strict ($status)" $?
}

script() { # NAME LINE...
	local name=$1
	shift
	printf '%s\n' "$@" >"$name"
	chmod 755 "$name"
}

json() { # EXPRESSION over d, of the latest JSON output
	python3 -c 'import json, sys
d = json.load(open("out"))
f = {x["id"] for x in d["findings"]}
print(eval(sys.argv[1]))' "$1" 2>&1
}

says() { # NAME EXPRESSION
	[ "$(json "$2")" = True ]
	ok "$1: $2" $?
}

# One line on stderr, nothing on stdout, this exit status.
refuses() { # NAME STATUS PATTERN COMMAND...
	local name=$1 wanted=$2 pattern=$3 status
	shift 3
	doctor -- "$@"
	status=$?
	[ "$status" -eq "$wanted" ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] &&
		grep -q "^taffrail: .*$pattern" err
	ok "$name: exit status $status, $(cat err)" $?
}

compile() { # NAME FLAG... <SOURCE
	local name=$1
	shift
	"$cc" -w -x c - -o "$name" "$@" 2>compiler.log
}
