/* SPDX-License-Identifier: MIT */
/* guest_rows.c -- calls every row of the engine tables through its exported name.
 *
 * With the fake runtimes: each call reaches theirs exactly once, gives theirs'
 * value back, and leaves as many ring slots and counts as its kind says.
 * "guest_rows missing" runs without them: each row gives its refuse value.
 * Prints one line a row that is wrong, and the rows called; every_row.sh reads
 * the log. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>

#include "../../hooks/catalog.h"
#include "../../shim/ring_read.h"
#include "guest.h"

#define TAF_PARAMS struct fake_value
#define TAF_BATCH struct fake_batch
#define TAF_RESULT struct fake_value
#define WEAK __attribute__((weak))

/* Pass 1: references that only the preloaded object fills, and row numbers. */
#include "../../hooks/none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) extern WEAK ret name params;
#define HOOKV(name, params, args, kind, bytes, doc) extern WEAK void name params;
#define OWN(ret, name, params, args, kind, refuse, doc) extern WEAK ret name params;
#define OWNV(name, params, args, kind, doc) extern WEAK void name params;
#include "../../hooks/ggml.def"
#include "../../hooks/llama.def"

#include "../../hooks/none.h"
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef NOTIFY
#undef CALL
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) ROW_##name,
#define HOOKV(name, params, args, kind, bytes, doc) ROW_##name,
#define OWN(ret, name, params, args, kind, refuse, doc) ROW_##name,
#define OWNV(name, params, args, kind, doc) ROW_##name,
#define NOTIFY(name, kind, doc) ROW_##name,
#define CALL(ret, name, params, doc) ROW_##name,
enum {
#include "../../hooks/llama.def"
};
enum {
#include "../../hooks/ggml.def"
};

/* What the rows are called with; they name their parameters alike. */
static const char *path = "/models/tiny.gguf";
static const char *path_list[] = { "/models/tiny-00001-of-00002.gguf",
				   "/models/tiny-00002-of-00002.gguf" };
static const char **paths = path_list;
static size_t n = 2, size = 4096;
static struct fake_value params;
static struct fake_batch batch;
static void *file = path_list, *meta = path_list, *set_tensor, *data, *model, *ctx;
static void *sched = path_list, *graph = path_list, *backend = path_list, *type = path_list;
static void *buffer = path_list, *store = path_list;
static int32_t seq, at;
static uint32_t flags;
static const void *tokens = path_list;
static void *tokens_out = path_list, **adapters;
static size_t n_tokens, capacity, *n_out;
static float *scales, scale = 1;
static void *adapter = path_list;
static int32_t in_held, way = 1, id;
static void *held = &in_held;
static struct fake_batch embd;

static int64_t of_pointer(const void *p)
{
	return (int64_t)(intptr_t)p;
}

static int64_t of_int(int64_t i)
{
	return i;
}

static int64_t of_size(size_t s)
{
	return (int64_t)s;
}

#define NUMBER(r) _Generic((r), void * : of_pointer, size_t : of_size, default : of_int)(r)

/* Pass 2: a caller for each row, and what it gives when theirs is missing. */
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#undef NOTIFY
#undef CALL
#define NOTIFY(name, kind, doc)
#define CALL(ret, name, params, doc)
#define CALLER(name, args) \
	static int64_t call_##name(void) \
	{ \
		return NUMBER(name args); \
	}
#define CALLER_V(name, args) \
	static int64_t call_##name(void) \
	{ \
		name args; \
		return 0; \
	}
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) CALLER(name, args)
#define HOOKV(name, params, args, kind, bytes, doc) CALLER_V(name, args)
#define OWN(ret, name, params, args, kind, refuse, doc) CALLER(name, args)
#define OWNV(name, params, args, kind, doc) CALLER_V(name, args)
#include "../../hooks/ggml.def"
#include "../../hooks/llama.def"

extern WEAK void ggml_abort(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

struct row {
	const char *name;
	int64_t (*call)(void);
	int64_t refuse;
	enum taf_kind kind;
	enum taf_engine engine;
	int number;
};

/* Pass 3: the rows. */
#undef HOOK
#undef HOOKV
#undef OWN
#undef OWNV
#define ENTRY(name, refuse, kind) \
	{ #name, call_##name, (int64_t)(refuse), TAF_##kind, ENGINE, ROW_##name },
#define HOOK(ret, name, params, args, kind, bytes, refuse, doc) ENTRY(name, refuse, kind)
#define HOOKV(name, params, args, kind, bytes, doc) ENTRY(name, 0, kind)
#define OWN(ret, name, params, args, kind, refuse, doc) ENTRY(name, refuse, kind)
#define OWNV(name, params, args, kind, doc) ENTRY(name, 0, kind)
static const struct row rows[] = {
#define ENGINE TAF_ENGINE_LLAMA
#include "../../hooks/llama.def"
#undef ENGINE
#define ENGINE TAF_ENGINE_GGML
#include "../../hooks/ggml.def"
#undef ENGINE
};
#define N_ROWS (sizeof(rows) / sizeof(*rows))

static int wrong;

struct fake {
	long (*count)(const char *name);
	int64_t (*returned)(const char *name);
};

static struct fake fakes[TAF_ENGINE_COUNT];

static void open_fake(enum taf_engine engine, const char *name)
{
	char where[4096];
	void *handle;

	guest_beside(where, sizeof(where), name);
	handle = dlopen(where, RTLD_NOW | RTLD_GLOBAL);
	if (!handle) {
		printf("%s\n", dlerror());
		exit(95);
	}
	guest_symbol(&fakes[engine].count, handle, "fake_count");
	guest_symbol(&fakes[engine].returned, handle, "fake_returned");
}

static void complain(const struct row *r, const char *what, int64_t wanted, int64_t got)
{
	wrong++;
	printf("%s: %s: wanted %" PRId64 ", got %" PRId64 "\n", r->name, what, wanted, got);
}

static void call_row(const struct row *r)
{
	const struct fake *f = &fakes[r->engine];
	long before = f->count(r->name);
	int64_t got = r->call();

	if (f->count(r->name) != before + 1)
		complain(r, "calls of theirs", 1, f->count(r->name) - before);
	if (got != f->returned(r->name))
		complain(r, "value", f->returned(r->name), got);
	printf("called %s\n", r->name);
}

static const struct row *row_called(const char *name)
{
	for (size_t i = 0; i < N_ROWS; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	abort();
}

/* The rows in an order that gives each what it needs: first what makes, last what frees. */
static void call_all(void)
{
	static const char *const late[] = { "llama_free", "llama_model_free", "llama_free_model" };

	for (size_t i = 0; i < N_ROWS; i++) {
		bool is_late = false;

		for (size_t k = 0; k < sizeof(late) / sizeof(*late); k++)
			is_late |= !strcmp(rows[i].name, late[k]);
		if (!model)
			model = llama_model_load_from_file(path, params);
		if (!ctx)
			ctx = llama_init_from_model(model, params);
		if (!is_late)
			call_row(&rows[i]);
	}
	call_row(row_called("llama_free"));
	call_row(row_called("llama_model_free"));
	model = llama_load_model_from_file(path, params);
	call_row(row_called("llama_free_model"));
}

/* Slots of a row in this process's own ring. */
static int count_slots(const struct taf_ring_copy *c, const struct row *r)
{
	static struct taf_ring_record records[4096];
	size_t count = taf_ring_last(c, records, sizeof(records) / sizeof(*records));
	int found = 0;

	for (size_t i = 0; i < count; i++)
		found += records[i].call.row == r->number && records[i].call.engine == r->engine &&
			 records[i].call.kind == r->kind && records[i].phase == TAF_END;
	return found;
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

		if (count_slots(&copy, &rows[i]) != is_slot)
			complain(&rows[i], "ring slots", is_slot, count_slots(&copy, &rows[i]));
	}
}

static void call_missing(void)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		int64_t got = rows[i].call();

		if (got != rows[i].refuse)
			complain(&rows[i], "refuse value", rows[i].refuse, got);
		printf("called %s\n", rows[i].name);
	}
}

/* More arguments than registers hold, of both kinds. */
static void abort_now(void)
{
	ggml_abort("ggml-fake.c", 77, "%s failed: %d of %lld, %s %s %u, %.2f", "assertion", 5,
		   6000000000ll, "five", "six", 7u, 1.5);
}

int main(int argc, char **argv)
{
	bool is_missing = argc > 1 && !strcmp(argv[1], "missing");
	bool is_abort = argc > 1 && !strcmp(argv[1], "abort");

	setvbuf(stdout, NULL, _IOLBF, 0);
	params = fake_value_of(3);
	batch = embd = fake_batch_of(3);
	if (is_missing) {
		call_missing();
		if (argc > 2)
			abort_now();
		return wrong != 0;
	}
	open_fake(TAF_ENGINE_LLAMA, "libfake_llama.so");
	open_fake(TAF_ENGINE_GGML, "libfake_ggml.so");
	call_all();
	if (is_abort)
		abort_now();
	check_ring();
	return wrong != 0;
}
