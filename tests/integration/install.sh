#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# install.sh -- `make install` takes what was built, and removes what it put.
#
# In a copy of the source, with a compiler that only writes its name: what is
# asked here is which compiler runs when, not what it makes.
set -u

SRC=${SRC:?the source folder}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset CC CFLAGS LDFLAGS WERROR SANITIZE PREFIX DESTDIR MAKEFLAGS MAKELEVEL V
passed=0
failed=0

ok() { # NAME STATUS
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL $1"
	fi
}

same() { # NAME WANTED GOT
	[ "$2" = "$3" ]
	ok "$1" $?
	[ "$2" = "$3" ] || printf '  wanted: %s\n  got:    %s\n' "$2" "$3"
}

# A compiler: what it makes holds its name, and it notes each call.
compiler() { # NAME
	cat >"$work/$1" <<END
#!/bin/sh
echo "$1 \$*" >>"$work/calls"
while [ \$# -gt 1 ]; do
	[ "\$1" = -o ] && echo "made by $1" >"\$2"
	shift
done
exit 0
END
	chmod +x "$work/$1"
}

made() { # how many files were compiled or linked since the last time
	local n
	n=$(grep -c -e ' -o ' "$work/calls")
	: >"$work/calls"
	echo "$n"
}

compiler one
compiler two
mkdir "$work/src"
cp -R "$SRC"/{Makefile,cli,policy,shim,hooks,docs,examples} "$work/src/" || exit 1
mkdir "$work/src/tests"
cp "$SRC/tests/inuse.sh" "$work/src/tests/"
cd "$work/src" || exit 1
: >"$work/calls"

make -s CC="$work/one" CFLAGS='-O1 -DTEXT="a b"' >"$work/out" 2>&1
ok 'built' $?
[ "$(made)" -gt 20 ]
ok 'compiled' $?
CC="$work/two" make install DESTDIR="$work/image" PREFIX=/usr >"$work/out" 2>&1
ok 'installed' $?
same 'nothing was compiled again' 0 "$(made)"
same 'what was built is there' 'made by one' "$(cat "$work/image/usr/bin/taffrail")"
for file in lib/taffrail/libtaffrail{,-alloc,-json}.so share/man/man1/taffrail.1 \
	share/taffrail/examples/guarded.json; do
	[ -s "$work/image/usr/$file" ]
	ok "$file" $?
done

grep -q '"library_path": "/usr/lib/taffrail/libtaffrail.so"' \
	"$work/image/usr/share/vulkan/implicit_layer.d/VkLayer_taffrail.json"
ok 'the layer of Vulkan' $?
same 'the other name' taffrail "$(readlink "$work/image/usr/bin/taffrail-python")"

touch cli/main.c
make install DESTDIR="$work/image" PREFIX=/usr >"$work/out" 2>&1
same 'a newer source is compiled, and linked' 2 "$(grep -c -e '^one .*-DTEXT=a b.* -o .*main.o' \
	-e '^one .* -o build/taffrail ' "$work/calls")"
same 'and nothing else' 2 "$(made)"

make install CC="$work/two" DESTDIR="$work/image" PREFIX=/usr >"$work/out" 2>&1
same 'who names a compiler gets it' 'made by two' "$(cat "$work/image/usr/bin/taffrail")"

make uninstall DESTDIR="$work/image" PREFIX=/usr >"$work/out" 2>&1
ok 'uninstalled' $?
same 'nothing is left' '' "$(find "$work/image" -type f)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -ge 12 ]
