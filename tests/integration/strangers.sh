#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# strangers.sh -- processes that are not like others: names that are something
# else, very many mappings.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_steps
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
	echo "many mappings: not tried, vm.max_map_count is $most here"
else
	many="recycle.resource_pct=70;recycle.inferences=0;drain.idle_ms=1ms"
	with_shim TAFFRAIL_SET="$many" "$steps" maps=60 load=$A infer=1
	check few output "maps: taken" "$(head -n 1 shim.out)"
	has_not few "a restart is due" '.class == "restart"'
	with_shim TAFFRAIL_SET="$many" "$steps" maps=80 load=$A infer=1
	check many output "$(printf '%s\n' "maps: taken" "load $A: ok" "infer: 1 of 1")" "$(cat shim.out)"
	has many "a restart is due" '.class == "restart" and .rule == "recycle.resource_pct"'
fi

tally 16
