#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# khronos.sh -- our rows and declarations of Vulkan and OpenCL against the vendors' headers.
#
# Prototypes: as many parameters, each of the same size and sort.  Structs and numbers:
# static assertions.  Headers are those of libvulkan-dev and opencl-headers.
set -u

SRC=${SRC:?the source folder}
for header in vulkan/vk_layer.h CL/cl.h; do
	echo "#include <$header>" | gcc -fsyntax-only -w -DCL_TARGET_OPENCL_VERSION=300 -x c - 2>/dev/null || {
		echo "no $header: tests/deps.sh engines"
		exit 77
	}
done
command -v g++ >/dev/null || {
	echo "no g++ to compare prototypes with"
	exit 77
}
cd "$(mktemp -d)" || exit 1
trap 'rm -rf "$PWD"' EXIT
bad=0

wrong() {
	echo "$*"
	bad=1
}

# The names of the rows, however they are made.
rows_of() { # TABLE
	"${CC:-cc}" -E -P -include "$SRC/hooks/exports.h" -include "$SRC/hooks/none.h" -x c - <<-END |
		#undef HOOK
		#undef OWN
		#undef OWNV
		#undef CALL
		#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) NAME name;
		#define OWN(ret, name, params, args, kind, refuse, doc) NAME name;
		#define OWNV(name, params, args, kind, doc) NAME name;
		#define CALL(ret, name, params, doc) NAME name;
		#include "$SRC/hooks/$1.def"
	END
		tr ';' '\n' | sed -n 's/^ *NAME *//p'
}

# Handles that are numbers to us are numbers there as well.
check_prototypes() { # TABLE FLAGS HEADER...
	local table=$1 flags=$2
	shift 2
	# shellcheck disable=SC2086 # several flags
	printf '#include <%s>\n' "$@" | gcc -E -P $flags - >"$table.c.h" || exit 1
	{
		echo "#define wchar_t c_wchar_t
			#define _Bool bool
			namespace vendor { extern \"C\" {
			#include \"$table.c.h\"
			} }
			#undef wchar_t
			#include \"$SRC/hooks/abi/$table.h\"
			#include \"$SRC/tests/engines/gpu/alike.h\"
			#include \"$SRC/hooks/none.h\"
			#undef HOOK
			#undef OWN
			#undef OWNV
			#undef CALL
			#define OWN(ret, name, params, args, kind, refuse, doc) \\
				static_assert(alike(&vendor::name, static_cast<ret(*) params>(nullptr)), #name);
			#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) OWN(ret, name, params, args, kind, refuse, doc)
			#define OWNV(name, params, args, kind, doc) OWN(void, name, params, args, kind, 0, doc)
			#define CALL(ret, name, params, doc) OWN(ret, name, params, , LOOKUP, 0, doc)
			#include \"$SRC/hooks/$table.def\""
	} >"$table.cc"
	g++ -std=c++17 -fsyntax-only -w "$table.cc" || wrong "$table: a prototype is not the header's"
	rows_of "$table" >"$table.rows"
	[ "$(wc -l <"$table.rows")" -ge 25 ] || wrong "$table: only $(wc -l <"$table.rows") rows"
}

check_structs() { # TABLE FLAGS HEADER...
	local table=$1 flags=$2
	shift 2
	{
		printf '#include <%s>\n' stddef.h "$@"
		printf '#include "%s"\n' "$SRC/hooks/abi/$table.h" "$SRC/tests/engines/gpu/alike.h"
		cat "$SRC/tests/engines/gpu/${table}_structs.h"
		tr '\n' ' ' <"$SRC/policy/faults.def" | grep -oE "FAULT\\(${table^^}, [-0-9]+, \"[A-Za-z_]+\"" |
			grep -v CL_ERROR_OF_THE_DRIVER | # no header has it
			sed -E 's/.*, ([-0-9]+), "(.*)"/_Static_assert(\2 == \1, "\2");/' | tee "$table.faults"
	} >"$table.structs.c"
	# shellcheck disable=SC2086 # several flags
	gcc -fsyntax-only -w $flags "$table.structs.c" || wrong "$table: a struct or number is not the header's"
	[ "$(wc -l <"$table.faults")" -ge 4 ] || wrong "$table: only $(wc -l <"$table.faults") numbers of faults compared"
}

# Declarations that are wrong must be seen, and for nothing else.
prove() { # TABLE
	sed "s/uint32_t n,/uint64_t n,/" "$SRC/hooks/$1.def" >planted.def
	sed "s|$SRC/hooks/$1.def|planted.def|" "$1.cc" >planted.cc
	g++ -std=c++17 -fsyntax-only -w planted.cc 2>planted.log && wrong "$1: a wrong prototype is not seen"
	if grep 'error:' planted.log | grep -v 'error: static assertion failed: '; then
		wrong "$1: a wrong prototype is seen by another error"
	fi
}

for check in check_prototypes check_structs; do
	$check vulkan -DVK_USE_64_BIT_PTR_DEFINES=0 vulkan/vulkan_core.h vulkan/vk_layer.h
	$check opencl -DCL_TARGET_OPENCL_VERSION=300 CL/cl.h CL/cl_ext.h
done
prove vulkan
prove opencl
echo "$(cat ./*.rows | wc -l) prototypes, $(cat ./*.faults | wc -l) numbers compared"
[ $bad -eq 0 ]
