# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # run.sh, which sources this, sets what is not set here
# rules.sh -- what limits, retries, drains and notes do: the driver says the same.

guarded TAFFRAIL_SET="memory.limit=300MiB;memory.on_misfit=refuse" ./driver dlsym limit
if [ "$(cat guarded.out)" = "4 pieces of 64 MiB, then 2" ] && [ "$(count '.ev == "refuse" and .rule == "memory.limit"')" -gt 0 ]; then
	ok "memory.limit: the fifth piece of 64 MiB is out of memory at 300 MiB"
else
	bad "memory.limit: $(cat guarded.out guarded.err)"
fi

bare ./driver dlsym retry
guarded TAFFRAIL_SET="memory.oom_retries=2" ./driver dlsym retry
if grep -q 'given back: 0' guarded.out && grep -q 'is taken: 2' guarded.out; then
	ok "memory.oom_retries: memory of a pool is taken again (without: $(sed -n 's/.*back: //p' bare.out))"
else
	bad "memory.oom_retries: $(tr '\n' ' ' <guarded.out)"
fi

for n in 1 7; do
	for case in graph threads; do
		guarded TAFFRAIL_SET="drain.every_submits=$n" ./driver getproc $case
		bare ./driver getproc $case
		if cmp -s bare.out guarded.out && [ "$(cat guarded.status)" = "exit 0" ]; then
			ok "drain.every_submits=$n, $case: no capture is broken"
		else
			bad "drain.every_submits=$n, $case: $(cat guarded.status) $(tail -n 1 guarded.out)"
		fi
	done
done

guarded ./driver dlsym leave
if [ "$(count '.ev == "drain" and .ph == "end" and .rule == "drain.at_exit" and .rc == 0')" -gt 0 ]; then
	ok "drain.at_exit: what was in flight is waited for"
else
	bad "drain.at_exit: $(crumbs | jq -c 'select(.ev == "drain")' | tail -n 1)"
fi

# The program's own sum, the driver's, and ours.
guarded ./driver dlsym account
says=$(sed -n 's/.*driver says \([0-9-]*\) MiB/\1/p' guarded.out)
held=$(crumbs | jq -s 'map(select(.ev == "note" and .class == "device")) | last | .bytes // 0')
peak=$(crumbs | jq -s 'map(select(.ev == "note" and .class == "device")) | last | .peak_bytes // 0')
if [ "${says:-0}" -ge 500 ] && [ "${says:-0}" -le 560 ] && [ "$peak" = $((512 << 20)) ] && [ "$held" = $((256 << 20)) ]; then
	ok "accounting: peak 512 MiB and 256 MiB held at the end; cuMemGetInfo says $says MiB"
else
	bad "accounting: cuMemGetInfo $says MiB, peak $peak, held $held"
fi
