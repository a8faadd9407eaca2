/* SPDX-License-Identifier: MIT */
/* flight.h -- what the tests of shim/flight.h share: work handed to a queue, and waits for it. */
#ifndef TAF_TEST_FLIGHT_H
#define TAF_TEST_FLIGHT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "../../shim/burst.h"
#include "../../shim/capture.h"
#include "../../shim/flight.h"
#include "../../shim/life.h"

const struct taf_table *const taf_tables[] = { NULL };
const int taf_table_count = 0;

static int setup(void **state)
{
	(void)state;
	taf_flight_forget();
	taf_capture_forget();
	taf_rules_default(&taf_rules);
	taf_tls.flight = taf_flight_lane();
	return 0;
}

static uint64_t key(uint64_t queue)
{
	return taf_flight_key(TAF_API_CUDA, queue, taf_tls.device);
}

static void submit(uint64_t queue, int n)
{
	while (n--)
		taf_flight_submit(taf_tls.flight, key(queue), false);
}

static uint64_t in_flight(void)
{
	struct taf_flight_sum s;

	taf_flight_sum(TAF_API_CUDA, &s);
	return s.in_flight;
}

static void wait_for(uint64_t k)
{
	struct taf_flight_mark m;

	taf_flight_seen(&m, k);
	taf_flight_done(&m);
}

#endif
