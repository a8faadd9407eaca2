# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154 # shared with those who source it
# lib_fetch.sh -- what the fetch.sh of the engines share. Sourced, never run.
#
# Who sources it has set name (of lock and log), what (for people) and dir (what is
# fetched lies there), and has a function is_there. In this order:
#
#	unless_there	prints the answer, dir if there is no other, and ends where it is there
#	skip TEXT	ends with 77: it cannot be had here
#	begin SIZE	from here on one process at a time, the next ones find it there
#	quiet COMMAND	its output goes to the log
#	finish		prints the answer, or fails
#
# 77 also where it may not be fetched (NO_INSTALL=1) or the registry cannot be reached.
# TAFFRAIL_CACHE is where it is kept, build/cache if it is not set.
engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$engines/../.." && pwd)/build/cache}

skip() {
	echo "$*" >&2
	exit 77
}

end_if_there() {
	is_there >/dev/null 2>&1 || return 0
	echo "${answer:-$dir}"
	exit 0
}

unless_there() {
	log=$cache/$name.log
	new=$cache/$name.new
	end_if_there
	[ -z "${NO_INSTALL:-}" ] || skip "$what: not fetched yet, and NO_INSTALL is set"
}

begin() { # SIZE
	mkdir -p "$cache" || exit 1
	exec 9>"$cache/$name.lock"
	flock 9
	end_if_there
	rm -rf "$new"
	mkdir -p "$new" || exit 1
	echo "fetching $what ($1, kept in $dir)" >&2
}

# Not with the lock, which would live as long as what it leaves behind.
quiet() { # COMMAND...
	"$@" >"$log" 2>&1 9>&-
}

finish() {
	rm -rf "$new"
	end_if_there
	echo "all went well, but $dir holds no $what" >&2
	exit 1
}

# Why pip failed: 77 if it could not do better.
pip_failed() { # PACKAGE
	tail -n 5 "$log" >&2
	rm -rf "$new"
	grep -Eqi 'connection|timed out|name resolution|unreachable|max retries|50[0-9] ' "$log" &&
		skip "PyPI cannot be reached: no $what"
	grep -qF "No matching distribution found for $1" "$log" &&
		skip "$what: no wheel for this machine and python"
	exit 1
}

# Makes a virtual environment of packages in dir. The first is the one that matters.
make_venv() { # PACKAGE==VERSION... PIP-OPTION...
	rm -rf "$dir"
	quiet python3 -m venv "$dir" || skip "python3 makes no virtual environment here"
	quiet "$dir/bin/python" -m pip install -q --no-compile "$@" || {
		rm -rf "$dir"
		pip_failed "${1%%==*}"
	}
}

# Fetches one wheel and unpacks it into new.
unpack_wheel() { # PACKAGE==VERSION PIP-OPTION...
	unpack_asked "${1%%==*}" "$@"
}

# The same of a wheel whose sum is known: no other will do.
unpack_this_wheel() { # PACKAGE==VERSION SHA256 PIP-OPTION...
	echo "$1 --hash=sha256:$2" >"$new/asked"
	unpack_asked "${1%%==*}" --require-hashes -r "$new/asked" "${@:3}"
}

unpack_asked() { # PACKAGE PIP-OPTION...
	quiet python3 -m pip download -q --no-deps --only-binary :all: -d "$new" "${@:2}" ||
		pip_failed "$1"
	python3 -m zipfile -e "$new"/*.whl "$new" && rm "$new"/*.whl || exit 1
}

# cargo, from here on with a cache of its own in new, and what its own is told of registries.
# A toolchain manager has its things in the HOME that is no test's.
own_cargo() {
	local config
	HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
	config=${CARGO_HOME:-$HOME/.cargo}/config.toml
	export HOME CARGO_HOME=$new/cargo
	mkdir -p "$CARGO_HOME" && cd "$new" || exit 1
	[ ! -e "$config" ] || cp "$config" "$CARGO_HOME" || exit 1
}

# The source of a crate, unpacked; its folder goes to source. 77 if it cannot be had.
get_crate() { # CRATE@VERSION
	if ! quiet timeout 200 cargo info --color never "$1"; then
		grep -Eqi 'failed to (get|download)|network failure|could not resolve|timed? ?out|spurious' "$log" &&
			skip "crates.io cannot be reached: no $what"
		grep -q 'no such command' "$log" && skip "$what: cargo is too old, it has no info"
		echo "$1:" >&2
		tail -n 3 "$log" >&2
		exit 1
	fi
	source=$(echo "$CARGO_HOME"/registry/src/*/"${1/@/-}")
}
