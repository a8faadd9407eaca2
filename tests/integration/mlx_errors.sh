#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# mlx_errors.sh -- computations of MLX that fail: what is thrown passes us as it is, the log
# says what it was, and on_error is done. The engine is one of ours, in C++.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
bin=${TAFFRAIL:?the path of the taffrail binary}
. "${SRC:?}/tests/integration/lib.sh"
# A machine that stands still in a generation does not end it.
export TAFFRAIL_SET=drain.idle_ms=10m

needs python3
. "$SRC/tests/integration/lib_mlx.sh"

errors() { # FIELD: of each ERROR, one a line
	crumbs | jq -r "select(.ev == \"error\") | $1"
}

# 1. Type, text, count of exceptions in flight: the same. One crumb each, with what is known.
same passes ./program metal other alloc again own number nested fine async=metal one=other \
	sync=metal hop=metal fine
check passes status "exit 7" "$(cat shim.status)"
check passes "whether ours called what() of theirs" 1 "$(grep -c own::what shim.out)"
check passes "classes" "cmd_buffer_oom exception engine_oom cuda_oom exception exception gpu_timeout cmd_buffer_oom exception cmd_buffer_oom cmd_buffer_oom" \
	"$(errors .class | xargs)"
has passes "the advice and the text" '.ev == "error" and .engine == "mlx" and (.call | test("4evalESt6vector")) and .rc == -1 and
	.msg == "start the worker again: [METAL] Command buffer execution failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)."'
has passes "the program's own doing" '.class == "exception" and (.msg | endswith(": [matmul] shapes do not fit"))'
has passes "a type that is not asked" '.class == "exception" and (.msg | test("N.*3ownE$"))'
has passes "what is no object" '.class == "exception" and (.msg | endswith(": i"))'
has passes "a synchronize" '.class == "cmd_buffer_oom" and (.call | test("11synchronize"))'
check passes "what on_error did" 0 "$(count '.rule == "on_error"')"
check passes "begins without an end" 0 "$(crumbs | jq -s '[.[] | select(.ph == "begin") | .seq] - [.[] | select(.ph == "end") | .of] | length')"
# They hold nobody up.
with_shim ./program other own number
check harmless "the log" "exit 7: exception exception exception" "$(cat shim.status): $(errors .class | xargs)"
check harmless "crashes, by the gate" 0 "$(TAFFRAIL_STATE="$state" "$bin" gate --json 2>/dev/null | jq .aborts_24h)"
with_shim ./program metal
"$bin" report --last --state "$state" >failed.text
check failed "the last error" 1 "$(grep -c 'the last error was: \[METAL\] Command' failed.text)"
check failed "what to do" "start the worker again" "$(sed -n 's/^ *next  *//p' failed.text | head -n 1)"
check harmless "one, where the device failed" 1 "$(TAFFRAIL_STATE="$state" "$bin" gate --json 2>/dev/null | jq .aborts_24h)"

# 2. Nobody catches it: the same last words, the same signal, and the crumb was there first.
for word in uncaught=metal noexcept=metal uncaught=number; do
	same "$word" ./program fine $word
	check "$word" status "signal 6" "$(cat shim.status)"
	check "$word" "one crumb" 1 "$(count '.ev == "error" and (.call | test("4evalESt6vector"))')"
done

# 3. on_error. What a program holds in arrays is its own: poison only refuses the next load.
mkdir model
printf '\20\0\0\0\0\0\0\0{"__metadata__":{}}' >model/model.safetensors
echo '{"model_type": "llama"}' >model/config.json
load=load=model/model.safetensors
refused="runtime_error: [load_safetensors] Failed to open file (refused by taffrail: \`taffrail report\` says by which rule)"
after() { # SETTINGS WORD...: a model, what fails, another load
	with_shim TAFFRAIL_SET="$1" ./program $load fine "${@:2}" fine $load
	check "$*" status "exit 7" "$(cat shim.status)"
}
after on_error=poison metal
check poison "it computes on, and loads nothing" "fine: computed
uncaught now: 0
$refused" "$(tail -n 4 shim.out | head -n 3)"
has poison "what is so" '.ev == "note" and .rule == "on_error" and (.msg | test("only loads are refused"))'
has poison "the refusal" '.ev == "refuse" and .rule == "on_error" and (.call | test("load_safetensors"))'
# What we threw ourselves is our refusal, no failure of the engine, and nothing was read.
check poison "classes" "cmd_buffer_oom" "$(errors .class | xargs)"
has_not poison "a cache read back" '.msg // "" | test("saved cache")'
for word in other own number; do
	after on_error=poison $word
	check "poison, $word" "no reason for it" "loaded" "$(tail -n 1 shim.out)"
	check "poison, $word" "words of it" 0 "$(count '.rule == "on_error"')"
done
after on_error=reset metal
check reset "nothing is to be cleared" "loaded" "$(tail -n 1 shim.out)"
has reset "that it is noted" '.rule == "on_error" and (.msg | test("only noted"))'
after on_error=restart metal
has restart "the wish" '.ev == "note" and .rule == "on_error" and .class == "restart"'
after "mode=observe;on_error=poison" metal metal
check observe "nothing is done" "loaded" "$(tail -n 1 shim.out)"
has observe "what would be" '.ev == "would" and .rule == "on_error" and .msg == "would refuse loads from now on"'
has observe "the load" '.ev == "would" and .rule == "on_error" and (.call | test("load_safetensors"))'

# 4. Our own wait is told of a failure first: it is in the log, and nothing of it ends the program.
with_shim TAFFRAIL_SET="drain.idle_ms=5ms" ./program fine one=fine exit=3
check quiet "no error" 0 "$(count '.ev == "error"')"
# Whether caches were cleared is told by the record, whichever rule it names.
for more in "" ";drain.post_clear=on"; do
	with_shim TAFFRAIL_SET="drain.post_sync=on$more" ./program fine exit=3
	check "post_sync$more" "the drain" "${more:+caches cleared}" \
		"$(crumbs | jq -r 'select(.ev == "drain" and .ph == "end" and .rule == "drain.post_sync") | .msg // ""')"
	has "post_sync$more" "that it went well" '.ev == "drain" and .ph == "end" and .rule == "drain.post_sync" and .rc == 0'
done
# A drain that failed: which one, who asked for it, and what to change.
next_line() { # of a report: the first
	"$bin" report --last --state "$state" | sed -n 's/^ *next  *//p' | head -n 1
}
with_shim TAFFRAIL_SET=drain.post_clear=on ./program clear=other fine exit=3
has clear "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.post_clear" and .rc == -5'
check clear "what to do" "drain.at_exit, drain.post_clear asked for 2 drains of mlx that failed: the device was waited for, but the caches could not be cleared; \
drain.no_clear: [{\"engine\": \"mlx\", \"versions\": \"==0.31.1\"}] in the policy, or --set drain.no_clear=mlx:==0.31.1, leaves them alone" \
	"$(next_line)"
check clear "how it ended" 1 "$("$bin" report --last --state "$state" | grep -c '^  nonzero  *ended with status 3 .*; the caches were not cleared in the end$')"
check clear "the exit" 1 "$("$bin" report --last --state "$state" | grep -c '^  exit  *status 3 .*, drained, but the caches were not cleared, ')"
with_shim TAFFRAIL_SET="drain.post_clear=on;drain.no_clear=mlx:==0.31.1" ./program clear=other fine exit=3
check "clear, as advised" "drains that failed" "" "$(next_line)"
cat >late.py <<'END'
import ctypes, sys
lib = ctypes.CDLL(sys.argv[1])
f = getattr(lib, "_ZN3mlx4core10async_evalESt6vectorINS0_5arrayESaIS2_EE")
f(ctypes.byref((ctypes.c_void_p * 3)()))
lib.wish_for(b"metal")
END
with_shim python3 late.py "$work/libmlx.so"
check "ours" status "exit 0" "$(cat shim.status)"
has "ours" "the text" '.ev == "error" and .class == "cmd_buffer_oom" and (.call | test("11synchronizeEv"))'
has "ours" "the drain" '.ev == "drain" and .ph == "end" and .rc == -5'
check "ours" "what to do" 1 "$("$bin" report --last --state "$state" | grep -c \
	'^  next  *drain.at_exit asked for a drain of mlx that failed: the wait for the device failed, ')"
check "ours" "how it ended" 1 "$("$bin" report --last --state "$state" | grep -c '; not drained: the wait for the device failed')"
# What the program began and has not waited for is its own to be told of, traced or not.
same later env TAFFRAIL_SET=trace=on ./program fine later=metal later=other
check later "what it was told" 2 "$(grep -c '^runtime_error: .METAL.\|^invalid_argument: ' shim.out)"

# 5. Deep in a generation, by the quick way: the same, and nothing is counted twice or left out.
same quick ./program many=1000000 metal other fine uncaught=number
check quick "classes" "cmd_buffer_oom exception exception abort" "$(errors .class | xargs)"
same exact ./program many=1000000 metal other fine async=own one=alloc hop=metal one=fine
check exact "evaluations" 1000007 "$(crumbs | jq -s 'map(select(.ev == "infer" and .ph == "end") | .submits) | add')"
check exact "begins without an end" 0 "$(crumbs | jq -s '[.[] | select(.ph == "begin") | .seq] - [.[] | select(.ph == "end") | .of] | length')"

# 6. Files that cannot be read: the load has failed, and the program hears it from the engine.
same unread ./program wish=metal $load wish=other $load wish= $load fine fine load=model/none.safetensors
check unread status "exit 7" "$(cat shim.status)"
check unread "loads, and how they ended" "-1 -1 0 -1" "$(crumbs | jq -r 'select(.ev == "load" and .ph == "end") | .rc' | xargs)"
check unread "classes" "cmd_buffer_oom exception exception" "$(errors .class | xargs)"
check unread "of which model" "model model none" "$(errors .model | xargs)"
has unread "the call" '.ev == "error" and (.call | test("16load_safetensors")) and (.msg | endswith(": [matmul] shapes do not fit"))'
check unread "computed outside of a load" 1 "$(count '.ev == "infer" and .ph == "begin"')"
same "unread, uncaught" ./program wish=metal uncaught_load=model/model.safetensors
check "unread, uncaught" status "signal 6" "$(cat shim.status)"
has "unread, uncaught" "why" '.ev == "error" and .class == "cmd_buffer_oom" and .model == "model"'

# 7. Killed in a generation: an evaluation has waited for itself, and of what else it waited for
# nobody knows. Names as people read them; for programs the symbols as well.
fresh
env TAFFRAIL_STATE="$state" LD_PRELOAD="$shim" ./program fine async=fine async=fine wait >killed.out &
until grep -q waiting killed.out; do sleep 0.05; done
kill -KILL $!
wait $! 2>/dev/null
TAFFRAIL_STATE=$state "$bin" report --last >killed.text
TAFFRAIL_STATE=$state "$bin" report --last --json >killed.json
for words in "3 evaluations handed over, how many are done is not known" \
	"oldest  *mlx::core::eval, .*; an evaluation after it may have waited for it"; do
	check killed "it says '$words'" 1 "$(grep -c -- "$words" killed.text)"
done
check killed "symbols in the text" 0 "$(grep -c _ZN killed.text)"
check killed "names for programs" "mlx::core::eval _ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE" \
	"$(jq -r '.sessions[0].oldest | .fn, .call' killed.json | xargs)"
check killed "of each call" true "$(jq '[.sessions[0] | .open[], .last[] | has("fn") and has("call")] | all' killed.json)"
# The closing line of `run` and the list of orphans are for people as well.
fresh
TAFFRAIL_STATE=$state "$bin" run -- ./program fine async=fine wait >ran.out 2>ran.err &
until grep -q waiting ran.out; do sleep 0.05; done
kill -KILL "$(crumbs | jq -r 'select(.ev == "infer") | .pid' | head -n 1)"
wait $! 2>/dev/null
TAFFRAIL_STATE=$state "$bin" orphans >ran.orphans
check "killed, run" "its last line" 1 "$(grep -c 'killed by SIGKILL during.* infer mlx::core::eval' ran.err)"
check "killed, orphans" "the line" 1 "$(grep -c 'infer mlx::core::eval, begun' ran.orphans)"

# 8. mlx-c says why before it returns 1.
cat >c.py <<'END'
import ctypes, os, sys
lib = ctypes.CDLL(sys.argv[1])
for text in sys.argv[2:]:
    lib.fake_wish(text.encode())
    print(lib.mlx_eval(None), flush=True)
END
oom="[METAL] Command buffer execution failed: Insufficient Memory (00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory)."
same mlx-c python3 c.py "$tests/libfake_mlxc.so" "" "$oom" "[matmul] 100% wrong" ""
check mlx-c values "0 1 1 0" "$(grep -v '^MLX' shim.out | xargs)"
check mlx-c classes "cmd_buffer_oom exception" "$(errors .class | xargs)"
has mlx-c "its text" ".ev == \"error\" and .engine == \"mlxc\" and (.msg | endswith(\": $oom\"))"
with_shim TAFFRAIL_SET=on_error=poison python3 c.py "$tests/libfake_mlxc.so" "$oom"
has "mlx-c, poison" "what is so" '.ev == "note" and .rule == "on_error" and (.msg | test("only loads are refused"))'
same "mlx-c, ended by its handler" env FAKE_ERROR_EXITS=1 python3 c.py "$tests/libfake_mlxc.so" "$oom"
check "mlx-c, ended by its handler" "status, crumb" "exit 255 1" "$(cat shim.status) $(count '.ev == "error" and .class == "cmd_buffer_oom"')"
# A libmlxc that does not say why: that it failed is known all the same.
with_shim python3 c.py "$tests/libfake_mlxc.so" silent
has "mlx-c, silent" "that it failed" '.ev == "error" and .class == "exception" and .call == "mlx_eval" and
	.msg == "the engine reported a failure that tells nothing of the device"'
tally 106
