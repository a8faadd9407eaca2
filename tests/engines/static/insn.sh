#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# insn.sh -- lengths of instructions as objdump sees them, over real programs and libraries.
# shellcheck disable=SC2154 # lib.sh sets them
. "${SRC:?}/tests/integration/lib.sh"
needs objdump awk

libc=$(ldd "$BUILD/taffrail" | awk '$1 ~ /^libc\.so/ { print $3 }')
for file in "$BUILD/taffrail" "$libc" "$(command -v bash)" \
	"$SRC"/build/cache/llama/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-cpu-{zen4,haswell}.so; do
	[ -e "$file" ] || continue
	# What objdump itself cannot read, and a prefix alone, is data.
	objdump -d --insn-width=16 "$file" 2>/dev/null |
		awk -F'\t' '$3 != "" && $3 !~ /\(bad\)|^\.(byte|inst|word)|^(rex|data16|cs|ds|es|ss|fs|gs|lock|rep[a-z]*|addr32)[^ ]* *$/ { print $2 }' |
		head -n 400000 >bytes.txt
	"$tests/insn_lengths" <bytes.txt >said.txt
	check "$file" lengths 0 "$(tail -n 1 said.txt | grep -q ' 0 wrong$' && echo 0; grep '^not' said.txt)"
	check "$file" "instructions enough" yes "$([ "$(wc -l <bytes.txt)" -gt 10000 ] && echo yes)"
done
tally 6
