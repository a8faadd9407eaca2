/* SPDX-License-Identifier: MIT */
/* test_classify.c -- texts to classes: the words of the tables, what they must not catch, and
 * that no text costs more than its length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../policy/classify.h"
#include "../../policy/ledger.h"
#include "../../policy/match.h"
#include "../../policy/rules.h"

static bool match(const char *rule, const char *text)
{
	bool is_match = taf_match(rule, text, strlen(text), NULL);
	struct taf_matched m;

	/* The pairs turn away only what does not match. */
	taf_match_prepare(&m, text, strlen(text));
	assert_int_equal(taf_match_in(rule, &m, NULL), is_match);
	return is_match;
}

static void words(void **state)
{
	static const struct {
		const char *rule, *text;
		bool is_match;
	} table[] = {
		{ "abc", "xxABCxx", true },
		{ "abc", "ab", false },
		{ "abc", "", false },
		{ "a~b", "a b", true },
		{ "a~b", "a_b", true },
		{ "a~b", "a-b", false },
		{ "a\\sb", "a \t\nb", true },
		{ "a\\sb", "ab", false },
		{ "a\\s*b", "ab", true },
		{ "a\\s*b", "a   b", true },
		{ "a\\s", "xa ", true },
		{ "a\\s*", "a", true },
		{ "(#)", "(499000)", true },
		{ "(#)", "()", false },
		{ "(#)", "( 5 )", false },
		{ "one&two", "two one", true },
		{ "one&two", "one", false },
		{ "one>two", "two one", false },
		{ "one>two", "two one two", true },
		{ "aa>a", "aa", false },
		{ "aa>a", "aaa", true },
		{ "a&a", "a", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (match(table[i].rule, table[i].text) != table[i].is_match)
			fail_msg("\"%s\" in \"%s\"", table[i].rule, table[i].text);
	}
}

static void numbers(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_true(taf_match("pid=@,", "pid=12 pid=345,", 15, &v));
	assert_int_equal(v, 345);
	assert_true(taf_match("n#=@", "n1=99999999999999999999999", 26, &v));
	assert_true(v > UINT64_MAX / 100);
	assert_false(taf_match("pid=@", "pid=", 4, NULL));
	/* The bytes behind the text are nobody's business. */
	assert_false(taf_match("abc", "abc", 2, NULL));
	assert_true(taf_match("b\\sc", "a\0b c", 5, NULL));
}

static void sound_rules(void **state)
{
	static const char *const rules[] = {
#define MATCH(class, rule) rule,
#define SIGNATURE(name, class, rule) rule,
#include "../../policy/classes.def"
#define LINE(class, level, effect, rule, source) rule,
#include "../../policy/klog.def"
	};
	static const char *const bad[] = { "",	   "#a",  "a&",	 "~a",	  "a\\s b",
					   "a\\d", "a#1", "Abc", "a>\\sb" };

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (!taf_match_is_sound(rules[i]))
			fail_msg("\"%s\"", rules[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (taf_match_is_sound(bad[i]))
			fail_msg("\"%s\" is not one", bad[i]);
}

static const struct {
	const char *text, *name, *severity, *hint;
} known[] = {
	{ "panic(cpu 9 caller 0xfffffe004e1438ec): \"completeMemory() prepare count "
	  "underflow\" "
	  "@IOGPUMemory.cpp:550",
	  "iogpu_prepare_count_underflow", "kernel_panic", "wait_lockout" },
	{ "PREPARE_COUNT_UNDERFLOW at IOGPUMEMORY.CPP", "iogpu_prepare_count_underflow",
	  "kernel_panic", "wait_lockout" },
	{ "panic(cpu 0): \"IOGPUGroupMemory::remove_memory_object() memory object not "
	  "found\"\n"
	  "  @IOGPUGroupMemory.cpp:323",
	  "iogpu_remove_memory_object", "kernel_panic", "wait_lockout" },
	{ "panic(cpu 1): \"... non pending hash\" @IOGPUGroupMemory.cpp:528",
	  "iogpu_non_pending_hash", "kernel_panic", "wait_lockout" },
	{ "\"fPendingMemorySet\" @IOGPUGroupMemory.cpp:219", "iogpu_pending_memory_set",
	  "kernel_panic", "wait_lockout" },
	{ "panic(cpu 0 caller 0xf): watchdog timeout: no checkins\nfrom watchdogd in 92 "
	  "seconds",
	  "watchdogd_timeout", "kernel_panic", "wait_lockout" },
	{ "panic(cpu 2 caller 0xf): userspace watchdog timeout: no successful checkins "
	  "from logd",
	  "watchdogd_timeout", "kernel_panic", "wait_lockout" },
	{ "panic(cpu 8 caller 0xf): AGXk: agxk_fwc_arm.cpp:5516:virtual void", "agx_firmware_panic",
	  "kernel_panic", "wait_lockout" },
	{ "panic(cpu 8 caller 0xf): \"anything\" @IOGPUResource.cpp:77", "iogpu_panic",
	  "kernel_panic", "wait_lockout" },
	{ "Kernel panic - not syncing: Fatal exception", "kernel_panic", "kernel_panic",
	  "wait_lockout" },
	{ "[METAL] Command buffer execution failed: Insufficient Memory", "cmd_buffer_oom",
	  "command_buffer_oom", "respawn_now" },
	{ "[METAL] Command buffer execution failed: Innocent Victim of a GPU error",
	  "metal_innocent_victim", "process_abort", "respawn_now" },
	{ "kIOGPUCommandBufferCallbackErrorInvalidResource", "metal_invalid_resource",
	  "process_abort", "respawn_now" },
	{ "Caused GPU Timeout Error (00000002:kIOGPUCommandBufferCallbackErrorTimeout)",
	  "gpu_timeout", "gpu_timeout", "respawn_now" },
	{ "[metal::malloc]  resource limit ( 499000 ) exceeded", "metal_descriptor_leak",
	  "descriptor_leak", "force_reload" },
	{ "terminate called after throwing 'vk::DeviceLostError': vk::Queue::submit: "
	  "ErrorDeviceLost",
	  "device_lost", "device_lost", "force_reload" },
	{ "level_zero backend failed with error: 20 (UR_RESULT_ERROR_DEVICE_LOST)", "device_lost",
	  "device_lost", "force_reload" },
	{ "CUDA error: an illegal memory access was encountered\n/x.cu:88: GGML_ASSERT(0) "
	  "failed",
	  "cuda_illegal_address", "gpu_page_fault", "respawn_now" },
	{ "Memory access fault by GPU node-1 (Agent handle: 0x5) on address 0x7f", "hip_page_fault",
	  "gpu_page_fault", "respawn_now" },
	{ "ggml-metal-device.m:612: GGML_ASSERT([rsets->data count] == 0) failed",
	  "ggml_rsets_at_exit", "process_abort", "respawn_now" },
	{ "ggml-backend.cpp:77: GGML_ASSERT(backend) failed", "ggml_assert", "process_abort",
	  "respawn_now" },
	{ "out of memory", NULL, NULL, NULL },
	{ "watchdog timeout on eth0", NULL, NULL, NULL },
	{ "IOGPUMemory.cpp:492", NULL, NULL, NULL },
	{ "IOGPUGroupMemory.cpp:219", NULL, NULL, NULL },
	{ "panic(cpu 0): x @pmap.cpp:12\n com.apple.iokit.IOGPUFamily(130.13)", NULL, NULL, NULL },
};

static void texts(void **state)
{
	struct taf_error_class c;

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (taf_classify(known[i].text, strlen(known[i].text), &c) != !!known[i].name)
			fail_msg("\"%s\"", known[i].text);
		if (!known[i].name)
			continue;
		assert_string_equal(c.name, known[i].name);
		assert_string_equal(c.severity, known[i].severity);
		assert_string_equal(c.hint, known[i].hint);
		assert_int_equal(c.is_panic, !strcmp(c.severity, "kernel_panic"));
		assert_int_equal(c.level, c.is_panic ? TAF_SEVERITY_PANIC : TAF_SEVERITY_PROCESS);
		assert_true(taf_class_named(c.name, &c));
		assert_string_equal(c.name, known[i].name);
	}
	assert_false(taf_class_named("nothing", &c));
}

static void panics_by_signature(void **state)
{
	static const char broken[] = "\"completeMemory()  prepare\ncount   underflow\"";
	static const char bare[] = "IOGPUGroupMemory.cpp:219";
	static const char hang[] = "IOGPUCommandQueue hit context store timeout";
	struct taf_error_class c;

	(void)state;
	assert_false(taf_classify(broken, strlen(broken), &c));
	assert_true(taf_classify_panic(broken, strlen(broken), &c));
	assert_string_equal(c.name, "iogpu_prepare_count_underflow");
	assert_true(taf_classify_panic(bare, strlen(bare), &c));
	assert_string_equal(c.name, "iogpu_pending_memory_set");
	assert_false(taf_classify_panic(hang, strlen(hang), &c));
}

static void overrides(void **state)
{
	static struct taf_rules r;

	(void)state;
	taf_rules_default(&r);
	assert_int_equal(taf_class_severity(&r, "xid_79", 4), 4);
	assert_int_equal(taf_rules_set(&r, "cooldown.classes", "79:2,gpu_hang:0,xid_31:3", NULL),
			 0);
	assert_int_equal(taf_class_severity(&r, "xid_79", 4), 2);
	assert_int_equal(taf_class_severity(&r, "xid_31", 2), 3);
	assert_int_equal(taf_class_severity(&r, "gpu_hang", 2), 0);
	assert_int_equal(taf_class_severity(&r, "79", 4), 2);
	assert_int_equal(taf_class_severity(&r, "kernel_panic", 5), 5);
}

/* The characters of s, and no NUL. */
static void put(char *to, const char *s)
{
	while (*s)
		*to++ = *s++;
}

/* A text made of the beginnings of the rules: quadratic work would not end in this test's time. */
static void long_texts(void **state)
{
	const size_t n = 4u << 20;
	char *text = malloc(n);
	struct taf_error_class c;

	(void)state;
	assert_non_null(text);
	memset(text, '1', n);
	put(text, "resource limit (");
	assert_false(taf_classify(text, n, &c));
	for (size_t i = 0; i < n; i++)
		text[i] = i % 17 ? ' ' : 'c';
	assert_false(taf_classify(text, n, &c));
	memset(text, ' ', n);
	put(text, "command");
	put(text + n - 6, "buffer");
	assert_false(taf_classify(text, n, &c));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(numbers),
		cmocka_unit_test(sound_rules),
		cmocka_unit_test(texts),
		cmocka_unit_test(panics_by_signature),
		cmocka_unit_test(overrides),
		cmocka_unit_test(long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
