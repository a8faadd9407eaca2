/* SPDX-License-Identifier: MIT */
/* dl.c -- the ways in: shared objects, symbols by name, files that name a model.
 *
 * All but dlclose are entries in assembly (shim/entry.h): their notes below run
 * first, and the jump that follows leaves the true caller to the C library. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>

#include "../policy/text.h"
#include "../shim/answer.h"
#include "../shim/elfmap.h"
#include "../shim/model.h"
#include "../shim/open_fit.h"
#include "../shim/patch.h"
#include "../shim/space.h"
#include "hip_kept.h"
#include "libc.h"

#define TAF_ROWS "dl.def"
#define TAF_TABLE taf_table_dl
#include "expand.h"

/* NOTIFY rows have no prototype of their own: these are also called. */
#define CALL_DLOPEN(path, flags) ((void *(*)(const char *, int))NEXT(dlopen))(path, flags)
#define CALL_DLSYM_OF(theirs, handle, name) \
	((void *(*)(void *, const char *))(theirs))(handle, name)
#define CALL_DLSYM(handle, name) CALL_DLSYM_OF(NEXT(dlsym), handle, name)
#define CALL_DLVSYM_OF(theirs, handle, name, version) \
	((void *(*)(void *, const char *, const char *))(theirs))(handle, name, version)
/* What it calls in our place, of the C library that it has. */
#define NEXT_OF(name, regs) taf_space_fn(NEXT(name), #name, (regs)->caller)

static bool is_watching(void)
{
	enum taf_state s = taf_state_now();

	if (s == TAF_COLD && taf_is_booted)
		taf_rearm(); /* a fork child */
	return s == TAF_ARMED || s == TAF_ACTIVE || (s == TAF_COLD && taf_is_booted);
}

/* What is asked for by name while another thread wakes is kept by the program as well. */
static bool is_answering(void)
{
	return taf_state_now() == TAF_WAKING || is_watching();
}

/* The n-th argument as a pointer. */
static void *pointer_arg(const struct taf_regs *regs, int n)
{
	union {
		uint64_t n;
		void *p;
	} u = { .n = regs->arg[n] };

	return u.p;
}

static void note_open_flags(int flags, bool is_namespace)
{
	if (!is_watching())
		return;
	taf_patch_pending(NULL);
	taf_patch_note_open((flags & RTLD_DEEPBIND) != 0, is_namespace);
}

taf_fn taf_note_dlopen(struct taf_regs *regs)
{
	note_open_flags((int)regs->arg[1], false);
	return taf_regs_onward(regs, NEXT_OF(dlopen, regs), 0);
}

taf_fn taf_note_dlmopen(struct taf_regs *regs)
{
	note_open_flags((int)regs->arg[2], (Lmid_t)regs->arg[0] != LM_ID_BASE);
	return taf_regs_onward(regs, NEXT_OF(dlmopen, regs), 0);
}

int taf_dlclose(void *handle)
{
	dlclose_fn *theirs = (dlclose_fn *)taf_space_fn(NEXT(dlclose), "dlclose", TAF_CALLER);
	int r;

	/* Before: their finalizers run in it. After: the addresses may come back. */
	taf_real_forget();
	r = theirs ? theirs(handle) : -1;
	taf_real_forget();
	taf_patch_forget();
	taf_hip_closed();
	return r;
}

/* Our exported names are found first wherever the global scope is searched. Without
 * a function of theirs the answer must be the one of a process that we are not in:
 * the C library alone is asked, which has none either and says so in dlerror.
 * A link map that was never dlopened has no search list, so it is opened first. */
static void *absent(const char *name)
{
	union {
		taf_fn f;
		const void *p;
	} u = { .f = NEXT(dlsym) };
	struct link_map *libc = taf_elf_at(u.p);
	void *handle = libc ? CALL_DLOPEN(libc->l_name, RTLD_LAZY | RTLD_NOLOAD) : NULL;

	return handle ? CALL_DLSYM(handle, name) : NULL;
}

/* Does the global scope have theirs from this object on? In front of us that is
 * read from the list; behind us the loader itself is asked, because RTLD_NEXT
 * begins behind the object that calls: ours. An object behind us never sees us. */
struct scope {
	const char *name;
	const void *caller; /* NULL: from the program on; else behind the caller's object */
	bool is_found, is_behind; /* in front of us; the walk began behind us */
};

static void walk_front(void *ctx)
{
	struct scope *s = ctx;
	struct link_map *m = taf_elf_first();
	struct taf_elf e;

	if (s->caller) {
		m = taf_elf_at(s->caller);
		m = m ? m->l_next : NULL;
	}
	for (; m && m != taf_elf_self() && !s->is_found; m = m->l_next)
		s->is_found = taf_elf_of(m, &e) && taf_elf_symbol(&e, s->name, NULL);
	s->is_behind = !m;
}

static bool is_global_from(const char *name, const void *caller)
{
	struct scope s = { .name = name, .caller = caller };

	taf_elf_locked(walk_front, &s);
	return s.is_found || s.is_behind || CALL_DLSYM(RTLD_NEXT, name);
}

static bool is_global(const char *name)
{
	return is_global_from(name, NULL);
}

static bool is_next(const char *name, const void *caller)
{
	return is_global_from(name, caller);
}

static void answer(struct taf_regs *regs, void *p)
{
	union {
		void *p;
		uint64_t n;
	} u = { .p = p };

	regs->is_done = 1;
	regs->result = u.n;
}

/* The answer to a look-up of an engine row that gave theirs. */
static void answer_row(struct taf_regs *regs, const struct taf_table *t, int row, void *theirs)
{
	union {
		void *p;
		taf_fn f;
	} u = { .p = theirs };

	if (theirs && u.f == t->ours(row) && !is_global(taf_row_name(t, row)))
		answer(regs, absent(taf_row_name(t, row)));
	else
		answer(regs, taf_answer_row(t, row, theirs));
}

/* An object that asks a handle for what it defines itself stands between programs and
 * drivers: libOpenCL and libvulkan ask theirs for the names that they export. What
 * comes to it is seen at its own door; ours in that place would lead back to it. One in
 * front of us wraps us, and is asked for as any program. */
struct asker {
	const char *name;
	const void *caller;
	bool is_between;
};

static void look_at_asker(void *ctx)
{
	struct asker *a = ctx;
	const struct link_map *m = taf_elf_first();
	struct link_map *of = taf_elf_at(a->caller);
	struct taf_elf e;

	while (m && m != of && m != taf_elf_self())
		m = m->l_next;
	a->is_between = of && m != of && taf_elf_of(of, &e) && taf_elf_symbol(&e, a->name, NULL);
}

static bool is_between(const char *name, const void *caller)
{
	struct asker a = { .name = name, .caller = caller };

	taf_elf_locked(look_at_asker, &a);
	return a.is_between;
}

/* By the scope of the caller, which the loader reads from where the jump comes. What it
 * finds there past us, in another namespace or with DEEPBIND, ours finds as well. */
static void answer_scope(struct taf_regs *regs, const struct taf_table *t, int row)
{
	const char *name = taf_row_name(t, row);
	bool is_next_asked = pointer_arg(regs, 0) == RTLD_NEXT;
	union {
		taf_fn f;
		void *p;
	} ours = { .f = t->ours(row) };

	if (is_next_asked) {
		if (!taf_space_is_other(regs->caller) && !is_next(name, regs->caller))
			answer(regs, absent(name));
	} else if (taf_space_is_other(regs->caller) || !is_global(name)) {
		if (taf_real_in_scope(name, regs->caller))
			answer(regs, ours.p);
		else if (!taf_space_is_other(regs->caller) && !taf_real_is_near(name, regs->caller))
			answer(regs, absent(name));
	}
}

taf_fn taf_note_dlsym(struct taf_regs *regs)
{
	void *handle = pointer_arg(regs, 0);
	const char *name = pointer_arg(regs, 1);
	taf_fn theirs = NEXT_OF(dlsym, regs);
	const struct taf_table *t;
	int row, saved = errno;

	if (!is_answering() || !name)
		return taf_regs_onward(regs, theirs, 0);
	if (handle != RTLD_NEXT)
		taf_patch_pending(handle);
	t = taf_real_row(name, &row);
	if (!t || (handle != RTLD_DEFAULT && handle != RTLD_NEXT && is_between(name, regs->caller)))
		return taf_regs_onward(regs, theirs, 0);
	if (handle != RTLD_DEFAULT && handle != RTLD_NEXT)
		answer_row(regs, t, row, CALL_DLSYM_OF(theirs, handle, name));
	else
		answer_scope(regs, t, row);
	errno = saved;
	return taf_regs_onward(regs, theirs, 0);
}

taf_fn taf_note_dlvsym(struct taf_regs *regs)
{
	void *handle = pointer_arg(regs, 0);
	const char *name = pointer_arg(regs, 1), *version = pointer_arg(regs, 2);
	taf_fn theirs = NEXT_OF(dlvsym, regs);
	const struct taf_table *t;
	int row, saved = errno;

	if (!is_answering() || handle == RTLD_NEXT || handle == RTLD_DEFAULT || !name)
		return taf_regs_onward(regs, theirs, 0);
	taf_patch_pending(handle);
	t = taf_real_row(name, &row);
	if (!t || is_between(name, regs->caller))
		return taf_regs_onward(regs, theirs, 0);
	answer_row(regs, t, row, CALL_DLVSYM_OF(theirs, handle, name, version));
	errno = saved;
	return taf_regs_onward(regs, theirs, 0);
}

/* Identity, which is never a reason to become active; and where no engine has a load
 * entry, whether what is opened for reading fits. False: it does not. A vfork child
 * opens for itself. */
static bool note_weights(const char *path, bool is_read, const char *name)
{
	if (taf_is_other_process())
		return true;
	taf_model_note_open(path);
	return !is_read || taf_open_fits(path, name);
}

static bool is_noted(const char *path)
{
	return is_watching() && (uintptr_t)path >= TAF_PAGE && taf_model_is_weights(path);
}

static bool note_path(const char *path, bool is_read, const char *name)
{
	return !is_noted(path) || note_weights(path, is_read, name);
}

/* path in the folder that is open as dir, which need not be the current one. */
static bool note_path_in(int dir, const char *path, bool is_read, const char *name)
{
	char link[32], at[TAF_MODEL_PATH];
	struct taf_text t;
	int64_t n;

	taf_text_init(&t, link, sizeof(link));
	taf_text_put(&t, "/proc/self/fd/");
	taf_text_i64(&t, dir);
	n = taf_sys_readlink(link, at, sizeof(at));
	if (n <= 0 || at[0] != '/')
		return true;
	t = (struct taf_text){ .start = at, .used = (size_t)n, .room = sizeof(at) };
	taf_text_char(&t, '/');
	taf_text_put(&t, path);
	return t.is_cut || note_weights(at, is_read, name);
}

static bool note_path_at(const struct taf_regs *regs, bool is_read, const char *name)
{
	const char *path = pointer_arg(regs, 1);
	int dir = (int)regs->arg[0];

	if (!is_noted(path))
		return true;
	return path[0] == '/' || dir == AT_FDCWD ? note_weights(path, is_read, name)
						 : note_path_in(dir, path, is_read, name);
}

/* Neither written nor made, nor a mere handle. */
static bool is_read_flags(uint64_t flags)
{
	return ((int)flags & (O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | O_DIRECTORY)) == O_RDONLY;
}

/* "r", "rb", "rbe"; never "r+b" or "rb+". */
static bool is_read_mode(const char *mode)
{
	if ((uintptr_t)mode < TAF_PAGE || mode[0] != 'r')
		return false;
	for (; *mode && *mode != ','; mode++)
		if (*mode == '+')
			return false;
	return true;
}

/* A refusal is what the C library gives when it has no memory. */
static taf_fn refuse(struct taf_regs *regs, uint64_t failed)
{
	errno = ENOMEM;
	return taf_regs_onward(regs, NULL, failed);
}

#define NOTE_OPEN(name, fits, failed) \
	taf_fn taf_note_##name(struct taf_regs *regs) \
	{ \
		if (!(fits)) \
			return refuse(regs, failed); \
		return taf_regs_onward(regs, NEXT(name), failed); \
	}

#define BY_PATH(name) \
	NOTE_OPEN(name, note_path(pointer_arg(regs, 0), is_read_flags(regs->arg[1]), #name), \
		  UINT64_MAX)
#define BY_FOLDER(name) \
	NOTE_OPEN(name, note_path_at(regs, is_read_flags(regs->arg[2]), #name), UINT64_MAX)
#define BY_MODE(name) \
	NOTE_OPEN(name, \
		  note_path(pointer_arg(regs, 0), is_read_mode(pointer_arg(regs, 1)), #name), 0)

BY_PATH(open)
BY_PATH(open64)
BY_FOLDER(openat)
BY_FOLDER(openat64)
BY_PATH(__open_2)
BY_PATH(__open64_2)
BY_FOLDER(__openat_2)
BY_FOLDER(__openat64_2)
BY_MODE(fopen)
BY_MODE(fopen64)
