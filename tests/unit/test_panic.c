/* SPDX-License-Identifier: MIT */
/* test_panic.c -- reports of macOS: both forms, what is missing, what is broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/panic.h"

static char body[8192];

static const struct taf_panic *parse(const char *text)
{
	static struct taf_panic p;

	assert_true(strlen(text) < sizeof(body));
	strcpy(body, text);
	taf_panic_parse(body, strlen(text), &p);
	return &p;
}

#define HEAD \
	"{\"bug_type\":\"210\",\"timestamp\":\"2026-05-24 01:36:46.00 +0900\"," \
	"\"os_version\":\"macOS 26.5 (25F71)\",\"incident_id\":\"A\"}\n"
#define STRING \
	"panic(cpu 10 caller 0xfffffe00560d2f48): \\\"completeMemory() prepare count " \
	"underflow\\\" @IOGPUMemory.cpp:550\\nDebugger message: panic\\n" \
	"OS version: 25F71\\nBoot session UUID: 9D03838D-720F-4328-9464-8EEF0630F6D1\\n" \
	"Epoch Time:        sec       usec\\n  Boot    : 0x6a1078bc 0x000b8d60\\n" \
	"  Calendar: 0x6a11e7ee 0x00014b06\\n\\nCompressor Info: 0% of segments\\n"
#define TASK "Panicked task 0xfffffe2b57f03248: 67178 pages, 13 threads: pid 25467: python3.13\\n"

static void wrapped(void **state)
{
	const struct taf_panic *p =
		parse(HEAD "{\n  \"build\" : \"macOS 26.5 (25F71)\",\n"
			   "  \"panicString\" : \"" STRING "pid 0: kernel_task\\n" TASK
			   "\",\n  \"processByPid\" : {\"1\":{\"pid\":1}}\n}\n");

	(void)state;
	assert_int_equal(p->kind, TAF_REPORT_PANIC);
	assert_int_equal(p->utc_us, 0x6a11e7eeull * 1000000 + 0x14b06);
	assert_true(p->has_pid);
	assert_int_equal(p->pid, 25467);
	assert_string_equal(p->process, "python3.13");
	assert_string_equal(p->boot, "9d03838d720f432894648eef0630f6d1");
	assert_string_equal(p->os, "25F71");
	assert_true(p->has_class);
	assert_string_equal(p->class.name, "iogpu_prepare_count_underflow");
	assert_string_equal(p->signature, "prepare_count_underflow");
	assert_memory_equal(p->text, "panic(cpu 10 caller 0xfffffe00560d2f48): \"complete", 49);
}

/* Raw newlines inside the string, and a file that ends in the middle of it. */
static void broken(void **state)
{
	const struct taf_panic *p = parse(
		HEAD "{\"panicString\" : \"panic(cpu 1 caller 0x1): \\\"x\\\"\nPanicked task 0x1: "
		     "2 pages: pid 7: a \\u00e9 b\\");

	(void)state;
	assert_int_equal(p->kind, TAF_REPORT_PANIC);
	assert_int_equal(p->pid, 7);
	assert_string_equal(p->process, "a \xc3\xa9 b\\");
	assert_false(p->has_class);
	assert_null(p->signature);
	assert_string_equal(p->boot, "");
	/* From the line about the file: 01:36:46 +0900 is 16:36:46 the day before. */
	assert_int_equal(p->utc_us, 1779554206ull * 1000000);
}

static void plain(void **state)
{
	const struct taf_panic *p =
		parse("Anonymous UUID: 1\n\npanic(cpu 2 caller 0xf): watchdog timeout: "
		      "no checkins from watchdogd in 91 seconds\n"
		      "Panicked task 0xf: 0 pages: pid 0: kernel_task\n"
		      "Calendar: 0x69186e0d 0x0004bfcc\n");

	(void)state;
	assert_int_equal(p->kind, TAF_REPORT_PANIC);
	assert_int_equal(p->utc_us, 0x69186e0dull * 1000000 + 0x4bfcc);
	assert_true(p->has_pid);
	assert_int_equal(p->pid, 0);
	assert_string_equal(p->process, "kernel_task");
	assert_string_equal(p->class.name, "watchdogd_timeout");
	assert_string_equal(p->signature, "watchdogd_timeout");
}

static void crash(void **state)
{
	const struct taf_panic *p = parse(
		"{\"app_name\":\"python3.13\",\"timestamp\":\"2026-11-25 10:00:00.00 +0000\","
		"\"bug_type\":\"309\"}\n{\n  \"pid\" : 4242,\n  \"procName\" : \"python3.13\",\n"
		"  \"asi\" : {\"libmlx\":[\"[METAL] Command buffer execution failed: Caused GPU "
		"Hang "
		"Error (00000003:kIOGPUCommandBufferCallbackErrorHang)\"]}\n}\n");

	(void)state;
	assert_int_equal(p->kind, TAF_REPORT_CRASH);
	assert_int_equal(p->pid, 4242);
	assert_string_equal(p->process, "python3.13");
	assert_true(p->has_class);
	assert_string_equal(p->class.name, "gpu_hang");
	assert_false(p->class.is_panic);
	assert_int_equal(p->utc_us, 1795600800ull * 1000000);
}

/* A crash report that quotes a panic is a crash, a memory kill is neither. */
static void other_kinds(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"bug_type\":\"309\"}\n{\"x\":\"panic(cpu 1\"}")->kind,
			 TAF_REPORT_CRASH);
	assert_int_equal(parse("{\"bug_type\":\"298\"}\n{}")->kind, TAF_REPORT_OTHER);
	assert_int_equal(parse("hello")->kind, TAF_REPORT_OTHER);
	assert_int_equal(parse("")->kind, TAF_REPORT_OTHER);
	assert_int_equal(parse("panic: prepare_count_underflow\nat IOGPUMemory.cpp:492")->kind,
			 TAF_REPORT_PANIC);
	assert_int_equal(parse("{\"bug_type\":\"210\"}")->kind, TAF_REPORT_PANIC);
}

static void bad_fields(void **state)
{
	static const char *const dates[] = {
		"2026-13-01 00:00:00 +0000",
		"2026-01-00 00:00:00",
		"2026-01-32 00:00:00",
		"2026-01-01 24:00:00",
		"yesterday",
		"99999-01-01 00:00:00",
		"2026-01-01",
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		snprintf(text, sizeof(text), "{\"bug_type\":\"210\",\"timestamp\":\"%s\"}\n",
			 dates[i]);
		assert_int_equal(parse(text)->utc_us, 0);
	}
	assert_int_equal(parse("Calendar: 0xffffffffffff 0x1")->utc_us, 0);
	assert_int_equal(parse("Calendar: 0x11111111111111111 0x1")->utc_us, 0);
	assert_int_equal(parse("Calendar: 0x6a11e7ee")->utc_us, 0);
	assert_int_equal(parse("Calendar: 0x6a11e7ee 0xffffffff")->utc_us, 0x6a11e7eeull * 1000000);
	assert_false(parse("rapid 7: x, pid 8, pid x: y, pid 1234567890123: z")->has_pid);
	assert_int_equal(parse("rapid 7: x\npid 9: y")->pid, 9);
	assert_string_equal(parse("Boot session UUID: 9D03838D-720F-4328")->boot, "");
	assert_string_equal(parse("Boot session UUID: XXXX")->boot, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrapped),     cmocka_unit_test(broken),
		cmocka_unit_test(plain),       cmocka_unit_test(crash),
		cmocka_unit_test(other_kinds), cmocka_unit_test(bad_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
