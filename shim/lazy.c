/* SPDX-License-Identifier: MIT */
#include "lazy.h"

#include "../policy/text.h"
#include "crumb.h"
#include "hot.h"
#include "opened.h"
#include "owner.h"
#include "scratch.h"
#include "swap.h"

#define OPEN_MAX 8
#define SAY_EVERY_NS 1000000000ull

enum { FREE, BUSY, OPEN };

struct taf_lazy {
	_Atomic(uint32_t) state; /* the rest belongs to who made it BUSY */
	_Atomic(int32_t) tid;
	struct taf_load load;
	struct taf_call call;
	bool is_named; /* else it is not known which of the open files it reads */
	char dir[TAF_MODEL_PATH]; /* with its slash; "": the current one */
};

TAF_HOT _Atomic(uint32_t) taf_lazy_open;
static struct taf_lazy loads[OPEN_MAX];
static _Atomic(uint32_t) restores; /* read back since the last crumb about it */
static _Atomic(uint64_t) said_ns;
static _Atomic(int32_t) missed_tid; /* whose last file was not there */

static bool take(struct taf_lazy *l, uint32_t from)
{
	if (!atomic_compare_exchange_strong(&l->state, &from, BUSY))
		return false;
	if (from == OPEN)
		atomic_fetch_sub(&taf_lazy_open, 1);
	return true;
}

static void put(struct taf_lazy *l, uint32_t state)
{
	if (state == OPEN)
		atomic_fetch_add(&taf_lazy_open, 1);
	atomic_store(&l->state, state);
}

static bool is_beside(const char *path, const char *name)
{
	char at[TAF_MODEL_PATH];
	struct taf_text t;
	int fd;

	taf_text_init(&t, at, sizeof(at));
	taf_text_put_n(&t, path, (size_t)(taf_base(path) - path));
	taf_text_put(&t, name);
	fd = t.is_cut ? -1 : taf_sys_open_any(at);
	if (fd < 0)
		return false;
	taf_sys_close(fd);
	return true;
}

/* Servers keep key and value caches as safetensors, without a configuration beside. */
static bool is_model(const char *path)
{
	return !taf_ends(path, ".safetensors") || is_beside(path, "config.json") ||
	       is_beside(path, "adapter_config.json");
}

/* One crumb a second, however many blocks a server reads. */
static void say_restore(const struct taf_call *c, const char *path)
{
	char buf[192];
	struct taf_text t;
	uint64_t now = taf_sys_mono_ns(), last = atomic_load(&said_ns);
	uint32_t n = atomic_fetch_add(&restores, 1) + 1;

	if ((last && now < last + SAY_EVERY_NS) ||
	    !atomic_compare_exchange_strong(&said_ns, &last, now))
		return;
	atomic_fetch_sub(&restores, n);
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, "a saved cache is read back, no model: ");
	taf_text_put(&t, path ? taf_base(path) : "a stream");
	if (n > 1) {
		taf_text_put(&t, ", and before it ");
		taf_text_u64(&t, n - 1);
		taf_text_put(&t, " more");
	}
	taf_mark(TAF_NOTE, c->table->engine, taf_row_name(c->table, c->row), buf);
}

static struct taf_lazy *mine(void)
{
	for (int i = 0; i < OPEN_MAX; i++)
		if (atomic_load(&loads[i].state) == OPEN &&
		    atomic_load(&loads[i].tid) == taf_tid() && take(&loads[i], OPEN))
			return &loads[i];
	return NULL;
}

/* The thread that opened a load evaluates it; another one only when it is at no
 * generation of its own. */
struct taf_lazy *taf_lazy_take(void)
{
	struct taf_lazy *l = mine();
	const struct taf_work *w = l ? NULL : taf_owner_mine();

	if (l || (w && w->is_inferring))
		return l;
	for (int i = 0; i < OPEN_MAX; i++)
		if (atomic_load(&loads[i].state) == OPEN && take(&loads[i], OPEN))
			return &loads[i];
	return NULL;
}

/* Before it is evaluated a load is only read: what the machine went down in is told by this
 * record, which is on disk before their function computes. */
void taf_lazy_evaluate(const struct taf_lazy *l)
{
	taf_crumb(&(struct taf_rec){ .kind = TAF_NOTE,
				     .phase = TAF_MARK,
				     .engine = l->call.table->engine,
				     .call = taf_row_name(l->call.table, l->call.row),
				     .model = l->call.model,
				     .has = TAF_HAS_OF,
				     .of = l->call.of,
				     .msg = "its weights are evaluated",
				     .keep = TAF_KEEP_SYNC });
}

struct taf_call taf_lazy_call(const struct taf_lazy *l)
{
	return l->call;
}

/* What was begun for it ends, whichever way it went. */
static void close_load(struct taf_lazy *l)
{
	if (!l->call.is_companion)
		taf_swap_over();
	put(l, FREE);
}

static void end(struct taf_lazy *l, struct taf_call *c, bool is_good, bool is_evaluated)
{
	void *handle = is_good ? taf_swap_handle() : NULL;
	bool is_main = !c->is_companion;

	if (is_good)
		taf_model_note_read(l->is_named ? l->dir : NULL);
	taf_load_end(&l->load, c, handle);
	if (handle)
		taf_swap_loaded(handle, is_evaluated);
	if (handle && is_main)
		taf_owner_set_model(taf_work_model(handle));
	close_load(l);
}

void taf_lazy_end(struct taf_lazy *l, struct taf_call *c, bool is_good)
{
	end(l, c, is_good, is_good);
}

/* What this thread has open, before it was evaluated: another model is read, or it failed. */
static void end_open(bool is_good)
{
	struct taf_lazy *l = mine();
	struct taf_call c;

	if (!l)
		return;
	c = l->call;
	taf_resume(&c);
	end(l, &c, is_good, false);
}

const char *taf_lazy_model(void)
{
	for (int i = 0; i < OPEN_MAX; i++)
		if (atomic_load(&loads[i].state) == OPEN && atomic_load(&loads[i].tid) == taf_tid())
			return loads[i].call.model;
	return NULL;
}

void taf_lazy_fail(void)
{
	end_open(false);
}

/* path's folder is what an open load of this thread is about. By path the engine opens a
 * stream and reads that: what it is of was told before. */
static bool is_part(const char *path)
{
	size_t n = path ? (size_t)(taf_base(path) - path) : 0;

	for (int i = 0; i < OPEN_MAX; i++)
		if (atomic_load(&loads[i].state) == OPEN && atomic_load(&loads[i].tid) == taf_tid())
			return !path ||
			       (loads[i].is_named == !!*path && taf_len(loads[i].dir) == n &&
				taf_equal(loads[i].dir, path, n));
	return false;
}

static struct taf_lazy *free_one(void)
{
	for (int i = 0; i < OPEN_MAX; i++)
		if (take(&loads[i], FREE))
			return &loads[i];
	return NULL;
}

static enum taf_read begin(struct taf_call *c, const char *path)
{
	struct taf_lazy *l = free_one();

	if (!l) /* more at once than are followed: it is let through */
		return TAF_READ_OTHER;
	l->call = *c;
	taf_load_begin(&l->load, &l->call, path);
	if (!l->call.is_companion)
		taf_swap_begin(&l->call);
	if (!taf_before(&l->call)) {
		close_load(l);
		return TAF_READ_REFUSED;
	}
	if (!l->call.is_counted) {
		close_load(l);
		return TAF_READ_UNSEEN;
	}
	taf_suspend(&l->call);
	l->load.path = NULL; /* theirs no longer */
	l->is_named = path && *path;
	taf_copy(l->dir, path ? path : "", sizeof(l->dir));
	if (path && (size_t)(taf_base(path) - path) < sizeof(l->dir))
		l->dir[taf_base(path) - path] = '\0';
	atomic_store(&l->tid, taf_tid());
	put(l, OPEN);
	return TAF_READ_LOAD;
}

/* Whether this call is seen at all: inside one of ours, or of a load, it is not. */
static bool is_seen(void)
{
	enum taf_state s = taf_state_now();

	return (s == TAF_ARMED || s == TAF_WAKING || s == TAF_ACTIVE) && !taf_tls.inside &&
	       !(taf_tls.open & taf_mutes(TAF_LOAD));
}

/* A file that is not there: the engine says so itself, by the stream that it makes of it. */
static bool is_missing(const char *path)
{
	int32_t me = taf_tid();

	if (!path)
		return atomic_compare_exchange_strong(&missed_tid, &me, 0);
	if (is_beside(path, taf_base(path)))
		return false;
	atomic_store(&missed_tid, me);
	return true;
}

/* ---- Streams --------------------------------------------------------------------- */

/* A model was opened, and no load of this thread or another one is known to have read it. */
static bool is_one_unread(void)
{
	struct taf_model_set *s = taf_scratch_take(sizeof(*s));
	bool is_one = false;

	for (uint32_t i = 0; s && i < TAF_MODEL_SETS && !is_one; i++)
		is_one = taf_model_set(i, s) && !s->is_read && s->group == taf_model_group() &&
			 is_model(s->path);
	taf_scratch_give(s);
	return is_one;
}

/* What a stream is of: the weights that are open now, where that are those of one model and it
 * is not known who else reads them. "": of a model, which cannot be told from others, or
 * which was read into memory before. NULL: of none, or of the load that is open. */
static const char *path_of_stream(struct taf_opened *o)
{
	static const struct taf_opened_ask ask = { is_part, is_model };

	taf_opened_look(o, &ask);
	if (o->n == 1)
		return o->path;
	if (is_part(NULL))
		return NULL;
	return (o->n ? o->models != 0 : is_one_unread()) ? "" : NULL;
}

static enum taf_read read_from(struct taf_call *c, const char *path)
{
	if (is_part(path))
		return TAF_READ_LOAD;
	if (!path || !is_model(path)) {
		if (!is_missing(path))
			say_restore(c, path);
		return TAF_READ_OTHER;
	}
	end_open(true);
	taf_owner_settle(true); /* what is computed after it is another generation */
	taf_swap_settle(c);
	return begin(c, path);
}

enum taf_read taf_lazy_read(struct taf_call *c, const char *path)
{
	struct taf_opened *o = NULL;
	enum taf_read what;

	c->real = taf_real(c->table, c->row, c->caller);
	if (!c->real)
		return TAF_READ_REFUSED;
	if (!is_seen())
		return TAF_READ_UNSEEN;
	if (!path && (o = taf_scratch_take(sizeof(*o))))
		path = path_of_stream(o);
	what = read_from(c, path);
	taf_scratch_give(o);
	return what;
}

void taf_lazy_leave(void)
{
	struct taf_call c;

	for (int i = 0; i < OPEN_MAX; i++) {
		if (atomic_load(&loads[i].state) != OPEN || !take(&loads[i], OPEN))
			continue;
		c = loads[i].call;
		c.msg = "its weights were never evaluated";
		taf_resume(&c);
		taf_after(&c, 0);
		close_load(&loads[i]);
	}
}

void taf_lazy_forget(void)
{
	for (int i = 0; i < OPEN_MAX; i++)
		atomic_store(&loads[i].state, FREE);
	atomic_store(&taf_lazy_open, 0);
	taf_owner_set_model(NULL);
	taf_swap_forget();
}
