/* SPDX-License-Identifier: MIT */
/* test_journal.c -- crumbs.journal: what is sent, how it reads, and that nothing waits. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../policy/text.h"
#include "../../shim/journal.h"

static char dir[] = "/tmp/taf-journal-XXXXXX", at[64], got[4096];
static int box = -1;
static struct taf_session session;

static int open_log(const char *journal)
{
	taf_copy(session.dir, dir, sizeof(session.dir));
	taf_sys_boot_id(session.boot);
	taf_copy(session.run, "0123456789abcdef", sizeof(session.run));
	session.pid = taf_sys_pid();
	session.start = taf_sys_start_ticks(0);
	session.ring_bytes = 256 * 1024;
	session.segment_bytes = 65536;
	session.head = ",\"v\":1";
	session.journal = journal;
	return taf_crumb_open(&session);
}

static int make_box(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(at, sizeof(at), "%s/box", dir);
	strcpy(a.sun_path, at);
	box = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(box, (struct sockaddr *)&a, sizeof(a)), 0);
	taf_journal_open(at);
	return 0;
}

static int drop_box(void **state)
{
	char command[96];

	(void)state;
	taf_journal_open(NULL);
	close(box);
	taf_crumb_close();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	strcpy(strrchr(dir, '-'), "-XXXXXX");
	return 0;
}

/* The next datagram; "" when there is none. */
static const char *next(void)
{
	ssize_t n = recv(box, got, sizeof(got) - 1, MSG_DONTWAIT);

	got[n > 0 ? n : 0] = '\0';
	return got;
}

static int level(enum taf_kind kind, enum taf_phase phase, int rc, const char *rule)
{
	struct taf_rec r = { .kind = kind, .phase = phase, .rc = rc, .rule = rule };

	r.has = phase == TAF_END || kind == TAF_EXIT ? TAF_HAS_RC : 0;
	return taf_journal_level(&r);
}

static void what_matters_has_a_level(void **state)
{
	(void)state;
	assert_int_equal(level(TAF_ERROR, TAF_MARK, 0, NULL), 3);
	/* An answer to a wrong request. */
	assert_int_equal(
		taf_journal_level(&(struct taf_rec){ .kind = TAF_ERROR, .class = "exception" }), 5);
	assert_int_equal(taf_journal_level(
				 &(struct taf_rec){ .kind = TAF_ERROR, .class = "compute_failed" }),
			 3);
	assert_int_equal(level(TAF_REFUSE, TAF_MARK, 0, "lock.on_conflict"), 4);
	assert_int_equal(level(TAF_HOLD, TAF_BEGIN, 0, "lock.on_conflict"), 4);
	assert_int_equal(level(TAF_HOLD, TAF_END, 0, "lock.on_conflict"), 4);
	assert_int_equal(level(TAF_LOAD, TAF_BEGIN, 0, NULL), 6);
	assert_int_equal(level(TAF_LOAD, TAF_END, 0, NULL), 6);
	assert_int_equal(level(TAF_LOAD, TAF_END, -1, NULL), 4);
	assert_int_equal(level(TAF_DRAIN, TAF_END, -110, "drain.at_exit"), 4);
	assert_int_equal(level(TAF_NOTE, TAF_MARK, 0, "memory.warn"), 5);
	assert_int_equal(level(TAF_RESTART, TAF_MARK, 0, NULL), 5);
	assert_int_equal(level(TAF_EXIT, TAF_END, 3, NULL), 6);
	/* Of these there are too many, or the end says as much. */
	assert_int_equal(level(TAF_DRAIN, TAF_END, 0, "drain.at_exit"), -1);
	assert_int_equal(level(TAF_DRAIN, TAF_BEGIN, 0, "drain.at_exit"), -1);
	assert_int_equal(level(TAF_NOTE, TAF_MARK, 0, NULL), -1);
	assert_int_equal(level(TAF_INFER, TAF_END, 0, NULL), -1);
	assert_int_equal(level(TAF_WOULD, TAF_MARK, 0, "lock.on_conflict"), -1);
	assert_int_equal(level(TAF_UNLOAD, TAF_BEGIN, 0, NULL), -1);
	assert_int_equal(level(TAF_EXIT, TAF_BEGIN, 0, NULL), -1);
	assert_int_equal(level(TAF_SUBMIT, TAF_END, 0, NULL), -1);
}

static void a_record_is_fields_a_line_each(void **state)
{
	struct taf_rec r = { .kind = TAF_LOAD,
			     .phase = TAF_END,
			     .engine = TAF_ENGINE_LLAMA,
			     .call = "llama_model_load_from_file",
			     .model = "tiny",
			     .has = TAF_HAS_RC | TAF_HAS_MS,
			     .rc = -1,
			     .us = 33350 };

	(void)state;
	taf_journal_send(&r, "0123456789abcdef", 7);
	assert_string_equal(next(), "PRIORITY=4\n"
				    "SYSLOG_IDENTIFIER=taffrail\n"
				    "TAFFRAIL_RUN=0123456789abcdef\n"
				    "TAFFRAIL_SEQ=7\n"
				    "MESSAGE=load end llama tiny, rc -1, 33.350 ms\n"
				    "TAFFRAIL_EV=load\n"
				    "TAFFRAIL_PH=end\n"
				    "TAFFRAIL_ENGINE=llama\n"
				    "TAFFRAIL_RC=-1\n"
				    "TAFFRAIL_MS=33.350\n"
				    "TAFFRAIL_MODEL=tiny\n"
				    "TAFFRAIL_CALL=llama_model_load_from_file\n");
}

static void no_text_forges_a_field(void **state)
{
	struct taf_rec r = { .kind = TAF_ERROR,
			     .phase = TAF_MARK,
			     .class = "x\nPRIORITY=0",
			     .msg = "first\nMESSAGE=second\r\x01\x7f" };

	(void)state;
	taf_journal_send(&r, "", 0);
	assert_string_equal(next(), "PRIORITY=3\n"
				    "SYSLOG_IDENTIFIER=taffrail\n"
				    "MESSAGE=error, class x PRIORITY=0: first MESSAGE=second   \n"
				    "TAFFRAIL_EV=error\n"
				    "TAFFRAIL_PH=mark\n"
				    "TAFFRAIL_CLASS=x PRIORITY=0\n"
				    "TAFFRAIL_MSG=first MESSAGE=second   \n");
}

static void what_is_too_long_ends_with_a_whole_field(void **state)
{
	static char text[2000];
	struct taf_rec r = { .kind = TAF_ERROR,
			     .phase = TAF_MARK,
			     .class = text,
			     .call = text,
			     .model = text,
			     .rule = text,
			     .msg = text };
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	taf_journal_send(&r, "0123456789abcdef", 7);
	n = strlen(next());
	assert_true(n > 1000 && n < 1800);
	assert_int_equal(got[n - 1], '\n');
	assert_non_null(strstr(got, "\nMESSAGE=error xxx"));
}

static void a_full_queue_is_not_waited_for(void **state)
{
	struct taf_rec r = { .kind = TAF_ERROR, .phase = TAF_MARK, .msg = "again" };
	int n = 0;

	(void)state;
	for (int i = 0; i < 5000; i++)
		taf_journal_send(&r, "", 0);
	while (next()[0])
		n++;
	assert_true(n > 0 && n < 5000);
}

/* The socket that is kept: the one for datagrams that is not the box; -1: there is none. */
static int kept(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	for (int fd = 3; fd < (int)l.rlim_cur; fd++) {
		int type = 0;
		socklen_t n = sizeof(type);

		if (fd != box && !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) &&
		    type == SOCK_DGRAM)
			return fd;
	}
	return -1;
}

static void no_record_takes_a_descriptor(void **state)
{
	struct taf_rec r = { .kind = TAF_ERROR, .phase = TAF_MARK, .msg = "again" };
	int fds[4096], n = 0;

	(void)state;
	taf_journal_send(&r, "", 0);
	next();
	assert_true(kept() > 500);
	while (n < 4096 && (fds[n] = dup(2)) >= 0)
		n++;
	assert_true(n < 4096);
	taf_journal_send(&r, "", 0);
	while (n--)
		close(fds[n]);
	assert_non_null(strstr(next(), "MESSAGE=error: again\n"));
}

/* A program may close what it has not opened, and open something of its own there. */
static void what_has_its_number_now_gets_nothing(void **state)
{
	struct taf_rec r = { .kind = TAF_ERROR, .phase = TAF_MARK, .msg = "again" };
	int pair[2], fd;

	(void)state;
	taf_journal_send(&r, "", 0);
	next();
	fd = kept();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(dup2(pair[0], fd), fd);
	taf_journal_send(&r, "", 0);
	assert_non_null(strstr(next(), "MESSAGE=error: again\n"));
	assert_int_equal(recv(pair[1], got, sizeof(got), MSG_DONTWAIT), -1);
	close(fd);
	close(pair[0]);
	close(pair[1]);
	taf_journal_send(&r, "", 0);
	assert_non_null(strstr(next(), "MESSAGE=error: again\n"));
}

static void that_nobody_listens_is_said_once(void **state)
{
	struct taf_rec r = { .kind = TAF_ERROR, .phase = TAF_MARK, .msg = "lost" };
	char command[256];

	(void)state;
	assert_int_equal(open_log("/nowhere/at/all"), 0);
	for (int i = 0; i < 3; i++)
		assert_true(taf_crumb(&r) != 0);
	taf_crumb_close();
	snprintf(command, sizeof(command),
		 "test \"$(cat %s/*.jsonl | grep -c '\"ev\":\"note\".*\"rc\":-2,\"rule\":"
		 "\"crumbs.journal\"')\" = 1",
		 dir);
	assert_int_equal(system(command), 0);
}

static void a_session_sends_what_it_writes(void **state)
{
	struct taf_rec load = { .kind = TAF_LOAD, .phase = TAF_BEGIN, .model = "tiny" };
	struct taf_rec infer = { .kind = TAF_INFER, .phase = TAF_BEGIN, .model = "tiny" };
	char seq[40];
	uint64_t n;

	(void)state;
	assert_int_equal(open_log(at), 0);
	next();
	assert_non_null(strstr(got, "\nTAFFRAIL_RUN=0123456789abcdef\n"));
	assert_non_null(strstr(got, "\nMESSAGE=start: /tmp/taf-journal-"));
	n = taf_crumb(&load);
	snprintf(seq, sizeof(seq), "\nTAFFRAIL_SEQ=%llu\n", (unsigned long long)n);
	assert_non_null(strstr(next(), "\nMESSAGE=load begin tiny\n"));
	assert_non_null(strstr(got, seq));
	taf_crumb(&infer);
	assert_string_equal(next(), "");
	taf_crumb_close();
	taf_crumb(&load);
	assert_string_equal(next(), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matters_has_a_level),
		cmocka_unit_test_setup_teardown(a_record_is_fields_a_line_each, make_box, drop_box),
		cmocka_unit_test_setup_teardown(no_text_forges_a_field, make_box, drop_box),
		cmocka_unit_test_setup_teardown(what_is_too_long_ends_with_a_whole_field, make_box,
						drop_box),
		cmocka_unit_test_setup_teardown(a_full_queue_is_not_waited_for, make_box, drop_box),
		cmocka_unit_test_setup_teardown(no_record_takes_a_descriptor, make_box, drop_box),
		cmocka_unit_test_setup_teardown(what_has_its_number_now_gets_nothing, make_box,
						drop_box),
		cmocka_unit_test_setup_teardown(that_nobody_listens_is_said_once, make_box,
						drop_box),
		cmocka_unit_test_setup_teardown(a_session_sends_what_it_writes, make_box, drop_box),
	};

	/* So few that a test can take them all. */
	if (setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 2000, 2000 }))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
