/* SPDX-License-Identifier: MIT */
/* test_capture_leave.c -- a thread within a capture, or in a handler of a signal that has
 * interrupted its submit, stands for nobody: a drain waits for that to be over. */
#include "leave_kit.h"

#include <signal.h>
#include <sys/mman.h>

static void open_capture(void)
{
	taf_capture_opening();
	taf_capture_opened(0x5000, true);
}

/* This thread is in a copy, and what runs is a handler. */
static void be_interrupted(void)
{
	taf_tls.flight = &taf_flights[0];
	atomic_store(&taf_flights[0].inside, 1);
	taf_tls.is_submitting = true;
}

static void (*const begins[])(void) = { open_capture, be_interrupted };

/* Another thread waits for this one, under the claim of what stands for the runtime. */
static void claim(const struct taf_call *c)
{
	set_all(TAF_ACTIVE, 0);
	taf_burst_ready(c);
	theirs = taf_burst_work(TAF_API_CUDA);
	atomic_store(&theirs->claim, (uint32_t)standing);
	at_wait(&theirs->claim, take_back);
}

/* ---- Captures -------------------------------------------------------------------- */

static void a_capture_does_not_stand_for_the_leaver(void **state)
{
	(void)state;
	leaves((uint32_t)standing);
	open_capture();
	at_wait(&taf_life.is_drained, stay);
	taf_park_to_submit();
	assert_non_null(awaited);
	assert_false(taf_tls.has_parked);
	/* He has given it up: then it stands as all do. */
	atomic_store(&taf_life.is_drained, 1);
	at_wait(&taf_life.state, stay);
	taf_park_to_submit();
	assert_null(awaited);
}

static void *capture_and_end(void *arg)
{
	(void)arg;
	open_capture();
	return NULL;
}

/* Another thread's is none of this one's. */
static void only_ones_own_capture_counts(void **state)
{
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, capture_and_end, NULL), 0);
	pthread_join(t, NULL);
	leaves((uint32_t)standing);
	at_wait(&taf_life.is_drained, stay);
	taf_park_to_submit();
	assert_null(awaited);
}

/* Nothing runs yet: the launch behind it is looked at. */
static void what_is_captured_begins_no_generation(void **state)
{
	struct taf_call c = { .table = &runtime, .is_counted = true };

	(void)state;
	claim(&c);
	open_capture();
	for (int i = 0; i < 2; i++) {
		assert_true(taf_burst_look(&c));
		assert_int_not_equal(taf_tls.bursts, taf_burst_rests);
	}
	assert_non_null(awaited);
	awaited = NULL;
	atomic_store(&theirs->claim, 0);
	taf_burst_look(&c);
	assert_false(theirs->is_inferring);
	taf_capture_closed(0x5000);
	taf_burst_look(&c);
	assert_true(theirs->is_inferring);
	assert_int_equal(taf_tls.bursts, taf_burst_rests);
}

/* Who unloads within a capture drains nothing, and waits for no claim to find that out. */
static void all_is_not_waited_for_within_a_capture(void **state)
{
	struct taf_call c = { .table = &runtime };

	(void)state;
	claim(&c);
	open_capture();
	assert_int_equal(taf_act_drain_all(NULL, TAF_DRAIN_SYNC, TAF_RULE_drain_at_exit), 1);
	assert_non_null(awaited);
}

/* ---- Captures and handlers ------------------------------------------------------- */

static void a_free_within_waits_for_no_claim(void **state)
{
	struct taf_call c = { .table = &runtime, .is_counted = true };

	(void)state;
	taf_flight_lane();
	for (int i = 0; i < 2; i++) {
		claim(&c);
		taf_flight_submit(&taf_flights[0], taf_flight_key(TAF_API_CUDA, 7, 0), false);
		begins[i]();
		taf_burst_unload(&c);
		taf_burst_unloaded(&c);
		assert_non_null(awaited);
		assert_int_equal(n_synced, 0);
		taf_capture_closed(0x5000);
	}
}

static void a_free_within_does_not_stand_beside_an_exec(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		leaves((uint32_t)standing);
		begins[i]();
		at_wait(&taf_life.state, stay);
		taf_park_to_free();
		assert_non_null(awaited);
		taf_capture_closed(0x5000);
	}
}

/* ---- Handlers -------------------------------------------------------------------- */

static void a_handler_waits_for_no_claim(void **state)
{
	struct taf_call c = { .table = &runtime, .is_counted = true };

	(void)state;
	claim(&c);
	be_interrupted();
	assert_true(taf_burst_look(&c));
	assert_non_null(awaited);
}

/* Who has all stand still waits for the copy. */
static void a_handler_does_not_wait_to_have_all_stand_still(void **state)
{
	(void)state;
	set_all(TAF_ACTIVE, 0);
	taf_flight_lane();
	be_interrupted();
	atomic_store(&taf_still.holder, (uint32_t)standing);
	at_wait(&taf_still.holder, stay);
	assert_false(taf_still_begin());
	assert_non_null(awaited);
}

static void end_free(void)
{
	atomic_store(&taf_still.holder, 0);
}

/* For who leaves in there nobody waits: so he does, for one who frees. */
static void a_handler_that_leaves_has_all_stand_still(void **state)
{
	(void)state;
	set_all(TAF_LEAVING, (uint32_t)taf_tid());
	taf_flight_lane();
	be_interrupted();
	atomic_store(&taf_flights[0].tid, (uint32_t)taf_tid());
	atomic_store(&taf_still.holder, (uint32_t)standing);
	at_wait(&taf_still.holder, end_free);
	taf_still_for_good();
	assert_null(awaited);
	assert_true(taf_still_is_mine());
}

/* He waits for it where it has gone in, and not while it is at the door. */
static void a_handler_does_not_stand_for_the_leaver(void **state)
{
	struct taf_call c = { .table = &runtime, .kind = TAF_SUBMIT };

	(void)state;
	for (uint32_t inside = 0; inside < 2; inside++) {
		leaves((uint32_t)standing);
		be_interrupted();
		atomic_store(&taf_flights[0].inside, inside);
		taf_tls.outer = &c + 1; /* the copy's frame lies above */
		at_wait(&taf_life.is_drained, stay);
		assert_false(taf_before_slow(&c));
		assert_int_equal(awaited != NULL, inside);
	}
}

static void be_called_back(void)
{
	taf_tls.in_callback = 1;
}

/* The other one waits for the copy, and a queue for the callback. */
static void who_leaves_within_does_not_stand(void **state)
{
	static void (*const within[])(void) = { be_interrupted, be_called_back };

	(void)state;
	for (int i = 0; i < 2; i++) {
		leaves((uint32_t)standing);
		within[i]();
		at_wait(&taf_life.is_drained, stay);
		taf_leave("exit", 0, false);
		assert_non_null(awaited);
		/* Nor for one who acts on a signal. */
		set_all(TAF_ACTIVE, 0);
		atomic_store(&taf_park.signo, 15);
		at_wait(&taf_life.state, stay);
		taf_leave("exit", 0, false);
		assert_non_null(awaited);
		atomic_store(&taf_park.signo, 0);
		taf_tls.is_submitting = false;
		taf_tls.in_callback = 0;
	}
}

static struct taf_flight *apart; /* a lane in a page of its own */
static bool was_submitting;

/* Giving back that this thread was inside comes here. */
static void look_now(int sig)
{
	(void)sig;
	was_submitting = taf_tls.is_submitting;
	mprotect(apart, sizeof(*apart), PROT_READ | PROT_WRITE);
}

/* What a handler submits before that is a part of the copy; behind it, it stands like any
 * other. Never is it inside and stands for who waits for that. */
static void a_copy_is_over_when_its_thread_is_outside(void **state)
{
	struct sigaction looks = { .sa_handler = look_now }, was;
	struct taf_call c = { .table = &runtime };

	(void)state;
	apart = mmap(NULL, sizeof(*apart), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(apart, MAP_FAILED);
	taf_tls.flight = apart;
	taf_flight_begin_slow(&c, taf_flight_key(TAF_API_CUDA, 7, 0));
	assert_true(taf_tls.is_submitting);
	assert_int_equal(sigaction(SIGSEGV, &looks, &was), 0);
	assert_int_equal(mprotect(apart, sizeof(*apart), PROT_NONE), 0);
	taf_flight_end_slow(&c, 0);
	assert_int_equal(sigaction(SIGSEGV, &was, NULL), 0);
	assert_true(was_submitting);
	assert_false(taf_tls.is_submitting);
	assert_int_equal(apart->inside, 0);
	munmap(apart, sizeof(*apart));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_capture_does_not_stand_for_the_leaver),
		TEST(only_ones_own_capture_counts),
		TEST(what_is_captured_begins_no_generation),
		TEST(all_is_not_waited_for_within_a_capture),
		TEST(a_free_within_waits_for_no_claim),
		TEST(a_free_within_does_not_stand_beside_an_exec),
		TEST(a_handler_waits_for_no_claim),
		TEST(a_handler_does_not_wait_to_have_all_stand_still),
		TEST(a_handler_that_leaves_has_all_stand_still),
		TEST(a_handler_does_not_stand_for_the_leaver),
		TEST(who_leaves_within_does_not_stand),
		TEST(a_copy_is_over_when_its_thread_is_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
