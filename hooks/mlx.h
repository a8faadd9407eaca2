/* SPDX-License-Identifier: MIT */
/* mlx.h -- what the C++ and the C interface of MLX share. */
#ifndef TAF_MLX_H
#define TAF_MLX_H

#include "../shim/lazy.h"
#include "../shim/limit.h"
#include "../shim/owner.h"
#include "../shim/trycall.h"
#include "hook.h"

/* What the program is told of a call that a rule refuses. */
#define TAF_MLX_REFUSED "refused by taffrail: `taffrail report` says by which rule"

extern const struct taf_ops taf_mlx_ops;
extern const struct taf_by_thread taf_mlx_threads;
void taf_mlx_tell(const void *home, struct taf_text *out);
void taf_mlx_let_go(const void *home);

/* Three numbers by value: of the stream, of the kind of device, of the device. */
struct taf_stream {
	int32_t index, kind, device;
};
/* How a stream was made. */
enum taf_mlx_sort { TAF_MLX_PLAIN, TAF_MLX_LOCAL, TAF_MLX_SHARED };

/* One of their functions by its older or its newer name. */
#define EITHER(newer, older, home) \
	(THEIRS(newer, home) ? (taf_fn)THEIRS(newer, home) : (taf_fn)THEIRS(older, home))

/* Calls fn, which takes nothing and gives a number. False: there is none, or it threw. */
bool taf_mlx_ask(taf_fn fn, uint64_t *n);
/* The program has made a stream, on this thread. */
void taf_mlx_note_stream(enum taf_mlx_sort sort, struct taf_stream stream);

/* An evaluation on its way. */
struct taf_mlx_job {
	struct taf_call call;
	struct taf_lazy *load; /* it is a load's; NULL: of a generation, or unseen */
	struct taf_step step;
	bool is_seen;
};

/* False: a rule refuses it, or their function is missing (call.real is NULL then). */
bool taf_mlx_begin(struct taf_mlx_job *j, const struct taf_table *t, int row, const void *caller);
void taf_mlx_end(struct taf_mlx_job *j, int64_t rc);
/* It failed, and has not ended yet. text: what the engine said, type: what it threw; NULL:
 * nothing. */
void taf_mlx_failed(const struct taf_mlx_job *j, const char *text, const char *type);
/* A wait of ours for what this thread has begun was told so, and nobody else will be. */
void taf_mlx_keep(const char *text, const char *type);
/* Throws that at the program's next call, of that thread, or where another one waits for what
 * it did not begin itself. True: it should, and cannot be thrown; the job has ended. */
bool taf_mlx_hand_on(struct taf_mlx_job *j);
/* The same of other calls. */
void taf_mlx_hand_on_call(struct taf_call *c);
/* Bytes that arrays take, as the engine at home counts; UINT64_MAX: it cannot be asked. */
uint64_t taf_mlx_held(const void *home);
/* Sets limits that the policy wants before the program asks; once a process. */
void taf_mlx_prepare(const struct taf_call *c);
/* Writes down that the engine at home has a way to load that is no row. */
void taf_mlx_tell_unknown(const void *home);

/* A limit is set: theirs gets the call, with granted bytes in place of what was asked. */
struct taf_mlx_limit {
	enum taf_limit which;
	struct taf_limit_set set;
	char why[112];
};
/* False: their function is missing. */
bool taf_mlx_limit_begin(struct taf_call *c, struct taf_mlx_limit *l);
/* before: what theirs gave. Returns what the program gets. */
uint64_t taf_mlx_limit_end(struct taf_call *c, struct taf_mlx_limit *l, uint64_t before);

#endif
