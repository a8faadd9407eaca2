#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# headers.sh -- every header compiles alone, without a warning, with gcc and clang.
#
# The headers listed in passes are not headers in that sense: they expand a
# table that their includer names, or are a part of the one file that includes
# them. They are exempt, by name.
set -u

passes=(hooks/expand.h hooks/rows.h hooks/catalog_rows.h hooks/exports.h
	tests/fake/fake.h tests/fake/fake_cuda_names.h tests/fake/fake_cuda_contexts.h tests/fake/fake_streams.h
	tests/fake/fake_llama_told.h
	tests/integration/gpu_rows.h tests/integration/parts/gpu_held.h)
flags=(-std=c11 -D_GNU_SOURCE '-DTAF_VERSION="0"' -Wall -Wextra -Wpedantic -Wconversion -Wshadow
	-Wstrict-prototypes -Wno-unused-function -Werror -fsyntax-only -x c)

cd "${SRC:-$(cd "$(dirname "$0")/.." && pwd)}" || exit 1
compilers=
for cc in gcc clang; do
	if command -v "$cc" >/dev/null; then
		compilers="$compilers $cc"
	else
		echo "$cc is missing: tests/deps.sh build lint"
		exit 77
	fi
done

bad=0 seen=0
for header in $(find policy shim hooks cli tests -name '*.h' -not -path '*/node_modules/*' | sort); do
	case " ${passes[*]} " in *" $header "*) continue ;; esac
	seen=$((seen + 1))
	for cc in $compilers; do
		# A header of macros alone would leave an empty file, which C forbids.
		printf '#include "%s"\ntypedef int alone;\n' "$header" | "$cc" "${flags[@]}" -I. - || {
			echo "$header does not compile alone with $cc"
			bad=1
		}
	done
done
echo "$seen headers examined"
[ "$seen" -gt 0 ] && [ "$bad" -eq 0 ]
