#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# abi.sh -- our rows and declarations of HIP and Level Zero against the vendors' own.
#
# Names: each row is exported by the library, or is listed here as newer.  Prototypes: as many parameters, each of the same size and sort.  Structs
# and numbers: static assertions.  Libraries and headers are Debian's (fetch.sh).
set -u

SRC=${SRC:?the source folder}
root=$("$BASH" "$SRC/tests/engines/gpu/fetch.sh") || {
	status=$?
	exit $status
}
command -v g++ >/dev/null || {
	echo "no g++ to compare prototypes with"
	exit 77
}
cd "$(mktemp -d)" || exit 1
trap 'rm -rf "$PWD"' EXIT
bad=0 seen=0

wrong() {
	echo "$*"
	bad=1
}

# TABLE NAME: rows that are newer than the libraries that are fetched (ROCm 5.2, loader 1.8).
newer='
hip hipLaunchKernelExC
hip hipDrvLaunchKernelEx
hip hipModuleLaunchCooperativeKernel
hip hipGraphInstantiateWithParams
hip hipGraphLaunch_spt
hip hipStreamBeginCapture_spt
hip hipStreamEndCapture_spt
hip hipStreamBeginCaptureToGraph
hip hipDeviceGraphMemTrim
hip hipEventRecord_spt
hip hipMemcpyHtoAAsync
hip hipMemcpyAtoHAsync
hip hipMemcpy3DPeerAsync
hip hipEventRecordWithFlags
hip hipMemcpy2DAsync_spt
hip hipMemcpy2DToArrayAsync_spt
hip hipMemcpy2DFromArrayAsync_spt
hip hipMemcpy3DAsync_spt
hip hipMemcpyToSymbolAsync_spt
hip hipMemcpyFromSymbolAsync_spt
hip hipMemsetAsync_spt
hip hipMemset2DAsync_spt
hip hipMemset3DAsync_spt
hip hipMemPrefetchAsync_v2
hip hipStreamBatchMemOp
hip hipGraphUpload
hip hipLaunchHostFunc
hip hipLaunchHostFunc_spt
hip hipStreamAddCallback_spt
level0 zeCommandListImmediateAppendCommandListsExp
level0 zeCommandListHostSynchronize
level0 zeCommandListAppendLaunchKernelWithParameters
level0 zeCommandListAppendLaunchKernelWithArguments
level0 zeDeviceSynchronize
level0 zeCommandListImmediateAppendCommandListsWithParameters
level0 zeCommandListAppendMemoryCopyWithParameters
level0 zeCommandListAppendMemoryFillWithParameters
level0 zeCommandListAppendSignalExternalSemaphoreExt
level0 zeCommandListAppendWaitExternalSemaphoreExt
'

# The rows as lines "NAME".
rows_of() { # TABLE
	cat "$SRC/hooks/$1.def" "$SRC/hooks/$1"_*.def 2>/dev/null | tr '\n' ' ' |
		grep -oE '(TAKES|GIVES|GIVES_LATER|SUBMITS|COPIES|WAITS|HOOK|OWN|CALL)\(int, *[A-Za-z_0-9]+' | sed 's/.*[ ,]//'
}

check_names() { # TABLE LIBRARY
	local name
	nm -D --defined-only "$2" | awk '{ print $NF }' | sed 's/@.*//' >exports
	while read -r name; do
		seen=$((seen + 1))
		if grep -qx "$name" exports; then
			grep -qx "$1 $name" <<<"$newer" && wrong "$1: $name is listed as newer, but ${2##*/} has it"
		else
			grep -qx "$1 $name" <<<"$newer" || wrong "$1: $name is no export of ${2##*/}, and nothing says why"
		fi
	done < <(rows_of "$1")
}

# The header as plain C, so that no C++ overload of its own is in the way.
check_prototypes() { # TABLE FLAGS HEADER
	local table=$1 header=$3
	# shellcheck disable=SC2086 # several flags
	echo "#include <$header>" | gcc -E -P $2 -I "$root/usr/include" - >"$table.c.h" || exit 1
	{
		echo "#define wchar_t c_wchar_t
			#define _Bool bool
			namespace vendor { extern \"C\" {
			#include \"$table.c.h\"
			} }
			#undef wchar_t
			#include \"$SRC/hooks/abi/$table.h\"
			#include \"$SRC/tests/engines/gpu/alike.h\""
		grep -v gpu_rows "$SRC/hooks/none.h"
		echo "#undef HOOK
			#undef OWN
			#undef CALL
			#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) \\
				IF_##name(static_assert(alike(&vendor::name, static_cast<ret(*) params>(nullptr)), #name);)
			#define OWN(ret, name, params, args, kind, refuse, doc) HOOK(ret, name, params, args, kind, 0, refuse, doc)
			#define CALL(ret, name, params, doc) HOOK(ret, name, params, , LOOKUP, 0, 0, doc)
			#include \"$SRC/hooks/gpu_rows.h\""
		rows_of "$table" | while read -r name; do
			if grep -q "\b$name *(" "$table.c.h"; then
				echo "#define IF_$name(x) x"
				echo "$name" >>"$table.compared"
			else
				echo "#define IF_$name(x)"
			fi
		done
		echo "#include \"$SRC/hooks/$table.def\""
	} >"$table.cc"
	g++ -std=c++17 -fsyntax-only -w "$table.cc" || wrong "$table: a prototype is not $header's"
	[ "$(wc -l <"$table.compared")" -ge 20 ] || wrong "$table: only $(wc -l <"$table.compared") prototypes compared"
}

check_structs() { # TABLE FLAGS HEADER
	{
		echo "#include <$3>"
		printf '#include "%s"\n' "$SRC/hooks/abi/$1.h" "$SRC/tests/engines/gpu/alike.h"
		cat "$SRC/tests/engines/gpu/$1_structs.h"
		tr '\n' ' ' <"$SRC/policy/faults.def" | grep -oE "FAULT\\(${1^^}, [0-9a-fx]+, \"[A-Za-z_]+\"" |
			sed -E 's/.*, ([0-9a-fx]+), "(.*)"/_Static_assert(\2 == \1, "\2");/' | tee "$1.faults"
	} >"$1.structs.c"
	# shellcheck disable=SC2086 # several flags
	gcc -fsyntax-only -w $2 -I "$root/usr/include" "$1.structs.c" || wrong "$1: a struct or number is not $3's"
	[ "$(wc -l <"$1.faults")" -ge 5 ] || wrong "$1: only $(wc -l <"$1.faults") numbers of faults compared"
}

lib=$root/usr/lib/x86_64-linux-gnu
check_names hip "$lib/libamdhip64.so.5"
check_names level0 "$lib/libze_loader.so.1"
for check in check_prototypes check_structs; do
	$check hip -D__HIP_PLATFORM_AMD__ hip/hip_runtime_api.h
	$check level0 "" level_zero/ze_api.h
done
echo "$seen names, $(cat ./*.compared | wc -l) prototypes, $(cat ./*.faults | wc -l) numbers compared"
[ "$seen" -gt 90 ] && [ $bad -eq 0 ]
