#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# fetch.sh -- fetches the loader of Level Zero of Debian's testing, once: the newest there is.
#
# Prints the folder into which library and headers were unpacked; nothing is installed, and
# the lists of this machine's apt stay as they are.  The version is what testing has that
# day, in the file complete.  77 when it is not there and cannot be had.
# shellcheck disable=SC1091,SC2016,SC2034,SC2154 # names that lib_fetch.sh sets and uses
set -u
. "$(dirname "$0")/../lib_fetch.sh"

suite=forky
name=level0 what="Level Zero of Debian $suite"
dir=$cache/level0

is_there() {
	[ -s "$dir/complete" ]
}

# The archive that this machine has Debian from.
archive() {
	apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -m1 '/debian/*$'
}

# apt with a list, and with caches, of its own.
apt() { # COMMAND...
	quiet timeout 100 apt-get -o Dir::Etc::sourcelist="$new/list" -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists="$new/lists" -o Dir::Cache="$new/cache" \
		-o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
		-o APT::Sandbox::User=root "$@" ||
		skip "$what: $(grep -m1 '^E:' "$log" || tail -n 1 "$log")"
}

unless_there
[ "$(uname -m)" = x86_64 ] || skip "$what: it is for x86_64"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
for file in /usr/bin/apt-get /usr/bin/dpkg $keys; do
	[ -e "$file" ] || skip "$what: no $file"
done
uri=$(archive)
[ -n "$uri" ] || skip "$what: apt knows no archive of Debian's"
begin "11 MB, of which 4 MB"
cd "$new" || exit 1
mkdir -p lists/partial cache/archives/partial || exit 1
echo "deb [signed-by=$keys] $uri $suite main" >list
apt update
apt download libze1 libze-dev
rm -rf "$dir"
mkdir -p "$dir" || exit 1
for package in *.deb; do
	dpkg -x "$package" "$dir" || exit 1
done
printf '%s\n' *.deb >"$dir/complete"
finish
