/* SPDX-License-Identifier: MIT */
/* test_memory_now.c -- memory as the rules see it, with a clock, a system and a runtime of
 * the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../policy/fit.h"
#include "../../shim/crumb.h"
#include "../../shim/known.h"
#include "../../shim/capture.h"
#include "../../shim/memory.h"
#include "../../shim/say.h"
#include "../../shim/sys_memory.h"

#define GIB (1ull << 30)
#define MIB (1ull << 20)

/* ---- the world ---- */

static uint64_t now_ms = 1000, taken, weights, caches;
static uint32_t models, contexts, reads;
static struct taf_sys_memory machine;
static struct taf_ring_head head;
static struct taf_memory device;

struct taf_rules taf_rules;
_Thread_local struct taf_tls taf_tls __attribute__((tls_model("initial-exec")));

static int ask_device(void *handle, const void *home, struct taf_memory *out)
{
	(void)handle;
	(void)home;
	assert_int_equal(taf_tls.inside, 1);
	*out = device;
	return device.total ? 0 : -1;
}

static const struct taf_ops ops = { .memory = ask_device };
static const struct taf_table table = { .ops = &ops };
const struct taf_table *const taf_tables[] = { &table };
const int taf_table_count = 1;

/* Nothing is captured here. */
bool taf_capture_shut(uint32_t wait_ms)
{
	(void)wait_ms;
	return true;
}

void taf_capture_free(void)
{
}

uint64_t taf_sys_mono_ns(void)
{
	return now_ms * 1000000;
}

int taf_sys_memory(struct taf_sys_memory *m)
{
	reads++;
	*m = machine;
	return machine.total ? 0 : -1;
}

uint64_t taf_ring_bytes_live(void)
{
	return taken;
}

struct taf_ring_head *taf_ring_head(void)
{
	return &head;
}

uint64_t taf_work_bytes(void)
{
	return weights;
}

uint64_t taf_work_kv_bytes(void)
{
	return caches;
}

uint32_t taf_work_models(void)
{
	return models;
}

uint32_t taf_work_contexts(void)
{
	return contexts;
}

const char *taf_work_model_name(const struct taf_work *w)
{
	(void)w;
	return NULL;
}

void taf_say_verdict(const struct taf_admission *a, const struct taf_verdict *v, uint64_t waited_ms)
{
	(void)a;
	(void)waited_ms;
	taf_memory_tell(v);
}

void *taf_scratch_take(size_t n)
{
	static _Alignas(16) unsigned char desk[8192];

	assert_true(n <= sizeof(desk));
	return desk;
}

void taf_scratch_give(void *p)
{
	(void)p;
}

const struct taf_registry *taf_known_registry(void)
{
	return (const struct taf_registry *)taf_registry_builtin;
}

static int begin(void **state)
{
	(void)state;
	taf_rules_default(&taf_rules);
	taf_memory_forget();
	now_ms += 3600000;
	taken = weights = caches = 0;
	models = contexts = reads = 0;
	head.infers = 0;
	device = (struct taf_memory){ .total = 0 };
	machine = (struct taf_sys_memory){ .total = 8 * GIB, .free = 4 * GIB };
	return 0;
}

static struct taf_memory look(void)
{
	struct taf_memory m;

	taf_memory_now(&m);
	return m;
}

/* ---- the tests ---- */

static void the_system_is_not_asked_at_each_door(void **state)
{
	(void)state;
	assert_true(look().total == 8 * GIB && look().free == 4 * GIB);
	assert_int_equal(reads, 1);
	now_ms += TAF_MEMORY_KEEP_MS - 1;
	machine.free = GIB;
	assert_true(look().free == 4 * GIB);
	now_ms++;
	assert_true(look().free == GIB);
	assert_int_equal(reads, 2);
	/* After a drain at once. */
	machine.free = 2 * GIB;
	taf_memory_stale();
	assert_true(look().free == 2 * GIB);
	/* What this process took is always that of now. */
	taken = MIB;
	assert_int_equal(look().own, MIB);
	machine.total = 0;
	taf_memory_stale();
	assert_true(!look().total && !look().free);
}

static void weights_that_are_mapped_are_not_free(void **state)
{
	(void)state;
	weights = 3 * GIB;
	caches = GIB / 2;
	machine.mapped = 2 * GIB;
	assert_true(look().free == 2 * GIB);
	assert_true(look().own == 3 * GIB + GIB / 2);
	/* Libraries are mapped too, and are no weights. */
	weights = MIB;
	caches = 0;
	taf_memory_stale();
	assert_true(look().free == 4 * GIB - MIB);
	/* Never more than what is left of all. */
	weights = 0;
	taken = 7 * GIB;
	taf_memory_stale();
	assert_true(look().free == GIB);
	/* The larger of both counts. */
	weights = 6 * GIB;
	assert_true(look().own == 7 * GIB);
}

static void a_device_knows_better(void **state)
{
	(void)state;
	device = (struct taf_memory){ .total = 24 * GIB, .free = 20 * GIB };
	assert_true(look().total == 24 * GIB && look().free == 20 * GIB);
	assert_int_equal(taf_tls.inside, 0);
}

static void growth_in_a_minute(void **state)
{
	(void)state;
	look();
	taken = 100 * MIB;
	now_ms += 9000; /* too short to say */
	assert_int_equal(look().growth_per_min, 0);
	now_ms += 21000;
	assert_int_equal(look().growth_per_min, 200 * MIB);
	now_ms += 30000;
	assert_int_equal(look().growth_per_min, 100 * MIB);
	/* A model that comes is no growth. */
	models = 1;
	taken = 5 * GIB;
	assert_int_equal(look().growth_per_min, 0);
	now_ms += 60000;
	assert_int_equal(look().growth_per_min, 0);
	taken += MIB;
	now_ms += 60000;
	assert_int_equal(look().growth_per_min, MIB / 2);
	/* What shrinks does not grow. */
	taken = GIB;
	now_ms += 60000;
	assert_int_equal(look().growth_per_min, 0);
	/* Old growth is forgotten after a while. */
	taken += GIB;
	for (int i = 0; i < 60; i++) {
		now_ms += 15000;
		look();
	}
	assert_int_equal(look().growth_per_min, 0);
}

static uint64_t after_infer(uint64_t more)
{
	head.infers++;
	taken += more;
	return look().growth_per_infer;
}

static void growth_in_a_generation(void **state)
{
	(void)state;
	look();
	assert_int_equal(after_infer(5 * MIB), 0);
	assert_int_equal(after_infer(3 * MIB), 0);
	assert_int_equal(after_infer(4 * MIB), 3 * MIB);
	assert_int_equal(after_infer(9 * MIB), 3 * MIB);
	assert_int_equal(after_infer(9 * MIB), 4 * MIB);
	/* One that takes nothing ends the suspicion. */
	assert_int_equal(after_infer(0), 0);
	/* Several between two looks count as their mean. */
	head.infers += 4;
	after_infer(10 * MIB);
	after_infer(2 * MIB);
	assert_int_equal(after_infer(2 * MIB), 2 * MIB);
	contexts = 1;
	assert_int_equal(look().growth_per_infer, 0);
}

static uint32_t told_after(uint64_t is_free)
{
	struct taf_work work = { .table = &table };

	machine.free = is_free;
	taf_memory_stale();
	taf_memory_watch(&work);
	return look().told;
}

static void a_warning_stands_until_memory_is_freed(void **state)
{
	(void)state;
	machine.total = 100 * GIB;
	assert_int_equal(told_after(50 * GIB), 0);
	assert_int_equal(told_after(30 * GIB), TAF_TOLD_WARN);
	/* A little below its mark it stands yet. */
	assert_int_equal(told_after(36 * GIB), TAF_TOLD_WARN);
	assert_int_equal(told_after(10 * GIB), TAF_TOLD_WARN | TAF_TOLD_CRITICAL);
	assert_int_equal(told_after(30 * GIB), TAF_TOLD_WARN);
	assert_int_equal(told_after(50 * GIB), 0);
	/* What is said of an allocation stands until another model. */
	taf_memory_tell(&(struct taf_verdict){
		.n_said = 1,
		.said = { { .action = TAF_ACT_WARN, .rule = TAF_RULE_memory_limit } } });
	assert_int_equal(look().told, TAF_TOLD_LIMIT);
	models = 1;
	assert_int_equal(look().told, 0);
	/* A refusal is said each time. */
	taf_memory_tell(&(struct taf_verdict){
		.n_said = 1,
		.said = { { .action = TAF_ACT_REFUSE, .rule = TAF_RULE_memory_limit } } });
	assert_int_equal(look().told, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_system_is_not_asked_at_each_door, begin),
		cmocka_unit_test_setup(weights_that_are_mapped_are_not_free, begin),
		cmocka_unit_test_setup(a_device_knows_better, begin),
		cmocka_unit_test_setup(growth_in_a_minute, begin),
		cmocka_unit_test_setup(growth_in_a_generation, begin),
		cmocka_unit_test_setup(a_warning_stands_until_memory_is_freed, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
