/* SPDX-License-Identifier: MIT */
/* tokens.c -- tokens a second of the prebuilt llama.cpp, bare and under the shim.
 *
 *	tokens ENGINE-FOLDER MODEL        (bench_tokens.sh gives both)
 *
 * Two copies of this program load the model, one of them with libtaffrail.so
 * preloaded; they generate in turn, a generation each, so that a pair is
 * measured within a second or two and the copies do the same work.  A
 * generation is long enough for the other's to end: it pays for its own begin
 * and end records.  The copies are started anew a few times, because where
 * their memory came to lie lasts as long as they do.
 *
 * The engine is called as its C interface says, through dlsym; structs whose
 * size grows between versions are passed in a larger one and not looked into.
 */
#include <dlfcn.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { STARTS = 5, PAIRS_EACH = 20, PAIRS = STARTS * PAIRS_EACH, TOKENS = 40 };

struct opaque {
	uint64_t words[64];
};

struct batch {
	int32_t n_tokens;
	void *pointers[6];
};

struct engine {
	struct opaque (*model_defaults)(void), (*context_defaults)(void);
	void *(*load)(const char *, struct opaque);
	void *(*init)(void *, struct opaque);
	struct batch (*batch_of)(int32_t *, int32_t);
	int32_t (*decode)(void *, struct batch);
	void (*synchronize)(void *), (*set_threads)(void *, int32_t, int32_t);
	void *(*memory)(void *);
	void (*memory_clear)(void *, bool);
	void (*log_set)(void (*)(int, const char *, void *), void *);
	void (*backends)(const char *);
	void (*begin)(void);
	void *ctx;
};

static void quiet(int level, const char *text, void *arg)
{
	(void)level;
	(void)text;
	(void)arg;
}

static void fail(const char *what)
{
	fprintf(stderr, "tokens: %s\n", what);
	exit(1);
}

static void *open_library(const char *folder, const char *pattern)
{
	char path[4096];
	glob_t g;
	void *h;

	snprintf(path, sizeof(path), "%s/%s", folder, pattern);
	if (glob(path, 0, NULL, &g))
		fail("the folder holds no engine");
	h = dlopen(g.gl_pathv[0], RTLD_NOW);
	globfree(&g);
	if (!h)
		fail(dlerror());
	return h;
}

/* Into a function pointer, whatever its type. */
static void find(void *library, const char *name, void *to)
{
	void *p = dlsym(library, name);

	if (!p)
		fail(name);
	memcpy(to, &p, sizeof(p));
}

static void open_engine(struct engine *e, const char *folder)
{
	void *llama = open_library(folder, "libllama.v*.so"),
	     *ggml = open_library(folder, "libggml.v*.so");

	find(llama, "llama_model_default_params", &e->model_defaults);
	find(llama, "llama_context_default_params", &e->context_defaults);
	find(llama, "llama_model_load_from_file", &e->load);
	find(llama, "llama_init_from_model", &e->init);
	find(llama, "llama_batch_get_one", &e->batch_of);
	find(llama, "llama_decode", &e->decode);
	find(llama, "llama_synchronize", &e->synchronize);
	find(llama, "llama_set_n_threads", &e->set_threads);
	find(llama, "llama_get_memory", &e->memory);
	find(llama, "llama_memory_clear", &e->memory_clear);
	find(llama, "llama_log_set", &e->log_set);
	find(llama, "llama_backend_init", &e->begin);
	find(ggml, "ggml_backend_load_all_from_path", &e->backends);
}

static void generate(struct engine *e, int tokens)
{
	int32_t token = 3;

	e->memory_clear(e->memory(e->ctx), true);
	for (int i = 0; i < tokens; i++) {
		if (e->decode(e->ctx, e->batch_of(&token, 1)))
			fail("a decode failed");
		e->synchronize(e->ctx);
	}
}

/* A copy: for every byte that it reads one generation, and its seconds as the answer. */
static int copy(const char *folder, const char *file)
{
	static struct engine e;
	void *model;
	char byte;

	open_engine(&e, folder);
	e.log_set(quiet, NULL);
	e.backends(folder);
	e.begin();
	model = e.load(file, e.model_defaults());
	e.ctx = model ? e.init(model, e.context_defaults()) : NULL;
	if (!e.ctx)
		fail("the model does not load");
	/* One thread: two on two cores would measure who else runs on them. */
	e.set_threads(e.ctx, 1, 1);
	generate(&e, 10);
	while (read(STDIN_FILENO, &byte, 1) == 1) {
		double begin = bench_now_ns(), seconds;

		generate(&e, TOKENS);
		seconds = (bench_now_ns() - begin) / 1e9;
		if (write(STDOUT_FILENO, &seconds, sizeof(seconds)) != sizeof(seconds))
			return 1;
	}
	_exit(0);
}

struct pipes {
	pid_t pid;
	int to, from;
};

static struct pipes start(char **argv, const char *preload)
{
	int to[2], from[2];
	struct pipes p;

	if (pipe(to) || pipe(from))
		fail("no pipe");
	p.pid = fork();
	if (!p.pid) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		for (int fd = 3; fd < 64; fd++)
			close(fd);
		if (preload)
			setenv("LD_PRELOAD", preload, 1);
		execl("/proc/self/exe", "tokens", argv[1], argv[2], "copy", (char *)NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	p.to = to[1];
	p.from = from[0];
	return p;
}

static double tokens_a_second(const struct pipes *p)
{
	double seconds;
	int status = 0;

	if (write(p->to, "g", 1) == 1 &&
	    read(p->from, &seconds, sizeof(seconds)) == sizeof(seconds))
		return TOKENS / seconds;
	waitpid(p->pid, &status, 0);
	fprintf(stderr, "tokens: a copy ended, with %s %d\n",
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	exit(1);
}

static void stop(const struct pipes *p)
{
	int status;

	close(p->to);
	close(p->from);
	waitpid(p->pid, &status, 0);
}

static void check_guarded(const char *state)
{
	char pattern[4096];
	glob_t g;

	snprintf(pattern, sizeof(pattern), "%s/crumbs/*.jsonl", state);
	if (glob(pattern, 0, NULL, &g))
		fail("the guarded copy left no records: it was not guarded");
	globfree(&g);
}

static void measure(char **argv, const char *preload, const char *state)
{
	static double a[PAIRS], b[PAIRS], ms[PAIRS];
	int n = 0;

	for (int s = 0; s < STARTS; s++) {
		struct pipes bare = start(argv, NULL), guarded = start(argv, preload);

		tokens_a_second(&bare);
		tokens_a_second(&guarded);
		for (int i = 0; i < PAIRS_EACH; i++, n++) {
			if (i % 2)
				a[n] = tokens_a_second(&bare);
			b[n] = tokens_a_second(&guarded);
			if (i % 2 == 0)
				a[n] = tokens_a_second(&bare);
			ms[n] = 1000 / a[n];
		}
		stop(&bare);
		stop(&guarded);
		check_guarded(state);
	}
	bench_pairs("llama.cpp, tokens a second", a, b, PAIRS, "/s", 1);
	printf("\n%.1f ms a token, %d tokens a generation, one generation of each in turn.\n",
	       bench_median(ms, PAIRS), TOKENS);
}

int main(int argc, char **argv)
{
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build",
		   *state = getenv("TAFFRAIL_STATE");
	char preload[4096];

	if (argc == 4)
		return copy(argv[1], argv[2]);
	if (argc != 3 || !state) {
		fprintf(stderr, "usage: TAFFRAIL_STATE=FOLDER tokens ENGINE-FOLDER MODEL\n");
		return 64;
	}
	snprintf(preload, sizeof(preload), "%s/libtaffrail.so", build);
	signal(SIGPIPE, SIG_IGN);
	bench_head("Tokens", "without", "with");
	measure(argv, preload, state);
	return 0;
}
