#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# routes.sh -- vulkaninfo and an ordinary program on lavapipe: whichever way its functions
# are found, each call is seen once, and it shows the same with and without.
#
# time-limit: 300
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/engines/vulkan/lib.sh"
needs vulkaninfo
compile_program

same vulkaninfo vulkaninfo
check vulkaninfo "state that a query leaves" "" "$(ls "$state" 2>/dev/null)"

ends() { # SUBMITS
	has "$case" "a generation of $1 submits" ".ev == \"infer\" and .ph == \"end\" and .engine == \"vulkan\" and .submits == $1"
}

# Nothing is known to be in flight when the device is destroyed.
quiet() {
	has_not "$case" "a drain without anything in flight" '.ev == "drain" and .rule == "drain.before_unload"'
	has "$case" "all was given back" '.class == "device" and .engine == "vulkan" and .bytes == 0 and .peak_bytes == 65536'
}

for route in link instance device open; do
	for what in fence status values idle; do
		case="$route $what"
		same "$case" ./program $route $what 6
		ends 6
		quiet
	done
	case="$route threads"
	same "$case" ./program $route threads 25
	ends 100
	quiet
	case="$route leave"
	same "$case" ./program $route leave 3
	ends 3
	has "$case" "what was in flight" '.ev == "drain" and .ph == "begin" and .rule == "drain.at_exit" and (.msg | startswith("submits 1..3 "))'
	has "$case" "and was waited for" '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0'
	has "$case" "what is still held" '.class == "device" and .bytes == 65536 and .pieces == 1'

	case="$route free"
	same "$case" ./program $route free 3
	has "$case" "a drain before memory goes" '.ev == "drain" and .ph == "begin" and .rule == "drain.before_unload" and (.msg | startswith("submits 1..3 "))'

	# A wait of ours ends, whatever the program does next; the second one is not made.
	case="$route gate"
	same "$case" timeout 100 ./program $route gate 2
	check "$case" "drains that have given up" 2 "$(count '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -110')"
	check "$case" "waits among them" 1 "$(count '.ev == "drain" and .ph == "end" and .rc == -110 and .ms >= 1000')"

	case="$route every"
	with_shim TAFFRAIL_SET="drain.every_submits=4;drain.at_exit=off;drain.before_unload=off" ./program $route idle 20
	check "$case" status "exit 0" "$(cat shim.status)"
	check "$case" synchronized 5 "$(count '.ev == "drain" and .ph == "end" and .rule == "drain.every_submits" and .rc == 0')"

	case="$route limit"
	with_shim TAFFRAIL_SET="memory.max_single_alloc=3MiB;memory.on_misfit=refuse" ./program $route take 4
	check "$case" status "exit 0" "$(cat shim.status)"
	check "$case" "the runtime's own error" "4 MiB: -2" "$(cat shim.out)"
	has "$case" "the refusal" '.ev == "refuse" and .rule == "memory.max_single_alloc" and .call == "vkAllocateMemory"'
done
# Its four threads submit while others of them find a drain due.
with_shim TAFFRAIL_SET="drain.every_submits=3" ./program device threads 100
check "threads and drains" status "exit 0" "$(cat shim.status)"
check "threads and drains" output "7afa7afa 7afa7afa" "$(cat shim.out)"

with_shim TAFFRAIL=off ./program device fence 3
check off status "exit 0" "$(cat shim.status)"
check off state "" "$(ls "$state" 2>/dev/null)"
tally 180
