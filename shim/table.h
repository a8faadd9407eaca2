/* SPDX-License-Identifier: MIT */
/* table.h -- what a hook table looks like to the shim.
 *
 * hooks/ makes one table a runtime from its rows (hooks/expand.h); the shim
 * sees names, functions and the runtime's own operations as data and never
 * includes anything from hooks/.
 */
#ifndef TAF_TABLE_H
#define TAF_TABLE_H

#include <stdatomic.h>

#include "../policy/event.h"

typedef void (*taf_fn)(void);

/* A function as the pointer that look-ups give and take, and back. */
static inline void *taf_fn_object(taf_fn fn)
{
	union {
		taf_fn f;
		void *p;
	} u = { .f = fn };

	return u.p;
}

static inline taf_fn taf_object_fn(void *p)
{
	union {
		void *p;
		taf_fn f;
	} u = { .p = p };

	return u.f;
}

struct taf_text;

/* How a row is reached. */
enum taf_thunk { TAF_THUNK_WRAP, TAF_THUNK_OWN, TAF_THUNK_NOTIFY, TAF_THUNK_CALL };

/* Without a pointer: what the loader would have to write into a thousand rows of every
 * process that starts, page by page, is most of what a preload costs. */
struct taf_row {
	uint16_t name; /* where it begins in the table's names */
	uint8_t kind; /* enum taf_kind */
	uint8_t thunk; /* enum taf_thunk */
};

/* What a runtime says of a device. */
struct taf_device {
	char name[96];
	uint64_t bytes; /* of its memory; 0: unknown */
};

/* What the shim may ask of a runtime. Each is called with the shim's own calls
 * muted, on the thread that is in the hooked call. NULL: the runtime cannot. */
struct taf_ops {
	/* Waits until the device has finished what was submitted through handle. 0 or -errno;
	 * -ENOSPC: something may be left, in a queue that was not seen. */
	int (*sync)(void *handle, const void *home);
	/* Gives cached memory back. 0 or -errno. */
	int (*trim)(void *handle, const void *home);
	/* Fills total and free of the device, for all its users. handle and home may be
	 * NULL: of the device that a new context would get. 0 or -errno. */
	int (*memory)(void *handle, const void *home, struct taf_memory *out);
	/* Bytes that its pools keep and nobody uses: what a trim could give back. 0 or -errno. */
	int (*slack)(void *handle, const void *home, uint64_t *bytes);
	/* Its device of that number. 0 or -errno; -EAGAIN: it cannot be asked now; -ENODEV: this
	 * process does not use it. */
	int (*device)(uint32_t number, const void *home, struct taf_device *out);
	/* Whether what is handed to that queue is only recorded. Asked within a capture. -errno:
	 * it cannot be told. */
	int (*is_captured)(uint64_t queue, const void *home);
};

/* Of an engine where what is in flight belongs to threads: its sync means something on
 * the thread that infers alone, whose number the handle is (owner.h). */
struct taf_by_thread {
	/* Members of the end of a generation that only the engine knows: ,"key":value. */
	void (*tell)(const void *home, struct taf_text *out);
	/* The process leaves and nothing is in flight: gives back what outlives a process.
	 * On any thread. */
	void (*let_go)(const void *home);
	/* Bytes that its arrays take; UINT64_MAX: it cannot be asked. On any thread. */
	uint64_t (*held)(const void *home);
};

/* What an engine can do with what a context of it holds (error.h); called likewise. */
struct taf_store_ops {
	/* Forgets what a context holds of earlier computations, bytes included; with
	 * handle NULL it only says whether it could. 0 or -errno. */
	int (*reset)(void *handle, const void *home);
	/* What the program names when it asks what a context holds; NULL: nothing. */
	void *(*store)(void *handle, const void *home);
};

struct taf_table {
	enum taf_engine engine;
	const struct taf_row *rows;
	int n_rows;
	const char *names;
	taf_fn (*ours)(int row); /* NULL for TAF_THUNK_CALL */
	/* Functions learned from dlsym, one a row; the first one stays. */
	_Atomic(taf_fn) *learned;
	const struct taf_ops *ops; /* NULL: none */
	/* Of a library that hands calls on to drivers, which may export the same names, and
	 * never calls its own: its soname. A call that comes from it is for a driver. */
	const char *loader;
	const struct taf_by_thread *by_thread; /* NULL: it is not one of those */
	const struct taf_store_ops *store; /* NULL: contexts of it cannot be cleared */
};

static inline const char *taf_row_name(const struct taf_table *t, int row)
{
	return t->names + t->rows[row].name;
}

/* All tables, in the order of hooks/runtimes.def; hooks/tables.c defines both. */
extern const struct taf_table *const taf_tables[];
extern const int taf_table_count;

#endif
