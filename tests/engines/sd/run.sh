#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2154 # names set by the lib.sh that is sourced below
# run.sh -- a real stable-diffusion.cpp, as a shared library, in a program of ours: with models
# of random weights it makes images, makes them larger, and fails in every way that it has.
#
# The program is linked with it, and a second one asks for its functions by name.  It sees the
# same and ends the same as without, and the log tells the whole story.
#
# time-limit: 600
engine=$("${SRC:?}/tests/engines/sd/fetch.sh") || exit $?
. "$SRC/tests/integration/lib.sh"

here=$SRC/tests/engines/sd
taffrail=$BUILD/taffrail
export TAFFRAIL_STATE=$state GGML_NO_BACKTRACE=1 # it would ask a debugger
paint() { # FILE OPTION...
	"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -I"$engine" -o "$1" "$here/parts/paint.c" \
		"${@:2}" "-Wl,-rpath,$engine" -ldl || exit 1
}
paint linked -L"$engine" -lstable-diffusion
paint by_name -DBY_NAME
mksd() { # KIND SEED FILE
	"$tests/mksd" "$@" || exit 1
}
mksd image 1 rail.safetensors
mksd image 2 stern.safetensors
mksd decoder 3 decoder.safetensors
mksd upscaler 4 larger.safetensors
head -c 20000000 rail.safetensors >cut.safetensors
rail=load=rail.safetensors,decoder.safetensors
stern=load=stern.safetensors,decoder.safetensors

# Loads that follow each other at once are what these programs do.
guarded() { # [--set S]... -- COMMAND...
	fresh
	raw guarded "$taffrail" run --set cadence.same_model=0s --set cadence.cross_model=0s "$@"
	sed -i '/^taffrail: /d' guarded.err
}

both() { # CASE [--set S]... -- COMMAND...
	local case=$1 options=() part
	shift
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	raw plain "${@:2}"
	guarded "${options[@]}" "$@"
	for part in status out err; do
		check "$case" $part "$(cat plain.$part)" "$(cat guarded.$part)"
	done
	check "$case" "damaged records" "" "$("$taffrail" report --all --json | jq -r '.sessions[].damaged | select(. != 0)')"
}

story() {
	crumbs | jq -r 'select(.engine == "sd" and (.ev | IN("load", "infer", "unload")) and .ph != "mark" or .ev == "exit" and .role != "run" and .ph == "end") |
		[.ev, .ph, .call // empty, .model // empty] | join(" ")'
}

# The report of the program: a jq program over its session.
report() { # PROGRAM
	"$taffrail" report --last --json | jq -r "[.sessions[] | select(.engines | length > 0)][0] | $1"
}

steps=("$rail" image=1 image=2 upscale=larger.safetensors canny "$stern" image=1 free exit=3)
whole="load begin new_sd_ctx rail
load end new_sd_ctx rail
infer begin generate_image rail
infer end rail
infer begin generate_image rail
infer end rail
load begin new_upscaler_ctx larger
load end new_upscaler_ctx larger
unload begin free_upscaler_ctx larger
unload end free_upscaler_ctx larger
unload begin free_sd_ctx rail
unload end free_sd_ctx rail
load begin new_sd_ctx stern
load end new_sd_ctx stern
infer begin generate_image stern
infer end stern
unload begin free_sd_ctx stern
unload end free_sd_ctx stern
exit end"
all=(--set drain.post_sync=on --set drain.post_clear=on --set drain.serialize=on --set on_error=poison
	--set trace=on)
for way in linked by_name; do
	for policy in built-in all; do
		[ "$way $policy" != "by_name all" ] || continue
		options=()
		[ $policy = built-in ] || options=("${all[@]}")
		both "$way $policy" "${options[@]}" -- ./$way "${steps[@]}"
		check "$way $policy" "what the program did" "exit 3, loaded image image upscaled edges loaded image" \
			"$(cat guarded.status), $(cut -d' ' -f1 guarded.out | xargs)"
		check "$way $policy" "the story" "$whole" "$(story)"
		check "$way $policy" "errors" 0 "$(count '.ev == "error"')"
		check "$way $policy" "the report" "nonzero stern sd 3 0" "$(report '"\(.verdict) \(.model) \(.engines | join(",")) \(.infers) \(.open | length)"')"
	done
	check "$way" "the route" true "$(crumbs | jq -r --arg r "$([ $way = linked ] && echo export || echo dlsym)" 'select(.role == "guest").routes | index($r) != null')"
done
check images "three that differ" 3 "$(grep '^image 32x32' guarded.out | sort -u | wc -l)"
bytes() { # FILE: of its tensors
	echo $(($(stat -c %s "$1") - 8 - $(od -An -tu8 -N8 "$1")))
}
check loads "their bytes" "$(bytes rail.safetensors) $(bytes larger.safetensors) $(bytes stern.safetensors)" \
	"$(crumbs | jq -r 'select(.ev == "load" and .ph == "end" and .rc == 0).bytes' | xargs)"

# Loads that fail are the engine's own failures, and so is what is asked of no model.
both "failed loads" -- ./linked load=nowhere.safetensors load=rail.safetensors,nowhere.safetensors \
	image=1 upscale=nowhere.safetensors exit=0
check "failed loads" "what it got" "not loaded not loaded image 0x0 811c9dc5 no upscaler" "$(xargs <guarded.out)"
check "failed loads" "in the log" "new_sd_ctx -1 new_sd_ctx -1 new_upscaler_ctx -1" \
	"$(crumbs | jq -r 'select(.ev == "load" and .ph == "end") | "\(.call) \(.rc)"' | xargs)"
check "failed loads" "a turned down request" 1 "$(count '.ev == "error" and .call == "generate_image" and .class == "bad_batch"')"

# Loads that a rule refuses.
guarded --set cadence.same_model=1h --set cadence.on_violation=refuse -- ./linked "$rail" image=1 "$rail" exit=0
check refused "what it got" "loaded image not loaded" "$(cut -d' ' -f1 guarded.out | sed 's/not/not loaded/' | xargs)"
check refused "by which rule" cadence.same_model "$(crumbs | jq -r 'select(.ev == "refuse").rule')"

# Weights are read when they are first needed: of a file that ends too early the engine takes
# the load, and aborts in the first image.
both "cut file" -- ./linked load=cut.safetensors,decoder.safetensors image=1
check "cut file" "how it ended" "signal 6" "$(cat guarded.status)"
check "cut file" "what was known at the load" 2 "$(count '.ev == "load" and (.msg | test("the file ends before its tensors do$"))')"
check "cut file" "its words" 1 "$(count '.ev == "error" and .call == "ggml_abort" and (.msg | test("GGML_ASSERT"))')"
check "cut file" "what was open" "infer generate_image cut" "$(report '.open[0] | "\(.ev) \(.call) \(.model)"')"
# So it does when it is asked for a video of a model that makes none.
both video -- ./linked "$rail" video
check video "how it ended" "signal 6" "$(cat guarded.status)"
check video "what was open" "infer generate_video rail" "$(report '.open[0] | "\(.ev) \(.call) \(.model)"')"

# A graph that fails, as the backend of the processor says it: of an image the third of four, and the one of
# an upscaler, which is seen through ggml alone.
cat >broken.c <<-'END'
	#define _GNU_SOURCE
	#include <dlfcn.h>
	#include <stdlib.h>
	int ggml_graph_compute(void *graph, void *plan);
	int ggml_graph_compute(void *graph, void *plan)
	{
		static int calls;
		int (*theirs)(void *, void *) = (int (*)(void *, void *))dlsym(RTLD_NEXT, "ggml_graph_compute");
		return ++calls == atoi(getenv("BREAK_AT")) ? -1 : theirs(graph, plan);
	}
END
"${CC:-cc}" -shared -fPIC -o broken.so broken.c -ldl || exit 1
broken() { # SETTING BREAK-AT STEP...
	fresh
	raw plain env LD_PRELOAD="$work/broken.so" BREAK_AT="$2" ./linked "${@:3}"
	raw guarded env LD_PRELOAD="$work/broken.so $shim" BREAK_AT="$2" TAFFRAIL_SET="$1" ./linked "${@:3}"
}
broken on_error=note 3 "$rail" image=1 image=1 exit=0
check "failed graph" "as without the guard" "$(cat plain.status plain.out)" "$(cat guarded.status guarded.out)"
check "failed graph" "what it got" "image 0x0 image 32x32" "$(grep ^image guarded.out | cut -d' ' -f1-2 | xargs)"
check "failed graph" "class" 1 "$(count '.ev == "error" and .call == "generate_image" and .class == "compute_failed"')"
# It keeps nothing from one image to the next that could be held back: loads are refused.
broken on_error=poison 3 "$rail" image=1 image=1 free "$rail" exit=0
check poison "what it got" "loaded image 0x0 image 32x32 not loaded" "$(cut -d' ' -f1-2 guarded.out | xargs)"
check poison "by which rule" on_error "$(crumbs | jq -r 'select(.ev == "refuse").rule')"
broken on_error=note 5 "$rail" image=1 upscale=larger.safetensors exit=0
check "failed upscale" "as without the guard" "$(cat plain.status plain.out)" "$(cat guarded.status guarded.out)"
check "failed upscale" "class" 1 "$(count '.ev == "error" and .engine == "ggml" and .class == "compute_failed"')"

# In the middle of an image; by the policy it leaves first.
for signal in TERM KILL; do
	both "kill -$signal" -- ./linked "$rail" die="$(kill -l $signal)"
	check "kill -$signal" "the verdict" "SIG$signal rail" "$(report '"\(.signal) \(.model)"')"
	check "kill -$signal" "what was open" generate_image "$(report '.open[0].call')"
done
guarded --set exit.signals=TERM -- ./linked "$rail" die=15
check exit.signals "how it ended" "signal 15" "$(cat guarded.status)"
check exit.signals "the exit" 1 "$(count '.ev == "exit" and .ph == "end" and .role != "run"')"

check doctor "the engine, and the functions of it that the program asks for" "guarded 6 6" \
	"$("$taffrail" doctor --json -- ./linked "$rail" | jq -r '"\(.verdict) " + (.engines[] | select(.engine == "sd") | "\(.imported) \(.in_libraries)")')"
tally 73
