/* SPDX-License-Identifier: MIT */
/* guest_watched.c -- a server as a watcher sees it: guest_watched WORD...
 *
 *   load        brings a model in and makes a context
 *   infer=N     N generations of two decodes, further apart than drain.idle_ms=1ms
 *   ready=FILE  creates FILE
 *   serve       waits for SIGTERM, then goes on with the next word
 *   deaf        ignores SIGTERM from here on
 *   hang        one more decode (FAKE_HANG_AT makes it the one that never returns)
 *   once=FILE   ends with status 0 here if FILE exists, else creates it
 *   count=FILE  adds a line to FILE
 *   sleep       waits for good
 *   exec        becomes a program that is not there
 *   abort  exit=N
 */
#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "guest.h"

static struct guest_engine engine;
static void *model, *ctx;
static volatile sig_atomic_t is_told;

static void on_term(int signo)
{
	(void)signo;
	is_told = 1;
}

static void pause_ms(long ms)
{
	struct timespec t = { 0, ms * 1000000 };

	nanosleep(&t, NULL);
}

static void add_line(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "x\n", 2) != 2)
		_exit(94);
	close(fd);
}

static void infer(int n)
{
	for (int i = 0; i < n; i++) {
		engine.decode(ctx, fake_batch_of(1));
		engine.decode(ctx, fake_batch_of(1));
		pause_ms(20);
	}
}

static void serve(void)
{
	sigset_t term, before;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	while (!is_told)
		sigsuspend(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static int do_word(const char *word)
{
	const char *value = strchr(word, '=') ? strchr(word, '=') + 1 : "";

	if (!strcmp(word, "load")) {
		guest_open(&engine);
		model = engine.load("/models/tiny.gguf", fake_value_of(0));
		ctx = model ? engine.make(model, fake_value_of(0)) : NULL;
		puts(model ? "loaded" : "not loaded");
		fflush(stdout);
	} else if (!strncmp(word, "infer=", 6)) {
		infer(atoi(value));
	} else if (!strncmp(word, "ready=", 6) || !strncmp(word, "count=", 6)) {
		add_line(value);
	} else if (!strcmp(word, "serve")) {
		signal(SIGTERM, on_term);
		serve();
	} else if (!strcmp(word, "deaf")) {
		signal(SIGTERM, SIG_IGN);
	} else if (!strcmp(word, "hang")) {
		engine.decode(ctx, fake_batch_of(1));
	} else if (!strcmp(word, "sleep")) {
		for (;;)
			pause();
	} else if (!strcmp(word, "exec")) {
		execl("/no/such/program", "program", (char *)NULL);
	} else if (!strcmp(word, "abort")) {
		abort();
	} else if (!strncmp(word, "exit=", 5)) {
		return atoi(value);
	} else if (!strncmp(word, "once=", 5)) {
		if (!access(value, F_OK))
			return 0;
		add_line(value);
	} else {
		return 93;
	}
	return -1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int status = do_word(argv[i]);

		if (status >= 0)
			return status;
	}
	return 0;
}
