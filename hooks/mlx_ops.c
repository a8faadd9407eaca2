/* SPDX-License-Identifier: MIT */
/* mlx_ops.c -- what we call of MLX ourselves: to synchronize, to clear, and to be told. */
#include <errno.h>

#include "../policy/text.h"
#include "../shim/crumb.h"
#include "../shim/thrown.h"
#include "mlx.h"

#define TAF_STREAM struct taf_stream
#define TAF_ROWS "mlx.def"
#define TAF_TABLE taf_table_mlx
#include "rows.h"
extern const struct taf_table TAF_TABLE;

bool taf_mlx_ask(taf_fn fn, uint64_t *n)
{
	struct taf_try t = { .fn = fn };

	taf_tls.inside++;
	if (!taf_try_call(&t))
		t.fn = NULL;
	taf_tls.inside--;
	*n = t.result;
	return t.fn != NULL;
}

static taf_fn active_fn(const void *home)
{
	return EITHER(_ZN3mlx4core17get_active_memoryEv, _ZN3mlx4core5metal17get_active_memoryEv,
		      home);
}

uint64_t taf_mlx_held(const void *home)
{
	uint64_t n;

	return taf_mlx_ask(active_fn(home), &n) ? n : UINT64_MAX;
}

/* Streams that the program has made; the default one of each thread is not among them. */
#define STREAMS_MAX 32
static struct made {
	_Atomic(int32_t) tid; /* 0: free */
	enum taf_mlx_sort sort;
	struct taf_stream stream;
} made[STREAMS_MAX];
static _Atomic(uint32_t) n_made;

void taf_mlx_note_stream(enum taf_mlx_sort sort, struct taf_stream stream)
{
	uint32_t i = atomic_fetch_add(&n_made, 1);

	if (i >= STREAMS_MAX)
		return;
	made[i].sort = sort;
	made[i].stream = stream;
	atomic_store(&made[i].tid, taf_tid());
}

/* From 0.31.2 on what a thread made is its own; before, anybody may wait for it. */
static bool is_ours_to_wait(const struct made *m, const void *home)
{
	return m->sort != TAF_MLX_PLAIN || atomic_load(&m->tid) == taf_tid() ||
	       !THEIRS(_ZN3mlx4core13clear_streamsEv, home);
}

/* What a computation ended with is told to who waits for it next, and that is us. */
static void on_seen(struct taf_try *t)
{
	const char *text = taf_thrown_text(t->thrown), *type = taf_thrown_type(t->thrown);
	struct taf_mlx_job j = { .call = { .table = TAF_SELF,
					   .row = ROW__ZN3mlx4core11synchronizeEv,
					   .is_counted = true } };

	taf_mlx_failed(&j, text, type);
	taf_mlx_keep(text, type);
}

static void sync_stream(const struct made *m, const void *home)
{
	struct taf_try t = { .arg = { (uint64_t)(uint32_t)m->stream.index |
					      (uint64_t)(uint32_t)m->stream.kind << 32,
				      (uint64_t)(uint32_t)m->stream.device },
			     .seen = on_seen };

	if (m->sort == TAF_MLX_LOCAL)
		t.fn = (taf_fn)THEIRS(_ZN3mlx4core11synchronizeENS0_17ThreadLocalStreamE, home);
	else if (is_ours_to_wait(m, home))
		t.fn = (taf_fn)THEIRS(_ZN3mlx4core11synchronizeENS0_6StreamE, home);
	taf_try_call(&t);
}

/* What a process leaves wired outlives it where it is killed: nothing is, once it leaves. */
void taf_mlx_let_go(const void *home)
{
	struct taf_try t = { .fn = EITHER(_ZN3mlx4core15set_wired_limitEm,
					  _ZN3mlx4core5metal15set_wired_limitEm, home) };

	if (!taf_limit_in_force(TAF_LIMIT_WIRED) || !taf_try_call(&t))
		return;
	taf_limit_own(TAF_LIMIT_WIRED, taf_limit_asked(TAF_LIMIT_WIRED), 0);
	taf_crumb(&(struct taf_rec){ .kind = TAF_LIMIT,
				     .phase = TAF_MARK,
				     .engine = TAF_ENGINE_MLX,
				     .rule = "drain.at_exit",
				     .msg = "nothing stays wired: the process leaves" });
}

/* On the thread that infers alone: act.c sees to that. */
static int sync_thread(void *handle, const void *home)
{
	struct taf_try t = { .fn = (taf_fn)THEIRS(_ZN3mlx4core11synchronizeEv, home),
			     .seen = on_seen };

	(void)handle;
	if (!taf_try_is_ready() || !t.fn)
		return -ENOSYS;
	for (uint32_t i = 0; i < STREAMS_MAX && atomic_load(&made[i].tid); i++)
		sync_stream(&made[i], home);
	if (!taf_try_call(&t))
		return -EIO;
	/* Also where drain.no_clear bars what comes next. */
	if (taf_state_now() == TAF_LEAVING)
		taf_mlx_let_go(home);
	return 0;
}

static int clear(void *handle, const void *home)
{
	struct taf_try t = { .fn = EITHER(_ZN3mlx4core11clear_cacheEv,
					  _ZN3mlx4core5metal11clear_cacheEv, home) };

	(void)handle;
	if (!t.fn)
		return -ENOSYS;
	return taf_try_call(&t) ? 0 : -EIO;
}

static taf_fn cached_fn(const void *home)
{
	return EITHER(_ZN3mlx4core16get_cache_memoryEv, _ZN3mlx4core5metal16get_cache_memoryEv,
		      home);
}

static int slack(void *handle, const void *home, uint64_t *bytes)
{
	(void)handle;
	return taf_mlx_ask(cached_fn(home), bytes) ? 0 : -ENOSYS;
}

static void put_bytes(struct taf_text *out, const char *key, taf_fn fn)
{
	uint64_t n;

	if (!taf_mlx_ask(fn, &n))
		return;
	taf_text_put(out, key);
	taf_text_u64(out, n);
}

void taf_mlx_tell(const void *home, struct taf_text *out)
{
	put_bytes(out, ",\"active\":", active_fn(home));
	put_bytes(out, ",\"peak_bytes\":",
		  EITHER(_ZN3mlx4core15get_peak_memoryEv, _ZN3mlx4core5metal15get_peak_memoryEv,
			 home));
	put_bytes(out, ",\"cached\":", cached_fn(home));
}

const struct taf_ops taf_mlx_ops = { .sync = sync_thread, .trim = clear, .slack = slack };
const struct taf_by_thread taf_mlx_threads = { .tell = taf_mlx_tell,
					       .let_go = taf_mlx_let_go,
					       .held = taf_mlx_held };
