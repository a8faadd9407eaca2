/* SPDX-License-Identifier: MIT */
/* guest_exit.c -- loads a model, decodes, and leaves by the way that argv[1] names.
 *
 * Contexts are still alive and computations in flight then: what a guard must
 * drain before the engine's own exit handler.  exit_routes.sh says what must
 * come of each way. */
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "guest.h"

#define BEFORE 3 /* decodes before it leaves */

extern char **environ;

static struct guest_engine engine;
static void *model, *ctx;
static char *const sh_argv[] = { "sh", "-c", "echo new program; exit 4", NULL };

static void say(const char *line)
{
	if (write(1, line, strlen(line)) < 0)
		_exit(94);
}

static void use_engine(int decodes)
{
	guest_open(&engine);
	model = engine.load("/models/tiny.gguf", fake_value_of(0));
	ctx = engine.make(model, fake_value_of(0));
	for (int i = 0; i < decodes; i++)
		engine.decode(ctx, fake_batch_of(1));
}

static void at_exit(void)
{
	say("app exit handler\n");
}

static void exit_5(void)
{
	exit(5);
}

static void now_exit_5(void)
{
	_exit(5);
}

static void exit_3(void)
{
	exit(3);
}

static void *decode_on(void *arg)
{
	for (;;)
		engine.decode(ctx, fake_batch_of(1));
	return arg;
}

static void *exit_soon(void *arg)
{
	(void)arg;
	usleep(30000);
	exit(3);
}

static void *nothing(void *arg)
{
	return arg;
}

static void exit_handler(int signo)
{
	(void)signo;
	exit(3);
}

static int child_exits(void *arg)
{
	(void)arg;
	_exit(4);
}

static void await(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	printf("child %d\n", status);
	fflush(stdout);
}

/* The ways that are one call; those that come back give the status that main returns. */
#define CALL(name, call) \
	static int way_##name(void) \
	{ \
		return call; \
	}
CALL(return, 3)
CALL(exit, (exit(3), 0))
CALL(exit_minus, (exit(-1), 0))
CALL(_exit_minus, (_exit(-1), 0))
CALL(exit_256, (exit(256), 0))
CALL(_exit, (_exit(3), 0))
CALL(_Exit, (_Exit(3), 0))
CALL(quick_exit, (at_quick_exit(at_exit), quick_exit(3), 0))
CALL(abort, (abort(), 0))
CALL(error, (error(3, 0, "that is all"), 0))
CALL(raise, raise(SIGTERM))
CALL(sigterm, kill(getpid(), SIGTERM))
CALL(sigint, kill(getpid(), SIGINT))
CALL(sighup, kill(getpid(), SIGHUP))
CALL(sigkill, kill(getpid(), SIGKILL))
CALL(execve, execve("/bin/sh", sh_argv, environ))
CALL(execv, execv("/bin/sh", sh_argv))
CALL(execvp, execvp("sh", sh_argv))
CALL(execvpe, execvpe("sh", sh_argv, environ))
CALL(execl, execl("/bin/sh", "sh", "-c", sh_argv[2], (char *)NULL))
CALL(execlp, execlp("sh", "sh", "-c", sh_argv[2], (char *)NULL))
CALL(execle, execle("/bin/sh", "sh", "-c", sh_argv[2], (char *)NULL, environ))
CALL(fexecve, fexecve(open("/bin/sh", O_RDONLY), sh_argv, environ))
CALL(execveat, execveat(AT_FDCWD, "/bin/sh", sh_argv, environ, 0))
CALL(exit_group, (int)syscall(SYS_exit_group, 3))

static int way_assert(void)
{
	extern void __assert_fail(const char *, const char *, unsigned, const char *)
		__attribute__((noreturn));

	__assert_fail("x", "file", 1, "function");
}

static int way_exec_fails(void)
{
	int r = execv("/no/such/program", sh_argv);

	printf("execv %d %s\n", r, strerror(errno));
	printf("decode %d\n", engine.decode(ctx, fake_batch_of(1)));
	return 3;
}

static int way_exec_again(void)
{
	char self[4096];

	guest_beside(self, sizeof(self), "guest_exit");
	return execl(self, "guest_exit", "exit", (char *)NULL);
}

static int way_spawn(void)
{
	pid_t pid = 0;

	int r = posix_spawn(&pid, "/bin/sh", NULL, NULL, sh_argv, environ);

	await(pid);
	printf("posix_spawn %d\n", r);
	return 3;
}

static int way_spawnp(void)
{
	pid_t pid = 0;

	int r = posix_spawnp(&pid, "sh", NULL, NULL, sh_argv, environ);

	await(pid);
	printf("posix_spawnp %d\n", r);
	printf("posix_spawnp %d\n",
	       posix_spawnp(&pid, "no-such-program", NULL, NULL, sh_argv, environ));
	return 3;
}

static int way_system(void)
{
	printf("system %d\n", system("echo new program; exit 4"));
	return 3;
}

static int way_popen(void)
{
	char line[64] = "";
	FILE *f = popen("echo new program; exit 4", "r");

	if (f && fgets(line, sizeof(line), f))
		printf("popen %s", line);
	printf("pclose %d\n", f ? pclose(f) : -1);
	return 3;
}

static int way_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(4);
	await(pid);
	return 3;
}

static int way_fork_exit(void)
{
	pid_t pid = fork();

	if (!pid)
		exit(4);
	await(pid);
	return 3;
}

/* The child computes too, on a model of its own. */
static int way_fork_decode(void)
{
	pid_t pid = fork();

	if (!pid) {
		void *own = engine.load("/models/other.gguf", fake_value_of(0));

		exit(engine.decode(engine.make(own, fake_value_of(0)), fake_batch_of(1)) + 4);
	}
	await(pid);
	return 3;
}

static int way_fork_exec(void)
{
	pid_t pid = fork();

	if (!pid) {
		execv("/bin/sh", sh_argv);
		_exit(1);
	}
	await(pid);
	return 3;
}

static int way_vfork(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execv("/bin/sh", sh_argv);
		_exit(1);
	}
	await(pid);
	return 3;
}

static int way_vfork_fails(void)
{
	pid_t pid = vfork();

	if (!pid) {
		execv("/no/such/program", sh_argv);
		_exit(1);
	}
	await(pid);
	printf("decode %d\n", engine.decode(ctx, fake_batch_of(1)));
	return 3;
}

static int way_clone(void)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	await(clone(child_exits, stack + 65536, SIGCHLD, NULL));
	return 3;
}

static int way_raw_fork(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(4);
	await(pid);
	return 3;
}

static int way_pthread_exit(void)
{
	pthread_t t;

	pthread_create(&t, NULL, nothing, NULL);
	pthread_exit(NULL);
}

static int way_sigsegv(void)
{
	volatile int *volatile nowhere = NULL;

	return *nowhere;
}

static int way_sigfpe(void)
{
	volatile int zero = 0;

	return 100 / zero;
}

static int deep(int n);
static int (*volatile deeper)(int) = deep;

static int deep(int n)
{
	volatile char frame[4096];

	frame[0] = (char)n;
	return deeper(n + 1) + frame[0];
}

static int way_overflow(void)
{
	return deep(0);
}

static int way_inline_exit_group(void)
{
#if defined(__x86_64__)
	__asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(3) : "rcx", "r11", "memory");
#else
	register long nr __asm__("x8") = SYS_exit_group;
	register long status __asm__("x0") = 3;

	__asm__ volatile("svc 0" : : "r"(nr), "r"(status) : "memory");
#endif
	return 0;
}

static int way_exit_in_handler_of_exit(void)
{
	atexit(exit_5);
	exit(3);
}

static int way__exit_in_handler_of_exit(void)
{
	atexit(now_exit_5);
	return 3;
}

static int way_exit_on_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, exit_soon, NULL);
	decode_on(NULL);
	return 0;
}

static int way_return_while_decoding(void)
{
	pthread_t t;

	pthread_create(&t, NULL, decode_on, NULL);
	while (engine.count("llama_decode") <= BEFORE)
		usleep(1000);
	return 3;
}

static int way_exit_in_callback(void)
{
	engine.on_decode(exit_3);
	return engine.decode(ctx, fake_batch_of(1));
}

static void alarm_now(void)
{
	raise(SIGALRM);
}

static int way_exit_in_signal_handler(void)
{
	signal(SIGALRM, exit_handler);
	engine.on_decode(alarm_now);
	return engine.decode(ctx, fake_batch_of(1));
}

/* A handler exits in the midst of the drain, and what the program does at its end takes its time. */
static void slow_end(void)
{
	say("slow exit handler\n");
	sleep(5);
	say("and its end\n");
}

static int way_exit_in_drain(void)
{
	atexit(slow_end);
	signal(SIGALRM, exit_handler);
	ualarm(100000, 0);
	exit(5);
}

/* Frees all by itself, as a tidy program does. */
static int way_tidy(void)
{
	engine.sync(ctx);
	engine.free_ctx(ctx);
	engine.free_model(model);
	return 3;
}

#define WAY(name) \
	{ \
#name, way_##name \
	}
static const struct {
	const char *name;
	int (*go)(void);
} ways[] = {
	WAY(return ),
	WAY(exit),
	WAY(exit_minus),
	WAY(_exit_minus),
	WAY(exit_256),
	WAY(_exit),
	WAY(_Exit),
	WAY(quick_exit),
	WAY(abort),
	WAY(error),
	WAY(raise),
	WAY(assert),
	WAY(sigterm),
	WAY(sigint),
	WAY(sighup),
	WAY(sigkill),
	WAY(execve),
	WAY(execv),
	WAY(execvp),
	WAY(execvpe),
	WAY(execl),
	WAY(execlp),
	WAY(execle),
	WAY(fexecve),
	WAY(execveat),
	WAY(exec_fails),
	WAY(exec_again),
	WAY(spawn),
	WAY(spawnp),
	WAY(system),
	WAY(popen),
	WAY(fork),
	WAY(fork_exit),
	WAY(fork_decode),
	WAY(fork_exec),
	WAY(vfork),
	WAY(vfork_fails),
	WAY(clone),
	WAY(raw_fork),
	WAY(pthread_exit),
	WAY(sigsegv),
	WAY(sigfpe),
	WAY(overflow),
	WAY(exit_group),
	WAY(inline_exit_group),
	WAY(exit_in_handler_of_exit),
	WAY(_exit_in_handler_of_exit),
	WAY(exit_on_thread),
	WAY(return_while_decoding),
	WAY(exit_in_callback),
	WAY(exit_in_signal_handler),
	WAY(exit_in_drain),
	WAY(tidy),
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	atexit(at_exit);
	for (size_t i = 0; argc > 1 && i < sizeof(ways) / sizeof(*ways); i++) {
		if (strcmp(ways[i].name, argv[1]) != 0)
			continue;
		use_engine(BEFORE);
		say("ready\n");
		return ways[i].go();
	}
	return 93;
}
