/* SPDX-License-Identifier: MIT */
/* fake_llama.c -- a llama.cpp made of the rows of hooks/llama.def (fake.h).
 *
 *   load           a new pointer, NULL where the path contains "fail"; without width, as
 *                  of a vocabulary alone, where it contains "vocab"
 *   FAKE_PIN=PATH  ... and takes FAKE_PIN_BYTES of pinned memory, of the fake HIP at path
 *   contexts       a new pointer each; two threads in one at once end the
 *                  process with status 97
 *   FAKE_DECODE_MS FAKE_SYNC_MS   how long a computation, llama_synchronize take
 *   FAKE_DECODE_RC                what a computation returns
 *   FAKE_DECODE_RC_AT=N           only the N-th one does
 *   states         a context holds the tokens that were decoded well; its memory is their
 *                  number
 *   FAKE_VOCAB=N                  tokens of every vocabulary
 *   FAKE_SEQUENCES=N              that share the room of a context
 *   FAKE_META=KEY=VALUE,...       what the file of every model says behind "llama."
 *   FAKE_LAYOUT=odd               a context's parameters lie as in no version
 *   FAKE_HANG_AT=N                the N-th computation never returns
 *   fake_on_decode(fn)            fn is called inside a computation, like a log callback
 *   FAKE_FN_FIRST                 ... before the context is entered, so that fn may
 *                                 leave by longjmp as an exception would
 */
#define FAKE_ROWS "../../hooks/llama.def"
#define HAND_llama_model_load_from_file FAKE_HAND
#define HAND_llama_load_model_from_file FAKE_HAND
#define HAND_llama_model_load_from_splits FAKE_HAND
#define HAND_llama_model_load_from_file_ptr FAKE_HAND
#define HAND_llama_model_init_from_user FAKE_HAND
#define HAND_llama_init_from_model FAKE_HAND
#define HAND_llama_new_context_with_model FAKE_HAND
#define HAND_llama_decode FAKE_HAND
#define HAND_llama_encode FAKE_HAND
#define HAND_llama_process FAKE_HAND
#define HAND_llama_batch_ext_add FAKE_HAND
#define HAND_llama_batch_ext_add_token FAKE_HAND
#define HAND_llama_synchronize FAKE_HAND
#define HAND_llama_free FAKE_HAND
#define HAND_llama_model_free FAKE_HAND
#define HAND_llama_free_model FAKE_HAND
#define HAND_llama_n_ctx FAKE_HAND
#define HAND_llama_context_default_params FAKE_HAND
#define HAND_llama_model_size FAKE_HAND
#define HAND_llama_model_meta_val_str FAKE_HAND
#define HAND_llama_model_n_embd FAKE_HAND
#define HAND_llama_n_embd FAKE_HAND
#define HAND_llama_get_memory FAKE_HAND
#define HAND_llama_memory_clear FAKE_HAND
#define HAND_llama_kv_self_clear FAKE_HAND
#define HAND_llama_kv_cache_clear FAKE_HAND
#define HAND_llama_memory_seq_pos_max FAKE_HAND
#define HAND_llama_kv_self_seq_pos_max FAKE_HAND
#define HAND_llama_state_get_size FAKE_HAND
#define HAND_llama_state_save_file FAKE_HAND
#define HAND_llama_save_session_file FAKE_HAND
#define HAND_llama_state_seq_save_file FAKE_HAND
#define HAND_llama_state_load_file FAKE_HAND
#define HAND_llama_load_session_file FAKE_HAND
#define HAND_llama_state_seq_load_file FAKE_HAND
#define HAND_llama_n_ctx_seq FAKE_HAND
#define HAND_llama_n_seq_max FAKE_HAND
#define HAND_llama_vocab_n_tokens FAKE_HAND
#define HAND_llama_state_seq_get_size FAKE_HAND
#define HAND_llama_adapter_lora_init FAKE_HAND
#define HAND_llama_lora_adapter_init FAKE_HAND
#include <dlfcn.h>

#include "fake.h"

struct model {
	char path[64];
};

struct context {
	_Atomic(int) is_entered;
	_Atomic(int) tokens;
};

static void (*_Atomic on_decode)(void);

FAKE_PUBLIC void fake_on_decode(void (*fn)(void));

void fake_on_decode(void (*fn)(void))
{
	on_decode = fn;
}

static void *returned(int row, void *p)
{
	fake_last[row] = (int64_t)(intptr_t)p;
	return p;
}

/* Takes pinned memory of the library at path. */
static void pin(const char *path)
{
	void *handle = path ? dlopen(path, RTLD_NOW) : NULL, *p = NULL;
	int (*take)(void **p, size_t n, unsigned flags);

	if (!handle)
		return;
	p = dlsym(handle, "hipHostMalloc");
	memcpy(&take, &p, sizeof(take));
	take(&p, (size_t)fake_setting("FAKE_PIN_BYTES"), 0);
}

static void *new_model(int row, const char *path, const struct fake_value *v)
{
	struct model *m;

	fake_called(row);
	fake_check(row, fake_value_is_whole(v));
	fake_sleep(fake_setting("FAKE_LOAD_MS"));
	pin(getenv("FAKE_PIN"));
	if (path && strstr(path, "fail"))
		return returned(row, NULL);
	m = calloc(1, sizeof(*m));
	if (m && path)
		strncpy(m->path, path, sizeof(m->path) - 1);
	return returned(row, m);
}

void *llama_model_load_from_file(const char *path, struct fake_value params)
{
	return new_model(FAKE_llama_model_load_from_file, path, &params);
}

void *llama_load_model_from_file(const char *path, struct fake_value params)
{
	return new_model(FAKE_llama_load_model_from_file, path, &params);
}

void *llama_model_load_from_splits(const char **paths, size_t n, struct fake_value params)
{
	return new_model(FAKE_llama_model_load_from_splits, n ? paths[0] : NULL, &params);
}

void *llama_model_load_from_file_ptr(void *file, struct fake_value params)
{
	return new_model(FAKE_llama_model_load_from_file_ptr, file ? "stream" : NULL, &params);
}

void *llama_model_init_from_user(void *meta, void *set_tensor, void *data, struct fake_value params)
{
	(void)set_tensor;
	(void)data;
	return new_model(FAKE_llama_model_init_from_user, meta ? "user" : NULL, &params);
}

static void *new_context(int row, const void *model, const struct fake_value *v)
{
	fake_called(row);
	fake_check(row, fake_value_is_whole(v));
	return returned(row, model ? calloc(1, sizeof(struct context)) : NULL);
}

void *llama_init_from_model(void *model, struct fake_value params)
{
	return new_context(FAKE_llama_init_from_model, model, &params);
}

void *llama_new_context_with_model(void *model, struct fake_value params)
{
	return new_context(FAKE_llama_new_context_with_model, model, &params);
}

static void enter(int row, struct context *c)
{
	fake_called(row);
	if (c && atomic_exchange(&c->is_entered, 1))
		fake_fail(97, fake_names[row], " came while another thread was in the context");
}

static void leave(struct context *c)
{
	if (c)
		c->is_entered = 0;
}

static int32_t compute(int row, void *ctx, int32_t tokens)
{
	void (*fn)(void) = on_decode;
	struct context *c = ctx;
	int32_t rc = (int32_t)fake_setting("FAKE_DECODE_RC");

	/* Another thread is ending the process: what would come of this nobody knows. */
	while (fake_is_down)
		pause();
	if (fn && getenv("FAKE_FN_FIRST"))
		fn();
	enter(row, ctx);
	if (fn && !getenv("FAKE_FN_FIRST"))
		fn();
	while (fake_setting("FAKE_HANG_AT") && fake_counts[row] >= fake_setting("FAKE_HANG_AT"))
		fake_sleep(1000);
	fake_sleep(fake_setting("FAKE_DECODE_MS"));
	leave(ctx);
	if (fake_setting("FAKE_DECODE_RC_AT") &&
	    fake_counts[row] != fake_setting("FAKE_DECODE_RC_AT"))
		rc = 0;
	if (c && !rc)
		c->tokens += tokens;
	if (!rc)
		rc = (int32_t)fake_number(row);
	fake_last[row] = rc;
	return rc;
}

int32_t llama_decode(void *ctx, struct fake_batch batch)
{
	fake_check(FAKE_llama_decode, fake_batch_is_whole(&batch));
	return compute(FAKE_llama_decode, ctx, batch.n);
}

int32_t llama_encode(void *ctx, struct fake_batch batch)
{
	fake_check(FAKE_llama_encode, fake_batch_is_whole(&batch));
	return compute(FAKE_llama_encode, ctx, batch.n);
}

/* A batch that hides what is in it is, here, its number of tokens. */
int32_t llama_process(void *ctx, int type, void *batch)
{
	(void)type;
	return compute(FAKE_llama_process, ctx, batch ? *(int32_t *)batch : 0);
}

int32_t llama_batch_ext_add(void *batch, int32_t seq)
{
	fake_called(FAKE_llama_batch_ext_add);
	fake_last[FAKE_llama_batch_ext_add] = batch && seq >= 0 ? (*(int32_t *)batch)++ : -3;
	return (int32_t)fake_last[FAKE_llama_batch_ext_add];
}

int32_t llama_batch_ext_add_token(void *batch, int32_t seq, int32_t id)
{
	fake_called(FAKE_llama_batch_ext_add_token);
	fake_last[FAKE_llama_batch_ext_add_token] =
		batch && seq >= 0 && id >= 0 ? (*(int32_t *)batch)++ : -2;
	return (int32_t)fake_last[FAKE_llama_batch_ext_add_token];
}

void *llama_get_memory(const void *ctx)
{
	const struct context *c = ctx;

	fake_called(FAKE_llama_get_memory);
	return returned(FAKE_llama_get_memory, c ? (void *)(uintptr_t)&c->tokens : NULL);
}

void llama_memory_clear(void *memory, bool data)
{
	fake_called(FAKE_llama_memory_clear);
	*(_Atomic(int) *)memory = data ? 0 : -1;
}

void llama_kv_self_clear(void *ctx)
{
	struct context *c = ctx;

	fake_called(FAKE_llama_kv_self_clear);
	c->tokens = 0;
}

void llama_kv_cache_clear(void *ctx)
{
	struct context *c = ctx;

	fake_called(FAKE_llama_kv_cache_clear);
	c->tokens = 0;
}

static int32_t number(int row, int32_t n)
{
	fake_called(row);
	fake_last[row] = n;
	return n;
}

int32_t llama_memory_seq_pos_max(void *store, int32_t seq)
{
	return number(FAKE_llama_memory_seq_pos_max, *(_Atomic(int) *)store - 1 + seq);
}

int32_t llama_kv_self_seq_pos_max(void *store, int32_t seq)
{
	struct context *c = store;

	return number(FAKE_llama_kv_self_seq_pos_max, c->tokens - 1 + seq);
}

size_t llama_state_get_size(void *ctx)
{
	return ctx ? (size_t)number(FAKE_llama_state_get_size, 64) : 0;
}

size_t llama_state_seq_get_size(void *ctx, int32_t seq)
{
	return ctx ? (size_t)number(FAKE_llama_state_seq_get_size, 32 + seq) : 0;
}

/* A file of a saved state is the name of the kind, as a number, and that of tokens. */
static int64_t save(int row, struct context *c, const char *path)
{
	static const uint32_t magic = 0x6767736e;
	char text[64];
	int fd, n = 0;

	fake_called(row);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0) {
		memset(text, 0, sizeof(text));
		memcpy(text, &magic, sizeof(magic));
		memcpy(text + 8, &c->tokens, sizeof(c->tokens));
		n = (int)write(fd, text, sizeof(text));
		close(fd);
	}
	fake_last[row] = n > 0;
	return n > 0;
}

static int64_t restore(int row, struct context *c, const char *path)
{
	int fd, n = 0, tokens;
	char text[64];

	fake_called(row);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = (int)read(fd, text, sizeof(text));
		close(fd);
	}
	if (n > 12) {
		memcpy(&tokens, text + 8, sizeof(tokens));
		c->tokens = tokens;
	}
	fake_last[row] = n > 12;
	return n > 12;
}

/* A new one each time, which stays. */
static void *new_adapter(int row)
{
	fake_called(row);
	return returned(row, malloc(16));
}

void *llama_adapter_lora_init(void *model, const char *path)
{
	(void)model;
	(void)path;
	return new_adapter(FAKE_llama_adapter_lora_init);
}

void *llama_lora_adapter_init(void *model, const char *path)
{
	(void)model;
	(void)path;
	return new_adapter(FAKE_llama_lora_adapter_init);
}

bool llama_state_save_file(void *ctx, const char *path, const void *tokens, size_t n_tokens)
{
	(void)tokens;
	(void)n_tokens;
	return save(FAKE_llama_state_save_file, ctx, path);
}

bool llama_save_session_file(void *ctx, const char *path, const void *tokens, size_t n_tokens)
{
	(void)tokens;
	(void)n_tokens;
	return save(FAKE_llama_save_session_file, ctx, path);
}

size_t llama_state_seq_save_file(void *ctx, const char *path, int32_t seq, const void *tokens,
				 size_t n_tokens)
{
	(void)seq;
	(void)tokens;
	(void)n_tokens;
	return (size_t)save(FAKE_llama_state_seq_save_file, ctx, path);
}

bool llama_state_load_file(void *ctx, const char *path, void *tokens_out, size_t capacity,
			   size_t *n_out)
{
	(void)tokens_out;
	(void)capacity;
	if (n_out)
		*n_out = 0;
	return restore(FAKE_llama_state_load_file, ctx, path);
}

bool llama_load_session_file(void *ctx, const char *path, void *tokens_out, size_t capacity,
			     size_t *n_out)
{
	(void)tokens_out;
	(void)capacity;
	if (n_out)
		*n_out = 0;
	return restore(FAKE_llama_load_session_file, ctx, path);
}

size_t llama_state_seq_load_file(void *ctx, const char *path, int32_t seq, void *tokens_out,
				 size_t capacity, size_t *n_out)
{
	(void)seq;
	(void)tokens_out;
	(void)capacity;
	if (n_out)
		*n_out = 0;
	return (size_t)restore(FAKE_llama_state_seq_load_file, ctx, path);
}

int32_t llama_vocab_n_tokens(const void *vocab)
{
	fake_called(FAKE_llama_vocab_n_tokens);
	return vocab ? (int32_t)fake_setting("FAKE_VOCAB") : 0;
}

void llama_synchronize(void *ctx)
{
	enter(FAKE_llama_synchronize, ctx);
	fake_sleep(fake_setting("FAKE_SYNC_MS"));
	leave(ctx);
}

void llama_free(void *ctx)
{
	enter(FAKE_llama_free, ctx);
	free(ctx);
}

void llama_model_free(void *model)
{
	fake_called(FAKE_llama_model_free);
	free(model);
}

void llama_free_model(void *model)
{
	fake_called(FAKE_llama_free_model);
	free(model);
}

#include "fake_llama_told.h"
