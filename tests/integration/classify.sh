#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# classify.sh -- texts, reports and kernel logs through the real command.
# shellcheck disable=SC2154 # lib_cli.sh sets bin, work, passed, failed
. "${SRC:?}/tests/integration/lib_cli.sh"
needs jq

texts() {
	same 'a class' 'class      cuda_oom' "$(echo 'CUDA error: out of memory' | "$bin" classify | head -n 1)"
	for text in 'clCreateBuffer (-4)' 'CL_MEM_OBJECT_ALLOCATION_FAILURE'; do
		same "$text" 'class      opencl_oom' "$(echo "$text" | "$bin" classify | head -n 1)"
	done
	for text in 'clEnqueueNDRangeKernel failed (-5)' 'error: CL_OUT_OF_RESOURCES'; do
		same "$text" 'class      opencl_resources' "$(echo "$text" | "$bin" classify | head -n 1)"
	done
	same HSA 'class      hsa_oom' "$(echo 'HSA_STATUS_ERROR_OUT_OF_RESOURCES: x' | "$bin" classify | head -n 1)"
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
	same 'no such file: what else' 1 "$(grep -c 'echo TEXT | taffrail classify' says.err)"
	same 'no such file' 'taffrail: classify: cannot read nowhere: No such file or directory' "$(sed 's/; .*//' says.err)"
	"$bin" classify a b 2>/dev/null
	same 'two files: status' 64 $?
	"$bin" classify --odd 2>says.err
	same 'no such option' 'taffrail: classify: there is no option "--odd"; see: taffrail help classify' "$(cat says.err)"
}

# More than 5 MiB: what was read is said, in both forms.
large() {
	local n
	# The last words of a log are at its end.
	{
		echo 'NVRM: Xid (PCI:0000:05:00): 79, GPU has fallen off the bus.'
		yes 'usb 1-1: fine' | head -n 1700000
		echo 'amdgpu 0000:03:00.0: amdgpu: GPU reset begin!'
		echo 'all is well'
	} >log
	n=$((1700003 - $(tail -c 5242880 log | wc -l) + 1))
	"$bin" classify --kernel-log log >says.out 2>says.err
	same 'a large log: status' 0 $?
	same 'a large log' '1700002 amdgpu_reset' "$(awk '{ print $1, $2 }' says.out)"
	[ "$(tail -n +$((n + 1)) log | wc -c)" -le 5242880 ] && [ "$(tail -n +$n log | wc -c)" -gt 5242880 ]
	ok 'a large log: as much as can be' $?
	same 'a large log: said' "taffrail: classify: log: only the last 5 MiB are read, from line $((n + 1)) on" \
		"$(cat says.err)"
	same 'a large log: a pipe' "$(cat says.out)" "$("$bin" classify --kernel-log <log 2>says.err)"
	grep -q '^taffrail: classify: standard input: only the last 5 MiB' says.err
	ok 'a large log: a pipe: said' $?
	same 'a large log: as JSON' "[\"amdgpu_reset\",true,\"last\",$((n + 1))]" \
		"$("$bin" classify --json log 2>/dev/null | jq -c '[.lines[].class, .is_cut, .part, .from_line]')"
	{
		head -c 6291456 /dev/zero
		echo 'CUDA error: out of memory'
	} >large
	same 'a large text' 'class      cuda_oom' "$("$bin" classify large 2>says.err | head -n 1)"
	same 'a large text: said' 'taffrail: classify: large: only the last 5 MiB are read, from line 1 on' \
		"$(cat says.err)"
	# A report has its own words at its beginning.
	{
		head -c -3 report
		yes '1 pages, 1 threads' | head -n 400000 | tr '\n' ' '
		printf '"}\n'
	} >large
	same 'a large report' iogpu_remove_memory_object "$("$bin" classify --json large 2>says.err | jq -r .class.name)"
	same 'a large report: said' 'taffrail: classify: large: only the first 5 MiB are read' "$(cat says.err)"
	same 'not cut' '[false,"whole",1]' "$("$bin" classify --json report | jq -c '[.is_cut, .part, .from_line]')"
}

# Every class says what happened and what to do.
meanings() {
	cat >dmesg <<-'END'
		amdgpu 0000:c4:00.0: GPU reset begin!. Source:  3
		kernel: amdgpu 0000:c2:00.0: ring gfx_0.0.0 timeout, signaled seq=166926, emitted seq=166928
		Out of memory: Killed process 4711 (python3) total-vm:1kB
	END
	"$bin" classify --kernel-log dmesg >says.out
	same 'a reset' '1      amdgpu_reset             device   0000:c4:00.0 the driver resets the GPU; restart the program' \
		"$(head -n 1 says.out)"
	same 'a ring' '2      amdgpu_ring_timeout      process  0000:c2:00.0 a ring of the GPU did not finish its work; restart the program' \
		"$(sed -n 2p says.out)"
	same 'no memory' '3      oom_kill                 process  - pid 4711 the kernel ended a process: no memory was left; a smaller model or context, or memory.limit' \
		"$(sed -n 3p says.out)"
	same 'as JSON' 0 "$("$bin" classify --json --kernel-log dmesg |
		jq '[.lines[] | select((.what | type) != "string" or (.advice | type) != "string")] | length')"
}

texts
reports
kernel_logs
meanings
wrong
large
same 'no state was made' 1 "$([ -e "$TAFFRAIL_STATE" ] && echo 0 || echo 1)"
tally 43
