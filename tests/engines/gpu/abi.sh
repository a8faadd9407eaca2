#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# abi.sh -- our rows and declarations of HIP and Level Zero against the vendors' own.
#
# Each row is compared with one declaration at least, and a library has its name:
#
#	HIP		headers of ROCm 5.2 (Debian's) and 7.1; AMD's bindings of ROCm 10, which
#			state the forms in _spt as well; two names of C++: 5.2 and its compiler
#	Level Zero	headers of loader 1.8 (Debian's) and of the one in Debian's testing
#
# Structs and numbers: static assertions, against the old headers and the new ones.  77 when
# the old ones cannot be had; without the new ones it says how many rows were not compared.
# shellcheck disable=SC2154 # lib_base.sh sets passed, failed
# time-limit: 300
. "${SRC:?}/tests/engines/lib_abi.sh"

old=$("$BASH" "$SRC/tests/engines/gpu/fetch.sh") || exit $?
rocm=$("$BASH" "$SRC/tests/engines/rocm/fetch.sh" 2>hip.why) || rocm=
level0=$("$BASH" "$SRC/tests/engines/level0/fetch.sh" 2>level0.why) || level0=
lib=usr/lib/x86_64-linux-gnu
amd=-D__HIP_PLATFORM_AMD__

structs_fit() { # TABLE HEADER FLAGS...
	{
		echo "#include <$2>"
		printf '#include "%s"\n' "$SRC/hooks/abi/$1.h" "$SRC/tests/engines/gpu/alike.h"
		cat "$SRC/tests/engines/gpu/$1_structs.h"
		echo "${planted_line:-}"
		tr '\n' ' ' <"$SRC/policy/faults.def" |
			grep -oE "FAULT\\(${1^^}, [0-9a-fx]+, \"[A-Za-z_]+\"" |
			sed -E 's/.*, ([0-9a-fx]+), "(.*)"/_Static_assert(\2 == \1, "\2");/' | tee "$1.faults"
	} >"$1.structs.c"
	if gcc -fsyntax-only -w "${@:3}" "$1.structs.c" 2>log; then
		pass
	else
		fail "$1" "a struct or number is not that of $2 under ${*: -1}"
		grep error log | head -n 12
	fi
	[ "$(wc -l <"$1.faults")" -eq "$(grep -c "^FAULT(${1^^}," "$SRC/policy/faults.def")" ] ||
		fail "$1" "only $(wc -l <"$1.faults") numbers of faults compared"
}

# An assertion that is wrong is told, and nothing else is.
structs_differ() { # TABLE HEADER LINE WHAT
	local told
	told=$(planted_line=$3 structs_fit "$1" "$2" $amd -I"$old/usr/include")
	if [ "$(grep -c 'error:' <<<"$told")" -eq 1 ] &&
		grep -qF "error: static assertion failed: \"$4\"" <<<"$told"; then
		pass
	else
		fail planted "$3 is not told: $told"
	fi
}

# The headers under FOLDER: rows, structs and numbers.
against() { # TABLE HEADER FOLDER TEXT WHAT
	preprocess "$4" $amd -I"$3" <<<"#include <$2>"
	compare "$1" "$2 of $5" "$4"
	structs_fit "$1" "$2" $amd -I"$3"
}

# What hip_ext.h declares of a function of C++, under the symbol that the compiler makes of it.
mangled() { # NAME
	local include=$old/usr/include symbol
	sed -n "/^hipError_t $1(/,/)/p" "$include/hip/hip_ext.h" | tr '\n' ' ' |
		sed 's/ *= *\w*//g; s/).*/);\n/' >stated
	{
		echo '#include <hip/hip_runtime_api.h>'
		cat stated
		echo "void *address = (void *)&$1;"
	} >mangled.cc
	g++ -w $amd -I"$include" -c -o mangled.o mangled.cc || fail "$1" "cannot be compiled"
	symbol=$(nm -u mangled.o | awk -v name="$1" 'index($2, name) { print $2 }')
	sed "s/ $1(/ $symbol(/" stated
}

rows_of hip
rows_of level0
against hip hip/hip_runtime_api.h "$old/usr/include" hip.old "ROCm 5.2"
against level0 level_zero/ze_api.h "$old/usr/include" level0.old "loader 1.8"
for name in hipExtModuleLaunchKernel hipHccModuleLaunchKernel; do
	mangled $name
done >hip.ext
compare hip "hip/hip_ext.h of ROCm 5.2" hip.old hip.ext
exports_of "$old/$lib/libamdhip64.so.5" >hip.names
exports_of "$old/$lib/libze_loader.so.1" >level0.names

if [ -n "$rocm" ]; then
	against hip hip/hip_runtime_api.h "$rocm/include" hip.new "ROCm 7.1"
	sed -nE 's/^cdef (hipError_t hip\w+\([^()]*\)) .*/\1;/p' "$rocm/cyhip.pxd" |
		grep -wFf <(cut -f1 hip.rows) >hip.bindings
	compare hip "AMD's bindings of ROCm 10" hip.new hip.bindings
	# What they ask the library for; the library itself is in no small package.
	grep -aoE 'hip[A-Z]\w+' "$rocm/cyhip.so" >>hip.names
else
	leave_out hip "$(tail -n 1 hip.why)"
fi
if [ -n "$level0" ]; then
	against level0 level_zero/ze_api.h "$level0/usr/include" level0.new \
		"$(grep -m1 libze1 "$level0/complete")"
	exports_of "$level0/$lib/libze_loader.so.1" >>level0.names
else
	leave_out level0 "$(tail -n 1 level0.why)"
fi
for table in hip level0; do
	whole $table
	unknown $table
	named $table $table.names
done

while IFS='|' read -r table name returns params; do
	planted "$table" "$table.old" "$name" "$returns" "$params"
done <<'END'
hip|hipFree|int|(unsigned p)
hip|hipMalloc|int|(void **p)
hip|hipMemset3DAsync|int|(struct taf_hip_extent p, int v, struct taf_hip_extent e, void *s)
hip|hipMallocAsync|int|(void **p, size_t size, unsigned stream)
hip|hipDeviceSynchronize|void|(void)
level0|zeMemAllocDevice|int|(void *ctx, void *d, size_t size, size_t align, unsigned dev, void **p)
level0|zeMemFree|int|(void *ctx)
level0|zeCommandListAppendLaunchKernel|int|(void *l, void *k, void *n, void *e, float w, void *v)
END
[ -z "$rocm" ] ||
	planted hip hip.new hipMemsetAsync_spt int '(void *p, int value, size_t n)' hip.bindings
structs_differ hip hip/hip_runtime_api.h \
	'SAME_PLACE(struct taf_hip_extent, depth, hipExtent, height);' 'struct taf_hip_extent.depth'
structs_differ hip hip/hip_runtime_api.h \
	'SAME_NUMBER(TAF_HIP_NOT_READY, hipSuccess);' TAF_HIP_NOT_READY
structs_differ level0 level_zero/ze_api.h \
	'SAME_SIZE(struct taf_ze_memory, ze_group_count_t);' 'struct taf_ze_memory'
tally "$((2 * $(cat hip.rows level0.rows | wc -l)))"
