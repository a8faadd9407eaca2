#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# classify.sh -- texts, reports and kernel logs through the real command.
# shellcheck disable=SC2154 # lib_cli.sh sets bin, work, passed, failed
. "${SRC:?}/tests/integration/lib_cli.sh"
needs jq

texts() {
	same 'a class' 'class      cuda_oom' "$(echo 'CUDA error: out of memory' | "$bin" classify | head -n 1)"
	echo 'CUDA error: out of memory' | "$bin" classify - >/dev/null
	same 'a class: status' 0 $?
	same 'no class' 'nothing that is known' "$(echo 'all is well' | "$bin" classify)"
	echo 'all is well' | "$bin" classify >/dev/null
	same 'no class: status' 1 $?
	"$bin" classify </dev/null >/dev/null
	same 'no text: status' 1 $?
	echo '[metal::malloc] Resource limit (499000) exceeded' >text
	same 'as JSON' '["metal_descriptor_leak","descriptor_leak","force_reload",2,null]' \
		"$("$bin" classify --json text | jq -c '[.class.name, .class.severity, .class.hint, .class.level, .report]')"
	# What the table of signatures knows counts as a panic, also broken over lines.
	printf '"completeMemory()  prepare\ncount underflow"' >broken
	same 'by signature' '["iogpu_prepare_count_underflow","prepare_count_underflow"]' \
		"$("$bin" classify --json broken | jq -c '[.class.name, .signature]')"
}

reports() {
	printf '%s\n' '{"bug_type":"210","timestamp":"2026-05-24 02:46:30.00 +0900"}' >report
	printf '%s' '{"panicString" : "panic(cpu 1 caller 0x1): \"IOGPUGroupMemory::remove_memory_object() ' \
		'memory object not found\" @IOGPUGroupMemory.cpp:323\nBoot session UUID: ' \
		'9D03838D-720F-4328-9464-8EEF0630F6D1\n  Calendar: 0x6a11e7ee 0x00014b06\n' \
		'pid 0: kernel_task\nPanicked task 0x1: 6 pages: pid 25467: python3.13\n"}' >>report
	same 'a report' '["iogpu_remove_memory_object","remove_memory_object","panic","2026-05-23T17:46:22.084742Z",25467,"python3.13","9d03838d720f432894648eef0630f6d1"]' \
		"$("$bin" classify --json report | jq -c '[.class.name, .signature, .report.kind, .report.time, .report.pid, .report.process, .report.boot]')"
	# Its process can be named anything; it steers no terminal.
	printf 'panic(cpu 1): x\nPanicked task 0x1: pid 7: a\033[31mb\n' >odd
	"$bin" classify odd >says.out
	same 'no class in a report: status' 1 $?
	same 'no control in the output' 0 "$(tr -d '\n' <says.out | LC_ALL=C grep -c '[[:cntrl:]]')"
}

kernel_logs() {
	cat >dmesg <<-'END'
		[    1.000000] usb 1-1: fine
		[    2.000000] NVRM: Xid (PCI:0000:05:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.
		[    3.000000] amdgpu 0000:03:00.0: amdgpu: GPU reset(1) succeeded!
	END
	"$bin" classify --kernel-log dmesg >says.out
	same 'a kernel log: status' 0 $?
	same 'a kernel log' '2 xid_79 machine 0000:05:00.0' "$(head -n 1 says.out | awk '{ print $1, $2, $3, $4 }')"
	same 'lines' 2 "$(wc -l <says.out)"
	same 'without the option' "$(cat says.out)" "$("$bin" classify dmesg)"
	same 'lines as JSON' '[[2,"xid_79","machine","0000:05:00.0",false],[3,"amdgpu_reset_done","note","0000:03:00.0",true]]' \
		"$("$bin" classify --json --kernel-log dmesg | jq -c '[.lines[] | [.line, .class, .severity, .device, .closes]]')"
	echo fine | "$bin" classify --kernel-log >/dev/null
	same 'a log without harm: status' 1 $?
}

wrong() {
	"$bin" classify nowhere 2>says.err
	same 'no such file: status' 64 $?
	same 'no such file' 'taffrail: classify: cannot read nowhere: No such file or directory' "$(cat says.err)"
	"$bin" classify a b 2>/dev/null
	same 'two files: status' 64 $?
	"$bin" classify --odd 2>says.err
	same 'no such option' 'taffrail: classify: there is no option "--odd"; see: taffrail help classify' "$(cat says.err)"
	# 6 MiB: the beginning counts, and the cut is said.
	{
		echo 'CUDA error: out of memory'
		head -c 6291456 /dev/zero
	} >large
	same 'a large file' 'class      cuda_oom' "$("$bin" classify large 2>says.err | head -n 1)"
	same 'a large file: said' 'taffrail: classify: only the first 5 MiB are read' "$(cat says.err)"
}

texts
reports
kernel_logs
wrong
same 'no state was made' 1 "$([ -e "$TAFFRAIL_STATE" ] && echo 0 || echo 1)"
tally 21
