/* SPDX-License-Identifier: MIT */
/* test_lock_also.c -- lock files of others: metal-guard's, and flocked ones; held by
 * processes that live, ended, are zombies, or only have the number. */
#include "lock_kit.h"

#include <sys/file.h>
#include <time.h>

#include "../../shim/lock_also.h"

static char mg_path[160], mg_variable[200];
static char *mg_env[] = { mg_variable, NULL };
static const struct taf_lock_also who = { RUN_A, mg_env };

static struct taf_lock_foreign look(const char *name)
{
	struct taf_lock_foreign f;

	taf_lock_also_look(&who, name, &f);
	return f;
}

/* As metal-guard writes it: indent 2, seconds in UTC. */
static void write_mg(int pid, time_t started, const char *label)
{
	char text[512], when[32];
	struct tm tm;

	gmtime_r(&started, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(text, sizeof(text),
		 "{\n  \"pid\": %d,\n  \"label\": \"%s\",\n  \"started_at\": \"%s\",\n"
		 "  \"cmdline\": \"python3 train.py\"\n}\n",
		 pid, label, when);
	kit_write(mg_path, text, strlen(text));
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static int begin_mg(void **state)
{
	int err = kit_fresh(state);

	snprintf(mg_path, sizeof(mg_path), "%s/mlx.lock", kit_dir);
	snprintf(mg_variable, sizeof(mg_variable), "MLX_LOCK_PATH=%s", mg_path);
	return err;
}

static void a_live_holder_counts(void **state)
{
	struct taf_lock_foreign f = look("metal-guard");
	pid_t pid = sleeper();

	(void)state;
	assert_false(f.is_held);
	assert_string_equal(f.note, "");
	write_mg(pid, time(NULL), "training");
	f = look("metal-guard");
	assert_true(f.is_held);
	assert_int_equal(f.pid, pid);
	assert_non_null(strstr(f.holder, "python3 train.py (pid "));
	assert_non_null(strstr(f.holder, ", training)"));
	/* Nobody stands in his own way. */
	write_mg(getpid(), time(NULL), "us");
	assert_false(look("metal-guard").is_held);
	/* Younger than the lock: another process of the same number. */
	write_mg(pid, time(NULL) - 3600, "training");
	assert_false(look("metal-guard").is_held);
	/* A zombie holds nothing, and neither does nobody. */
	write_mg(pid, time(NULL), "training");
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT), 0);
	assert_false(look("metal-guard").is_held);
	waitpid(pid, NULL, 0);
	assert_false(look("metal-guard").is_held);
	/* We read, and leave it as it is. */
	assert_int_equal(access(mg_path, F_OK), 0);
}

static void a_process_of_our_run_does_not(void **state)
{
	pid_t pid = fork();
	struct stat st = { 0 };
	char marker[160];

	(void)state;
	snprintf(marker, sizeof(marker), "%s/up", kit_dir);
	if (!pid) {
		char *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, NULL, NULL };
		char *env[] = { (char[]){ "FILL=x" }, (char[]){ "TAFFRAIL_RUN=" RUN_A }, NULL };
		char command[256];

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		snprintf(command, sizeof(command), ": >%s; while :; do sleep 1; done", marker);
		argv[2] = command;
		execve("/bin/sh", argv, env);
		_exit(99);
	}
	while (stat(marker, &st))
		usleep(1000);
	write_mg(pid, time(NULL), "our own");
	assert_false(look("metal-guard").is_held);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void what_cannot_be_read_is_no_lock(void **state)
{
	static const char *const texts[] = { "[]",
					     "{}",
					     "{\"pid\": \"12\"}",
					     "{\"pid\": 0}",
					     "{\"pid\": -1}",
					     "{\"pid\": 99999999999}",
					     "pid 1",
					     "{\"pid\": 1",
					     "\"",
					     "{\"pid\":{\"pid\":1}}" };
	struct taf_lock_foreign f;
	char big[9000];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		kit_write(mg_path, texts[i], strlen(texts[i]));
		f = look("metal-guard");
		assert_false(f.is_held);
		assert_non_null(strstr(f.note, "not honoured"));
		assert_int_equal(access(mg_path, F_OK), 0);
	}
	memset(big, ' ', sizeof(big));
	kit_write(mg_path, big, sizeof(big));
	assert_false(look("metal-guard").is_held);
	unlink(mg_path);
	assert_int_equal(mkdir(mg_path, 0700), 0);
	assert_non_null(strstr(look("metal-guard").note, "not honoured"));
	rmdir(mg_path);
	assert_int_equal(mkfifo(mg_path, 0600), 0);
	assert_non_null(strstr(look("metal-guard").note, "not honoured"));
	unlink(mg_path);
}

static void places_of_metal_guard(void **state)
{
	static const struct {
		const char *variable, *path;
	} table[] = {
		{ "MLX_LOCK_PATH=/x/lock", "/x/lock" },
		{ "MLX_LOCK_PATH=~/l", "/home/u/l" },
		{ "MLX_LOCK_PATH=", "/home/u/.metal-guard/locks/mlx_exclusive.lock" },
		{ "OTHER=1", "/home/u/.metal-guard/locks/mlx_exclusive.lock" },
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char variable[64], home[] = "HOME=/home/u";
		char *env[] = { variable, home, NULL };
		struct taf_lock_also w = { "", env };

		snprintf(variable, sizeof(variable), "%s", table[i].variable);
		assert_int_equal(taf_lock_also_path(&w, "metal-guard", out, sizeof(out)), 0);
		assert_string_equal(out, table[i].path);
		assert_int_equal(taf_lock_also_path(&w, "/a/b", out, sizeof(out)), 0);
		assert_string_equal(out, "/a/b");
	}
}

/* A child that has the file locked, and says so. */
static pid_t locker(const char *path, int how)
{
	int ends[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (fd < 0 || flock(fd, how) || write(ends[1], "x", 1) != 1)
			_exit(99);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 1);
	close(ends[0]);
	return pid;
}

static void flocked_files(void **state)
{
	struct taf_lock_foreign f;
	char path[160], words[32];
	pid_t pid;

	(void)state;
	snprintf(path, sizeof(path), "%s/theirs", kit_dir);
	assert_false(look(path).is_held);
	assert_int_not_equal(access(path, F_OK), 0);
	pid = locker(path, LOCK_EX);
	f = look(path);
	assert_true(f.is_held);
	/* The kernel's list names the process where it can be seen. */
	if (f.pid) {
		assert_int_equal(f.pid, pid);
		snprintf(words, sizeof(words), "(pid %d", (int)pid);
		assert_non_null(strstr(f.holder, words));
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_false(look(path).is_held);
	/* Readers beside us are in nobody's way. */
	pid = locker(path, LOCK_SH);
	assert_false(look(path).is_held);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* Through the lock itself: no slot is taken while theirs is held. */
static void the_lock_honours_it(void **state)
{
	char path[160], set[200];
	struct actor a, a2;
	pid_t pid;

	(void)state;
	snprintf(path, sizeof(path), "%s/theirs", kit_dir);
	snprintf(set, sizeof(set), "lock.also=%s", path);
	pid = locker(path, LOCK_EX);
	a = actor_of(RUN_A, set);
	assert_int_equal(ask(&a, 't'), 'B');
	assert_int_equal(ask(&a, 'h'), 'k');
	assert_non_null(strstr(a.says, path));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(ask(&a, 't'), 'O');
	/* Whoever joins a run that has a slot asks no more. */
	pid = locker(path, LOCK_EX);
	a2 = actor_of(RUN_A, set);
	assert_int_equal(ask(&a2, 't'), 'O');
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	dismiss(&a);
	dismiss(&a2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, begin_mg)
	const struct CMUnitTest tests[] = {
		TEST(a_live_holder_counts),
		TEST(a_process_of_our_run_does_not),
		TEST(what_cannot_be_read_is_no_lock),
		TEST(places_of_metal_guard),
		TEST(flocked_files),
		TEST(the_lock_honours_it),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
