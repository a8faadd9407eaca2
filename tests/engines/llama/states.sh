#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# states.sh -- a real llama.cpp: saved states of another model, and computations that fail.
#
# time-limit: 300
. "${SRC:?}/tests/engines/llama/lib.sh"

guest=("$python" "$here/state_caller.py")
export PYTHONDONTWRITEBYTECODE=1 # beside ctypes_caller.py, in the source folder
model twin.gguf --seed 7 --name twin

# The state stays from run to run.
run() { # WORD...
	rm -rf "$state/crumbs"
	raw guarded "$taffrail" run --set state_guard=on --set cadence.same_model=0s --set cadence.cross_model=0s -- "${guest[@]}" "$@"
	check "$*" status "exit 0" "$(cat guarded.status)"
}

# Unguarded, a model of the same shape takes the other's state for its own.
plain "${guest[@]}" model=tiny.gguf decode=3 save=plain.bin model=twin.gguf restore=plain.bin show
check plain "the wrong state" "restore ok
position 2" "$(tail -n 2 plain.out | sed 's/^show \(position -*[0-9]*\),.*/\1/')"

fresh
run model=tiny.gguf decode=3 save=a.bin seqsave=a.seq oldsave=a.old
check saved "what it got" "save ok seqsave ok oldsave ok" "$(tail -n 3 guarded.out | xargs)"
check saved "entries, with vocabulary and engine" 3 "$(grep -c ' vocab=[1-9].* model="tiny" engine="[^"]' "$state/saved")"
run model=tiny.gguf restore=a.bin show decode=2 seqrestore=a.seq show oldrestore=a.old
check restored "what it got" "model ok
restore ok
position 2
decode 0 0
seqrestore ok
position 2
oldrestore ok" "$(sed 's/^show \(position [0-9]*\),.*/\1/' guarded.out)"
check restored "refused" 0 "$(count '.ev == "refuse"')"
run model=twin.gguf restore=a.bin seqrestore=a.seq oldrestore=a.old show decode=1
check "another model" "what it got" "model ok
restore failed
seqrestore failed
oldrestore failed
position -1
decode 0" "$(sed 's/^show \(position -*[0-9]*\),.*/\1/' guarded.out)"
check "another model" "why, each time" 3 "$(count '.ev == "refuse" and .rule == "state_guard" and (.msg | test("model twin, was tiny"))')"
# RoPE's settings of the context. Without the guard a state turned otherwise is taken.
plain "${guest[@]}" model=tiny.gguf decode=3 save=plain.bin rope_freq_scale=0.5 model=tiny.gguf restore=plain.bin show
check plain "a state that was turned otherwise" "restore ok
position 2" "$(tail -n 2 plain.out | sed 's/^show \(position -*[0-9]*\),.*/\1/')"
rm -rf plain.bin
turned() { # WANTED WHY WORD...: before the model is loaded
	run "${@:3}" model=tiny.gguf restore=t.bin
	check "turned, ${*:3}" "what it got" "restore $1" "$(tail -n 1 guarded.out)"
	check "turned, ${*:3}" "refused" "${2:+1}" "$(count ".ev == \"refuse\" and (.msg | test(\"^t.bin: $2\$\"))" | sed 's/^0$//')"
	check "turned, ${*:3}" "not compared" 0 "$(count '.rule == "state_guard" and .ev == "note"')"
}
run model=tiny.gguf decode=3 save=t.bin
check turned "the entry" 1 "$(grep -c ' turn=461c4000,3f800000,00000000,3f800000,00000000,00000000,00000000 ' <(grep ' name="t.bin"' "$state/saved"))"
turned failed "rope_freq_scale 0.5, was 1" rope_freq_scale=0.5
turned failed "rope_freq_base 1000000, was 10000" rope_freq_base=1000000
turned failed "yarn_ext_factor 1, was 0; .*" rope_scaling_type=2
turned ok ""
turned ok "" rope_freq_scale=1 rope_freq_base=10000 yarn_orig_ctx=99 # the model's own, and one without effect
truncate -s 100 a.bin
run model=tiny.gguf restore=a.bin
check truncated "what it got" "restore failed" "$(tail -n 1 guarded.out)"

# A computation that fails: the third graph of a decode, as a backend would say it.
cat >broken.c <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <stdlib.h>
	int ggml_backend_sched_graph_compute_async(void *sched, void *graph);
	int ggml_backend_sched_graph_compute_async(void *sched, void *graph)
	{
		static int calls;
		void *base = dlopen("libggml-base.so", RTLD_LAZY | RTLD_NOLOAD);
		int (*theirs)(void *, void *) = (int (*)(void *, void *))dlsym(base,
			"ggml_backend_sched_graph_compute_async");
		return ++calls == atoi(getenv("BREAK_AT")) ? -1 : theirs(sched, graph);
	}
END
"${CC:-cc}" -shared -fPIC -o broken.so broken.c -ldl || exit 1
broken() { # SETTING WORD...
	fresh
	raw guarded env LD_PRELOAD="$work/broken.so $shim" BREAK_AT=3 TAFFRAIL_STATE="$state" TAFFRAIL_SET="$1" "${guest[@]}" "${@:2}"
	check "$1" status "exit 0" "$(cat guarded.status)"
}
words=(model=tiny.gguf decode=2 show decode=1 show decode=1 show)
broken on_error=note "${words[@]}"
cp guarded.out note.out
raw plain env LD_PRELOAD="$work/broken.so" BREAK_AT=3 "${guest[@]}" "${words[@]}"
check note "as without the guard" "$(cat plain.out)" "$(cat note.out)"
check note "the engine's own answer" "decode -3" "$(sed -n 4p note.out)"
check note "class" 1 "$(count '.ev == "error" and .call == "llama_decode" and .class == "compute_failed" and .rc == -3')"
broken on_error=poison "${words[@]}" save=p.bin model=tiny.gguf
check poison "nothing stale is shown" "model ok
decode 0 0
show position 1, logits, a state
decode -3
show position -1, no logits, no state
decode -3
show position -1, no logits, no state
save failed
model failed" "$(cat guarded.out)"
broken on_error=reset "${words[@]}"
check reset "it begins anew" "model ok
decode 0 0
position 1
decode -3
position -1
decode 0
position 0" "$(sed 's/^show \(position -*[0-9]*\),.*/\1/' guarded.out)"
tally 43
