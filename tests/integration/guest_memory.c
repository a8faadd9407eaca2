/* SPDX-License-Identifier: MIT */
/* guest_memory.c -- takes memory of the fake engines as its arguments say, one after the other.
 *
 *   load=PATH    loads a model
 *   context=N    makes a context of N tokens of the newest model
 *   infer=N      N generations on it, with a pause between
 *   alloc=BYTES  takes a buffer
 *   back         gives the newest buffer back
 *   open=PATH    opens a file for reading; fopen=PATH likewise
 *   write=PATH, make=PATH, handle=PATH, update=PATH   for writing, anew, by O_PATH, by "rb+"
 *   at=DIR/NAME  opens NAME in DIR by openat; cd=DIR goes there
 *   grow=PATH    makes a file four times as long
 *   vfork=PATH   a vfork child opens; signal=PATH: a handler does
 *   child        the rest is done by a fork child
 *   wait=MS      does nothing
 *   free         gives the newest context and model back
 *
 * Says what came of each, and goes on. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "guest.h"

#define MANY 8

static struct guest_engine engine;
static void *(*take)(void *type, size_t size);
static void (*give)(void *buffer);
static void *models[MANY], *contexts[MANY], *buffers[MANY];
static int n_models, n_contexts, n_buffers;
static const char *in_handler;

static void open_ggml(void)
{
	char path[4096];
	void *handle;

	guest_beside(path, sizeof(path), "libfake_ggml.so");
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		_exit(95);
	guest_symbol(&take, handle, "ggml_backend_buft_alloc_buffer");
	guest_symbol(&give, handle, "ggml_backend_buffer_free");
}

/* The engine with a load entry comes into the process with the first load alone. */
static void need_engine(void)
{
	if (!engine.handle)
		guest_open(&engine);
}

static void say_open(const char *how, int fd)
{
	printf("%s: %s\n", how, fd < 0 ? strerror(errno) : "ok");
	if (fd >= 0)
		close(fd);
}

static void open_file(const char *path)
{
	say_open("open", open(path, O_RDONLY));
}

static void write_file(const char *path)
{
	say_open("write", open(path, O_WRONLY));
}

static void make_file(const char *path)
{
	say_open("make", open(path, O_RDONLY | O_CREAT, 0600));
}

static void open_handle(const char *path)
{
	say_open("handle", open(path, O_PATH));
}

static void open_at(const char *path)
{
	char dir[4096];
	const char *base = strrchr(path, '/');
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", (int)(base - path), path);
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	say_open("at", openat(fd, base + 1, O_RDONLY));
	close(fd);
}

static void stream(const char *how, const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	printf("%s: %s\n", how, f ? "ok" : strerror(errno));
	if (f)
		fclose(f);
}

static void open_stream(const char *path)
{
	stream("fopen", path, "rb");
}

static void update(const char *path)
{
	stream("update", path, "rb+");
}

static void go_to(const char *path)
{
	if (chdir(path))
		_exit(95);
}

static void grow(const char *path)
{
	struct stat st;

	if (stat(path, &st) || truncate(path, 4 * st.st_size))
		_exit(95);
}

static void open_in_vfork(const char *path)
{
	int status = -1;
	pid_t pid = vfork();

	/* What a vfork child must not do, guests do: that is the case. */
	if (!pid)
		_exit(open(path, O_RDONLY) < 0); /* NOLINT(clang-analyzer-unix.Vfork) */
	waitpid(pid, &status, 0);
	printf("vfork: %s\n", status ? "failed" : "ok");
}

static void handler(int signo)
{
	(void)signo;
	say_open("signal", open(in_handler, O_RDONLY));
}

static void open_in_handler(const char *path)
{
	in_handler = path;
	signal(SIGUSR1, handler);
	raise(SIGUSR1);
}

/* The parent only waits for the child that does the rest. */
static void be_child(const char *none)
{
	int status = -1;
	pid_t pid = fork();

	(void)none;
	if (!pid)
		return;
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

static const char *word(const void *p)
{
	return p ? "ok" : "failed";
}

static void load(const char *path)
{
	const char *base = strrchr(path, '/');
	void *model;

	need_engine();
	model = n_models < MANY ? engine.load(path, fake_value_of(0)) : NULL;
	printf("load %s: %s\n", base ? base + 1 : path, word(model));
	if (model)
		models[n_models++] = model;
}

static void make_context(const char *tokens)
{
	void *context = n_models && n_contexts < MANY
				? engine.make(models[n_models - 1], fake_value_of(atoi(tokens)))
				: NULL;

	printf("context: %s\n", word(context));
	if (context)
		contexts[n_contexts++] = context;
}

/* Longer than drain.idle_ms between them: each is a generation. */
static void infer(const char *value)
{
	int ok = 0, times = atoi(value);

	for (int i = 0; n_contexts && i < times; i++) {
		usleep(i ? 30000 : 0);
		ok += engine.decode(contexts[n_contexts - 1], fake_batch_of(1)) == 0;
	}
	printf("infer: %d of %d\n", ok, times);
}

static void free_newest(const char *none)
{
	(void)none;
	if (n_contexts)
		engine.free_ctx(contexts[--n_contexts]);
	if (n_models)
		engine.free_model(models[--n_models]);
	puts("free");
}

static void alloc(const char *bytes)
{
	void *buffer = n_buffers < MANY ? take(NULL, strtoull(bytes, NULL, 10)) : NULL;

	printf("alloc: %s\n", word(buffer));
	if (buffer)
		buffers[n_buffers++] = buffer;
}

static void give_back(const char *none)
{
	(void)none;
	if (n_buffers)
		give(buffers[--n_buffers]);
}

static void pause_ms(const char *ms)
{
	usleep((useconds_t)atoi(ms) * 1000);
}

static const struct {
	const char *name;
	void (*fn)(const char *value);
} steps[] = {
	{ "load", load },
	{ "context", make_context },
	{ "infer", infer },
	{ "alloc", alloc },
	{ "back", give_back },
	{ "open", open_file },
	{ "fopen", open_stream },
	{ "write", write_file },
	{ "make", make_file },
	{ "handle", open_handle },
	{ "update", update },
	{ "at", open_at },
	{ "cd", go_to },
	{ "grow", grow },
	{ "vfork", open_in_vfork },
	{ "signal", open_in_handler },
	{ "child", be_child },
	{ "wait", pause_ms },
	{ "free", free_newest },
};

static bool run_step(const char *step)
{
	size_t n = strcspn(step, "=");

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (strlen(steps[i].name) == n && !strncmp(step, steps[i].name, n)) {
			steps[i].fn(step[n] ? step + n + 1 : "");
			return true;
		}
	return false;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	open_ggml();
	for (int i = 1; i < argc; i++)
		if (!run_step(argv[i]))
			return 64;
	return 0;
}
