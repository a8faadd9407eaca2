/* SPDX-License-Identifier: MIT */
/* test_memory.c -- what the kernel's texts say about memory, and what comes of them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../shim/memory.h"
#include "../../shim/memory_text.h"
#include "../../shim/oom.h"
#include "../../shim/sys_linux_memory.h"

/* No engine. */
const struct taf_table *const taf_tables[] = { NULL };
const int taf_table_count = 0;

#define GIB (1ull << 30)
#define MIB (1ull << 20)

static const char meminfo[] = "MemTotal:        8388608 kB\n"
			      "MemFree:         1048576 kB\n"
			      "MemAvailable:    4194304 kB\n"
			      "Buffers:           1024 kB\n"
			      "Cached:          2097152 kB\n";

static void reads_meminfo(void **state)
{
	static const struct {
		const char *text;
		bool is_read;
		uint64_t total, available;
	} table[] = {
		{ meminfo, true, 8 * GIB, 4 * GIB },
		/* An old kernel. */
		{ "MemTotal: 4096 kB\nMemFree: 1024 kB\nBuffers: 512 kB\nCached: 512 kB\n", true,
		  4 * MIB, 2 * MIB },
		{ "MemTotal: 4096 kB\nMemFree: 1024 kB\n", true, 4 * MIB, MIB },
		/* More free than there is. */
		{ "MemTotal: 1024 kB\nMemAvailable: 2048 kB\n", true, MIB, MIB },
		/* Cut, empty, lies. */
		{ "", false, 0, 0 },
		{ "MemTotal: 0 kB\nMemAvailable: 1 kB\n", false, 0, 0 },
		{ "MemTotal:", false, 0, 0 },
		{ "MemTotal: 83886", false, 0, 0 },
		{ "MemTotal: 1024 kB\n", false, 0, 0 },
		{ "MemTotal: 1024 kB\nMemAvailable: 51", false, 0, 0 },
		{ "XMemTotal: 1024 kB\nMemAvailable: 512 kB\n", false, 0, 0 },
		{ "MemTotalX: 1024 kB\nMemAvailable: 512 kB\n", false, 0, 0 },
		{ "MemTotal: -5 kB\nMemAvailable: 1 kB\n", false, 0, 0 },
		{ "MemTotal: 18446744073709551615 kB\nMemAvailable: 1 kB\n", false, 0, 0 },
		{ "MemTotal: 99999999999999999999999 kB\nMemAvailable: 1 kB\n", false, 0, 0 },
		{ "MemTotal: 1024 MB\nMemAvailable: 1 kB\n", false, 0, 0 },
		{ "MemTotal: 1024 kB\nMemFree: 18014398509481983 kB\nCached: 18014398509481983 "
		  "kB\n",
		  true, MIB, MIB },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint64_t total = 1, available = 2;

		if (taf_meminfo_both(table[i].text, &total, &available) != table[i].is_read)
			fail_msg("line %zu", i);
		assert_true(total == (table[i].is_read ? table[i].total : 1));
		assert_true(available == (table[i].is_read ? table[i].available : 2));
	}
}

static void reads_the_path_of_a_group(void **state)
{
	static const struct {
		const char *text, *path; /* NULL: there is none */
	} table[] = {
		{ "0::/\n", "" },
		{ "0::/user.slice/a.scope\n", "/user.slice/a.scope" },
		{ "4:memory:/x\n0::/y\n", "/y" },
		{ "0::/a/\n", "/a" },
		{ "0::/a:b c\n", "/a:b c" },
		/* Outside of the namespace, or cut. */
		{ "0::/../other\n", "" },
		{ "0::/a", "" },
		{ "0::/0123456789012345678901234567890123456789\n", "" },
		{ "4:memory:/x\n", NULL },
		{ "", NULL },
		{ "10::/x\n", NULL },
		{ "0:", NULL },
	};
	static const char mixed[] = "12:hugetlb:/h\n4:cpu,memory:/x/y\n3:memoryx:/n\n"
				    "1:name=systemd:/a.service\n0::/z\n";
	char path[32];

	(void)state;
	assert_true(taf_cgroup_path(mixed, "memory", path, sizeof(path)));
	assert_string_equal(path, "/x/y");
	assert_true(taf_cgroup_path(mixed, "name=systemd", path, sizeof(path)));
	assert_string_equal(path, "/a.service");
	assert_true(taf_cgroup_path(mixed, "", path, sizeof(path)));
	assert_string_equal(path, "/z");
	assert_false(taf_cgroup_path(mixed, "huge", path, sizeof(path)));
	assert_false(taf_cgroup_path(mixed, "a", path, sizeof(path)));
	assert_false(taf_cgroup_path("4:memory", "memory", path, sizeof(path)));
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		bool is_read = taf_cgroup_path(table[i].text, "", path, sizeof(path));

		if (is_read != (table[i].path != NULL) || (is_read && strcmp(path, table[i].path)))
			fail_msg("line %zu: %s", i, is_read ? path : "none");
	}
	strcpy(path, "/a/b");
	assert_true(taf_cgroup_parent(path));
	assert_string_equal(path, "/a");
	assert_true(taf_cgroup_parent(path));
	assert_string_equal(path, "");
	assert_false(taf_cgroup_parent(path));
}

static void reads_amounts_and_statistics(void **state)
{
	static const char stat[] = "anon 5\ninactive_file 4096\nxinactive_file 7\n";
	uint64_t v = 1;

	(void)state;
	assert_true(taf_cgroup_amount("max\n", &v));
	assert_true(v == UINT64_MAX);
	assert_true(taf_cgroup_amount("4096\n", &v));
	assert_int_equal(v, 4096);
	assert_false(taf_cgroup_amount("", &v));
	assert_false(taf_cgroup_amount("maximum\n", &v));
	assert_false(taf_cgroup_amount("-1\n", &v));
	assert_false(taf_cgroup_amount("4096x\n", &v));
	assert_false(taf_cgroup_amount("99999999999999999999999\n", &v));
	assert_int_equal(v, 4096);
	assert_true(taf_cgroup_stat(stat, "anon", &v));
	assert_int_equal(v, 5);
	assert_true(taf_cgroup_stat(stat, "inactive_file", &v));
	assert_int_equal(v, 4096);
	assert_false(taf_cgroup_stat(stat, "file", &v));
	assert_false(taf_cgroup_stat("inactive_file 40", "inactive_file", &v));
	assert_false(taf_cgroup_stat("inactive_file", "inactive_file", &v));
}

/* ---- a machine of files ---- */

static char top[] = "/tmp/taf_memory_XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	for (char *p = path + strlen(top) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(path, 0700);
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct taf_sys_memory look(void)
{
	struct taf_sys_memory m;

	if (taf_linux_memory(top, &m))
		assert_int_equal(m.total, 0);
	return m;
}

static int make_machine(void **state)
{
	(void)state;
	strcpy(top, "/tmp/taf_memory_XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int remove_machine(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command);
}

/* From the whole machine to the narrowest group. */
static void looks_at_the_machine_and_its_groups(void **state)
{
	struct taf_sys_memory m = look();

	(void)state;
	assert_int_equal(m.total, 0); /* nothing is there */
	put("proc/meminfo", meminfo);
	m = look();
	assert_true(m.total == 8 * GIB && m.free == 4 * GIB && !m.footprint);

	put("proc/self/status",
	    "Name:\tx\nVmRSS:\t  2048 kB\nRssAnon:\t 512 kB\nRssFile:\t 1024 kB\n");
	m = look();
	assert_true(m.footprint == 2 * MIB && m.mapped == MIB);

	/* A group without limits changes nothing; the root has no such files. */
	put("proc/self/cgroup", "0::/a/b\n");
	put("sys/fs/cgroup/a/b/memory.max", "max\n");
	put("sys/fs/cgroup/a/b/memory.high", "max\n");
	m = look();
	assert_true(m.total == 8 * GIB && m.free == 4 * GIB);

	/* Its limit; what it holds as idle pages of files does not count. */
	put("sys/fs/cgroup/a/b/memory.max", "2147483648\n");
	put("sys/fs/cgroup/a/b/memory.current", "1073741824\n");
	m = look();
	assert_true(m.total == 2 * GIB && m.free == GIB);
	put("sys/fs/cgroup/a/b/memory.stat", "anon 1\ninactive_file 536870912\n");
	m = look();
	assert_true(m.total == 2 * GIB && m.free == GIB + GIB / 2);
	/* The lower of both limits. */
	put("sys/fs/cgroup/a/b/memory.high", "1610612736\n");
	m = look();
	assert_true(m.total == GIB + GIB / 2 && m.free == GIB);

	/* A parent that is fuller than its child. */
	put("sys/fs/cgroup/a/memory.max", "4294967296\n");
	put("sys/fs/cgroup/a/memory.current", "4294967296\n");
	m = look();
	assert_true(m.total == GIB + GIB / 2 && !m.free);
	/* Beyond its limit is nothing, never much. */
	put("sys/fs/cgroup/a/memory.current", "9294967296\n");
	assert_true(!look().free);
	/* Nonsense is no limit. */
	put("sys/fs/cgroup/a/memory.max", "many\n");
	put("sys/fs/cgroup/a/b/memory.max", "-1\n");
	put("sys/fs/cgroup/a/b/memory.high", "\n");
	m = look();
	assert_true(m.total == 8 * GIB && m.free == 4 * GIB);
	/* The root of a container's own hierarchy. */
	put("proc/self/cgroup", "0::/\n");
	put("sys/fs/cgroup/memory.max", "1073741824\n");
	put("sys/fs/cgroup/memory.current", "0\n");
	m = look();
	assert_true(m.total == GIB && m.free == GIB);
}

/* The first version of control groups: its own files, with the unified one beside it. */
static void looks_at_the_old_hierarchy(void **state)
{
	struct taf_sys_memory m;

	(void)state;
	put("proc/meminfo", meminfo);
	put("proc/self/cgroup", "4:memory:/docker/x\n0::/docker/x\n");
	put("sys/fs/cgroup/unified/memory.max", "1\n");
	/* In a container its own group is what is mounted. */
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n");
	put("sys/fs/cgroup/memory/memory.usage_in_bytes", "1610612736\n");
	put("sys/fs/cgroup/memory/memory.stat",
	    "inactive_file 1\ntotal_cache 9\ntotal_inactive_file 536870912\n");
	m = look();
	assert_true(m.total == 2 * GIB && m.free == GIB);
	/* Its way to say that there is no limit. */
	put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	m = look();
	assert_true(m.total == 8 * GIB && m.free == 4 * GIB);
	/* The unified one beside, when no other one limits memory. */
	put("proc/self/cgroup", "1:name=systemd:/\n0::/\n");
	put("sys/fs/cgroup/unified/memory.max", "1073741824\n");
	m = look();
	assert_true(m.total == GIB && m.free == GIB);
}

static void knows_this_machine(void **state)
{
	struct taf_sys_memory m;

	(void)state;
	assert_int_equal(taf_sys_memory(&m), 0);
	assert_true(m.total >= m.free);
	assert_true(m.free > 0);
	assert_in_range(m.footprint, 4096, m.total);
	assert_true(m.mapped <= m.footprint);
}

/* Free memory is never more than what this process leaves: a load right after an
 * unload must not be judged by what was there before it. */
static void what_is_given_back_is_free_at_once(void **state)
{
	static char model;
	struct taf_maker by = { .table = NULL, .home = NULL };
	struct taf_live_model *live;
	struct taf_memory before, with, after;

	(void)state;
	taf_memory_now(&before);
	live = taf_work_add_model(&by, &model, "m");
	assert_non_null(live);
	live->bytes = before.total - MIB;
	taf_memory_now(&with);
	assert_true(with.free <= MIB);
	taf_work_drop_model(live);
	taf_memory_now(&after);
	assert_true(after.free > MIB);
}

static struct taf_work *busy_work;
static pthread_barrier_t claimed, tried;

static void *compute(void *none)
{
	assert_true(taf_work_claim(busy_work, 0));
	pthread_barrier_wait(&claimed);
	pthread_barrier_wait(&tried);
	taf_work_release(busy_work);
	return none;
}

static int sync_nothing(void *handle, const void *home)
{
	(void)handle;
	(void)home;
	return 0;
}

/* An allocation may be made under locks that the other thread needs to go on: that
 * one is passed over, and not waited for (drain.deadline is the test's alarm here). */
static void room_is_made_without_waiting(void **state)
{
	static const struct taf_ops ops = { .sync = sync_nothing };
	static const struct taf_row rows[] = { { .name = 0 } };
	static const struct taf_table table = {
		.rows = rows, .n_rows = 1, .names = "take", .ops = &ops
	};
	static char context;
	struct taf_maker by = { .table = &table, .home = NULL };
	struct taf_call call = { .table = &table, .is_counted = true };
	pthread_t thread;

	(void)state;
	taf_life.pid = getpid();
	taf_rules.memory_oom_retries = 1;
	taf_rules.drain_deadline_ms = 3600000;
	busy_work = taf_work_add(&by, &context, NULL);
	assert_non_null(busy_work);
	pthread_barrier_init(&claimed, NULL, 2);
	pthread_barrier_init(&tried, NULL, 2);
	assert_int_equal(pthread_create(&thread, NULL, compute, NULL), 0);
	pthread_barrier_wait(&claimed);
	atomic_store(&taf_life.state, TAF_ACTIVE);
	alarm(20);
	assert_true(taf_oom_again(&call, 0));
	alarm(0);
	assert_false(taf_oom_again(&call, 1));
	atomic_store(&taf_life.state, TAF_COLD);
	pthread_barrier_wait(&tried);
	pthread_join(thread, NULL);
	taf_work_drop(busy_work);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_meminfo),
		cmocka_unit_test(reads_the_path_of_a_group),
		cmocka_unit_test(reads_amounts_and_statistics),
		cmocka_unit_test_setup_teardown(looks_at_the_machine_and_its_groups, make_machine,
						remove_machine),
		cmocka_unit_test_setup_teardown(looks_at_the_old_hierarchy, make_machine,
						remove_machine),
		cmocka_unit_test(knows_this_machine),
		cmocka_unit_test(what_is_given_back_is_free_at_once),
		cmocka_unit_test(room_is_made_without_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
