/* SPDX-License-Identifier: MIT */
/* guest_signal.c -- computes, and gets SIGTERM in the state that argv[1] names.
 *
 * A sender thread (or process) raises the signal while the main thread is in
 * that state.  signals.sh runs it with exit.signals=TERM and compares with the
 * plain run. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "guest.h"

#define LONG_S 60 /* the signal is there before that, on a machine that stalls as well */

static struct guest_engine engine;
static void *ctx;
static pid_t main_thread;

static void say(const char *line)
{
	if (write(1, line, strlen(line)) < 0)
		_exit(94);
}

static void use_engine(void)
{
	guest_open(&engine);
	ctx = engine.make(engine.load("/models/tiny.gguf", fake_value_of(0)), fake_value_of(0));
	engine.decode(ctx, fake_batch_of(1));
}

static void own(int signo)
{
	say(signo == SIGTERM ? "own handler\n" : "own handler of another\n");
}

static void own_exit(int signo)
{
	own(signo);
	_exit(5);
}

static void own_info(int signo, siginfo_t *info, void *context)
{
	(void)context;
	say(info->si_pid == getpid() ? "own handler, from ourselves\n"
				     : "own handler, from outside\n");
	(void)signo;
}

/* What the program believes. */
static void view(const char *when)
{
	struct sigaction a;
	const char *what = "a stranger's";

	memset(&a, 0x55, sizeof(a));
	sigaction(SIGTERM, NULL, &a);
	if (a.sa_handler == SIG_DFL)
		what = "default";
	else if (a.sa_handler == SIG_IGN)
		what = "ignored";
	else if (a.sa_handler == own || a.sa_handler == own_exit || a.sa_sigaction == own_info)
		what = "own";
	/* The C library adds SA_RESTORER where it likes. */
	printf("%s: %s, flags %x, masked %d\n", when, what, (unsigned)a.sa_flags & ~0x04000000u,
	       sigismember(&a.sa_mask, SIGUSR1));
	fflush(stdout);
}

static const char *name_of(void (*fn)(int))
{
	return fn == SIG_DFL   ? "default"
	       : fn == SIG_IGN ? "ignored"
	       : fn == SIG_ERR ? "error"
	       : fn == own     ? "own"
			       : "?";
}

static void set(void (*fn)(int), int flags)
{
	struct sigaction a = { .sa_flags = flags };

	a.sa_handler = fn;
	sigaddset(&a.sa_mask, SIGUSR1);
	sigaction(SIGTERM, &a, NULL);
}

static void *send_soon(void *arg)
{
	(void)arg;
	usleep(50000);
	kill(getpid(), SIGTERM);
	return NULL;
}

static void *send_to_main(void *arg)
{
	(void)arg;
	usleep(50000);
	syscall(SYS_tgkill, getpid(), main_thread, SIGTERM);
	return NULL;
}

static void soon(void)
{
	pthread_t t;

	pthread_create(&t, NULL, send_soon, NULL);
	pthread_detach(t);
}

static void end_of(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	printf("child %s %d\n", WIFSIGNALED(status) ? "signal" : "exit",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	fflush(stdout);
}

static void do_kill(void)
{
	kill(getpid(), SIGTERM);
	sleep(LONG_S);
}

/* As the first process of its namespace it does not notice. */
static void do_first(void)
{
	printf("process %d\n", (int)getpid());
	fflush(stdout);
	kill(getpid(), SIGTERM);
	say("still here\n");
	exit(3);
}

static void do_raise(void)
{
	raise(SIGTERM);
	say("raise came back\n");
	sleep(LONG_S);
}

static void do_decode(void)
{
	soon();
	for (;;)
		engine.decode(ctx, fake_batch_of(1));
}

static void do_decode_alone(void)
{
	for (;;)
		engine.decode(ctx, fake_batch_of(1));
}

/* Ended by its default action inside the engine, it comes to none of its own ends. */
static void end_me(void)
{
	kill(getpid(), SIGTERM);
}

static void do_inside(void)
{
	engine.on_decode(end_me);
	engine.decode(ctx, fake_batch_of(1));
	exit(7);
}

static void do_inside_now(void)
{
	engine.on_decode(end_me);
	engine.decode(ctx, fake_batch_of(1));
	_exit(7);
}

static void do_inside_return(void)
{
	engine.on_decode(end_me);
	engine.decode(ctx, fake_batch_of(1));
}

static void do_inside_exec(void)
{
	engine.on_decode(end_me);
	engine.decode(ctx, fake_batch_of(1));
	execlp("sh", "sh", "-c", "exit 7", (char *)NULL);
}

static void do_inside_abort(void)
{
	engine.on_decode(end_me);
	engine.decode(ctx, fake_batch_of(1));
	abort();
}

static void do_spin(void)
{
	soon();
	for (volatile long i = 0;; i++)
		;
}

static void do_read(void)
{
	int ends[2];
	char c;

	if (pipe(ends))
		_exit(94);
	soon();
	if (read(ends[0], &c, 1) < 0)
		say("read came back\n");
	sleep(LONG_S);
}

static void do_pause(void)
{
	soon();
	pause();
	say("pause came back\n");
	sleep(LONG_S);
}

static void do_sleep(void)
{
	soon();
	sleep(LONG_S);
	say("sleep came back\n");
	sleep(LONG_S);
}

static void do_poll(void)
{
	soon();
	poll(NULL, 0, LONG_S * 1000);
	say("poll came back\n");
	sleep(LONG_S);
}

static void do_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, send_to_main, NULL);
	for (volatile long i = 0;; i++)
		;
}

static void do_wait(void)
{
	sigset_t term;
	int signo = 0;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	soon();
	sigwait(&term, &signo);
	printf("sigwait gave %d\n", signo);
	exit(3);
}

static void do_blocked(void)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	kill(getpid(), SIGTERM);
	say("still here\n");
	pthread_sigmask(SIG_UNBLOCK, &term, NULL);
	sleep(LONG_S);
}

static void do_view(void)
{
	struct sigaction a = { .sa_flags = SA_RESTART }, old;

	view("at first");
	printf("signal gave %s\n", name_of(signal(SIGTERM, own)));
	view("signal own");
	printf("signal gave %s\n", name_of(signal(SIGTERM, SIG_IGN)));
	printf("signal gave %s\n", name_of(signal(SIGTERM, SIG_DFL)));
	printf("signal gave %s\n", name_of(signal(SIGTERM, SIG_DFL)));
	view("signal default");
	a.sa_handler = SIG_DFL;
	sigaddset(&a.sa_mask, SIGUSR1);
	sigaction(SIGTERM, &a, NULL);
	view("sigaction default with flags");
	set(own, SA_NODEFER);
	view("sigaction own");
	a.sa_flags = SA_SIGINFO;
	sigaction(SIGTERM, &a, &old);
	printf("old %s\n", name_of(old.sa_handler));
	view("sigaction default with SA_SIGINFO");
	printf("sysv_signal gave %s\n", name_of(sysv_signal(SIGTERM, own)));
	view("sysv_signal own");
	printf("signal of 65: %d, of KILL: %d\n", signal(65, own) == SIG_ERR,
	       signal(SIGKILL, own) == SIG_ERR);
	printf("of another signal: %s\n", name_of(signal(SIGUSR2, own)));
	exit(3);
}

static void do_own(void)
{
	set(own_exit, 0);
	kill(getpid(), SIGTERM);
	sleep(LONG_S);
}

static void do_own_info(void)
{
	struct sigaction a = { .sa_flags = SA_SIGINFO };

	a.sa_sigaction = own_info;
	sigaction(SIGTERM, &a, NULL);
	kill(getpid(), SIGTERM);
	view("after");
	exit(3);
}

static void do_own_then_default(void)
{
	signal(SIGTERM, own);
	kill(getpid(), SIGTERM);
	signal(SIGTERM, SIG_DFL);
	do_kill();
}

static void do_reset(void)
{
	set(own, (int)SA_RESETHAND);
	kill(getpid(), SIGTERM);
	view("after the first");
	do_kill();
}

static void do_ignore(void)
{
	signal(SIGTERM, SIG_IGN);
	kill(getpid(), SIGTERM);
	view("ignored");
	exit(3);
}

static void do_fork(void)
{
	pid_t pid = fork();

	if (!pid)
		do_kill();
	end_of(pid);
	exit(3);
}

static void do_fork_view(void)
{
	pid_t pid = fork();

	if (!pid) {
		view("in the child");
		printf("signal gave %s\n", name_of(signal(SIGTERM, own)));
		view("own in the child");
		printf("signal gave %s\n", name_of(signal(SIGTERM, SIG_DFL)));
		fflush(stdout);
		do_kill();
	}
	end_of(pid);
	view("in the parent");
	exit(3);
}

/* A child that computes is guarded as its parent is. */
static void do_fork_decode(void)
{
	pid_t pid = fork();

	if (!pid) {
		use_engine();
		view("in the child");
		do_kill();
	}
	end_of(pid);
	exit(3);
}

static void do_exec(void)
{
	/* Without 32 and 33: the C library takes them with the first thread, whoever starts it. */
	execlp("perl", "perl", "-ne",
	       "print $1, ' ', hex(substr($2, 8)) & 0x7fffffff, ' ', hex(substr($2, 0, 8)) & ~1, "
	       "qq(\\n) "
	       "if /^(Sig[BIC]\\w+):\\s+(\\w+)/",
	       "/proc/self/status", (char *)NULL);
}

static void do_nothing(void)
{
	execlp("sh", "sh", "-c", "exit 4", (char *)NULL);
}

#define STATE(name) \
	{ \
#name, do_##name \
	}
static const struct {
	const char *name;
	void (*go)(void);
} states[] = {
	STATE(kill),	     STATE(raise),	 STATE(decode),	       STATE(decode_alone),
	STATE(spin),	     STATE(read),	 STATE(pause),	       STATE(sleep),
	STATE(poll),	     STATE(thread),	 STATE(wait),	       STATE(blocked),
	STATE(view),	     STATE(own),	 STATE(own_info),      STATE(own_then_default),
	STATE(inside),	     STATE(inside_now),	 STATE(inside_return), STATE(inside_exec),
	STATE(inside_abort), STATE(reset),	 STATE(ignore),	       STATE(fork),
	STATE(fork_view),    STATE(fork_decode), STATE(exec),	       STATE(nothing),
	STATE(first),
};

int main(int argc, char **argv)
{
	main_thread = getpid();
	/* A second argument says what is set before the engine is used. */
	if (argc > 2 && !strcmp(argv[2], "own"))
		set(own_exit, SA_RESTART);
	if (argc > 2 && !strcmp(argv[2], "ignored"))
		set(SIG_IGN, 0);
	if (argc > 2 && !strcmp(argv[2], "flags"))
		set(SIG_DFL, SA_RESTART);
	for (size_t i = 0; argc > 1 && i < sizeof(states) / sizeof(*states); i++)
		if (!strcmp(states[i].name, argv[1])) {
			use_engine();
			say("ready\n");
			states[i].go();
			return 92;
		}
	return 93;
}
