/* SPDX-License-Identifier: MIT */
/* guest_errors.c -- a program whose computations fail, and what it is shown then.
 *
 *   guest_errors WORD...
 *
 *   load=PATH   loads a model and makes a context of it
 *   make        makes another context of the newest model
 *   infer=N     N decodes on the newest context; prints what each returned
 *   show        prints what the newest context is said to hold
 *   old         the same by the names of older engines
 *   fault       each decode launches a kernel of a GPU runtime (FAKE_ALL_FAIL)
 *   calm        no longer
 *   leap        the next decode is left by a jump, as an exception would
 *   free        frees the newest context
 *   keep=FILE   saves the newest context's state; back=FILE restores it; memory restores
 *               one from memory
 *   graph       computes a graph of ggml without llama; prints what that returned
 *   ready=FILE  creates FILE
 *   sleep       waits for a signal
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdbool.h>

#include "../../hooks/abi/hip.h"
#include "guest.h"

#define MANY 8

static struct guest_engine engine;
static void *model, *contexts[MANY];
static int n;
static jmp_buf out;

static struct {
	void *(*memory)(const void *ctx);
	int32_t (*pos_max)(void *store, int32_t seq);
	int32_t (*old_pos_max)(void *store, int32_t seq);
	void *(*logits)(void *ctx);
	void *(*embeddings)(void *ctx, int32_t at);
	int32_t (*token)(void *ctx, int32_t at);
	size_t (*size)(void *ctx);
	size_t (*seq_size)(void *ctx, int32_t seq);
	bool (*keep)(void *ctx, const char *path, const void *tokens, size_t n);
	bool (*back)(void *ctx, const char *path, void *out, size_t room, size_t *n);
	size_t (*memory_back)(void *ctx, const void *data, size_t n);
} ask;

static int (*launch)(const void *f, struct taf_hip_dim3 g, struct taf_hip_dim3 b, void **v,
		     size_t shared, void *stream);
static int (*compute)(void *sched, void *graph);

static void open_rest(void)
{
	char path[4096];

	guest_symbol(&ask.memory, engine.handle, "llama_get_memory");
	guest_symbol(&ask.pos_max, engine.handle, "llama_memory_seq_pos_max");
	guest_symbol(&ask.old_pos_max, engine.handle, "llama_kv_self_seq_pos_max");
	guest_symbol(&ask.logits, engine.handle, "llama_get_logits");
	guest_symbol(&ask.embeddings, engine.handle, "llama_get_embeddings_ith");
	guest_symbol(&ask.token, engine.handle, "llama_get_sampled_token_ith");
	guest_symbol(&ask.size, engine.handle, "llama_state_get_size");
	guest_symbol(&ask.seq_size, engine.handle, "llama_state_seq_get_size");
	guest_symbol(&ask.keep, engine.handle, "llama_state_save_file");
	guest_symbol(&ask.back, engine.handle, "llama_state_load_file");
	guest_symbol(&ask.memory_back, engine.handle, "llama_state_set_data");
	guest_beside(path, sizeof(path), "libfake_hip.so");
	guest_symbol(&launch, dlopen(path, RTLD_NOW | RTLD_LOCAL), "hipLaunchKernel");
	guest_beside(path, sizeof(path), "libfake_ggml.so");
	guest_symbol(&compute, dlopen(path, RTLD_NOW | RTLD_LOCAL),
		     "ggml_backend_sched_graph_compute_async");
}

static void launch_one(void)
{
	launch(NULL, (struct taf_hip_dim3){ 1, 1, 1 }, (struct taf_hip_dim3){ 1, 1, 1 }, NULL, 0,
	       NULL);
}

static void leap(void)
{
	launch_one();
	longjmp(out, 1);
}

static void make(void)
{
	contexts[n] = model ? engine.make(model, fake_value_of(0)) : NULL;
	n += contexts[n] && n < MANY - 1;
}

static void load(const char *path)
{
	model = engine.load(path, fake_value_of(0));
	printf("load %s\n", model ? "ok" : "failed");
	make();
}

static void infer(int decodes)
{
	printf("infer:");
	for (int i = 0; n && i < decodes; i++)
		printf(" %d", engine.decode(contexts[n - 1], fake_batch_of(2)));
	printf("\n");
}

static void jump_out(void)
{
	engine.on_decode(leap);
	if (!setjmp(out))
		engine.decode(contexts[n - 1], fake_batch_of(1));
	engine.on_decode(NULL);
	puts("left");
}

static void show(bool is_old)
{
	void *ctx = n ? contexts[n - 1] : NULL;

	printf("last position %d, %s, %s, token %s, state %zu, sequence %zu\n",
	       is_old ? ask.old_pos_max(ctx, 0) : ask.pos_max(ask.memory(ctx), 0),
	       ask.logits(ctx) ? "logits" : "no logits",
	       ask.embeddings(ctx, 0) ? "embeddings" : "no embeddings",
	       ask.token(ctx, 0) == -1 ? "none" : "some", ask.size(ctx), ask.seq_size(ctx, 0));
}

static void store(char how, const char *path)
{
	bool is_good = how == 'k'   ? ask.keep(contexts[n - 1], path, NULL, 0)
		       : how == 'b' ? ask.back(contexts[n - 1], path, NULL, 0, NULL)
				    : ask.memory_back(contexts[n - 1], path, 4) > 0;

	printf("%s %s\n", how == 'k' ? "kept" : "back", is_good ? "ok" : "failed");
}

static void create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	close(fd);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	guest_open(&engine);
	open_rest();
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		value = value ? value + 1 : argv[i];
		if (!strncmp(argv[i], "load=", 5))
			load(value);
		else if (!strcmp(argv[i], "make"))
			make();
		else if (!strncmp(argv[i], "infer=", 6))
			infer(atoi(value));
		else if (!strcmp(argv[i], "show") || !strcmp(argv[i], "old"))
			show(*argv[i] == 'o');
		else if (!strcmp(argv[i], "fault") || !strcmp(argv[i], "calm"))
			engine.on_decode(*argv[i] == 'f' ? launch_one : NULL);
		else if (!strcmp(argv[i], "leap"))
			jump_out();
		else if (!strcmp(argv[i], "free") && n)
			engine.free_ctx(contexts[--n]);
		else if (!strncmp(argv[i], "keep=", 5) || !strncmp(argv[i], "back=", 5) ||
			 !strcmp(argv[i], "memory"))
			store(argv[i][0], value);
		else if (!strcmp(argv[i], "graph"))
			printf("graph: %d\n", compute(NULL, NULL));
		else if (!strncmp(argv[i], "ready=", 6))
			create(value);
		else if (!strcmp(argv[i], "sleep"))
			pause();
		else
			return 64;
	}
	return 0;
}
