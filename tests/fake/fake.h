/* SPDX-License-Identifier: MIT */
/* fake.h -- makes a fake runtime of the rows of one table.
 *
 * The including file defines FAKE_ROWS, the table, and HAND_<name> as FAKE_HAND
 * for each row that it writes itself.  Every other row becomes an exported
 * function that counts its call and returns a plausible value: a pointer of
 * its own, or 0; with FAKE_ODD in the environment a number of its own.  A GPU runtime
 * defines FAKE_FAILS: with FAKE_ALL_FAIL=N each function gives N, or NULL.
 *
 *   long fake_count(const char *name)       calls so far; -1: no such row
 *   int64_t fake_returned(const char *name) what the last one returned
 *   void fake_reset(void)                   forgets both
 *
 * The first call registers an exit handler, as GPU runtimes do: from then on
 * the runtime is torn down, and who calls it afterwards is told on stderr and
 * ended with status 99.  FAKE_LOG names a file that gets one line a call.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fake_value.h"

#define TAF_PARAMS struct fake_value
#define TAF_BATCH struct fake_batch
#define TAF_RESULT struct fake_value
#define FAKE_PUBLIC __attribute__((visibility("default")))
#define FAKE_MAYBE __attribute__((unused)) /* not every table needs it */

/* FAKE_PICK(HAND_x, a) is FAKE_BY_HAND where HAND_x is defined as FAKE_HAND, else a. */
#define FAKE_HAND ~, FAKE_BY_HAND
#define FAKE_PICK(...) FAKE_PICK_SECOND(__VA_ARGS__, ~)
#define FAKE_PICK_SECOND(a, b, ...) b

#include "../../hooks/none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef NOTIFY
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) FAKE_##name,
#define HOOKV(name, params, args, kind, bytes, doc) FAKE_##name,
#define OWN(ret, name, params, args, kind, refuse, doc) FAKE_##name,
#define OWNV(name, params, args, kind, doc) FAKE_##name,
#define NOTIFY(name, kind, doc) FAKE_##name,
#define CALL(ret, name, params, doc) FAKE_##name,
enum {
#include FAKE_ROWS
	FAKE_COUNT
};

#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef NOTIFY
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) #name,
#define HOOKV(name, params, args, kind, bytes, doc) #name,
#define OWN(ret, name, params, args, kind, refuse, doc) #name,
#define OWNV(name, params, args, kind, doc) #name,
#define NOTIFY(name, kind, doc) #name,
#define CALL(ret, name, params, doc) #name,
static const char *const fake_names[] = {
#include FAKE_ROWS
};

static _Atomic(long) fake_counts[FAKE_COUNT];
static _Atomic(int64_t) fake_last[FAKE_COUNT];
static FAKE_MAYBE char fake_cells[FAKE_COUNT][64];
static _Atomic(int) fake_is_used, fake_is_down;
static pid_t fake_pid; /* who used it first: fork children do not log */

FAKE_PUBLIC long fake_count(const char *name);
FAKE_PUBLIC int64_t fake_returned(const char *name);
FAKE_PUBLIC void fake_reset(void);

static void fake_log(const char *word)
{
	const char *path = getenv("FAKE_LOG");
	char line[96];
	size_t n = strlen(word);
	int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;

	if (fd < 0 || fake_pid != getpid()) {
		close(fd);
		return;
	}
	n = n < sizeof(line) - 1 ? n : sizeof(line) - 1;
	memcpy(line, word, n);
	line[n] = '\n';
	if (write(fd, line, n + 1) < 0)
		_exit(96);
	close(fd);
}

__attribute__((noreturn)) static void fake_fail(int status, const char *name, const char *why)
{
	char line[160];
	size_t n = 0;

	for (const char *s = "fake: "; *s; s++)
		line[n++] = *s;
	for (const char *s = name; *s && n < 100; s++)
		line[n++] = *s;
	for (const char *s = why; *s && n < 158; s++)
		line[n++] = *s;
	line[n++] = '\n';
	if (write(2, line, n) < 0)
		status = 96;
	_exit(status);
}

static void fake_tear_down(void)
{
	fake_log("teardown");
	fake_is_down = 1;
}

/* Each call of theirs begins here. */
static void fake_called(int row)
{
	if (!atomic_exchange(&fake_is_used, 1)) {
		fake_pid = getpid();
		atexit(fake_tear_down);
	}
	if (fake_is_down)
		fake_fail(99, fake_names[row], " was called after the runtime was torn down");
	fake_counts[row]++;
	fake_log(fake_names[row]);
}

static FAKE_MAYBE const char *fake_all_fail(void)
{
#ifdef FAKE_FAILS
	return getenv("FAKE_ALL_FAIL");
#else
	return NULL;
#endif
}

static FAKE_MAYBE int64_t fake_number(int row)
{
	if (fake_all_fail())
		return strtoll(fake_all_fail(), NULL, 0);
	return getenv("FAKE_ODD") ? 7000 + row : 0;
}

/* What FAKE_ALL_FAIL and FAKE_ODD leave undone. */
static FAKE_MAYBE int fake_is_failing(void)
{
	return fake_all_fail() || getenv("FAKE_ODD");
}

/* What a function gives: r, or, where all fail or r is 0, the number that was set. */
static FAKE_MAYBE int fake_over(int row, int r)
{
	if (fake_all_fail() || !r)
		r = (int)fake_number(row);
	fake_last[row] = r;
	return r;
}

static FAKE_MAYBE void *fake_object(int row)
{
	return fake_all_fail() ? NULL : (void *)fake_cells[row];
}

static FAKE_MAYBE void fake_check(int row, int is_whole)
{
	if (!is_whole)
		fake_fail(98, fake_names[row], " got a damaged struct");
}

/* Milliseconds, or a count, from the environment. */
static FAKE_MAYBE long fake_setting(const char *name)
{
	const char *s = getenv(name);

	return s ? atol(s) : 0;
}

static FAKE_MAYBE void fake_sleep(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (ms > 0 && nanosleep(&t, &t))
		;
}

static int fake_row(const char *name)
{
	for (int i = 0; i < FAKE_COUNT; i++)
		if (!strcmp(fake_names[i], name))
			return i;
	return -1;
}

long fake_count(const char *name)
{
	int row = fake_row(name);

	return row < 0 ? -1 : fake_counts[row];
}

int64_t fake_returned(const char *name)
{
	int row = fake_row(name);

	return row < 0 ? -1 : fake_last[row];
}

void fake_reset(void)
{
	for (int i = 0; i < FAKE_COUNT; i++)
		fake_counts[i] = fake_last[i] = 0;
}

/* Prototypes of all, bodies of those that are not written by hand. */
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef NOTIFY
#undef CALL
#define FAKE_BY_HAND(ret, name, params) FAKE_PUBLIC ret name params;
#define FAKE_MADE(ret, name, params) \
	FAKE_PUBLIC ret name params; \
	ret name params \
	{ \
		ret r = (ret)_Generic((ret){ 0 }, void *: (intptr_t)fake_object(FAKE_##name),     \
				      default: fake_number(FAKE_##name)); \
		fake_called(FAKE_##name); \
		fake_last[FAKE_##name] = (int64_t)r; \
		return r; \
	}
#define FAKE_V_BY_HAND(name, params) FAKE_PUBLIC void name params;
#define FAKE_V_MADE(name, params) \
	FAKE_PUBLIC void name params; \
	void name params \
	{ \
		fake_called(FAKE_##name); \
	}
#define FAKE_V(name, params) FAKE_V_PICK(FAKE_PICK(HAND_##name, FAKE_MADE), name, params)
#define FAKE_V_PICK(which, name, params) FAKE_V_NAMED(which, name, params)
#define FAKE_V_NAMED(which, name, params) FAKE_V_##which(name, params)
#define FAKE_V_FAKE_MADE FAKE_V_MADE
#define FAKE_V_FAKE_BY_HAND FAKE_V_BY_HAND
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) \
	FAKE_PICK(HAND_##name, FAKE_MADE)(ret, name, params)
#define HOOKV(name, params, args, kind, bytes, doc) FAKE_V(name, params)
#define OWN(ret, name, params, args, kind, refuse, doc) \
	FAKE_PICK(HAND_##name, FAKE_MADE)(ret, name, params)
#define OWNV(name, params, args, kind, doc) FAKE_V(name, params)
#define CALL(ret, name, params, doc) FAKE_PICK(HAND_##name, FAKE_MADE)(ret, name, params)
#define NOTIFY(name, kind, doc)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include FAKE_ROWS
#pragma GCC diagnostic pop

/* With FAKE_BY_NAME: fake_function(name), what the object has under the name of a row, as
 * anybody calls it; NULL: no such row. */
#ifdef FAKE_BY_NAME
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef CALL
#define FAKE_ENTRY(name) (fake_fn *)name,
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) FAKE_ENTRY(name)
#define HOOKV(name, params, args, kind, bytes, doc) FAKE_ENTRY(name)
#define OWN(ret, name, params, args, kind, refuse, doc) FAKE_ENTRY(name)
#define OWNV(name, params, args, kind, doc) FAKE_ENTRY(name)
#define CALL(ret, name, params, doc) FAKE_ENTRY(name)
typedef void fake_fn(void);
static fake_fn *const fake_functions[] = {
#include FAKE_ROWS
};

static void *fake_function(const char *name)
{
	int row = name ? fake_row(name) : -1;
	void *p = NULL;

	if (row >= 0)
		memcpy(&p, &fake_functions[row], sizeof(p));
	return p;
}
#endif
