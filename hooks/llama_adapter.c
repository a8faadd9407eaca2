/* SPDX-License-Identifier: MIT */
/* llama_adapter.c -- llama.cpp: which adapters a context computes with, as one number.
 *
 * A saved state goes with them (shim/state_guard.h). The number is the sum of one for each
 * adapter, made of its file and its scale, so that their order does not matter. */
#include "../shim/state_guard.h"
#include "../shim/work.h"
#include "hook.h"

#define TAF_ROWS "llama.def"
#define TAF_TABLE taf_table_llama
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define ADAPTERS 64
/* By handle, which comes back only after its model was freed; the newest one counts. */
static struct {
	_Atomic(void *) handle;
	_Atomic(uint64_t) print;
} adapters_seen[ADAPTERS];
static _Atomic(uint32_t) n_seen;

static void note_adapter(void *adapter, const char *path)
{
	uint32_t at = atomic_fetch_add(&n_seen, 1) % ADAPTERS;

	for (uint32_t i = 0; i < ADAPTERS; i++)
		if (atomic_load(&adapters_seen[i].handle) == adapter)
			at = i;
	atomic_store(&adapters_seen[at].print, taf_state_adapter(path));
	atomic_store(&adapters_seen[at].handle, adapter);
}

static uint64_t print_of(const void *adapter)
{
	for (uint32_t i = 0; adapter && i < ADAPTERS; i++)
		if (atomic_load(&adapters_seen[i].handle) == adapter)
			return atomic_load(&adapters_seen[i].print);
	return 1;
}

/* With a scale of 0 an adapter is not there. */
static uint64_t print_at(const void *adapter, float scale)
{
	uint32_t bits;

	__builtin_memcpy(&bits, &scale, sizeof(bits));
	return bits << 1 ? print_of(adapter) * (2 * (uint64_t)bits + 1) : 0;
}

static uint64_t print_of_set(void *const *adapters, size_t n, const float *scales)
{
	uint64_t sum = 0;

	for (size_t i = 0; adapters && i < n; i++)
		sum += print_at(adapters[i], scales ? scales[i] : 1);
	return sum;
}

static void *init(struct taf_call *c, void *model, const char *path)
{
	void *adapter;

	c->msg = path;
	if (!taf_before(c))
		return NULL;
	adapter = ((llama_adapter_lora_init_fn *)c->real)(model, path);
	if (adapter && c->is_counted && taf_rules.state_guard)
		note_adapter(adapter, path);
	taf_after(c, adapter ? 0 : -1);
	return adapter;
}

void *taf_llama_adapter_lora_init(void *model, const char *path)
{
	struct taf_call call = TAF_CALL(llama_adapter_lora_init);

	return init(&call, model, path);
}

void *taf_llama_lora_adapter_init(void *model, const char *path)
{
	struct taf_call call = TAF_CALL(llama_lora_adapter_init);

	return init(&call, model, path);
}

int32_t taf_llama_set_adapters_lora(void *ctx, void **adapters, size_t n, float *scales)
{
	llama_set_adapters_lora_fn *theirs = REAL(llama_set_adapters_lora);
	struct taf_work *w = taf_work_of(ctx);
	int32_t rc;

	if (!theirs)
		return -1;
	rc = theirs(ctx, adapters, n, scales);
	if (!rc && w && taf_rules.state_guard)
		atomic_store(&w->adapters, print_of_set(adapters, n, scales));
	return rc;
}

/* ---- one by one ---- */

/* What was set, so that it can be taken away again. A program uses a context from one
 * thread at a time; entries of different ones are taken by different threads. */
static struct one {
	_Atomic(struct taf_work *) of; /* NULL: free */
	const void *adapter;
	uint64_t print;
} ones[ADAPTERS];

static void drop_all(const struct taf_work *w)
{
	for (uint32_t i = 0; i < ADAPTERS; i++)
		if (atomic_load(&ones[i].of) == w)
			atomic_store(&ones[i].of, NULL);
}

static struct one *one_of(struct taf_work *w, const void *adapter)
{
	struct taf_work *none;

	for (uint32_t i = 0; i < ADAPTERS; i++)
		if (atomic_load(&ones[i].of) == w && ones[i].adapter == adapter)
			return &ones[i];
	for (uint32_t i = 0; i < ADAPTERS; i++) {
		none = NULL;
		if (atomic_compare_exchange_strong(&ones[i].of, &none, w)) {
			ones[i].adapter = adapter;
			ones[i].print = 0;
			return &ones[i];
		}
	}
	return NULL;
}

/* A context that has none may be a new one at the place of another. */
static void set_one(struct taf_work *w, const void *adapter, float scale)
{
	uint64_t sum = atomic_load(&w->adapters), print = print_at(adapter, scale);
	struct one *o;

	if (!sum)
		drop_all(w);
	o = one_of(w, adapter);
	if (!o) /* more than are followed: no state of this context is known any more */
		atomic_store(&w->adapters, sum + 1);
	if (!o)
		return;
	atomic_store(&w->adapters, sum - o->print + print);
	o->print = print;
	if (!print)
		atomic_store(&o->of, NULL);
}

static void clear_all(struct taf_work *w)
{
	drop_all(w);
	atomic_store(&w->adapters, 0);
}

#define SETS(name) \
	int32_t taf_##name(void *ctx, void *adapter, float scale) \
	{ \
		name##_fn *theirs = REAL(name); \
		struct taf_work *w = taf_work_of(ctx); \
		int32_t rc; \
		if (!theirs) \
			return -1; \
		rc = theirs(ctx, adapter, scale); \
		if (!rc && w && taf_rules.state_guard) \
			set_one(w, adapter, scale); \
		return rc; \
	}
#define REMOVES(name) \
	int32_t taf_##name(void *ctx, void *adapter) \
	{ \
		name##_fn *theirs = REAL(name); \
		struct taf_work *w = taf_work_of(ctx); \
		int32_t rc; \
		if (!theirs) \
			return -1; \
		rc = theirs(ctx, adapter); \
		if (!rc && w && taf_rules.state_guard) \
			set_one(w, adapter, 0); \
		return rc; \
	}
#define CLEARS(name) \
	void taf_##name(void *ctx) \
	{ \
		name##_fn *theirs = REAL(name); \
		struct taf_work *w = taf_work_of(ctx); \
		if (theirs) \
			theirs(ctx); \
		if (theirs && w && taf_rules.state_guard) \
			clear_all(w); \
	}
SETS(llama_set_adapter_lora)
SETS(llama_lora_adapter_set)
REMOVES(llama_rm_adapter_lora)
REMOVES(llama_lora_adapter_remove)
CLEARS(llama_clear_adapter_lora)
CLEARS(llama_lora_adapter_clear)

#include "none.h"
#undef OWN
#undef OWNV
#define OWN(ret, name, params, args, kind, refuse, doc) \
	extern TAF_PUBLIC ret name params __attribute__((alias("taf_" #name)));
#define OWNV(name, params, args, kind, doc) \
	extern TAF_PUBLIC void name params __attribute__((alias("taf_" #name)));
#include "llama_adapter.def"
