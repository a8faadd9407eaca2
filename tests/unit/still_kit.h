/* SPDX-License-Identifier: MIT */
/* still_kit.h -- what the tests of shim/still.h share: a thread that submits once. */
#ifndef STILL_KIT_H
#define STILL_KIT_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../shim/capture.h"
#include "../../shim/life.h"
#include "../../shim/ring.h"
#include "../../shim/still.h"
#include "../../shim/table.h"
#include "../../shim/work.h"

const struct taf_table *const taf_tables[] = { NULL };
const int taf_table_count = 0;

static _Atomic(int) is_over, seen, is_inside, has_left;

static int setup(void **s)
{
	(void)s;
	is_over = seen = is_inside = has_left = 0;
	taf_life.pid = getpid();
	taf_rules.drain_deadline_ms = 60000;
	taf_flight_forget();
	taf_still_forget();
	taf_tls.flight = &taf_flights[0];
	return 0;
}

static void *submit(void *shared)
{
	taf_tls.flight = &taf_flights[1];
	taf_still_enter(taf_tls.flight, shared != NULL);
	seen = 1 + is_over;
	taf_still_leave(taf_tls.flight, shared != NULL);
	return NULL;
}

#endif
