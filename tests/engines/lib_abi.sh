# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # lib_base.sh sets passed, failed
# lib_abi.sh -- our rows of runtimes and engines against their vendors' declarations. Sourced.
#
#	rows_of TABLE [FLAG...]	finds the rows of hooks/TABLE.def
#	preprocess TEXT FLAG...	of the headers on stdin, without one macro left: names are symbols
#	compare TABLE WHAT TEXT [MORE]
#				what TEXT declares of the rows, or MORE, whose types TEXT has
#	leave_out TABLE WHY	what was not compared so far is not tried: a header cannot be had
#	whole TABLE		every row was compared
#	named TABLE NAMES	every row is one of the names in that file
#	planted TABLE TEXT NAME RETURNS PARAMETERS [MORE]
#				a row as wrong as this would be told, by its name
#	unknown TABLE		and so would a row that no header has
#
# Compared are the number of parameters, and of each and of the result the size and the
# sort: alike.h.  Where a function had other parameters in other versions, and our row
# is made for all of them, its name stands in of_many: it must fit into our row's registers.
# In of_none stand those that gave nothing once, where our row has a number. Where objects are structs of one pointer, and our rows have that, are_structs is set.  A row
# that is noticed and jumped through has no parameters here, and is not compared.
. "${SRC:?}/tests/integration/lib_base.sh"

needs gcc g++ nm
of_many=
of_none=
are_structs=

# TABLE.rows: lines NAME<tab>RETURNS<tab>(PARAMETERS); as many as the table has verbs.
# GENERATES and the verbs of whisper.def are what their tables say that they are.
rows_of() { # TABLE
	local said verbs='TAKES|GIVES|GIVES_LATER|GIVES_QUEUED|SUBMITS|COPIES|WAITS|HOOKV?|OWNV?|CALL'
	verbs+='|BRINGS|BRINGS_BARE|COMPUTES|GENERATES'
	gcc -E -P -x c - <<-END | sed 's/@ROW/\n@ROW/g' |
		#include "$SRC/hooks/hook.h"
		#undef bool
		#include "$SRC/hooks/none.h"
		#undef HOOK
		#undef HOOKV
		#undef OWN
		#undef OWNV
		#undef CALL
		#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) @ROW ret @ name @ params @
		#define HOOKV(name, params, args, kind, bytes, doc) HOOK(void, name, params, , , , , )
		#define OWN(ret, name, params, args, kind, refuse, doc) HOOK(ret, name, params, , , , , )
		#define OWNV(name, params, args, kind, doc) HOOK(void, name, params, , , , , )
		#define CALL(ret, name, params, doc) HOOK(ret, name, params, , , , , )
		#define GENERATES(name, doc) HOOK(uint64_t, name, TAF_ANY_PARAMS, , , , , )
		#include "$SRC/hooks/gpu_rows.h"
		#include "$SRC/hooks/$1.def"
	END
		sed -nE 's/^@ROW *(.*) @ *(\w+) @ *(\(.*\)) @.*/\2\t\1\t\3/p' >"$1.rows"
	# A part of a table is named TABLE_part.def.
	said=$(cat "$SRC/hooks/$1.def" "$SRC/hooks/$1"_*.def 2>/dev/null | grep -cE "^($verbs)\(")
	[ "$(wc -l <"$1.rows")" -eq "$said" ] ||
		fail "$1" "$said rows are written, $(wc -l <"$1.rows") were found"
	: >"$1.compared"
}

preprocess() { # TEXT FLAG...
	gcc -E -P -w "${@:2}" -x c - >"$1" && return
	fail "$1" "the preprocessor fails"
	tally 1
}

# C++ that compiles where all rows on stdin are alike. The text is C, and comes before
# any header of C++, whose names it would meet.
unit() { # TABLE TEXT [MORE]
	local name returns params space=vendor${3:+::more} abi=$SRC/hooks/abi/$1.h
	[ "$1" = cudart ] && abi=$SRC/hooks/abi/cuda.h
	[ -e "$abi" ] || abi=/dev/null
	echo "#define wchar_t c_wchar_t
		#define _Bool bool
		#define _Alignas alignas
		#define _Noreturn
		#define restrict
		namespace vendor {
		extern \"C\" {
		#include \"$2\"
		}
		namespace more {
		#include \"${3:-/dev/null}\"
		}
		}
		#undef wchar_t
		#undef _Bool
		#undef restrict
		#undef _Alignas
		#include \"$abi\"
		${are_structs:+#define ARE_STRUCTS}
		#include \"$SRC/tests/engines/gpu/alike.h\""
	gcc -E -P -x c "$SRC/hooks/hook.h" | sed -n '/^struct taf_\(params\|batch\|full\|result\) {/,/^};/p'
	echo "ROOM(taf_params) ROOM(taf_batch) ROOM(taf_full) ROOM(taf_result)"
	while IFS=$'\t' read -r name returns params; do
		[[ " $of_none " != *" $name "* ]] || returns=void
		case " $of_many " in
		*" $name "*) echo "FITS(&$space::$name, $returns (*) $params, \"$name\");" ;;
		*) echo "ALIKE(&$space::$name, $returns (*) $params, \"$name\");" ;;
		esac
	done
}

accepted() { # UNIT
	g++ -std=c++17 -fsyntax-only -w "$1" 2>"$1.log"
}

declared() { # TABLE TEXT: the rows whose names it declares
	tr '\n' ' ' <"$2" | grep -oE '\b\w+ *\(' | tr -d ' (' | sort -u |
		awk -F'\t' 'FILENAME == "-" { is[$1] = 1; next } $1 in is' - "$1.rows"
}

compare() { # TABLE WHAT TEXT [MORE]
	local of=${4:-$3} n
	declared "$1" "$of" >"$of.rows"
	n=$(wc -l <"$of.rows")
	echo "$2: $n of $(wc -l <"$1.rows") rows of $1"
	cut -f1 "$of.rows" >>"$1.compared"
	unit "$1" "${@:3}" <"$of.rows" >"$of.cc"
	if accepted "$of.cc"; then
		passed=$((passed + n))
	else
		fail "$1" "differs from $2"
		grep error "$of.cc.log" | head -n 12
	fi
}

not_compared() { # TABLE
	cut -f1 "$1.rows" | sort | comm -23 - <(sort -u "$1.compared")
}

leave_out() { # TABLE WHY
	local n
	not_compared "$1" >"$1.left"
	n=$(wc -l <"$1.left")
	[ "$n" -eq 0 ] || untried "$n" "$n rows of $1 with a header: $2"
	grep -vwFf "$1.left" "$1.rows" >"$1.rest"
	mv "$1.rest" "$1.rows"
}

whole() { # TABLE
	local name
	while read -r name; do
		fail "$1" "$name was compared with no header"
	done < <(not_compared "$1")
}

exports_of() { # LIBRARY
	nm -D --defined-only "$1" | awk '{ sub(/@.*/, "", $NF); print $NF }'
}

named() { # TABLE NAMES
	local name
	sort -u "$2" >names
	while read -r name; do
		fail "$1" "$name is no name of a library"
	done < <(cut -f1 "$1.rows" | sort | comm -23 - names)
	passed=$((passed + $(cut -f1 "$1.rows" | sort | comm -12 - names | wc -l)))
}

planted() { # TABLE TEXT NAME RETURNS PARAMETERS [MORE]
	printf '%s\t%s\t%s\n' "$3" "$4" "$5" | unit "$1" "$2" ${6:+"$6"} >planted.cc
	if accepted planted.cc; then
		fail planted "$4 $3$5 passes"
	elif [ "$(grep -c 'error:' planted.cc.log)" -eq 1 ] &&
		grep -q "error: static assertion failed.*$3 is called otherwise" planted.cc.log; then
		pass
	else
		fail planted "$4 $3$5 is told by something else: $(grep -m1 error planted.cc.log)"
	fi
}

unknown() { # TABLE
	cp "$1.rows" real.rows
	printf 'taf_in_no_header\tint\t(void)\n' >>"$1.rows"
	if (whole "$1") | grep -q 'taf_in_no_header was compared with no header'; then
		pass
	else
		fail "$1" "a row that no header has is not told"
	fi
	mv real.rows "$1.rows"
}
