#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# alloc.sh -- libtaffrail-alloc.so: the malloc family answers as ever, and the
# blocks of 1 MiB and more are counted.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

alloc=$BUILD/libtaffrail-alloc.so
[ -e "$alloc" ] || {
	echo "$alloc was not built"
	exit 1
}
if grep -q __asan_init "$tests/guest_alloc" || grep -q __tsan_init "$tests/guest_alloc"; then
	echo "the guest is instrumented: its allocator is not the C library's"
	exit 77
fi

# PART TAKEN GIVEN, as guest_alloc numbers its parts.
table='
0  1 1  malloc
1  1 1  calloc
2  2 2  realloc
3  1 1  realloc failing
4  1 1  realloc to nothing
5  4 4  aligned
6  2 2  threads
7  0 0  malloc refused
'

guarded() { # COMMAND...: both objects in front
	fresh
	raw shim env LD_PRELOAD="${preload:-$shim:$alloc}" TAFFRAIL_STATE="$state" "$@"
}

answers() { # FILE
	grep -v '^counted' "$1.out"
}

while read -r part taken given name; do
	[ -n "$part" ] || continue
	without_shim "$tests/guest_alloc" "$part"
	guarded "$tests/guest_alloc" "$part"
	check "$name" answers "$(answers plain)" "$(answers shim)"
	check "$name" status "exit 3" "$(cat shim.status)"
	check "$name" counts "counted $taken $given" "$(tail -n 1 shim.out)"
	grep -qv ' 1$' <(answers shim) && fail "$name" "the allocator itself: $(answers shim)"
done <<<"$table"

# Either order, and the object alone; nothing is counted without the shim.
preload=$alloc:$shim
guarded "$tests/guest_alloc"
check "alloc first" counts "counted 12 12" "$(tail -n 1 shim.out)"
preload=$alloc
without_shim "$tests/guest_alloc"
guarded "$tests/guest_alloc"
check alone answers "$(cat plain.out)" "$(cat shim.out)"
check alone status "exit 3" "$(cat shim.status)"
preload=

# A library that allocates in its constructor and frees in its destructor.
"${CC:-cc}" -fPIC -shared -o libearly.so "$SRC/tests/integration/parts/early.c" || exit 1
echo 'int main(void) { return 3; }' >plain_main.c
"${CC:-cc}" -o early plain_main.c -Wl,--no-as-needed ./libearly.so -Wl,-rpath,"$work" || exit 1
for order in "$shim:$alloc" "$alloc:$shim" "$shim:$alloc:$work/libearly.so" "$work/libearly.so:$shim:$alloc"; do
	preload=$order
	guarded ./early
	check "early, $order" status "exit 3:" "$(cat shim.status):$(cat shim.err)"
	guarded "$tests/guest_exit" fork
	check "early, guest, $order" status "exit 3:" "$(cat shim.status):$(cat shim.err)"
done

# Other allocators, in front of us and behind us.
for allocator in libjemalloc.so.2 libmimalloc.so libtcmalloc_minimal.so.4; do
	lib=$(ldconfig -p 2>/dev/null | sed -n "s/.* => \(.*\/$allocator.*\)/\1/p" | head -n 1)
	[ -n "$lib" ] || continue
	raw plain env LD_PRELOAD="$lib" "$tests/guest_alloc"
	for order in "$shim:$alloc:$lib" "$alloc:$lib:$shim" "$lib:$shim:$alloc"; do
		preload=$order
		guarded "$tests/guest_alloc"
		check "$order" answers "$(answers plain)" "$(answers shim)"
		check "$order" status "$(cat plain.status)" "$(cat shim.status)"
		guarded ./early
		check "$order, early" status "exit 3:" "$(cat shim.status):$(cat shim.err)"
		guarded bash -c 'for i in 1 2 3; do /bin/true; done; exit 5'
		check "$order, bash" status "exit 5:" "$(cat shim.status):$(cat shim.err)"
	done
	# Behind us all is counted; in front of us the program's calls never reach us.
	preload=$shim:$alloc:$lib
	guarded "$tests/guest_alloc" 0
	check "$allocator behind" counts "counted 1 1" "$(tail -n 1 shim.out)"
	preload=$lib:$shim:$alloc
	guarded "$tests/guest_alloc" 0
	check "$allocator in front" counts "counted 0 0" "$(tail -n 1 shim.out)"
done

# Real programs do not notice.
preload=$shim:$alloc
for command in "bash -c 'x=\$(seq 5000); echo \${#x}; exit 3'" "python3 -c 'print(len(bytes(5000000)))'" \
	"perl -e 'my \$x = \"x\" x 3000000; print length(\$x)'" "node -e 'console.log(Buffer.alloc(5e6).length)'"; do
	eval "set -- $command"
	command -v "$1" >/dev/null || continue
	without_shim "$@"
	guarded "$@"
	for part in status out err; do
		check "$1" "$part" "$(cat plain.$part)" "$(cat shim.$part)"
	done
done

tally 40
