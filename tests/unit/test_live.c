/* SPDX-License-Identifier: MIT */
/* test_live.c -- what is held of each device: counted once, charged where it was taken,
 * under growth, churn and threads. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../shim/live.c" /* for its lock */
#include "../../shim/table.h"

/* No engine. */
const struct taf_table *const taf_tables[] = { NULL };
const int taf_table_count = 0;

#define MANY 200000u

static int setup(void **state)
{
	(void)state;
	taf_live_forget();
	return 0;
}

static struct taf_piece piece(enum taf_place place, uint32_t device, uint64_t at, uint64_t bytes)
{
	return (struct taf_piece){ TAF_API_CUDA, place, device, at, bytes };
}

static void take(enum taf_place place, uint32_t device, uint64_t at, uint64_t bytes)
{
	struct taf_piece p = piece(place, device, at, bytes);

	taf_live_take(&p);
}

static struct taf_live_sum sum(uint32_t device)
{
	struct taf_live_sum s;

	taf_live_sum(TAF_API_CUDA, device, &s);
	return s;
}

static void a_piece_is_charged_to_the_device_it_was_taken_on(void **state)
{
	struct taf_piece had;

	(void)state;
	take(TAF_AT_DEVICE, 1, 0x1000, 100);
	take(TAF_AT_DEVICE, 0, 0x2000, 50);
	assert_int_equal(sum(1).bytes[TAF_AT_DEVICE], 100);
	assert_true(taf_live_give(TAF_API_CUDA, 0x1000, &had));
	assert_int_equal(had.device, 1);
	assert_int_equal(had.bytes, 100);
	assert_int_equal(sum(1).bytes[TAF_AT_DEVICE], 0);
	assert_int_equal(sum(0).bytes[TAF_AT_DEVICE], 50);
}

static void one_address_is_counted_once(void **state)
{
	struct taf_piece had;

	(void)state;
	take(TAF_AT_DEVICE, 0, 0x1000, 100); /* the driver, inside of the runtime's call */
	take(TAF_AT_DEVICE, 0, 0x1000, 100); /* the runtime */
	assert_int_equal(sum(0).pieces[TAF_AT_DEVICE], 1);
	assert_true(taf_live_give(TAF_API_CUDA, 0x1000, &had));
	assert_false(taf_live_give(TAF_API_CUDA, 0x1000, &had));
	assert_int_equal(taf_live_bytes(), 0);
}

/* Its free went by unseen, and the address came back. */
static void another_size_at_an_address_is_another_piece(void **state)
{
	(void)state;
	take(TAF_AT_DEVICE, 0, 0x1000, 100);
	take(TAF_AT_DEVICE, 1, 0x1000, 70);
	assert_int_equal(sum(0).pieces[TAF_AT_DEVICE], 0);
	assert_int_equal(sum(1).bytes[TAF_AT_DEVICE], 70);
	assert_int_equal(taf_live_bytes(), 70);
}

static void apis_do_not_share_addresses(void **state)
{
	struct taf_piece had, vulkan = { TAF_API_VULKAN, TAF_AT_DEVICE, 0, 0x1000, 7 };

	(void)state;
	take(TAF_AT_DEVICE, 0, 0x1000, 100);
	taf_live_take(&vulkan);
	assert_int_equal(taf_live_bytes(), 107);
	assert_true(taf_live_give(TAF_API_VULKAN, 0x1000, &had));
	assert_int_equal(had.bytes, 7);
	assert_int_equal(sum(0).bytes[TAF_AT_DEVICE], 100);
}

static void memory_of_the_host_is_counted_apart(void **state)
{
	(void)state;
	take(TAF_AT_HOST, 0, 0x1000, 4096);
	take(TAF_AT_GRAPH, 0, 0x3000, 0);
	take(TAF_AT_MANAGED, 0, 0x2000, 10);
	assert_int_equal(taf_live_bytes(), 10);
	assert_int_equal(sum(0).bytes[TAF_AT_HOST], 4096);
	assert_int_equal(sum(0).pieces[TAF_AT_GRAPH], 1);
	assert_int_equal(sum(0).largest, 10);
}

static void the_peak_stays_and_a_free_that_failed_is_none(void **state)
{
	struct taf_piece had;

	(void)state;
	take(TAF_AT_DEVICE, 0, 0x1000, 100);
	take(TAF_AT_DEVICE, 0, 0x2000, 30);
	assert_true(taf_live_give(TAF_API_CUDA, 0x2000, &had));
	assert_int_equal(sum(0).peak, 130);
	assert_int_equal(sum(0).largest, 100);
	assert_true(taf_live_give(TAF_API_CUDA, 0x1000, &had));
	taf_live_back(&had);
	assert_int_equal(sum(0).bytes[TAF_AT_DEVICE], 100);
	assert_false(taf_live_give(TAF_API_CUDA, 0, &had));
	assert_false(taf_live_give(TAF_API_CUDA, 0xdead, &had));
}

/* A model of the table that forgets nothing: each piece at most once. */
static void many_come_and_go(void **state)
{
	static bool is_there[MANY];
	struct taf_piece had;
	uint64_t bytes = 0, pieces = 0;

	(void)state;
	srandom(7);
	for (uint32_t n = 0; n < 3 * MANY; n++) {
		uint32_t i = (uint32_t)random() % MANY;
		uint64_t at = 0x7f0000000000ull + (uint64_t)i * 256;

		if (is_there[i]) {
			assert_true(taf_live_give(TAF_API_CUDA, at, &had));
			assert_int_equal(had.bytes, i + 1);
			bytes -= i + 1;
			pieces--;
		} else {
			take(TAF_AT_DEVICE, i % 3, at, i + 1);
			bytes += i + 1;
			pieces++;
		}
		is_there[i] = !is_there[i];
	}
	assert_int_equal(taf_live_bytes(), bytes);
	assert_int_equal(sum(TAF_LIVE_DEVICES).pieces[TAF_AT_DEVICE], pieces);
	assert_int_equal(taf_live_missed(), 0);
	taf_live_drop(TAF_API_CUDA, 0);
	taf_live_drop(TAF_API_CUDA, 1);
	taf_live_drop(TAF_API_CUDA, 2);
	assert_int_equal(taf_live_bytes(), 0);
	for (uint32_t i = 0; i < MANY; i++)
		assert_false(
			taf_live_give(TAF_API_CUDA, 0x7f0000000000ull + (uint64_t)i * 256, &had));
}

static void a_drop_takes_one_device_alone(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 1000; i++)
		take(TAF_AT_DEVICE, i % 2, i * 64, 1);
	taf_live_drop(TAF_API_CUDA, 1);
	assert_int_equal(sum(1).pieces[TAF_AT_DEVICE], 0);
	assert_int_equal(sum(0).pieces[TAF_AT_DEVICE], 500);
}

static void a_device_beyond_shares_the_last(void **state)
{
	(void)state;
	take(TAF_AT_DEVICE, 850725928, 0x1000, 5); /* HAMi-core #1764: no ordinal at all */
	assert_int_equal(sum(TAF_LIVE_DEVICES - 1).bytes[TAF_AT_DEVICE], 5);
}

#define THREADS 8

static _Atomic(uint64_t) not_given;

static void *churn(void *arg)
{
	uint64_t base = (uint64_t)(uintptr_t)arg << 32;
	struct taf_piece had;

	for (uint64_t n = 0; n < 20000; n++) {
		take(TAF_AT_DEVICE, 0, base + (n % 64 + 1) * 512, 3);
		if (!taf_live_give(TAF_API_CUDA, base + (n % 64 + 1) * 512, &had))
			atomic_fetch_add(&not_given, 1);
	}
	take(TAF_AT_DEVICE, 0, base, 11);
	return NULL;
}

/* On a machine that stalls one may come too late to the lock; then that is counted. */
static void threads_lose_nothing_uncounted(void **state)
{
	pthread_t t[THREADS];
	uint64_t lost, bytes, pieces;

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&t[i], NULL, churn, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	lost = taf_live_missed();
	bytes = sum(0).bytes[TAF_AT_DEVICE];
	pieces = sum(0).pieces[TAF_AT_DEVICE];
	assert_true(not_given <= lost);
	assert_in_range(bytes + 11 * lost, THREADS * 11, THREADS * 11 + 22 * lost);
	assert_in_range(pieces + lost, THREADS, THREADS + 2 * lost);
}

/* A handler that left an allocation by a jump has left the lock behind: it is waited for once,
 * not at each of a thousand allocations. */
static void a_lock_that_stays_is_waited_for_once(void **state)
{
	struct taf_piece p = { TAF_API_CUDA, TAF_AT_DEVICE, 0, 0x1000, 10 };

	(void)state;
	alarm(30);
	atomic_store(&lock, 77);
	for (int i = 0; i < 1000; i++)
		taf_live_take(&p);
	assert_int_equal(taf_live_missed(), 1000);
	/* Its holder was only late. */
	atomic_store(&lock, 0);
	taf_live_take(&p);
	assert_int_equal(taf_live_missed(), 1000);
	atomic_store(&lock, 78); /* another one */
	taf_live_take(&p);
	assert_int_equal(taf_live_missed(), 1001);
	atomic_store(&lock, 0);
	alarm(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_piece_is_charged_to_the_device_it_was_taken_on, setup),
		cmocka_unit_test_setup(one_address_is_counted_once, setup),
		cmocka_unit_test_setup(another_size_at_an_address_is_another_piece, setup),
		cmocka_unit_test_setup(apis_do_not_share_addresses, setup),
		cmocka_unit_test_setup(memory_of_the_host_is_counted_apart, setup),
		cmocka_unit_test_setup(the_peak_stays_and_a_free_that_failed_is_none, setup),
		cmocka_unit_test_setup(many_come_and_go, setup),
		cmocka_unit_test_setup(a_drop_takes_one_device_alone, setup),
		cmocka_unit_test_setup(a_device_beyond_shares_the_last, setup),
		cmocka_unit_test_setup(threads_lose_nothing_uncounted, setup),
		cmocka_unit_test_setup(a_lock_that_stays_is_waited_for_once, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
