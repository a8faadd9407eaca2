#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# strangers.sh -- processes that are not like others: names that are something
# else, very many mappings, the smallest stacks.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps guest_stack
steps=$tests/guest_steps
cc=${CC:-cc}
A=/models/alpha.gguf

so() { # FILE TEXT
	printf '%s\n' "$2" | "$cc" -shared -fPIC -x c -o "$1" - || exit 1
}

# Runs the guest with one more object before the engine, both ways.
beside() { # CASE OBJECT
	fresh
	raw plain env LD_PRELOAD="$work/$2" "$steps" load=$A infer=2 free exit=3
	raw shim env LD_PRELOAD="$shim:$work/$2" TAFFRAIL_STATE="$state" "$steps" load=$A infer=2 free exit=3
	for part in status out err; do
		check "$1" "$part" "$(cat plain.$part)" "$(cat shim.$part)"
	done
	versions=$(crumbs | jq -c 'select(.role == "guest").versions')
}

# ---- names that are something else ----

so libdata.so 'const char ggml_version[] = "0.9.4"; const char *llama_version = "0.5.0";
	char _ZN3mlx4core7versionEv; int LLAMA_BUILD_NUMBER(void) { return 7001; }'
beside data libdata.so
check data versions null "$versions"
so libodd.so '#include <stdlib.h>
	const char *ggml_version(void) { abort(); } long LLAMA_BUILD_NUMBER = 7001;
	const char *llama_version(void) { return (const char *)64; }'
beside odd libodd.so
check odd versions null "$versions"
so libifunc.so '#include <stdlib.h>
	static const char *(*pick(void))(void) { abort(); }
	const char *ggml_version(void) __attribute__((ifunc("pick")));'
beside ifunc libifunc.so
check ifunc versions null "$versions"
# Data of that name is no second engine either: the real one is found behind it.
so librow.so 'const char llama_model_load_from_file[] = "none"; int llama_decode = 7;'
beside row librow.so
has row "the load" '.ev == "load" and .ph == "end" and .rc == 0'

# ---- very many mappings ----

most=$(cat /proc/sys/vm/max_map_count)
if [ "$most" -gt 140000 ]; then
	untried 4 "many mappings: vm.max_map_count is $most"
else
	many="recycle.resource_pct=70;recycle.inferences=0;drain.idle_ms=1ms"
	with_shim TAFFRAIL_SET="$many" "$steps" maps=60 load=$A infer=1
	check few output "maps: taken" "$(head -n 1 shim.out)"
	has_not few "a restart is due" '.class == "restart"'
	with_shim TAFFRAIL_SET="$many" "$steps" maps=80 load=$A infer=1
	check many output "$(printf '%s\n' "maps: taken" "load $A: ok" "infer: 1 of 1")" "$(cat shim.out)"
	has many "a restart is due" '.class == "restart" and .rule == "recycle.resource_pct"'
fi

# ---- the smallest stacks ----

# A model of three parts, as the hub writes it: a header, and data that is not there.
part() { # NUMBER
	local header='{"a":{"dtype":"F16","shape":[512],"data_offsets":[0,1024]}}'
	{
		perl -e 'print pack("Q<", length $ARGV[0]), $ARGV[0]' "$header"
		head -c 1024 /dev/zero
	} >"m3/model-0000$1-of-00003.safetensors"
}
mkdir -p m3 .metal-guard/locks
part 1
part 2
part 3
echo '{"model_type": "llama", "num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64}' >m3/config.json
echo '{"pid": 1, "label": "other", "cmdline": "python other.py"}' >.metal-guard/locks/mlx_exclusive.lock
: >foreign.lock
# Everything that is asked before a load, with the words of guarded.json.
small="drain.pre_clear=on;drain.post_sync=on;drain.post_clear=on;drain.before_unload=on;drain.serialize=on;\
cadence.on_violation=wait;cadence.max_wait=1ms;lock.slots=1;lock.on_conflict=warn;\
lock.also=metal-guard,$work/foreign.lock;breaker.on_open=refuse;cooldown.mode=on;cooldown.on_hold=refuse;\
memory.limit=1GiB;memory.max_single_alloc=1GiB;memory.warn=1%;memory.critical=2%;memory.on_misfit=refuse;\
recycle.on_due=refuse;models.on_panic=refuse;versions.on_hit=refuse"
export FAKE_GGML=$tests/libfake_ggml.so

# Twice: with and without sessions of others to look back at.
for case in "load 3" "open 8" "ggml 6"; do
	read -r how want <<<"$case"
	without_shim "$tests/guest_stack" "$how" m3/model-00001-of-00003.safetensors
	[ "$(cat plain.status)" = "exit 77" ] && continue
	check "$how plainly" output "done: $want" "$(cat plain.out)"
	fresh
	for round in 1 2; do
		raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$small" \
			"$tests/guest_stack" "$how" m3/model-00001-of-00003.safetensors
		check "$how $round" status "exit 0" "$(cat shim.status)"
		check "$how $round" output "done: $want" "$(cat shim.out)"
	done
	has "$how" "the lock of another program" '.ev == "note" and .rule == "lock.on_conflict" and (.msg | contains("other"))'
done
# The file is really looked at there: with a smaller limit it is refused.
fresh
raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$small;memory.limit=4KiB" \
	"$tests/guest_stack" ggml m3/model-00001-of-00003.safetensors
has ggml "the file that does not fit" '.ev == "refuse" and .call == "fopen" and .rule == "memory.limit"'

tally 32
