#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# burst.sh -- a program that is seen at its GPU runtime alone: generations from bursts,
# what is in flight, drains at the right places and never during a capture.
#
# A process that leaves waits for the device once more, whatever it has waited for: what
# it copies is not counted as in flight.  The order of the runtime's calls is read from the log of the fake (FAKE_LOG), what
# taffrail says of them from its crumbs.
#
# time-limit: 240
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim, BUILD
. "${SRC:?}/tests/integration/lib.sh"

plain_guests guest_burst
burst=$tests/guest_burst
taffrail=$BUILD/taffrail

# A silence that ends a generation, and pauses over it. Once more where the machine made one.
guest() { # SETTINGS STEPS...
	local set="drain.idle_ms=1s;$1"
	shift
	echo 'exit 98' >shim.status
	while grep -qx 'exit 98' shim.status; do
		with_shim GUEST_QUICK_MS=800 FAKE_LOG="$work/fake.log" TAFFRAIL_SET="$set" "$burst" "$@"
	done
}

# Launches, waits, frees and what ends them, a letter each, in their order. A wait of ours
# asks the streams (Q), at the exit the device as well (D), and where more may be in flight
# puts an event (E) in the default one.
order() {
	sed -n 's/^hipModuleLaunchKernel$/L/p; s/^hipDeviceSynchronize$/D/p; s/^hipStreamSynchronize$/S/p
		s/^hipFree$/F/p; s/^hipMemPoolTrimTo$/T/p; s/^hipStreamDestroy$/X/p
		s/^hipStreamBeginCapture$/[/p; s/^hipStreamEndCapture$/]/p; s/^teardown$/./p
		s/^hipStreamQuery$/Q/p; s/^hipDeviceReset$/R/p
		s/^hipEventRecord$/E/p' fake.log | tr -d '\n' | sed 's/QD/D/g'
}

calls() { # CASE ORDER
	check "$1" "the runtime's calls" "$2" "$(order)"
}

infers() { # the submits of each generation that ended
	crumbs | jq -r 'select(.ev == "infer" and .ph == "end") | .submits' | tr '\n' ' '
}

# ---- generations ----

guest "" launch=5 launch=3 pause=1400 launch=2 sync
check bursts "submits of each" "8 2 " "$(infers)"
check bursts begins 2 "$(count '.ev == "infer" and .ph == "begin"')"
calls bursts "LLLLLLLLLLDD."
has bursts "nothing in flight at the end" '.ev == "infer" and .ph == "end" and .submits == 2 and .in_flight == null'
has bursts "and much after the first" '.ev == "infer" and .ph == "end" and .submits == 8 and .in_flight == 8'

guest "" launch=4 beside=3 launch=1 sync
check threads "submits of one generation" "8 " "$(infers)"

# Another thread comes while the first submit after a pause has not returned yet.
export FAKE_MEET=3
guest "" launch=2 pause=1400 both=1 sync
check both "submits of two generations" "2 2 " "$(infers)"
unset FAKE_MEET

# A wait is no end of a generation: a server decodes, waits, decodes.
guest "" launch=2 wait launch=2 wait launch=2 wait
check tokens "submits of one generation" "6 " "$(infers)"
calls tokens "LLSLLSLLSD."
# Waits with nothing new to wait for do not keep one open.
guest "" launch=2 wait pause=600 wait pause=600 wait pause=600 wait launch=1 sync
check "idle waits" "submits of each" "2 1 " "$(infers)"

# What ends a generation ends it for all: the next launch begins another. Copies are none.
guest "drain.at_exit=off" launch=3 reset launch=2
check "reset" "submits of each" "3 2 " "$(infers)"
guest "drain.at_exit=off" launch=2 copy=4 pause=1400 copy=5 launch=1 copy=1
check "copies" "launches of each" "2 1 " "$(infers)"

# ---- drains at boundaries ----

guest "drain.post_sync=on" launch=2 pause=1400 launch=2 pause=1400 launch=1 sync
calls post_sync "LLQLLQLDD."
check post_sync drains 3 "$(count '.ev == "drain" and .ph == "end" and .rc == 0 and .of != null')"
has post_sync "the rule" '.ev == "drain" and .rule == "drain.post_sync"'

guest "drain.pre_clear=on;drain.at_exit=off" launch=1 pause=1400 launch=1
check pre_clear "waits before each" QLQL "$(order | tr -d .T)"

# Who frees again and again is drained each time, and the log is not filled with it.
repeat=()
for _ in {1..40}; do
	repeat+=(take=64 launch=1 give)
done
guest "" "${repeat[@]}" pause=1400 take=64 launch=1 give
check repeat "waits before frees" 41 "$(order | grep -o QF | wc -l)"
check repeat "in the log" 17 "$(count '.ev == "drain" and .ph == "begin" and .rule == "drain.before_unload"')"
has repeat "how many are not" '.ev == "drain" and .ph == "begin" and .msg == "submits 1..1 of this burst; 24 drains before it are not in the log"'

guest "" launch=3
calls exit "LLLD."
has exit "the drain" '.ev == "drain" and .rule == "drain.at_exit" and .ph == "begin"'
guest "" launch=3 sync
calls "exit after a wait" "LLLDD."
guest "drain.at_exit=off" launch=3 exit=5
calls "exit, off" "LLL."
check "exit, off" status "exit 5" "$(cat shim.status)"

# ---- nothing is given up in flight ----

guest "" take=4096 launch=2 give sync
calls give "LLQFDD."
has give "the rule" '.ev == "drain" and .rule == "drain.before_unload"'
guest "" take=4096 take=4096 launch=2 sync give give
calls "give, idle" "LLDFFD."
guest "" launch=1 trim
check trim "a wait before it" LQT "$(order | cut -c1-3)"
# A queue that is destroyed is waited for before it is, itself alone, and ends nothing.
guest "drain.post_sync=on" stream=1 launch=2 drop pause=1400 stream=0 launch=1 sync
calls drop "LLQXLDD."
guest "" make launch=1 stream=1 launch=1 made drop
calls "drop, others" "LLQXD."
has "drop, others" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0'
has "drop, others" "what was in flight there" '.ev == "drain" and .ph == "begin" and .rule == "drain.before_unload" and (.msg | test("^1 in flight in queue 0x[0-9a-f]{12}$"))'
guest "" make launch=1 wait drop
calls "drop, idle" "LSXD."
guest "drain.before_unload=off" make launch=1 drop
calls "drop, off" "LXD."
with_shim FAKE_BUSY=1 FAKE_LOG="$work/fake.log" TAFFRAIL_SET="drain.deadline=50ms;drain.at_exit=off" "$burst" make launch=1 drop
check "drop, busy" "no wait without a deadline" "LX." "$(order | tr -d Q)"
has "drop, busy" "that it gave up" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -110'
# Not while something is captured. What was in it is then waited for by the device's default one.
guest "" make launch=1 stream=1 capture made drop stream=1 end take=64 give
calls "a stream that is gone" "L[X]QEFD."
has "a stream that is gone" "that it was not drained" '.ev == "drain" and .ph == "end" and .rc == -16'
# What lies in a stream that was not seen may never end: then nobody waits for it but the
# process that leaves.
guest "" stream=1 launch=1 take=64 give
calls "an unseen stream" "LQEFD."
has "an unseen stream" "that it was not drained" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -28 and .msg == "not drained: unseen streams"'
# Another thread's own default stream is behind the device's.
guest "" own beside=1 take=64 give
calls "another's own stream" "LQEFD."
has "another's own stream" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0'
guest "" own launch=1 take=64 give
calls "one's own stream" "LQQFD."
guest "" aside launch=1 stream=1 capture made drop stream=1 end take=64 give
has "a non-blocking stream that is gone" "that it was not drained" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -28'
# One that theirs refused to destroy is what it was.
guest "" launch=1 drop take=64 give
calls "the default stream, not destroyed" "LXQFD."
has "the default stream, not destroyed" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0'
with_shim FAKE_DROP=709 FAKE_LOG="$work/fake.log" "$burst" aside launch=1 stream=1 capture made drop stream=1 end take=64 give
calls "a stream that stays" "L[X]QQFQD."
has "a stream that stays" "the drain" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == 0'
# Ours asks the streams that are known, then the device's own.
guest "" make launch=1 take=64 give sync
check "known streams" calls "LQQFDQD." "$(order)"
# Work that never ends: nobody waits longer than drain.deadline, nor without one.
busy="drain.deadline=50ms;drain.at_exit=off"
with_shim FAKE_BUSY=1 FAKE_LOG="$work/fake.log" TAFFRAIL_SET="$busy" "$burst" make launch=1 take=64 give
check busy "no wait without a deadline" "LF." "$(order | tr -d Q)"
has busy "that it gave up" '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload" and .rc == -110'
with_shim FAKE_BUSY=1 FAKE_LOG="$work/fake.log" TAFFRAIL_SET="$busy" "$burst" launch=1 reset take=64 give
check "busy, reset" calls "LRF." "$(order | tr -d Q)"
check "busy, reset" "drains: nothing is in flight after it" 1 "$(count '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload"')"
# A reset that comes out of a wait of ours is not made, and ends nothing.
with_shim FAKE_BUSY=1 FAKE_RESET=1 FAKE_LOG="$work/fake.log" TAFFRAIL_SET="$busy" "$burst" make launch=1 take=64 take=64 give give
check "reset within a wait" calls "LFF." "$(order | tr -d QE)"
check "reset within a wait" "drains" 2 "$(count '.ev == "drain" and .ph == "end" and .rule == "drain.before_unload"')"
guest "drain.at_exit=off" stream=1 capture launch=1 reset stream=0 launch=1 take=64 give
calls "reset ends captures" "[LRLQF."
# Copies are in flight as well; one to the host shows what came before it to be done.
guest "drain.at_exit=off" take=64 copy=2 give
calls copy "QF."
guest "drain.at_exit=off" take=64 copy=2 fetch give
calls "copy to the host" "F."
# Pools that the program made are trimmed, until they are destroyed or reset.
pools="drain.pre_clear=on;drain.before_unload=off;drain.at_exit=off"
guest "$pools" pool launch=1
calls pool "QTL."
guest "$pools" pool unpool launch=1
calls "no pool" "QL."
guest "$pools" pool reset launch=1
calls "pool, reset" "RQL."
# The other device's work is not done when this one's is.
guest "" take=64 device=1 launch=2 device=0 sync give
calls "two devices" "LLDQQFD."
guest "drain.before_unload=off;drain.at_exit=off" take=4096 launch=2 give
calls "give, off" "LLF."

# ---- every so many submits ----

guest "drain.every_submits=3;drain.at_exit=off" stream=1 launch=10
calls every "LLLQLLLQLLLQL."
guest "drain.every_submits=3;drain.at_exit=off" stream=1 launch=2 wait launch=2 wait launch=2 wait
calls "every, but the program waits" "LLSLLSLLS."
guest "drain.every_submits=16;drain.window=adaptive;drain.at_exit=off" stream=1 launch=20
calls adaptive "LQLLQLLLLQLLLLLLLLQLLLLL."
guest "mode=observe;drain.every_submits=3" stream=1 launch=4 take=64 give
calls observe "LLLLF."
has observe "what it would" '.ev == "would" and .rule == "drain.every_submits"'

# ---- captures: the fake ends who synchronizes during one with 97 ----

guest "drain.every_submits=1;drain.post_sync=on" stream=1 launch=1 capture launch=3 end launch=1 sync
calls capture "LQ[LLL]LDD."
check capture status "exit 0" "$(cat shim.status)"
guest "" stream=2 launch=1 take=64 stream=1 capture launch=2 give trim end
check "give in a capture" status "exit 0" "$(cat shim.status)"
has "give in a capture" "that it was not drained" '.ev == "drain" and (.msg // "" | contains("captured"))'
guest "" stream=1 launch=1 capture launch=1
check "exit in a capture" status "exit 0" "$(cat shim.status)"
has "exit in a capture" "that it was not drained" '.ev == "drain" and .rule == "drain.at_exit" and .rc != 0'

# A pause before a capture ends what was: it begins nothing, and hides no pause. What is due behind
# the one that ended waits for the end of the capture.
guest "drain.post_sync=on" stream=1 launch=3 pause=1400 capture launch=2 end launch=2 sync
check "pause, capture" status "exit 0" "$(cat shim.status)"
check "pause, capture" "submits of each" "3 2 " "$(infers)"
check "pause, capture" "when the drain of the first is made" "infer end, drain begin, drain end, infer begin" "$(crumbs |
	jq -rs 'map(select((.ev == "infer" and .ph != "mark") or .rule == "drain.post_sync") | "\(.ev) \(.ph)")[1:5] | join(", ")')"
calls "pause, capture" "LLL[LL]QELLDD."

# What a capture records is not in flight.
guest "drain.at_exit=off" stream=1 capture launch=4 end take=64 give
calls "nothing was launched" "[LLLL]F."

# ---- no state folder: the rules act all the same ----

raw shim env LD_PRELOAD="$shim" FAKE_LOG="$work/nowhere.log" TAFFRAIL_STATE=/proc/nowhere "$burst" launch=2 pause=1400 launch=1
mv nowhere.log fake.log
calls "no state" "LLLD."

# ---- the lock between two programs, taken for a generation ----

turns="lock.hold=inference;lock.on_conflict=wait;lock.max_wait=20s"
fresh
env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$turns" "$burst" launch=1 beside=2 sync pause=60000 >first.out 2>&1 &
first=$!
until grep -qs sync first.out; do
	sleep 0.02
done
raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$turns" "$burst" launch=1
check turn "the slot of one that rests" "launch: 1 of 1" "$(cat shim.out)"
kill -9 $first
wait $first 2>/dev/null
# What is freed or copied behind an event, or where nobody waits, keeps no slot: only kill ends
# the first one, and the second waits for its turn to be over, at most lock.max_wait.
for steps in "event later arrive" "event copy=2 arrive" "stream=2 later copy=1 stream=1 wait"; do
	read -ra step <<<"$steps"
	fresh
	env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$turns" "$burst" stream=1 take=64 launch=2 \
		"${step[@]}" beside=0 pause=60000 >first.out 2>&1 &
	first=$!
	until grep -qs beside first.out; do
		sleep 0.02
	done
	raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$turns" "$burst" launch=1
	check "turn, $steps" "the slot of one that rests" "launch: 1 of 1" "$(cat shim.out)"
	kill -9 $first
	wait $first 2>/dev/null
done
fresh
env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="$turns" "$burst" launch=1 pause=60000 >first.out 2>&1 &
first=$!
until grep -qs launch first.out; do
	sleep 0.02
done
raw shim env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" TAFFRAIL_SET="${turns/wait;/refuse;}" "$burst" launch=1 beside=1
check turn "the slot of one that computes" "launch: 0 of 1 beside: 0 of 1" "$(tr '\n' ' ' <shim.out | sed 's/ $//')"
kill -9 $first
wait $first 2>/dev/null

# ---- errors ----

with_shim FAKE_LAUNCH=719 "$burst" launch=3 sync
check error "what the program sees" "launch: 0 of 3" "$(head -n 1 shim.out)"
has error "class and number" '.ev == "error" and .rc == 719 and .class == "launch_failed" and .call == "hipModuleLaunchKernel"'
check error "no more than one a second" true "$(crumbs | jq -s 'map(select(.ev == "error").mono_ns) | length > 0 and (length - 1) * 1000000000 <= (max - min) + 1000000000')"
with_shim FAKE_SYNC=719 "$burst" launch=3 sync
has error "what was in flight" '.ev == "error" and (.msg | contains("3 in flight, the oldest is submit 1"))'
has error "the last calls" '.ev == "error" and (.msg | contains("last calls: ") and contains("hipModuleLaunchKernel"))'

# ---- what it held ----

guest "" device=1 take=1000 take=500 give device=0 take=64 launch=1 sync
has device "device 1" '.class == "device" and .device == 1 and .bytes == 1000 and .pieces == 1 and .peak_bytes == 1500 and .largest == 1000'
has device "device 0" '.class == "device" and .device == 0 and .bytes == 64'
check report "the line" "hip 1 (fake hip 1, 1.0 GiB): 1000 B held in 1 piece, at most 1.4 KiB, biggest 1000 B" \
	"$("$taffrail" report --state "$state" | grep -o "hip 1 .*")"
check report json 1500 "$("$taffrail" report --state "$state" --json | jq '.. | objects | select(.engine == "hip" and .device == 1) | .peak')"

# A process that is killed leaves the same in its ring.
fresh
env LD_PRELOAD="$shim" TAFFRAIL_STATE="$state" "$burst" take=777 launch=2 pause=60000 >killed.out 2>&1 &
guest=$!
until grep -qs launch killed.out; do
	sleep 0.02
done
check live "the line while it lives" "hip 0 (fake hip 0, 1.0 GiB): 777 B held in 1 piece, at most 777 B, biggest 777 B" \
	"$("$taffrail" report --state "$state" | grep -o "hip 0 .*")"
kill -9 $guest
wait $guest 2>/dev/null
check killed "the line" "hip 0 (fake hip 0, 1.0 GiB): 777 B held in 1 piece, at most 777 B, biggest 777 B" \
	"$("$taffrail" report --state "$state" | grep -o "hip 0 .*")"

tally 92
