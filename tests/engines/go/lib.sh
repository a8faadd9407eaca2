# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# lib.sh -- what the tests of Go programs share. Sourced, never run.
#
# On top of tests/engines/server/lib.sh, whose libllama has its backend built in: Go
# programs, built here without a module.  Ends the test with 77 where there is no go.
. "${SRC:?}/tests/engines/server/lib.sh"

command -v go >/dev/null || {
	echo "needs go, and gcc for cgo"
	exit 77
}

build() { # NAME
	# HOME is the test's own; what was compiled of the library is kept for the next.
	GOCACHE=${TAFFRAIL_CACHE:-$SRC/build/cache}/go GOPATH=$work/gopath GOPROXY=off GOFLAGS='' \
		CGO_ENABLED=1 GOTOOLCHAIN=local go build -o "$1" "$SRC/tests/engines/go/$1.go" >build.err 2>&1 && return
	cat build.err
	exit 1
}
