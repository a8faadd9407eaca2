#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# report_xid.sh -- `report` shows what NVIDIA's driver wrote into the kernel's log at the
# time of an error of CUDA, and nothing that was written at another time or in another boot.
#
# The errors are a simulated GPU's, the kernel's log a copy below a root of the test's own.
# shellcheck disable=SC2154 # lib.sh sets work, state, tests, shim
. "${SRC:?}/tests/integration/lib.sh"
bin=${TAFFRAIL:-$BUILD/taffrail}
sim=$tests/simgpu
export TAFFRAIL_STATE=$state TAFFRAIL_EVIDENCE_ROOT=$work/host

mkdir machine host
env SIMGPU_BUG=none SIMGPU_IDLE_S=30 "$sim/simgpu-kernel" machine >/dev/null || exit 1
export SIMGPU_DIR=$work/machine SIMGPU_LATENCY_US=20

failing() { # COMMAND...: one process whose first launch fails with 719
	fresh
	raw guest env LD_PRELOAD="$shim" SIMGPU_ERROR_AT=1:719 "$@"
	pid=$(crumbs | jq -s 'map(select(.ev == "error" and .rc == 719).pid)[0]')
	error_ms=$(crumbs | jq -s 'map(select(.ev == "error" and .rc == 719).mono_ns)[0] / 1000000 | floor')
}

# The kernel's log: each argument is "MS-FROM-THE-ERROR TEXT", with FACILITY of who wrote it.
facility=0
kernel_log() {
	local entry number=7
	mkdir -p host/dev
	echo '6,1,0,-;Linux version' >host/dev/kmsg
	for entry; do
		number=$((number + 1))
		echo "$((facility * 8 + 3)),$number,$(((error_ms + ${entry%% *}) * 1000)),-;NVRM: Xid (PCI:0000:05:00): ${entry#* }" >>host/dev/kmsg
	done
}

xid() { # JQ: of the Xid of the only error
	"$bin" report --json | jq -c ".sessions[0].errors[0].xid | $1"
}

row() {
	"$bin" report | sed -n 's/^  xid  *//p'
}

failing "$sim/guest_told" launch 2
check guest "it failed as it should" '["launch_failed",719]' "$("$bin" report --json | jq -c '.sessions[0].errors[0] | [.class, .rc]')"

check "no log" "the row" "not known: there is no kernel's log at $work/host/dev/kmsg, as in most containers" "$(row | cut -d ';' -f 1)"
check "no log" "the key" '[null,true]' "$("$bin" report --json | jq -c '.sessions[0].errors[0] | [.xid, (.xid_unknown // "" | startswith("there is no kernel"))]')"

all_of_state() {
	find "$state" -printf '%P %s %T@\n' | sort
}

kernel_log "-300 31, pid=$pid, name=guest_told, Ch 00000008, intr 00000000. MMU Fault"
was=$(all_of_state)
check "just before" "the row" "xid_31 (memory page fault), 300ms before launch_failed, of this process; to do: restart the program; NVRM: Xid (PCI:0000:05:00): 31, pid=$pid, name=guest_told, Ch 00000008, intr 00000000. MMU Fault" "$(row)"
check "just before" "the keys" '["xid_31",-300,1,true,true,"0000:05:00.0","memory page fault","restart the program","kmsg",true]' \
	"$(xid "[.class, .apart_ms, .near, .own, .pid == $pid, .device, .means, .advice, .source, (.line | startswith(\"NVRM: Xid (PCI:0000:05:00): 31, pid=$pid,\"))]")"
check "just before" "its time" true "$("$bin" report --json | jq '.sessions[0] | (.errors[0].xid.t[:19] + "Z" | fromdate) - (.start[:19] + "Z" | fromdate) | . >= -3 and . <= 3')"
check "just before" "the state is as it was" "$was" "$(all_of_state)"

kernel_log "-11000 31, pid=$pid, name=guest_told"
check "another time" "the row" "" "$(row)"
check "another time" "the key" null "$(xid .)"

facility=1
kernel_log "-300 31, pid=$pid, name=guest_told"
check "a program's words" "the key" null "$(xid .)"
facility=0

# Of several: the process's own, else the nearest.
kernel_log "-9000 31, pid=$pid, name=guest_told" "-200 13, pid=1, name=other" "-100 43, pid=1, name=other"
check "several" "its own" '["xid_31",-9000,3,true]' "$(xid '[.class, .apart_ms, .near, .own]')"
kernel_log "-9000 31, pid=1, name=other" "-200 13, pid=1, name=other" "-100 79, pid='<unknown>', GPU has fallen off the bus." "-2000 13, pid=1"
check "several" "the nearest" '["xid_79",-100,4,false,null]' "$(xid '[.class, .apart_ms, .near, .own, .pid]')"
check "several" "the row" "xid_79 (the GPU has fallen off the bus), 100ms before launch_failed, and 3 more; to do: restart the machine" "$(row | sed 's/; NVRM.*//')"

# What the gate noted is known when the log has gone, but not its words.
kernel_log "-300 31, pid=$pid, name=guest_told"
"$bin" gate >/dev/null
rm host/dev/kmsg
check "noted" "the row" "xid_31 (memory page fault), 300ms before launch_failed, of this process; to do: restart the program; noted from kmsg" \
	"$(row | sed -E 's/ (29|30)[0-9]ms / 300ms /')"
check "noted" "the keys" '["xid_31",true,null]' "$(xid '[.class, .own, .line]')"

# Nor does what any process of the user can write into the events steer a terminal.
perl -e 'sub crc { my ($c, $s) = @_; $c ^= 0xffffffff;
	for (unpack "C*", $s) { $c ^= $_; $c = $c & 1 ? ($c >> 1) ^ 0x82f63b78 : $c >> 1 for 1 .. 8 }
	return $c ^ 0xffffffff }
	open F, "<", $ARGV[0]; my @l = <F>; my $seed = crc(0, "taffrail events ");
	for (@l[1 .. $#l]) { chomp; s/ crc=\w{8}$//; s/class="xid_31"/class="xid_31\\u001b[31m"/; s/source="kmsg"/source="\\u001b]0;kmsg"/;
		$_ .= sprintf " crc=%08x\n", crc($seed, $_) }
	open F, ">", $ARGV[0]; print F @l' "$state"/events
check "a forged event" "it is shown" 1 "$(row | grep -c 'xid_31.*noted from')"
check "a forged event" "no control" 0 "$(row | grep -c $'\e')"

# Controls in a line stay out of the terminal.
kernel_log "-300 31, pid=$pid, name="$'\e[31mred'
check "controls" "the row" 0 "$(row | grep -c $'\e')"

# A log that may not be read is told of, where an error asks for it.
rm host/dev/kmsg
rm -f "$state"/events*
ln -s kmsg host/dev/kmsg # no reader gets through it
check "blind" "the row" "not known: $work/host/dev/kmsg: Too many levels of symbolic links" "$(row | cut -d ';' -f 1)"
check "blind" "the key" 1 "$("$bin" report --json | jq -r '.sessions[0].errors[0].xid_unknown' | grep -c 'symbolic links; run as root')"
rm host/dev/kmsg

# Not one of another boot at the same time of its clock.
# shellcheck disable=SC2016 # for the inner shell
boot=(unshare -m -r sh -c 'mount --bind boot_id /proc/sys/kernel/random/boot_id && exec "$@"' sh)
cat /proc/sys/kernel/random/uuid >boot_id
if "${boot[@]}" true 2>/dev/null; then
	failing "${boot[@]}" "$sim/guest_told" launch 2
	kernel_log "-300 31, pid=$pid, name=guest_told"
	check "another boot" "the key" null "$(xid .)"
	check "another boot" "its log was not read" string "$("$bin" report --json | jq -r '.sessions[0].errors[0].xid_unknown | type')"
	check "the same boot" "the key" '"xid_31"' "$("${boot[@]}" "$bin" report --json | jq -c '.sessions[0].errors[0].xid.class')"
else
	untried 3 "another boot: no mount namespace"
fi

# A program without an error asks nobody.
fresh
raw guest env LD_PRELOAD="$shim" "$sim/guest_told" launch 2
kernel_log "-300 31, pid=$pid, name=guest_told"
check "no error" "the row" "" "$(row)"
tally 24
