#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- builds a Rust program of a folder beside this file with cargo, once.
#
#	fetch.sh cudarc          which opens the driver when it runs
#	fetch.sh cudarc LIBCUDA  which has it linked
#	fetch.sh candle          on the processor; its 150 crates take a minute or more to build,
#	                         so that is done by `make check-long` alone (TAF_LONG)
#
# Prints the program.  Its crates come from crates.io, in the versions of its Cargo.lock;
# what is built is kept in build/cache.  77 when it cannot be had: no cargo, or one that
# is too old, or crates that are not there with NO_INSTALL=1 or a registry that cannot be
# reached.  Safe to run from several tests at once.
set -u

here=$(cd "$(dirname "$0")" && pwd)
cache=${TAFFRAIL_CACHE:-$(cd "$here/../../.." && pwd)/build/cache}/rust
name=$1 libcuda=${2:-}
target=$cache/$name${libcuda:+-linked} log=$cache/$name.log
# A toolchain manager, and cargo, have their things in the HOME that is no test's.
HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
export HOME

skip() {
	echo "$*" >&2
	exit 77
}

command -v cargo >/dev/null || skip "no cargo to build $name with"
mkdir -p "$target" || exit 1
exec 9>"$cache/lock"
flock 9

options=(--release --locked --manifest-path "$here/$name/Cargo.toml" --target-dir "$target")
if [ -n "$libcuda" ]; then
	# Names to link with: the driver's, and a library of which nothing is used.
	ln -sf "$libcuda" "$target/libcuda.so"
	"${CC:-cc}" -shared -x c /dev/null -o "$target/libnvrtc.so" || exit 1
	options+=(--no-default-features --features linking)
	export RUSTFLAGS="-L native=$target"
else
	unset RUSTFLAGS
fi

build() { # OPTION...
	cargo build "${options[@]}" "$@" >"$log" 2>&1 9>&-
}

if [ "$name" = candle ] && [ -z "${TAF_LONG:-}" ] && [ ! -x "$target/release/candle_guest" ]; then
	skip "candle is not built; make check-long does, in minutes"
fi
if ! build --offline; then
	if grep -Eq 'requires rustc|rust-version|lock file version|edition2024|is not a valid edition' "$log"; then
		skip "cargo is too old to build $name: $(grep -m1 -E 'requires|version|edition' "$log")"
	fi
	[ -z "${NO_INSTALL:-}" ] || skip "the crates of $name are not there, and NO_INSTALL is set"
	echo "fetching the crates of $name (kept by cargo)" >&2
	if ! build; then
		tail -n 5 "$log" >&2
		grep -Eqi 'failed to get|failed to download|network failure|could not resolve|timed? ?out|spurious' "$log" &&
			skip "crates.io cannot be reached: no $name"
		exit 1
	fi
fi
echo "$target/release/$(sed -n 's/^name = "\(.*_guest\)"$/\1/p' "$here/$name/Cargo.toml" | head -n1)"
