/* SPDX-License-Identifier: MIT */
/* test_host.c -- what is read of a machine, from trees that look like one. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../shim/host.h"

static char root[] = "/tmp/taffrail-host-XXXXXX";
static struct taf_host host;

static void put(const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *p = full + sizeof(root); (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0700);
		*p = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *shown(void)
{
	static char buf[1024];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_host_put(&host, &t);
	assert_false(t.is_cut);
	return buf;
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : 1;
}

static int end(void **state)
{
	char cmd[128];

	(void)state;
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	return system(cmd);
}

static void nothing_is_known(void **state)
{
	(void)state;
	taf_host_read(&host, "/no/such/root");
	assert_string_equal(shown(), ",\"host\":{}");
	assert_int_equal(host.limit, TAF_HOST_UNKNOWN);
}

static void a_service(void **state)
{
	(void)state;
	put("/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
	put("/proc/swaps", "Filename\t\t\tType\t\tSize\t\tUsed\n/dev/sda2  partition\t1024\t0\t-2\n"
			   "/swap  file\t2048\t0\t-3\n");
	put("/sys/module/nvidia/version", "550.54.14\n");
	put("/proc/self/cgroup", "0::/system.slice/llm.service\n");
	put("/sys/fs/cgroup/system.slice/llm.service/memory.max", "max\n");
	put("/sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
	put("/usr/lib/systemd/system/llm.service", "[Service]\nTimeoutStopSec=1\n");
	put("/etc/systemd/system/llm.service", "[Service]\nTimeoutStopSec=25s\n");
	taf_host_read(&host, root);
	assert_string_equal(shown(), ",\"host\":{\"kernel\":\"6.1.0-18-amd64\",\"driver\":\"nvidia "
				     "550.54.14\",\"swap\":3145728,\"limit\":1073741824,\"unit\":"
				     "\"llm.service\",\"stop_ms\":25000}");
	/* A drop-in may say otherwise. */
	put("/run/systemd/system/llm.service.d/a.conf", "");
	taf_host_read(&host, root);
	assert_false(host.has_grace);
	assert_null(strstr(shown(), "stop_ms"));
}

static void an_instance(void **state)
{
	(void)state;
	put("/proc/self/cgroup",
	    "1:memory:/a/b\n0::/system.slice/system-gpu.slice/gpu@0.service/x\n");
	put("/etc/systemd/system/gpu@.service", "[Service]\n");
	taf_host_read(&host, root);
	assert_string_equal(host.unit, "gpu@0.service");
	assert_true(host.has_grace);
	assert_int_equal(host.grace.ms, TAF_GRACE_UNIT_MS);
}

static void the_old_hierarchy(void **state)
{
	(void)state;
	put("/proc/self/cgroup",
	    "4:memory:/box/one\n1:name=systemd:/system.slice/llm.service\n0::/\n");
	put("/sys/fs/cgroup/memory/box/one/memory.limit_in_bytes", "9223372036854771712\n");
	put("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "4096\n");
	put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	taf_host_read(&host, root);
	assert_int_equal(host.limit, 4096);
	assert_string_equal(host.unit, "llm.service");
}

static void units_of_groups(void **state)
{
	static const struct {
		const char *cgroup, *unit;
		bool is_user;
	} table[] = {
		{ "/system.slice/a.service", "a.service", false },
		{ "/system.slice/a.service/worker/1", "a.service", false },
		{ "/user.slice/user-1.slice/user@1.service/app.slice/b.service", "b.service",
		  true },
		{ "/user.slice/user-1.slice/user@1.service/app.slice/tmux.scope", NULL, false },
		{ "/user.slice/user-1.slice/session-3.scope", NULL, false },
		{ "/docker/0123", NULL, false },
		{ "/", NULL, false },
		{ "", NULL, false },
		{ "x.service", "x.service", false },
	};
	char unit[96];
	bool is_user;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		bool is_found = taf_host_unit_of(table[i].cgroup, unit, sizeof(unit), &is_user);

		assert_int_equal(is_found, table[i].unit != NULL);
		if (is_found) {
			assert_string_equal(unit, table[i].unit);
			assert_int_equal(is_user, table[i].is_user);
		}
	}
	assert_true(taf_host_template("a@b@c.service", unit, sizeof(unit)));
	assert_string_equal(unit, "a@.service");
	assert_false(taf_host_template("a@.service", unit, sizeof(unit)));
	assert_false(taf_host_template("a.service", unit, sizeof(unit)));
}

static void damage(void **state)
{
	char big[5000];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	put("/proc/self/cgroup", "0::/system.slice/llm.service\n");
	put("/proc/swaps",
	    "\n\n x\n99999999999999999999 99999999999999999999 99999999999999999999\n");
	put("/proc/sys/kernel/osrelease", big);
	put("/sys/module/nvidia/version", "\033[31m\n");
	put("/sys/fs/cgroup/system.slice/memory.max", "-1\n");
	taf_host_read(&host, root);
	assert_int_equal(host.swap, 0);
	assert_int_equal(strlen(host.kernel), sizeof(host.kernel) - 1);
	assert_null(strchr(shown(), '\033'));
	put("/proc/self/cgroup", big);
	taf_host_read(&host, root);
	assert_string_equal(host.unit, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known), cmocka_unit_test(a_service),
		cmocka_unit_test(an_instance),	    cmocka_unit_test(the_old_hierarchy),
		cmocka_unit_test(units_of_groups),  cmocka_unit_test(damage),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
