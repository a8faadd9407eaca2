/* SPDX-License-Identifier: MIT */
/* test_klog.c -- lines of the kernel log, as they were seen in reports and in the kernel's
 * source. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/klog.h"

static const struct {
	const char *line, *class;
	uint8_t severity;
	const char *device;
	int32_t pid;
} lines[] = {
	{ "[Sun Feb 23 16:24:18 2025] NVRM: Xid (PCI:0000:9b:00): 119, pid=2024380, "
	  "name=nvidia-smi, "
	  "Timeout after 6s of waiting for RPC response from GPU4 GSP!",
	  "xid_119", TAF_SEVERITY_DEVICE, "0000:9b:00.0", 2024380 },
	{ "NVRM: Xid (PCI:0000:05:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the "
	  "bus.",
	  "xid_79", TAF_SEVERITY_MACHINE, "0000:05:00.0", 0 },
	{ "NVRM: Xid (PCI:0000:05:00): 79", "xid_79", TAF_SEVERITY_MACHINE, "0000:05:00.0", 0 },
	{ "NVRM: Xid (0000:03:00): 14, Channel 00000001", "xid_14", TAF_SEVERITY_PROCESS,
	  "0000:03:00.0", 0 },
	{ "NVRM: Xid (PCI:0000:65:00 GPU-I:02 GPU-CI:01): 13, pid=4242, name=python3, Graphics SM "
	  "Warp",
	  "xid_13", TAF_SEVERITY_PROCESS, "0000:65:00.0", 4242 },
	{ "NVRM: Xid (PCI:0000:B3:00): 94, pid=1, Contained: SM (0x1).", "xid_94",
	  TAF_SEVERITY_PROCESS, "0000:b3:00.0", 1 },
	{ "NVRM: Xid (PCI:0000:b3:00): 95, pid=1, Uncontained: L2", "xid_95", TAF_SEVERITY_DEVICE,
	  "0000:b3:00.0", 1 },
	{ "NVRM: Xid (PCI:0000:b3:00): 48, pid=1, DBE", "xid_48", TAF_SEVERITY_DEVICE,
	  "0000:b3:00.0", 1 },
	{ "NVRM: Xid (PCI:0000:b3:00): 43, pid=77, name=x, Ch 00000008", "xid_43",
	  TAF_SEVERITY_NOTE, "0000:b3:00.0", 77 },
	{ "NVRM: GPU 0000:18:00.0: GPU has fallen off the bus.", "nvidia_off_bus",
	  TAF_SEVERITY_MACHINE, "0000:18:00.0", 0 },
	{ "kernel: amdgpu 0000:c2:00.0: ring gfx_0.0.0 timeout, signaled seq=166926, emitted "
	  "seq=166928",
	  "amdgpu_ring_timeout", TAF_SEVERITY_PROCESS, "0000:c2:00.0", 0 },
	{ "[ 2742.462312] [drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring page1 timeout, signaled "
	  "seq=2216, emitted seq=2218",
	  "amdgpu_ring_timeout", TAF_SEVERITY_PROCESS, "", 0 },
	{ "[drm:amdgpu_job_timedout [amdgpu]] *ERROR* ring gfx timeout, but soft recovered",
	  "amdgpu_soft_recovered", TAF_SEVERITY_NOTE, "", 0 },
	{ "amdgpu 0000:c5:00.0: Ring comp_1.1.0 reset succeeded", "amdgpu_ring_reset",
	  TAF_SEVERITY_PROCESS, "0000:c5:00.0", 0 },
	{ "amdgpu 0000:03:00.0: amdgpu: Ring gfx_0.0.0 reset failed", "amdgpu_ring_reset_failed",
	  TAF_SEVERITY_DEVICE, "0000:03:00.0", 0 },
	{ "amdgpu 0000:c4:00.0: GPU reset begin!. Source:  3", "amdgpu_reset", TAF_SEVERITY_DEVICE,
	  "0000:c4:00.0", 0 },
	{ "amdgpu 0000:c4:00.0: MODE2 reset", "amdgpu_reset", TAF_SEVERITY_DEVICE, "0000:c4:00.0",
	  0 },
	{ "amdgpu 0000:2b:00.0: amdgpu: GPU reset succeeded, trying to resume", "amdgpu_reset_done",
	  TAF_SEVERITY_NOTE, "0000:2b:00.0", 0 },
	{ "amdgpu 0000:03:00.0: amdgpu: GPU reset(1) succeeded!", "amdgpu_reset_done",
	  TAF_SEVERITY_NOTE, "0000:03:00.0", 0 },
	{ "amdgpu 0000:03:00.0: amdgpu: GPU reset(2) failed", "amdgpu_reset_failed",
	  TAF_SEVERITY_MACHINE, "0000:03:00.0", 0 },
	{ "[ 2744.090643] [drm] VRAM is lost due to GPU reset!", "amdgpu_vram_lost",
	  TAF_SEVERITY_DEVICE, "", 0 },
	{ "amdgpu 0000:c4:00.0: MES failed to respond to msg=REMOVE_QUEUE", "amdgpu_mes_failed",
	  TAF_SEVERITY_DEVICE, "0000:c4:00.0", 0 },
	{ "amdgpu 0000:c2:00.0: [drm] device wedged, but recovered through reset",
	  "drm_wedged_recovered", TAF_SEVERITY_PROCESS, "0000:c2:00.0", 0 },
	{ "xe 0000:03:00.0: [drm] device wedged, needs recovery", "drm_wedged",
	  TAF_SEVERITY_MACHINE, "0000:03:00.0", 0 },
	{ "i915 0000:00:02.0: [drm] GPU HANG: ecode 12:1:85dffffb, in llama-server [1808332]",
	  "i915_gpu_hang", TAF_SEVERITY_PROCESS, "0000:00:02.0", 1808332 },
	{ "i915 0000:00:02.0: [drm] GPU HANG: ecode 12:0:00000000", "i915_gpu_hang",
	  TAF_SEVERITY_PROCESS, "0000:00:02.0", 0 },
	{ "i915 0000:00:02.0: [drm] llama-server[1808332] context reset due to GPU hang",
	  "i915_context_reset", TAF_SEVERITY_PROCESS, "0000:00:02.0", 1808332 },
	{ "i915 0000:00:02.0: [drm] Resetting rcs0 for stopped heartbeat on rcs0", "i915_reset",
	  TAF_SEVERITY_DEVICE, "0000:00:02.0", 0 },
	{ "xe 0000:03:00.0: [drm] GT0: Engine reset: engine_class=ccs, logical_mask: 0x1, "
	  "guc_id=13",
	  "xe_engine_reset", TAF_SEVERITY_PROCESS, "0000:03:00.0", 0 },
	{ "xe 0000:03:00.0: [drm] Xe device coredump has been created", "drm_coredump",
	  TAF_SEVERITY_PROCESS, "0000:03:00.0", 0 },
	{ "[284083.655827] Fence expiration time out i915-0000:00:02.0:0000:00:02.0:554!",
	  "intel_fence_timeout", TAF_SEVERITY_PROCESS, "0000:00:02.0", 0 },
	{ "Kernel panic - not syncing: Fatal exception in interrupt", "kernel_panic",
	  TAF_SEVERITY_PANIC, "", 0 },
	{ "BUG: unable to handle page fault for address: ffffa", "kernel_oops",
	  TAF_SEVERITY_MACHINE, "", 0 },
	{ "Oops: 0002 [#1] PREEMPT SMP NOPTI", "kernel_oops", TAF_SEVERITY_MACHINE, "", 0 },
	{ "general protection fault, probably for non-canonical address 0xdead000000000122: 0000 "
	  "[#1]",
	  "kernel_oops", TAF_SEVERITY_MACHINE, "", 0 },
	{ "watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:123]", "soft_lockup",
	  TAF_SEVERITY_MACHINE, "", 0 },
	{ "NMI watchdog: Watchdog detected hard LOCKUP on cpu 3", "hard_lockup",
	  TAF_SEVERITY_MACHINE, "", 0 },
	{ "INFO: task python3:1234 blocked for more than 120 seconds.", "hung_task",
	  TAF_SEVERITY_PROCESS, "", 1234 },
	{ "INFO: task kworker/u8:3:77 blocked for more than 120 seconds.", "hung_task",
	  TAF_SEVERITY_PROCESS, "", 77 },
	{ "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),task_memcg=/"
	  "x,task=python3,pid=4711,uid=0",
	  "oom_kill", TAF_SEVERITY_PROCESS, "", 4711 },
	{ "Out of memory: Killed process 4711 (python3) total-vm:1kB", "oom_kill",
	  TAF_SEVERITY_PROCESS, "", 4711 },
	{ "pcieport 0000:00:03.1: AER: Uncorrected (Fatal) error received: 0000:0a:00.0",
	  "pcie_fatal", TAF_SEVERITY_MACHINE, "0000:0a:00.0", 0 },
	{ "pcieport 0000:00:1c.5: AER: Uncorrectable (Non-Fatal) error message received from "
	  "0000:05:00.0",
	  "pcie_error", TAF_SEVERITY_DEVICE, "0000:05:00.0", 0 },
	{ "mce: [Hardware Error]: CPU 3: Machine Check Exception: 5 Bank 4: be0000",
	  "machine_check", TAF_SEVERITY_MACHINE, "", 0 },
	{ "mce: [Hardware Error]: Machine check events logged", "machine_check_logged",
	  TAF_SEVERITY_NOTE, "", 0 },
};

static void known_lines(void **state)
{
	struct taf_klog k;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (!taf_klog_line(lines[i].line, strlen(lines[i].line), &k))
			fail_msg("nothing in: %s", lines[i].line);
		if (strcmp(k.class, lines[i].class) != 0 || k.severity != lines[i].severity ||
		    strcmp(k.device, lines[i].device) != 0 || k.pid != lines[i].pid)
			fail_msg("%s %d \"%s\" %d: %s", k.class, k.severity, k.device, k.pid,
				 lines[i].line);
		if (!k.what || !*k.what || !k.advice || !*k.advice)
			fail_msg("%s means nothing", k.class);
	}
}

static void harmless_lines(void **state)
{
	static const char *const harmless[] = {
		"usb 1-1: new high-speed USB device number 5 using xhci_hcd",
		"amdgpu 0000:03:00.0: amdgpu: SMU is initialized successfully!",
		"NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.104.05",
		"NVRM: Xid (PCI:0000:05:00): , nothing",
		"NVRM: Xid (PCI:0000:05:00): 99999999, nothing",
		"pcieport 0000:00:1c.5: AER: Corrected error received: 0000:05:00.0",
		"traps: python3[123] general protection fault ip:7f sp:7f error:0 in libc.so",
		"",
	};
	struct taf_klog k;

	(void)state;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		if (taf_klog_line(harmless[i], strlen(harmless[i]), &k))
			fail_msg("%s in: %s", k.class, harmless[i]);
}

static struct taf_klog line_of(const char *line)
{
	struct taf_klog k;

	assert_true(taf_klog_line(line, strlen(line), &k));
	return k;
}

static void verdicts(void **state)
{
	static const struct {
		const char *from_to;
		uint8_t severity;
		bool closes;
	} table[] = {
		{ "0x4 (Drain and Reset) to 0x1 (GPU Reset Required)", TAF_SEVERITY_DEVICE, false },
		{ "0x0 (None) to 0x2 (Node Reboot Required)", TAF_SEVERITY_MACHINE, false },
		{ "0x0 (None) to 0x4 (Drain and Reset)", TAF_SEVERITY_DEVICE, false },
		{ "0x0 (None) to 0x3 (Drain P2P)", TAF_SEVERITY_DEVICE, false },
		{ "0x1 (GPU Reset Required) to 0x0 (None)", TAF_SEVERITY_NOTE, true },
		{ "0x0 (None) to 0x9 (Something New)", TAF_SEVERITY_PROCESS, false },
	};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct taf_klog k;

		snprintf(line, sizeof(line),
			 "[171167.897562] NVRM: Xid (PCI:0019:01:00): 154, GPU recovery action "
			 "changed "
			 "from %s",
			 table[i].from_to);
		k = line_of(line);
		assert_string_equal(k.class, "xid_154");
		assert_true(k.is_verdict);
		assert_int_equal(k.severity, table[i].severity);
		assert_int_equal(k.closes, table[i].closes);
		assert_string_equal(k.device, "0019:01:00.0");
	}
}

static struct taf_ledger_event event(const char *class, uint8_t severity, const char *device,
				     uint64_t boot_ms)
{
	struct taf_ledger_event e = { .severity = severity, .at = { 1, boot_ms, 0 } };

	strcpy(e.class, class);
	strcpy(e.device, device);
	return e;
}

static void settling(void **state)
{
	struct taf_ledger_event e[] = {
		event("amdgpu_reset", TAF_SEVERITY_DEVICE, "0000:03:00.0", 1000),
		event("amdgpu_vram_lost", TAF_SEVERITY_DEVICE, "", 1500),
		event("amdgpu_reset", TAF_SEVERITY_DEVICE, "0000:04:00.0", 1000),
		event("amdgpu_reset_failed", TAF_SEVERITY_MACHINE, "0000:03:00.0", 1000),
		event("amdgpu_reset", TAF_SEVERITY_DEVICE, "0000:03:00.0", 9000),
		event("kernel_panic", TAF_SEVERITY_PANIC, "", 1000),
	};
	const struct taf_moment when = { 1, 2000, 0 }, other_boot = { 2, 20000, 0 };
	struct taf_klog done = line_of("amdgpu 0000:03:00.0: GPU reset(1) succeeded!");

	(void)state;
	assert_int_equal(taf_klog_settle(e, 6, &done, &other_boot), 0);
	assert_int_equal(taf_klog_settle(e, 6, &done, &when), 2);
	assert_int_equal(e[0].severity, TAF_SEVERITY_PROCESS);
	assert_int_equal(e[1].severity, TAF_SEVERITY_PROCESS);
	assert_int_equal(e[2].severity, TAF_SEVERITY_DEVICE);
	assert_int_equal(e[3].severity, TAF_SEVERITY_MACHINE);
	assert_int_equal(e[4].severity, TAF_SEVERITY_DEVICE);
	assert_int_equal(e[5].severity, TAF_SEVERITY_PANIC);
}

static void verdict_decides(void **state)
{
	struct taf_ledger_event e[] = {
		event("xid_79", TAF_SEVERITY_MACHINE, "0000:03:00.0", 1000),
		event("xid_119", TAF_SEVERITY_DEVICE, "0000:03:00.0", 1000),
		event("xid_79", TAF_SEVERITY_MACHINE, "0000:04:00.0", 1000),
	};
	const struct taf_moment when = { 1, 2000, 0 };
	struct taf_klog reset =
		line_of("NVRM: Xid (PCI:0000:03:00): 154, GPU recovery action changed from "
			"0x0 (None) to 0x1 (GPU Reset Required)");
	struct taf_klog none =
		line_of("NVRM: Xid (PCI:0000:03:00): 154, GPU recovery action changed from "
			"0x1 (GPU Reset Required) to 0x0 (None)");

	(void)state;
	assert_int_equal(taf_klog_settle(e, 3, &reset, &when), 1);
	assert_int_equal(e[0].severity, TAF_SEVERITY_DEVICE);
	assert_int_equal(taf_klog_settle(e, 3, &none, &when), 2);
	assert_int_equal(e[0].severity, TAF_SEVERITY_PROCESS);
	assert_int_equal(e[1].severity, TAF_SEVERITY_PROCESS);
	assert_int_equal(e[2].severity, TAF_SEVERITY_MACHINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_lines),	   cmocka_unit_test(harmless_lines),
		cmocka_unit_test(verdicts),	   cmocka_unit_test(settling),
		cmocka_unit_test(verdict_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
