#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# layer.sh -- as an implicit layer of Vulkan, without a preload: the same records, and with
# both each call is seen once; nothing at all where it is not asked for.
#
# time-limit: 200
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/engines/vulkan/lib.sh"
compile_program

export XDG_DATA_HOME=$work/data
layers=$XDG_DATA_HOME/vulkan/implicit_layer.d
mkdir -p "$layers"
sed "s|@LIB@|$BUILD|" "$SRC/hooks/vulkan_layer.json.in" >"$layers/VkLayer_taffrail.json"
jq -e .layer.library_path "$layers/VkLayer_taffrail.json" >/dev/null || fail manifest "is no JSON"

as_layer() { # COMMAND...
	fresh
	raw shim env -u LD_PRELOAD TAFFRAIL_VULKAN_LAYER=1 TAFFRAIL_STATE="$state" "$@"
}

check_shown() {
	for part in status out err; do
		check "$case" "$part" "$(cat plain.$part)" "$(cat shim.$part)"
	done
}

# Of six submits all is seen, once.
check_seen() {
	has "$case" "a generation" '.ev == "infer" and .ph == "end" and .engine == "vulkan" and .submits == 6'
	check "$case" generations 1 "$(count '.ev == "infer" and .ph == "end"')"
	has_not "$case" "a drain without anything in flight" '.ev == "drain" and .rule == "drain.before_unload"'
	has "$case" "the name of the device" '.class == "device_name" and .engine == "vulkan" and (.name | length) > 4 and .total > 0'
	has "$case" "all was given back" '.class == "device" and .bytes == 0 and .peak_bytes == 65536'
}

for route in link instance device open; do
	for what in fence status values idle; do
		without_shim ./program $route $what 6
		case="layer $route $what"
		as_layer ./program $route $what 6
		check_shown
		check_seen
		case="both $route $what"
		with_shim TAFFRAIL_VULKAN_LAYER=1 ./program $route $what 6
		check_shown
		check_seen
	done
done

# Preloaded from one place and installed as a layer at another: two objects, one guard.
mkdir copy
cp "$BUILD"/libtaffrail*.so copy
sed "s|@LIB@|$work/copy|" "$SRC/hooks/vulkan_layer.json.in" >"$layers/VkLayer_taffrail.json"
for route in link device; do
	case="two copies $route"
	without_shim ./program $route fence 6
	with_shim TAFFRAIL_VULKAN_LAYER=1 ./program $route fence 6
	check_shown
	check_seen
	check "$case" sessions 1 "$(count '.ev == "start"')"
done
case="two preloads"
fresh
raw shim env LD_PRELOAD="$shim:$work/copy/libtaffrail.so" TAFFRAIL_STATE="$state" ./program link fence 6
check_shown
check_seen
check "$case" sessions 1 "$(count '.ev == "start"')"
sed "s|@LIB@|$BUILD|" "$SRC/hooks/vulkan_layer.json.in" >"$layers/VkLayer_taffrail.json"

# More than any table holds: what is not known passes unseen.
for route in link device; do
	for what in devices instances; do
		case="layer $route $what"
		without_shim ./program $route $what 70
		check "$case" status "exit 0" "$(cat plain.status)"
		as_layer ./program $route $what 70
		check_shown
		case="both $route $what"
		with_shim TAFFRAIL_VULKAN_LAYER=1 ./program $route $what 70
		check_shown
	done
done

case="layer threads"
without_shim ./program device threads 25
as_layer TAFFRAIL_SET="drain.every_submits=3" ./program device threads 25
check_shown
has "$case" "a drain by the count" '.ev == "drain" and .ph == "end" and .rule == "drain.every_submits" and .rc == 0'

case="layer leave"
without_shim ./program link leave 3
as_layer ./program link leave 3
check_shown
has "$case" "what was waited for at the exit" '.ev == "drain" and .ph == "begin" and .rule == "drain.at_exit" and (.msg | startswith("submits 1..3 "))'
has "$case" "the exit" '.ev == "exit" and .ph == "end" and .rc == 0'

case="layer gate"
without_shim ./program link gate 2
as_layer timeout 100 ./program link gate 2
check_shown
has "$case" "a drain that has given up" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -110'

# A policy file is read as in a preload, by the companion.
echo '{ "memory": { "max_single_alloc": "3MiB", "on_misfit": "refuse" } }' >policy.json
case="layer limit"
as_layer TAFFRAIL_POLICY="$work/policy.json" ./program link take 4
check "$case" "the runtime's own error" "4 MiB: -2" "$(cat shim.out)"
has "$case" "the refusal" '.ev == "refuse" and .rule == "memory.max_single_alloc" and .call == "vkAllocateMemory"'

case="layer off"
without_shim ./program link fence 6
as_layer TAFFRAIL=off ./program link fence 6
check_shown
check "$case" state "" "$(ls "$state" 2>/dev/null)"
case="not asked for"
fresh
raw shim env TAFFRAIL_STATE="$state" ./program link fence 6
check_shown
check "$case" state "" "$(ls "$state" 2>/dev/null)"
tally 299
