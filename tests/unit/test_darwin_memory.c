/* SPDX-License-Identifier: MIT */
/* test_darwin_memory.c -- the memory of a Mac, on a kernel made up for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TAF_MADE_UP_MAC
#define taf_sys_memory mac_memory
#define taf_sys_gpu_resources mac_gpu_resources
#include "../../shim/sys_darwin_memory.c"

#define PAGE 16384u

uint32_t mach_task_self_ = 7;

static struct {
	uint64_t memsize, limit, footprint;
	uint32_t free, inactive;
	uint32_t task_words, host_words; /* that the kernel fills */
	bool is_narrow, is_broken;
} mac;

static int start(void **state)
{
	(void)state;
	memset(&mac, 0, sizeof(mac));
	mac.memsize = 64ull << 30;
	mac.footprint = 0x123456789abull;
	mac.free = 1000;
	mac.inactive = 24;
	mac.task_words = 93;
	mac.host_words = 38;
	return 0;
}

mach_port mach_host_self(void)
{
	return 9;
}

int task_info(mach_port task, uint32_t flavour, uint32_t *out, uint32_t *words)
{
	assert_int_equal(task, 7);
	assert_int_equal(flavour, 22);
	assert_true(*words >= mac.task_words);
	*words = mac.task_words;
	if (mac.task_words * 4 >= 152)
		memcpy((char *)out + 144, &mac.footprint, 8);
	return mac.is_broken ? 4 : 0;
}

int host_statistics64(mach_port host, int flavour, uint32_t *out, uint32_t *words)
{
	assert_int_equal(host, 9);
	assert_int_equal(flavour, 4);
	/* A kernel with more to say cuts its answer to the room. */
	*words = mac.host_words < *words ? mac.host_words : *words;
	if (*words > 2) {
		out[0] = mac.free;
		out[1] = 77777;
		out[2] = mac.inactive;
	}
	return mac.is_broken ? 4 : 0;
}

int sysctlbyname(const char *name, void *old, size_t *old_n, void *new, size_t new_n)
{
	uint64_t v = !strcmp(name, "hw.memsize")	 ? mac.memsize
		     : !strcmp(name, "hw.pagesize")	 ? PAGE
		     : !strcmp(name, "iogpu.rsrc_limit") ? mac.limit
							 : 0;
	uint32_t narrow = (uint32_t)v;

	assert_null(new);
	assert_int_equal(new_n, 0);
	if (!v)
		return -1;
	*old_n = mac.is_narrow && v <= UINT32_MAX ? 4 : 8;
	memcpy(old, *old_n == 4 ? (void *)&narrow : (void *)&v, *old_n);
	return 0;
}

static void figures(void **state)
{
	struct taf_sys_memory m;

	(void)state;
	assert_int_equal(mac_memory(&m), 0);
	assert_true(m.total == 64ull << 30);
	assert_true(m.free == 1024ull * PAGE);
	assert_true(m.footprint == 0x123456789abull);
	mac.is_narrow = true;
	assert_int_equal(mac_memory(&m), 0);
	assert_true(m.free == 1024ull * PAGE);
}

/* macOS 15, 26 and 27 fill 38, 62 and 104 words; a later one perhaps more. */
static void every_release(void **state)
{
	static const uint32_t words[] = { 38, 62, 104, 128, 1000 };
	struct taf_sys_memory m;

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		mac.host_words = words[i];
		assert_int_equal(mac_memory(&m), 0);
		assert_true(m.free == 1024ull * PAGE);
	}
}

static void what_is_not_known(void **state)
{
	struct taf_sys_memory m;

	(void)state;
	mac.task_words = 37; /* ends before the footprint does */
	assert_int_equal(mac_memory(&m), 0);
	assert_true(m.footprint == 0);
	mac.host_words = 2;
	assert_int_equal(mac_memory(&m), -EBADMSG);
	start(NULL);
	mac.memsize = 0;
	assert_int_equal(mac_memory(&m), -EBADMSG);
	start(NULL);
	mac.is_broken = true;
	assert_int_equal(mac_memory(&m), -EBADMSG);
}

static void the_limit_of_resources(void **state)
{
	(void)state;
	assert_int_equal(mac_gpu_resources(), 499000);
	mac.limit = 600000;
	assert_int_equal(mac_gpu_resources(), 600000);
	mac.is_narrow = true;
	assert_int_equal(mac_gpu_resources(), 600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(figures, start),
		cmocka_unit_test_setup(every_release, start),
		cmocka_unit_test_setup(what_is_not_known, start),
		cmocka_unit_test_setup(the_limit_of_resources, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
