/* SPDX-License-Identifier: MIT */
/* test_drain_order.c -- where all is drained, an engine comes before the runtime that it submits
 * to, whichever of them came first. */
#include "leave_kit.h"

/* CUDA is used before the engines, as by their loads. */
static struct taf_work *make_all(void)
{
	struct taf_call c = { .table = &runtime };
	struct taf_work *context;

	taf_burst_ready(&c);
	context = work_of(&llama, 1);
	work_of(&mlx, taf_tid());
	return context;
}

static void check_order(const struct taf_work *context)
{
	assert_int_equal(n_synced, 3);
	assert_ptr_equal(synced[0], atomic_load(&context->handle));
	assert_ptr_equal(synced[1], atomic_load(&taf_owner_mine()->handle));
	assert_ptr_equal(synced[2], &runtime);
}

static void engines_are_drained_before_runtimes(void **state)
{
	const struct taf_work *context = make_all();

	(void)state;
	assert_ptr_equal(taf_work_at(0), taf_burst_work(TAF_API_CUDA));
	set_all(TAF_ACTIVE, 0);
	assert_int_equal(taf_act_drain_all(NULL, TAF_DRAIN_SYNC, TAF_RULE_drain_at_exit), 0);
	check_order(context);
}

/* Its generation that is open ends with a drain, too. */
static void so_are_generations_that_end_with_the_process(void **state)
{
	const struct taf_work *context = make_all();
	struct taf_work *w;

	(void)state;
	taf_rules.drain_post_sync = true;
	taf_rules.drain_at_exit = false;
	for (int i = 0; i < 3; i++) {
		w = taf_work_at(i);
		w->is_inferring = true;
		w->since_sync = 1;
	}
	taf_flight_lane();
	taf_flight_submit(&taf_flights[0], taf_flight_key(TAF_API_CUDA, 7, 0), false);
	set_all(TAF_ACTIVE, 0);
	taf_leave_exec("execve", "/");
	check_order(context);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(engines_are_drained_before_runtimes),
		TEST(so_are_generations_that_end_with_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
