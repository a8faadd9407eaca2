#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# evidence.sh -- what the system wrote down about panics, through `gate` and `events`.
#
# The sources lie below a root of the test's own; the gate needs a policy that
# holds, and takes it from --set.
#
# A panic ended a boot before this one, so it is never younger than this boot: where the
# machine has run for long, the script runs under a boot clock that was set back.
# shellcheck disable=SC2154 # lib_cli.sh sets bin, work
up=$(cut -d. -f1 /proc/uptime 2>/dev/null || echo 0)
if [ $# -eq 0 ] && [ "$up" -gt 60 ]; then
	for young in "unshare -T --boottime -$((up - 30))" "unshare -cT --boottime -$((up - 30))"; do
		$young true 2>/dev/null && exec $young bash "$0" young
	done
	[ "$up" -lt 7000 ] || {
		echo "needs a time namespace (unshare -T): this machine has run for $up seconds"
		exit 77
	}
fi
. "${SRC:?}/tests/integration/lib_cli.sh"
needs jq
chmod 755 .
export HOME=/Users/me XDG_CONFIG_HOME=$work/config TAFFRAIL_EVIDENCE_ROOT=$work/root
reports=root/Library/Logs/DiagnosticReports

fresh() {
	rm -rf root state
	mkdir -p root
}

# The plain text of a panic so many seconds ago, in a boot whose id begins with BOOT.
panic() { # BOOT SECONDS
	printf 'panic(cpu 3 caller 0xf): "completeMemory() prepare count underflow" @IOGPUMemory.cpp:550\n'
	printf 'Boot session UUID: %s-720F-4328-9464-8EEF0630F6D1\n' "$1"
	printf '  Calendar: 0x%x 0x00014b06\n' $(($(date +%s) - $2))
	printf 'Panicked task 0x1: 6 pages, 13 threads: pid 25467: python3.13\n'
}

# The same as macOS wraps it.
wrapped() { # BOOT SECONDS
	printf '{"bug_type":"210","os_version":"macOS 26.5 (25F71)"}\n{"build":"x",\n"panicString" : '
	panic "$@" | jq -Rs .
	printf '}\n'
}

gate() { # JQ [ARGUMENT...]
	local show=$1
	shift
	"$bin" gate --json --set cooldown.on_hold=refuse "$@" 2>says.err | jq -c "$show"
}

nothing() {
	fresh
	same 'no sources' '["go",0,0,[]]' "$(gate '[.verdict, .panics_24h, .panics_72h, .blind]')"
	same 'no sources: nothing said' '' "$(cat says.err)"
	same 'no sources: nothing made' no "$([ -e state ] && echo yes || echo no)"
}

one_panic() {
	fresh
	mkdir -p $reports/Retired root/var/db/PanicReporter root/Users/me/Library/Logs/DiagnosticReports
	wrapped 9D03838D 600 >$reports/panic-full-1.panic
	wrapped 9D03838D 600 >$reports/Retired/panic-full-1.panic
	panic 9D03838D 600 >$reports/.contents.panic
	panic 9D03838D 600 >root/var/db/PanicReporter/current.panic
	wrapped 9D03838D 600 >root/Users/me/Library/Logs/DiagnosticReports/panic-full-1.ips
	same 'five files, one panic' '["held","cooldown",1,1]' \
		"$(gate '[.verdict, .reason, .panics_24h, .panics_72h]')"
	"$bin" gate >/dev/null
	same 'held: status' 75 $?
	same 'five files, one event' '[["iogpu_prepare_count_underflow",5,"panic_file",25467,"9d03838d720f4328"]]' \
		"$("$bin" events --json | jq -c '[.events[] | [.class, .severity, .source, .pid, .boot]]')"
	wrapped 1107F721 60 >$reports/panic-full-2.panic
	same 'a second one' '["held","lockout",2,2]' "$(gate '[.verdict, .reason, .panics_24h, .panics_72h]')"
	rm -rf root/Library root/Users root/var
	same 'the files may go' '["held","lockout",2,2]' "$(gate '[.verdict, .reason, .panics_24h, .panics_72h]')"
	rm -f state/evidence
	same 'the marks may go' 2 "$(gate .panics_24h)"
}

kernel_log() {
	fresh
	mkdir -p root/dev
	cat >root/dev/kmsg <<-'END'
		6,1,1000,-;usb 1-1: fine
		3,2,2000,-;NVRM: Xid (PCI:0000:05:00): 31, pid=77, name=python3, MMU Fault
	END
	same 'a fault of one program' '["go","none"]' "$(gate '[.verdict, .reason]')"
	echo "3,3,3000,-;NVRM: Xid (PCI:0000:05:00): 79, pid=77, GPU has fallen off the bus." >>root/dev/kmsg
	same 'off the bus' '["held","machine","xid_79","0000:05:00.0"]' \
		"$(gate '[.verdict, .reason, .class, .device]')"
	same 'less by the policy' '["go","none"]' "$(gate '[.verdict, .reason]' --set cooldown.classes=79:2)"
	echo "3,4,4000,-;NVRM: Xid (PCI:0000:05:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)" \
		>>root/dev/kmsg
	same 'the verdict decides' '["xid_31",2] ["xid_79",3] ["xid_154",3]' \
		"$("$bin" events --json | jq -c '.events[] | [.class, .severity]' | paste -sd ' ')"
}

dumps() {
	local when
	fresh
	when=$(($(date +%s) - 300))
	mkdir -p root/sys/fs/pstore root/var/lib/systemd/pstore/$when/001
	printf 'Panic#1 Part1\n<0>[  9.0] Kernel panic - not syncing: hung\n' |
		tee root/sys/fs/pstore/dmesg-efi-${when}01001 >root/var/lib/systemd/pstore/$when/001/dmesg.txt
	same 'a dump' '["held","cooldown",1,"kernel_panic"]' "$(gate '[.verdict, .reason, .panics_24h, .class]')"
	same 'a dump: when' $when "$("$bin" events --json | jq '.events[0].t[:19] + "Z" | fromdate')"
}

# Sources that are there and cannot be read. Root reads all.
blind() {
	local as=()
	fresh
	cp "$bin" reader
	chmod 755 reader
	mkdir -p $reports root/sys/fs/pstore state
	chmod 700 state
	panic 9D03838D 600 >$reports/panic-full-1.panic
	chmod 000 $reports/panic-full-1.panic
	chmod 000 root/sys/fs/pstore
	if [ "$(id -u)" = 0 ]; then
		command -v setpriv >/dev/null || return 0
		as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
		chown 65534:65534 state
	fi
	"${as[@]}" ./reader gate >says.out 2>says.err
	same 'blind: status' 0 $?
	same 'blind: one line' "taffrail: gate: blind: panic_file: $work/$reports/panic-full-1.panic: Permission denied; run as root, or let this user read it (chmod, chmod +a) (and 1 more; see: taffrail gate --json)" \
		"$(cat says.err)"
	"${as[@]}" ./reader gate --strict >/dev/null 2>&1
	same 'blind, strict: status' 69 $?
	"${as[@]}" ./reader gate --set cooldown.blind=hold >/dev/null 2>&1
	same 'blind, by the policy: status' 69 $?
	same 'blind: which' '["panic_file","pstore"]' \
		"$("${as[@]}" ./reader events --json 2>/dev/null | jq -c .blind)"
	chmod 644 $reports/panic-full-1.panic
	chmod 755 root/sys/fs/pstore
	"${as[@]}" ./reader gate >/dev/null 2>says.err
	same 'no longer blind: held' 75 $?
	same 'no longer blind: nothing said' '' "$(cat says.err)"
}

nothing
one_panic
kernel_log
dumps
blind
tally 11
