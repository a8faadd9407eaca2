#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# confined.sh -- a program that a filter ends for every system call that is not on its list.
#
# The list is what the program makes by itself and what taffrail(1) says that the guard
# makes.  And that page names each system call there is in the guard's source.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
plain_guests guest_steps

# The names on the page: those of every guarded program, or those that a setting adds.
named() { # FIRST-WORDS-OF-THE-PARAGRAPH-BEFORE
	sed -n '/^\.Sh SYSTEM CALLS/,/^\.Sh EXIT/p' "$SRC/docs/man/taffrail.1" |
		sed -n "/^$1/,/^\.Ed/p" | sed -n '/^\.Bd/,/^\.Ed/p' | grep -v '^\.' | tr ' ' '\n' | grep .
}
always=$(named 'In every guarded') by_setting=$(named 'By settings')

# newfstatat and fstatat are one; rename, where the machine has it, is what renameat2 does there.
used=$(grep -oh 'SYS_[a-z0-9_]*' "$SRC"/shim/sys_linux*.c | sed 's/^SYS_//' | sort -u)
check page "names each call" "$used" "$(sort -u <<<"$always"$'\n'"$by_setting")"

# What the program itself, its loader and its C library need.
own='read write close openat mmap mprotect munmap brk futex clone clone3 set_robust_list rseq exit
exit_group rt_sigprocmask sched_yield gettid getpid newfstatat fstat pread64 execve access arch_prctl
set_tid_address prlimit64 getrandom madvise clock_nanosleep nanosleep uname readlinkat faccessat
ioctl clock_gettime'
for n in $own $always; do
	printf '#ifdef SYS_%s\n\tSYS_%s,\n#endif\n' "$n" "$n"
done >allowed.h
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -DLIST="\"$PWD/allowed.h\"" -DRUNTIME="\"$tests/libfake_hip.so\"" -o confined \
	"$SRC/tests/integration/parts/confined.c" -ldl -lpthread || exit 1

without_shim ./confined start
[ "$(cat plain.status)" != "exit 77" ] || {
	echo "this kernel has no filters of system calls"
	exit 77
}
for when in never before start active; do
	for set in mode=enforce "drain.every_submits=4;drain.post_sync=on;drain.post_clear=on" \
		crumbs.ring=disk; do
		same "$when $set" TAFFRAIL_SET="$set" timeout -s KILL 100 ./confined $when
		check "$when $set" status "exit 3" "$(cat shim.status)"
		has "$when $set" "the end" '.ev == "exit" and .ph == "end" and .rc == 3'
		has "$when $set" "a drain before memory goes" '.ev == "drain" and .ph == "end"'
	done
done
tally 70
