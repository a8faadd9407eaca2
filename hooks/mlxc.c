/* SPDX-License-Identifier: MIT */
/* mlxc.c -- mlx-c: the same boundaries as mlx.c, through functions that throw nothing.
 *
 * A synchronize of ours goes to libmlx, in whatever library that is exported; the C
 * interface has none without a stream, and ends the process when it is given a
 * device that is not there. */
#include "../policy/text.h"
#include "../shim/format.h"
#include "mlx.h"

#define TAF_ROWS "mlxc.def"
#define TAF_TABLE taf_table_mlxc
#define TAF_ENGINE TAF_ENGINE_MLXC
#define TAF_OPS &taf_mlx_ops
#define TAF_BY_THREAD &by_thread
#define TAF_STATUS(r) told(&call, r)
static const struct taf_by_thread by_thread;
static int64_t told(const struct taf_call *c, int64_t rc);
#include "expand.h"

static bool is_old(taf_fn theirs)
{
	return taf_real_has_beside(TAF_SELF, ROW_mlx_retain, theirs);
}

/* What their function said; before 0.1.0 it said nothing. */
static int64_t told(const struct taf_call *c, int64_t rc)
{
	return rc && is_old(c->real) ? 0 : rc;
}

static uint64_t held_by(const void *home)
{
	mlx_get_active_memory_fn *held = THEIRS(mlx_get_active_memory, home);
	size_t bytes = 0;
	int rc = -1;

	if (!held)
		return UINT64_MAX;
	taf_tls.inside++;
	rc = held(&bytes);
	taf_tls.inside--;
	return rc ? UINT64_MAX : bytes;
}

static const struct taf_by_thread by_thread = { .tell = taf_mlx_tell,
						.let_go = taf_mlx_let_go,
						.held = held_by };

/* ---- Errors --------------------------------------------------------------------- */

static _Atomic(bool) is_told; /* this engine says why, before it returns that it failed */

/* What is said while nothing of ours is open is about a call that is not watched. */
static bool is_ours(void)
{
	uint32_t kinds = 1u << TAF_SUBMIT | 1u << TAF_LOAD | 1u << TAF_SYNC | 1u << TAF_TRIM;

	return !taf_is_other_process() && taf_state_now() == TAF_ACTIVE && !taf_tls.inside &&
	       (taf_tls.open & kinds);
}

static taf_fn tell(int row, struct taf_regs *regs, unsigned format_at)
{
	char buf[256];
	struct taf_text t;
	struct taf_mlx_job j = { .call = { .table = TAF_SELF,
					   .row = (uint16_t)row,
					   .work = taf_tls.held,
					   .is_counted = true } };
	taf_fn theirs = taf_real(TAF_SELF, row, regs->caller);

	if (is_ours()) {
		taf_text_init(&t, buf, sizeof(buf));
		taf_format(&t, regs, format_at);
		atomic_store(&is_told, true);
		taf_mlx_failed(&j, buf, NULL);
	}
	return taf_regs_onward(regs, theirs, 0);
}

taf_fn taf_note__mlx_error(struct taf_regs *regs)
{
	return tell(ROW__mlx_error, regs, 2);
}

taf_fn taf_note__mlx_error_with_code(struct taf_regs *regs)
{
	return tell(ROW__mlx_error_with_code, regs, 3);
}

/* ---- Evaluations ---------------------------------------------------------------- */

static void end(struct taf_mlx_job *j, int64_t rc)
{
	if (rc && !atomic_load(&is_told))
		taf_mlx_failed(j, NULL, NULL);
	taf_mlx_end(j, rc);
}

static int evaluate(int row, const void *caller, void *arrays, enum taf_step_kind kind)
{
	struct taf_mlx_job j = { .step = { .kind = kind } };
	int rc;

	if (!taf_mlx_begin(&j, TAF_SELF, row, caller))
		return 1;
	rc = ((mlx_eval_fn *)j.call.real)(arrays);
	if (j.is_seen)
		end(&j, told(&j.call, rc));
	return rc;
}

int taf_mlx_eval(void *arrays)
{
	return evaluate(ROW_mlx_eval, TAF_CALLER, arrays, TAF_STEP_EVAL);
}

int taf_mlx_async_eval(void *arrays)
{
	return evaluate(ROW_mlx_async_eval, TAF_CALLER, arrays, TAF_STEP_ASYNC);
}

int taf_mlx_array_eval(void *array)
{
	return evaluate(ROW_mlx_array_eval, TAF_CALLER, array, TAF_STEP_WAIT);
}

/* ---- Loads ---------------------------------------------------------------------- */

/* What libmlx reads on behalf of this is the same file. */
#define READ(theirs) \
	do { \
		taf_tls.inside++; \
		rc = theirs; \
		taf_tls.inside--; \
	} while (0)

/* Before 0.1.0 nothing that we could read says which file it is, and NULL is no answer that a
 * program of that time looks for: that one passes unseen, but for the files that are opened. */
uint64_t taf_mlx_load_safetensors(void *arrays, void *metadata, const char *path, void *stream)
{
	struct taf_call call = TAF_CALL(mlx_load_safetensors);
	mlx_load_safetensors_fn *theirs = REAL(mlx_load_safetensors);
	uint64_t rc = 1;

	if (theirs && is_old((taf_fn)theirs))
		return theirs(arrays, metadata, path, stream);
	if (taf_lazy_read(&call, path))
		READ(THROUGH(call, mlx_load_safetensors)(arrays, metadata, path, stream));
	return rc;
}

int taf_mlx_load_safetensors_reader(void *arrays, void *metadata, void *reader, void *stream)
{
	struct taf_call call = TAF_CALL(mlx_load_safetensors_reader);
	int rc = 1;

	if (taf_lazy_read(&call, NULL))
		READ(THROUGH(call, mlx_load_safetensors_reader)(arrays, metadata, reader, stream));
	return rc;
}

int taf_mlx_load_gguf(void *gguf, const char *path, void *stream)
{
	struct taf_call call = TAF_CALL(mlx_load_gguf);
	int rc = 1;

	if (taf_lazy_read(&call, path))
		READ(THROUGH(call, mlx_load_gguf)(gguf, path, stream));
	return rc;
}

/* ---- Limits --------------------------------------------------------------------- */

static int set_limit(struct taf_call *c, enum taf_limit which, size_t *before, size_t asked)
{
	struct taf_mlx_limit l = { .which = which, .set.asked = asked };
	size_t had = 0;
	int rc = 0;

	if (!taf_mlx_limit_begin(c, &l))
		return 1;
	if (l.set.is_told)
		rc = ((mlx_set_wired_limit_fn *)c->real)(&had, l.set.granted);
	if (rc) {
		taf_after(c, rc);
		return rc;
	}
	had = taf_mlx_limit_end(c, &l, had);
	if (before)
		*before = had;
	return 0;
}

int taf_mlx_set_wired_limit(size_t *before, size_t limit)
{
	struct taf_call call = TAF_CALL(mlx_set_wired_limit);

	return set_limit(&call, TAF_LIMIT_WIRED, before, limit);
}

int taf_mlx_set_cache_limit(size_t *before, size_t limit)
{
	struct taf_call call = TAF_CALL(mlx_set_cache_limit);

	return set_limit(&call, TAF_LIMIT_CACHE, before, limit);
}

int taf_mlx_set_memory_limit(size_t *before, size_t limit)
{
	struct taf_call call = TAF_CALL(mlx_set_memory_limit);

	return set_limit(&call, TAF_LIMIT_MEMORY, before, limit);
}
