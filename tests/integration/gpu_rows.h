/* SPDX-License-Identifier: MIT */
/* gpu_rows.h -- makes a guest that calls every row of one GPU runtime's table through its
 * exported name.
 *
 * The including file defines ROWS, ENGINE, FAKE, the file name of the fake runtime, and
 * MISSING, what a function gives when its runtime is not there, 0 where that is a pointer;
 * and it defines, before this is included, a variable for each parameter name that the
 * rows use (a void * goes for every kind of pointer), and make_ready, which makes what
 * they need.
 *
 *   guest              each call reaches theirs once, gives theirs' value back and
 *                      leaves as many ring slots as its kind says
 *   guest missing      without the runtime each row gives MISSING
 *
 * Prints a line a row that is wrong, and the rows called; gpu_rows.sh reads the log.
 */
/* The variables are named as parameters are, and one stands for numbers of several types. */
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>

#include "../../hooks/catalog.h"
#include "../../shim/ring_read.h"
#include "guest.h"

#define WEAK __attribute__((weak))

/* Pass 1: references that only the preloaded object fills, and row numbers. */
#include "../../hooks/none.h"
#undef HOOK
#undef OWN
#undef OWNV
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) extern WEAK ret name params;
#define OWN(ret, name, params, args, kind, refuse, doc) extern WEAK ret name params;
#define OWNV(name, params, args, kind, doc) extern WEAK void name params;
#include ROWS

#undef HOOK
#undef OWN
#undef OWNV
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) ROW_##name,
#define OWN(ret, name, params, args, kind, refuse, doc) ROW_##name,
#define OWNV(name, params, args, kind, doc) ROW_##name,
#define CALL(ret, name, params, doc) ROW_##name,
enum {
#include ROWS
};

/* Pass 2: a caller for each row. */
#undef HOOK
#undef OWN
#undef OWNV
#undef CALL
#define CALL(ret, name, params, doc)
#define CALLER(name, args) \
	static int64_t call_##name(void) \
	{ \
		return (int64_t)name args; \
	}
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) CALLER(name, args)
#define OWN(ret, name, params, args, kind, refuse, doc) CALLER(name, args)
#define OWNV(name, params, args, kind, doc) \
	static int64_t call_##name(void) \
	{ \
		name args; \
		return 0; \
	}
#include ROWS

struct row {
	const char *name;
	int64_t (*call)(void);
	enum taf_kind kind;
	int number;
	int64_t missing;
};

/* Pass 3: the rows. */
#undef HOOK
#undef OWN
#undef OWNV
#define ENTRY(name, kind, missing) { #name, call_##name, TAF_##kind, ROW_##name, missing },
#define MISSING_OF(ret) _Generic((ret){ 0 }, void * : 0, default : MISSING)
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) ENTRY(name, kind, MISSING_OF(ret))
#define OWN(ret, name, params, args, kind, refuse, doc) ENTRY(name, kind, MISSING_OF(ret))
#define OWNV(name, params, args, kind, doc) ENTRY(name, kind, 0)
static const struct row rows[] = {
#include ROWS
};
#define N_ROWS (sizeof(rows) / sizeof(*rows))

static int wrong;
static long (*fake_count)(const char *name);
static int64_t (*fake_returned)(const char *name);

static void open_fake(void)
{
	char where[4096];
	void *handle;

	guest_beside(where, sizeof(where), FAKE);
	handle = dlopen(where, RTLD_NOW | RTLD_GLOBAL);
	if (!handle) {
		printf("%s\n", dlerror());
		exit(95);
	}
	guest_symbol(&fake_count, handle, "fake_count");
	guest_symbol(&fake_returned, handle, "fake_returned");
}

static void complain(const struct row *r, const char *what, int64_t wanted, int64_t got)
{
	wrong++;
	printf("%s: %s: wanted %" PRId64 ", got %" PRId64 "\n", r->name, what, wanted, got);
}

static void call_row(const struct row *r)
{
	long before = fake_count(r->name);
	int64_t got = r->call();

	if (fake_count(r->name) != before + 1)
		complain(r, "calls of theirs", 1, fake_count(r->name) - before);
	if (got != fake_returned(r->name))
		complain(r, "value", fake_returned(r->name), got);
	printf("called %s\n", r->name);
}

static int open_ring(void)
{
	char where[4096], mine[32];
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct dirent *d;
	DIR *list;
	int fd = -1;

	snprintf(where, sizeof(where), "%s/taffrail", dir ? dir : "");
	snprintf(mine, sizeof(mine), "-%d-", (int)getpid());
	list = opendir(where);
	while (list && fd < 0 && (d = readdir(list)))
		if (strstr(d->d_name, mine))
			fd = openat(dirfd(list), d->d_name, O_RDONLY | O_CLOEXEC);
	if (list)
		closedir(list);
	return fd;
}

/* What of a row is in this process's own ring. */
static int count_slots(const struct taf_ring_copy *c, const struct row *r)
{
	static struct taf_ring_record records[4096];
	size_t count = taf_ring_last(c, records, sizeof(records) / sizeof(*records));
	int found = 0;

	for (size_t i = 0; i < count; i++)
		found += records[i].call.row == r->number && records[i].call.engine == ENGINE &&
			 records[i].phase == TAF_END;
	return found;
}

/* Submits and allocations leave a slot each; a free does if its piece is known. */
static void check_ring(void)
{
	static unsigned char bytes[4 << 20];
	struct taf_ring_copy copy;
	int fd = open_ring();

	if (fd < 0 || taf_ring_copy_read(fd, bytes, sizeof(bytes), &copy)) {
		printf("no ring, or one that cannot be read\n");
		wrong++;
		return;
	}
	close(fd);
	for (size_t i = 0; i < N_ROWS; i++) {
		bool is_slot = taf_kind_durability(rows[i].kind) == TAF_KEEP_RING;

		if (rows[i].kind != TAF_FREE && count_slots(&copy, &rows[i]) != is_slot)
			complain(&rows[i], "ring slots", is_slot, count_slots(&copy, &rows[i]));
	}
}

static void call_missing(void)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		int64_t got = rows[i].call();

		if (got != rows[i].missing)
			complain(&rows[i], "value", rows[i].missing, got);
		printf("called %s\n", rows[i].name);
	}
}

/* What it destroys other rows need. */
static bool is_end(const char *name)
{
	return strstr(name, "Destroy");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "missing")) {
		call_missing();
		return wrong != 0;
	}
	open_fake();
	make_ready();
	for (size_t i = 0; i < N_ROWS; i++)
		if (!is_end(rows[i].name))
			call_row(&rows[i]);
	for (size_t i = 0; i < N_ROWS; i++)
		if (is_end(rows[i].name))
			call_row(&rows[i]);
	check_ring();
	return wrong != 0;
}
