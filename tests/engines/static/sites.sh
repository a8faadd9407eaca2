#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# sites.sh -- an engine that is built into its program is guarded where it is called.
#
# As compilers make such programs: PIE and not, optimised and not.  With the guard
# the guest shows what it shows without, and the crumbs tell its loads, generations
# and drains.  In a raw preload, stripped, or with TAFFRAIL=off nothing happens.
# shellcheck disable=SC2154 # lib.sh sets them
. "${SRC:?}/tests/engines/static/lib.sh"

# The whole life of a guest that was built in one way.
life() { # NAME PROGRAM
	local name=$1 guest=$2
	alike "$name, once" "$guest" model.bin once
	check "$name" "nothing is said" "" "$(cat guarded.own)"
	has "$name" "the call sites" '.ev == "note" and (.msg // "" | test("^[0-9]+ call sites of 7 entry points"))'
	has "$name" "the route" '.ev == "start" and (.routes // [] | index("sites") != null)'
	has "$name" "the load" '.ev == "load" and .ph == "end" and .rc == 0 and .call == "llama_model_load_from_file"'
	has "$name" "the generation" '.ev == "infer" and .ph == "end" and .tokens == 3 and .submits == 3'
	has "$name" "the context" '.ev == "infer" and .ctx == 512'
	has "$name" "the drain" '.ev == "drain" and .rule == "drain.before_unload"'
	has "$name" "the end of the context" '.ev == "unload" and .ph == "end" and .call == "llama_free"'
	has "$name" "the end of the model" '.ev == "unload" and .ph == "end" and .call == "llama_model_free"'
	alike "$name, abort" "$guest" model.bin abort
	has "$name, abort" "its text" '.ev == "error" and .engine == "ggml" and (.msg | test("serve.c:7: no luck after"))'
	alike "$name, leave" "$guest" model.bin leave
	has "$name, leave" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit"'
	alike "$name, exit" "$guest" model.bin exit
	has "$name, exit" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit"'
}

ways() {
	local compiler flags name
	for compiler in gcc clang; do
		command -v $compiler >/dev/null || {
			untried 115 "$compiler is not here"
			continue
		}
		for flags in "-O2 -fPIE -pie" "-O2 -no-pie" "-O0" "-O3 -fcf-protection=full -g" \
			"-Os -Wl,-z,now -Wl,-z,noseparate-code"; do
			name="$compiler $flags"
			# shellcheck disable=SC2086 # words
			if build guest $compiler $flags; then
				life "$name" ./guest
			else
				untried 23 "$name: $(head -n 1 compiler.log)"
			fi
		done
	done
}
ways

build guest "${CC:-cc}" -O2 || exit 1

# Many threads at once: nothing is lost, nothing counted twice.
alike threads ./guest model.bin threads
check threads tokens 8000 "$(sum '.ev == "infer" and .ph == "end"' .tokens)"
check threads submits 4800 "$(sum '.ev == "infer" and .ph == "end"' .submits)"
check threads contexts 8 "$(number_of '.ev == "unload" and .ph == "end" and .call == "llama_free"')"

# What is waited for at the end is waited for in the engine itself.
without_shim ./guest model.bin waits
check waits plain "2 waits" "$(tail -n 1 plain.out)"
guarded ./guest model.bin waits
check waits guarded "3 waits" "$(tail -n 1 guarded.out)"

alike fork ./guest model.bin fork
check fork "both write" 2 "$(number_of '.ev == "start"')"

# Code is never writable and executable at once, then or later.
alike maps ./guest model.bin maps
check maps none "0 mappings" "$(tail -n 1 guarded.out)"

# A child that is another build inherits the variable and is left as it is.
build other "${CC:-cc}" -O1 -DOTHER || exit 1
guarded ./guest model.bin other ./other model.bin once
check other status "exit 0" "$(cat guarded.status)"
check other "its end" "other 0" "$(tail -n 1 guarded.out)"
check other "the program's own load alone" 1 "$(number_of '.ev == "load" and .ph == "end"')"
check other "no complaint" 0 "$(number_of '.msg // "" | test("left alone")')"
# The same program again is the same build.
guarded ./guest model.bin other ./guest model.bin once
check same "both loads" 2 "$(number_of '.ev == "load" and .ph == "end"')"

# Not by a raw preload, not stripped, not switched off.
same "raw preload" ./guest model.bin once
check "raw preload" "no record" "" "$(crumbs)"
cp guest stripped
strip stripped
alike stripped ./stripped model.bin once
check stripped "no load" 0 "$(number_of '.ev == "load"')"
check stripped "doctor" yes "$("$bin" doctor -- ./stripped | grep -q 'stripped: an engine that was built into it' && echo yes)"
# Its own words tell an engine that was built in: --strict does not start it.
strict() { # PROGRAM...: status, and its line without the names
	raw strict "$bin" run --strict -- "$@" model.bin once
	echo "$(cat strict.status), $(grep -o 'by its words .* is built into it' strict.err | cut -d' ' -f4)"
}
check "stripped, strict" "no words" "exit 0, " "$(strict ./stripped)"
for engine in "llama.cpp:loaded meta data with %d key-value pairs and %d tensors" \
	"whisper.cpp:%s: n_audio_ctx   = %d" "MLX:N3mlx4core9PrimitiveE" \
	"ggml:%s: not enough space in the context's memory pool (needed %zu)"; do
	echo "const char taf_words[] __attribute__((used)) = \"${engine#*:}\";" >words.c
	build wordy "${CC:-cc}" -O2 words.c || exit 1
	check "${engine%%:*}, with names" status "exit 0, " "$(strict ./wordy)"
	strip wordy
	check "${engine%%:*}, stripped" status "exit 69, ${engine%%:*}" "$(strict ./wordy)"
	check "${engine%%:*}, stripped" doctor "partly stripped-engine" \
		"$("$bin" doctor --json -- ./wordy | jq -r '"\(.verdict) \(.findings[] | select(.id == "stripped-engine").id)"')"
	"$bin" doctor --strict -- ./wordy >/dev/null 2>&1
	check "${engine%%:*}, stripped" "doctor --strict" 69 $?
	# Without section headers as well: bytes 40 to 48 and 58 to 64 of an ELF header.
	cp wordy bare
	printf '\0\0\0\0\0\0\0\0' | dd of=bare bs=1 seek=40 conv=notrunc status=none
	printf '\0\0\0\0\0\0' | dd of=bare bs=1 seek=58 conv=notrunc status=none
	check "${engine%%:*}, bare" status "exit 69, ${engine%%:*}" "$(strict ./bare)"
	raw plain ./wordy model.bin once
	raw strict "$bin" run -- ./wordy model.bin once
	check "${engine%%:*}, stripped" "not strict" "$(cat plain.out)" "$(cat strict.out)"
done
fresh
raw off env TAFFRAIL=off "$bin" run -- ./guest model.bin sites
check off status "exit 0" "$(cat off.status)"
check off "no variable" none "$(tail -n 1 off.out)"

# doctor says what `run` does.
"$bin" doctor -- ./guest >doctor.txt
check doctor route yes "$(grep -Eq '11 call sites of 7 entry points of llama, ggml in the program itself: guarded under .taffrail run., not by a raw preload' doctor.txt && echo yes)"
check doctor verdict yes "$(grep -q 'verdict *guarded$' doctor.txt && echo yes)"
check doctor json '["sites"]' "$("$bin" doctor --json -- ./guest | jq -c '[.routes[] | select(. == "sites")]')"
if build static "${CC:-cc}" -O2 -static; then
	check doctor "static program" yes "$("$bin" doctor -- ./static | grep -q 'cannot be guarded: it is statically linked' && echo yes)"
	alike static ./static model.bin once
else
	untried 4 "no static C library"
fi
tally 304
