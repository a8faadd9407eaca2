/* SPDX-License-Identifier: MIT */
/* ggml.c -- ggml's backends: memory, graphs of programs without llama, and the
 * message of a failed assertion. */
#include "../policy/text.h"
#include "../shim/crumb.h"
#include "../shim/error.h"
#include "../shim/format.h"
#include "../shim/work.h"
#include "hook.h"

#define TAF_ROWS "ggml.def"
#define TAF_TABLE taf_table_ggml
#define TAF_ENGINE TAF_ENGINE_GGML
#define TAF_OPS NULL
#define TAF_STATUS(r) TAF_STATUS_OF(r)
#define TAF_FAULT(call, rc) \
	do { \
		if (__builtin_expect((rc) < 0, 0)) \
			look_at(&(call), rc); \
	} while (0)
static void look_at(const struct taf_call *call, int64_t rc);
#include "expand.h"

/* GGML_STATUS_ALLOC_FAILED is -2. Inside a call of an engine that one tells of it. */
static void look_at(const struct taf_call *call, int64_t rc)
{
	struct taf_error e = { .call = call, .rc = rc };

	e.what = rc == -2 ? TAF_FAILED_MEMORY : TAF_FAILED_COMPUTE;
	if (TAF_SELF->rows[call->row].kind != TAF_SUBMIT)
		return;
	if (taf_tls.held)
		taf_tls.held->has_failed = true;
	taf_error_failed(&e);
}

void taf_ggml_backend_buffer_free(void *buffer)
{
	struct taf_call call = TAF_CALL(ggml_backend_buffer_free);
	ggml_backend_buffer_get_size_fn *size = THEIRS(ggml_backend_buffer_get_size, TAF_CALLER);

	if (buffer && size && taf_state_now() == TAF_ACTIVE)
		call.bytes = size(buffer);
	if (!taf_before_narrow(&call, TAF_FREE))
		return;
	THROUGH(call, ggml_backend_buffer_free)(buffer);
	taf_after_narrow(&call, TAF_FREE, 0);
}

void *taf_ggml_backend_load(const char *path)
{
	void *backend = REAL(ggml_backend_load) ? REAL(ggml_backend_load)(path) : NULL;

	taf_mark(TAF_NOTE, TAF_ENGINE_GGML, "ggml_backend_load", path);
	return backend;
}

/* ggml_abort(const char *file, int line, const char *format, ...): the text is
 * read from the saved registers, so that their function gets its arguments untouched. */
taf_fn taf_note_ggml_abort(struct taf_regs *regs)
{
	char buf[512];
	struct taf_text t;
	taf_fn theirs;
	struct taf_rec r = { .kind = TAF_ERROR,
			     .phase = TAF_MARK,
			     .engine = TAF_ENGINE_GGML,
			     .call = "ggml_abort",
			     .class = "ggml_abort",
			     .msg = buf };
	union {
		uint64_t n;
		const char *s;
	} file = { .n = regs->arg[0] };

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, file.s ? taf_base(file.s) : "?");
	taf_text_char(&t, ':');
	taf_text_i64(&t, (int32_t)regs->arg[1]);
	taf_text_put(&t, ": ");
	taf_format(&t, regs, 2);
	if (!taf_is_other_process() &&
	    (taf_state_now() == TAF_ACTIVE || taf_state_now() == TAF_LEAVING))
		taf_crumb(&r);
	theirs = taf_real(TAF_SELF, ROW_ggml_abort, regs->caller);
	return theirs ? theirs : taf_real_libc("abort"); /* it never returns: not here either */
}
