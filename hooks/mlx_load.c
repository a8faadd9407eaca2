/* SPDX-License-Identifier: MIT */
/* mlx_load.c -- MLX reads tensors: loads begin here, and fail where a file cannot be read.
 *
 * What comes back is an object, whose place is told by a register, so that these entry
 * points are in assembly (shim/entry.h).  Their function is called in a frame that sees what it
 * throws; what nobody looks at is jumped to. */
#include "../policy/mangled.h"
#include "../shim/crumb.h"
#include "../shim/elfmap.h"
#include "../shim/thrown.h"
#include "mlx.h"

#define TAF_STREAM struct taf_stream
#define TAF_NO_STREAM ((struct taf_stream){ 0 })
#define TAF_ROWS "mlx.def"
#define TAF_TABLE taf_table_mlx
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#if defined(__x86_64__)
#define STRING_ARG 1 /* the first register has the place of the result */
#else
#define STRING_ARG 0
#endif

/* The characters of a string of theirs. libstdc++: the pointer comes first. libc++: a
 * short one has them behind its length, a long one a pointer at its third word; the
 * lowest bit tells them apart. */
static const char *string_of(const struct taf_regs *regs, bool is_libcxx)
{
	union {
		uint64_t n;
		const char *bytes;
		const uint64_t *words;
	} s = { .n = regs->arg[STRING_ARG] };

	if (!s.n)
		return NULL;
	if (is_libcxx && !(s.words[0] & 1))
		return s.bytes + 1;
	s.n = s.words[is_libcxx ? 2 : 0];
	return s.bytes;
}

/* What a refused load reads instead: no such file, and the engine's own error names it. */
static const char refused_path[] = "(" TAF_MLX_REFUSED ")";
static const struct {
	const char *p;
	uint64_t n;
	uint64_t room[2];
} refused_string = { refused_path, sizeof(refused_path) - 1, { sizeof(refused_path), 0 } };

/* What is read on its way. */
struct reading {
	struct taf_call call;
	bool is_load;
};

static void on_read_throw(struct taf_try *t)
{
	struct reading *r = t->ctx;

	taf_suspend(&r->call);
	if (r->is_load)
		taf_lazy_fail();
}

static void on_read_seen(struct taf_try *t)
{
	const struct reading *r = t->ctx;
	struct taf_mlx_job j = { .call = r->call };

	j.call.is_counted = true;
	j.call.model = r->is_load ? taf_lazy_model() : NULL;
	taf_mlx_failed(&j, taf_thrown_text(t->thrown), taf_thrown_type(t->thrown));
}

/* Their function, in a frame that sees what it throws. What it calls of itself to read, and
 * computes, is a part of this. */
static void read_through(struct taf_regs *regs, const struct taf_call *call, bool is_load)
{
	struct reading r = { .call = *call, .is_load = is_load };
	struct taf_try t = {
		.fn = call->real, .undo = on_read_throw, .seen = on_read_seen, .ctx = &r
	};

	taf_resume(&r.call);
	taf_pass_regs(&t, regs);
	taf_suspend(&r.call);
	regs->is_done = 1;
	regs->result = t.result;
}

/* Before anybody catches it: where nobody does, the end of the process is not ours. */
static void on_refused_seen(struct taf_try *t)
{
	bool *is_inside = t->ctx;

	taf_tls.inside -= *is_inside;
	*is_inside = false;
}

/* Of itself the engine makes a stream of the path that is not there, reads that and throws:
 * nothing of it is the program's. */
static void refuse_through(struct taf_regs *regs, const struct taf_call *call)
{
	bool is_inside = true;
	struct taf_try t = { .fn = call->real, .seen = on_refused_seen, .ctx = &is_inside };

	regs->arg[STRING_ARG] = (uint64_t)(uintptr_t)&refused_string;
	taf_tls.inside++;
	taf_pass_regs(&t, regs);
	taf_tls.inside--;
	regs->is_done = 1;
	regs->result = t.result;
}

static taf_fn read_tensors(int row, struct taf_regs *regs, bool has_path)
{
	struct taf_call call = taf_call_of(TAF_SELF, row, regs->caller);
	bool is_libcxx = taf_find(taf_row_name(TAF_SELF, row), "NSt3__1") != NULL;
	enum taf_read what = taf_lazy_read(&call, has_path ? string_of(regs, is_libcxx) : NULL);

	if (!call.real) /* nobody has it: there is no result to give */
		return taf_real_libc("abort");
	if (what == TAF_READ_REFUSED && has_path && !is_libcxx)
		refuse_through(regs, &call);
	else if (what == TAF_READ_REFUSED)
		taf_throw(TAF_MLX_REFUSED);
	if (what == TAF_READ_REFUSED || taf_state_now() != TAF_ACTIVE)
		return call.real;
	taf_mlx_prepare(&call);
	if (what != TAF_READ_UNSEEN)
		read_through(regs, &call, what == TAF_READ_LOAD);
	return call.real;
}

/* ---- Spellings of later versions ------------------------------------------------ */

/* What a stream can be is a part of a load's name, and has been another three times. Where the
 * result goes is not told by a name that nobody knows: such a function is not touched.  The
 * same may come to others. */
enum sort { UNKNOWN_LOAD, UNKNOWN_WORK, UNKNOWN_REST, UNKNOWN_SORTS };
static const char *const unknown_texts[UNKNOWN_SORTS] = {
	[UNKNOWN_LOAD] = "this way to load is not known: what it loads is not seen as a load",
	[UNKNOWN_WORK] = "this way to compute is not known: what it computes is not seen",
	[UNKNOWN_REST] = "this spelling is not known: calls of it are not seen",
};

struct unknown {
	const void *engine; /* an address inside of it */
	char name[UNKNOWN_SORTS][320]; /* the first of a sort; "": none */
};

/* The row whose function name is, with other parameters; -1: there is none, or it is a row. */
static int meant(const char *name, size_t stem)
{
	int row, like = -1;

	for (int i = 0; i < ROW_COUNT && like < 0; i++) {
		const char *of = taf_row_name(TAF_SELF, i);

		/* What follows "_ZN3mlx4core" tells most of them apart at once. */
		if (of[12] == name[12] && taf_same_n(of, name, stem) &&
		    taf_mangled_stem(of) == stem && TAF_SELF->rows[i].thunk != TAF_THUNK_CALL)
			like = i;
	}
	return like >= 0 && !taf_real_row(name, &row) ? like : -1;
}

static void look_at(void *ctx, const char *name)
{
	struct unknown *u = ctx;
	size_t stem = taf_starts(name, "_ZN3mlx4core") ? taf_mangled_stem(name) : 0;
	int row = stem > 12 ? meant(name, stem) : -1;
	enum sort sort;

	if (row < 0)
		return;
	sort = TAF_SELF->rows[row].kind == TAF_LOAD	? UNKNOWN_LOAD
	       : TAF_SELF->rows[row].kind == TAF_SUBMIT ? UNKNOWN_WORK
							: UNKNOWN_REST;
	if (!u->name[sort][0])
		taf_copy(u->name[sort], name, sizeof(u->name[sort]));
}

static void look_for(void *ctx)
{
	struct unknown *u = ctx;
	struct link_map *m = taf_elf_at(u->engine);
	struct taf_elf e;

	if (m && taf_elf_of(m, &e))
		taf_elf_each_function(&e, look_at, u);
}

void taf_mlx_tell_unknown(const void *home)
{
	union {
		taf_fn f;
		const void *p;
	} eval = { .f = (taf_fn)THEIRS(_ZN3mlx4core5array4evalEv, home) };
	struct unknown u = { .engine = eval.p };

	if (!eval.f)
		return;
	taf_elf_locked(look_for, &u);
	for (int i = 0; i < UNKNOWN_SORTS; i++)
		if (u.name[i][0])
			taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE,
						     .phase = TAF_MARK,
						     .engine = TAF_ENGINE_MLX,
						     .call = u.name[i],
						     .msg = unknown_texts[i] });
}

/* ---- Rows ----------------------------------------------------------------------- */

#include "none.h"
#define READS(name, doc) \
	taf_fn taf_note_##name(struct taf_regs *regs) \
	{ \
		return read_tensors(ROW_##name, regs, true); \
	}
#define STREAMS(name, doc) \
	taf_fn taf_note_##name(struct taf_regs *regs) \
	{ \
		return read_tensors(ROW_##name, regs, false); \
	}
#include "mlx.def"
