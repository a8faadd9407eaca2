/* SPDX-License-Identifier: MIT */
/* test_handle_map.c -- memory by handle: it counts as long as somebody holds its handle or it
 * is mapped, whatever comes last; what finds no room is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../hooks/handle_map.c"
#include "../../shim/live.h"

const struct taf_table *const taf_tables[] = { NULL };
const int taf_table_count = 0;

#define API TAF_API_CUDA
#define HANDLE 0x500ull
#define AT 0x7f0000000000ull
#define BYTES 4096ull

static void create(uint64_t handle)
{
	taf_live_take(&(struct taf_piece){ API, TAF_AT_DEVICE, 0, handle, BYTES });
}

static void map(uint64_t at, uint64_t handle)
{
	taf_map_made(&(struct taf_mapping){ API, at, BYTES, handle });
}

/* As the row does it. */
static void release(uint64_t handle)
{
	uint64_t at = taf_map_released(API, handle);
	struct taf_piece had;

	if (at)
		taf_live_give(API, at, &had);
}

static uint64_t live(void)
{
	struct taf_live_sum sum;

	taf_live_sum(API, 0, &sum);
	return sum.bytes[TAF_AT_DEVICE];
}

static int begin(void **s)
{
	(void)s;
	taf_live_forget();
	taf_map_forget(API);
	create(HANDLE);
	return 0;
}

static void mapped(void **s)
{
	(void)s;
	map(AT, HANDLE);
	map(AT + BYTES, HANDLE);
	release(HANDLE);
	assert_int_equal(live(), BYTES);
	taf_map_unmade(API, AT, BYTES);
	assert_int_equal(live(), BYTES);
	taf_map_unmade(API, AT, 4 * BYTES);
	assert_int_equal(live(), 0);
}

/* One release more than before is needed, wherever the mapping goes. */
static void retained(void **s)
{
	(void)s;
	map(AT, HANDLE);
	taf_map_retained(API, HANDLE, AT + 17);
	release(HANDLE);
	taf_map_unmade(API, AT, BYTES);
	assert_int_equal(live(), BYTES);
	release(HANDLE);
	assert_int_equal(live(), 0);
	release(HANDLE);
	assert_int_equal(live(), 0);
}

static void retained_twice(void **s)
{
	(void)s;
	map(AT, HANDLE);
	taf_map_retained(API, HANDLE, AT);
	taf_map_retained(API, HANDLE, AT);
	release(HANDLE);
	release(HANDLE);
	release(HANDLE);
	assert_int_equal(live(), BYTES);
	taf_map_unmade(API, AT, BYTES);
	assert_int_equal(live(), 0);
}

/* The handle was released already: by this it is there again. */
static void retained_late(void **s)
{
	(void)s;
	map(AT, HANDLE);
	map(AT + BYTES, HANDLE);
	release(HANDLE);
	taf_map_retained(API, HANDLE, AT + BYTES);
	taf_map_unmade(API, AT, 2 * BYTES);
	assert_int_equal(live(), BYTES);
	release(HANDLE);
	assert_int_equal(live(), 0);
}

/* Another piece has the number of one that is only mapped. */
static void number_comes_back(void **s)
{
	(void)s;
	map(AT, HANDLE);
	release(HANDLE);
	create(HANDLE);
	assert_int_equal(live(), 2 * BYTES);
	release(HANDLE);
	assert_int_equal(live(), BYTES);
	taf_map_unmade(API, AT, BYTES);
	assert_int_equal(live(), 0);
}

/* HIP's handles are others. */
static void other_api(void **s)
{
	(void)s;
	map(AT, HANDLE);
	taf_map_retained(TAF_API_HIP, HANDLE, AT);
	taf_map_unmade(TAF_API_HIP, AT, BYTES);
	release(HANDLE);
	assert_int_equal(live(), BYTES);
	taf_map_unmade(API, AT, BYTES);
	assert_int_equal(live(), 0);
	taf_map_forget(TAF_API_HIP);
}

/* Another device was reset: what this one has stays known, by address and by handle. */
static void other_device(void **s)
{
	uint64_t theirs = HANDLE + 1;

	(void)s;
	taf_live_take(&(struct taf_piece){ API, TAF_AT_DEVICE, 1, theirs, BYTES });
	map(AT, HANDLE);
	map(AT + BYTES, theirs);
	taf_map_retained(API, HANDLE, AT);
	taf_map_retained(API, theirs, AT + BYTES);
	taf_live_drop(API, 1);
	taf_map_forget_gone(API);
	assert_int_equal(taf_map_released(API, theirs), theirs);
	release(HANDLE);
	release(HANDLE);
	assert_int_equal(live(), BYTES);
	taf_map_unmade(API, AT, BYTES);
	assert_int_equal(live(), 0);
	assert_int_equal(taf_live_missed(), 0);
}

static void full(void **s)
{
	(void)s;
	for (uint64_t i = 0; i < TAF_MAPPINGS; i++)
		map(AT + (i + 1) * BYTES, HANDLE + 1);
	assert_int_equal(taf_live_missed(), 0);
	map(AT, HANDLE);
	assert_int_equal(taf_live_missed(), 1);
	for (uint64_t i = 0; i < 2000; i++)
		taf_map_retained(API, HANDLE + 2 + i, AT);
	assert_true(taf_live_missed() > 900);
}

/* A fork child has no mapping: a release there gives. */
static void forked(void **s)
{
	int status = -1;
	pid_t pid;

	(void)s;
	map(AT, HANDLE);
	pid = fork();
	if (!pid)
		_exit(taf_map_released(API, HANDLE) == HANDLE ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(taf_map_released(API, HANDLE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(mapped, begin),
		cmocka_unit_test_setup(retained, begin),
		cmocka_unit_test_setup(retained_twice, begin),
		cmocka_unit_test_setup(retained_late, begin),
		cmocka_unit_test_setup(number_comes_back, begin),
		cmocka_unit_test_setup(other_api, begin),
		cmocka_unit_test_setup(other_device, begin),
		cmocka_unit_test_setup(full, begin),
		cmocka_unit_test_setup(forked, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
