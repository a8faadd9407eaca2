/* SPDX-License-Identifier: MIT */
/* test_xids.c -- the Xids of a boot for a report: each line, whatever was told again, and no
 * more than there is room for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../../cli/evidence_source.h"
#include "../../cli/xids.h"

static char root[] = "/tmp/taf-xids-XXXXXX";
static struct taf_xids x;
static struct taf_world world;

static int set_up(void **s)
{
	char path[64];

	(void)s;
	strcpy(strrchr(root, '-'), "-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(path, sizeof(path), "%s/dev", root);
	setenv("TAFFRAIL_EVIDENCE_ROOT", root, 1);
	taf_world_now(&world);
	taf_xids_open(&x, "", &world);
	return mkdir(path, 0755);
}

static int tear_down(void **s)
{
	char command[96];

	(void)s;
	taf_xids_free(&x);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* n lines of one Xid, 10 ms apart from the first second of the boot on. */
static void log_xids(unsigned n)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/dev/kmsg", root);
	f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < n; i++)
		fprintf(f, "3,%u,%u,-;NVRM: Xid (PCI:0000:05:00): 31, pid=77, number %u\n", i + 1,
			1000000 + i * 10000, i);
	fputs("3,99999,1000,-;NVRM: GPU at PCI:0000:05:00 has fallen off the bus\n", f);
	fclose(f);
}

static void each_line(void **s)
{
	uint64_t boot = taf_boot_key(world.boot);

	(void)s;
	log_xids(3);
	assert_null(taf_xids_load(&x, boot, 1000));
	assert_int_equal(x.n, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(x.at[i].boot, boot);
		assert_int_equal(x.at[i].mono_ms, 1000 + 10 * i);
		assert_int_equal(x.at[i].pid, 77);
		assert_string_equal(x.at[i].class, "xid_31");
		assert_string_equal(x.at[i].what, "memory page fault");
	}
	assert_string_equal(x.at[2].line, "NVRM: Xid (PCI:0000:05:00): 31, pid=77, number 2");
	/* A second question reads nothing again. */
	assert_null(taf_xids_load(&x, boot, 1000));
	assert_int_equal(x.n, 3);
}

/* What was not read is never said to hold nothing. */
static void other_logs(void **s)
{
	uint64_t boot = taf_boot_key(world.boot);
	const struct taf_blind *b;

	(void)s;
	b = taf_xids_load(&x, boot, 5000);
	assert_non_null(b);
	assert_non_null(strstr(b->why, "/dev/kmsg, as in most containers"));
	taf_xids_free(&x);
	taf_xids_open(&x, "", &world);
	log_xids(1);
	assert_null(taf_xids_load(&x, boot, 5000));
	b = taf_xids_load(&x, boot, 0);
	assert_non_null(b);
	assert_non_null(strstr(b->why, "begins after it"));
	assert_non_null(taf_xids_load(&x, boot + 1, 5000));
	x.has_journal = true;
	x.journal = (struct taf_hearing){ .n_boots = 1, .boot = { { boot + 1, 10 } } };
	assert_null(taf_xids_load(&x, boot + 1, 5000));
	b = taf_xids_load(&x, boot + 2, 5000);
	assert_non_null(b);
	assert_non_null(strstr(b->why, "only the logs of this boot and the one before are read"));
	assert_non_null(taf_xids_load(&x, 0, 5000));
}

static void latest_are_kept(void **s)
{
	char last[32];
	bool has_last = false, has_first = false;

	(void)s;
	log_xids(TAF_XIDS_MAX + 100);
	taf_xids_load(&x, taf_boot_key(world.boot), 1000);
	assert_int_equal(x.n, TAF_XIDS_MAX);
	snprintf(last, sizeof(last), "number %u", TAF_XIDS_MAX + 99);
	for (size_t i = 0; i < x.n; i++) {
		has_first = has_first || !strcmp(strstr(x.at[i].line, "number"), "number 99");
		has_last = has_last || strstr(x.at[i].line, last);
	}
	assert_true(has_last);
	assert_false(has_first);
}

static void long_line_is_cut(void **s)
{
	char path[64];
	FILE *f;

	(void)s;
	snprintf(path, sizeof(path), "%s/dev/kmsg", root);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("3,1,1000000,-;NVRM: Xid (PCI:0000:05:00): 31, ", f);
	for (int i = 0; i < 4000; i++)
		fputc('x', f);
	fputc('\n', f);
	fclose(f);
	taf_xids_load(&x, taf_boot_key(world.boot), 1000);
	assert_int_equal(x.n, 1);
	assert_int_equal(strlen(x.at[0].line), TAF_XID_LINE - 1);
}

static unsigned heard;
static uint64_t heard_ms[4];

static void hear(void *hearer, const struct taf_evidence *ev, const struct taf_heard *h)
{
	assert_ptr_equal(hearer, &heard);
	assert_int_equal(h->at->boot, 0x0123456789abcdef);
	assert_string_equal(h->source, "journal");
	assert_true(h->n > 4 && !memcmp(h->line, "NVRM", 4));
	assert_non_null(ev);
	heard_ms[heard++] = h->at->boot_ms;
}

/* Of what is told twice within a minute the gate makes one event; whoever listens hears both. */
static void journal_is_heard(void **s)
{
#define ENTRY(ms, text) \
	"__MONOTONIC_TIMESTAMP=" ms \
	"000\n_BOOT_ID=0123456789abcdef0123456789abcdef\nMESSAGE=" text "\n\n"
	static const char text[] = ENTRY("5000", "NVRM: Xid (PCI:0000:05:00): 31, pid=7, Ch 1")
		ENTRY("5500", "usb 1-1: fine")
			ENTRY("6000", "NVRM: Xid (PCI:0000:05:00): 31, pid=7, Ch 2");
	static struct taf_evidence ev;

	(void)s;
	ev.hear = hear;
	ev.hearer = &heard;
	taf_journal_parse(&ev, text, sizeof(text) - 1);
	assert_int_equal(ev.n, 1);
	assert_int_equal(heard, 2);
	assert_int_equal(ev.n_boots, 1);
	assert_int_equal(ev.boot[0].boot, 0x0123456789abcdef);
	assert_int_equal(ev.boot[0].from_ms, 5000);
	assert_int_equal(heard_ms[0], 5000);
	assert_int_equal(heard_ms[1], 6000);
}

#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_ROOT(each_line),
		IN_ROOT(other_logs),
		IN_ROOT(latest_are_kept),
		IN_ROOT(long_line_is_cut),
		cmocka_unit_test(journal_is_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
