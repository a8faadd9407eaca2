/* SPDX-License-Identifier: MIT */
#include "supervise.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000
/* A shell continues a whole group: how long the guest's own SIGCONT may take. */
#define GROUP_CONT_MS 20

static sigset_t mask_at_start;
static struct sigaction chld_at_start;
static struct itimerval timers_at_start[3];

static const int timer_kinds[3] = { ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF };

struct watch {
	struct taf_guest *guest;
	struct taf_end *end;
	int64_t look_at; /* ms, CLOCK_MONOTONIC; -1: never */
	bool is_stopped; /* we stopped because the guest did, and were continued */
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / MS;
}

void taf_signals_save(void)
{
	sigprocmask(SIG_BLOCK, NULL, &mask_at_start);
	sigaction(SIGCHLD, NULL, &chld_at_start);
}

void taf_signals_block(void)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* Ignored, it would take the guest's exit status away. */
	sigaction(SIGCHLD, &plain, NULL);
}

/* What our own writing brought about must not reach the guest. */
static void drop_own(void)
{
	static const struct timespec now = { 0, 0 };
	sigset_t own;

	sigemptyset(&own);
	sigaddset(&own, SIGPIPE);
	sigaddset(&own, SIGXFSZ);
	while (sigtimedwait(&own, NULL, &now) > 0)
		;
}

void taf_signals_restore(void)
{
	drop_own();
	sigaction(SIGCHLD, &chld_at_start, NULL);
	sigprocmask(SIG_SETMASK, &mask_at_start, NULL);
}

/* Whether this signal tells us, and not the guest alone, to end. A HUP that somebody
 * sends may mean: read your files again. */
static bool tells_to_end(const siginfo_t *si)
{
	return si->si_signo == SIGTERM || si->si_signo == SIGINT || si->si_signo == SIGQUIT ||
	       (si->si_signo == SIGHUP && si->si_code > 0);
}

/* Takes what arrived before there was a guest to get it. */
static void take_early(struct taf_guest *guest, sigset_t *early)
{
	static const struct timespec now = { 0, 0 };
	siginfo_t si;
	sigset_t all;
	int sig;

	drop_own();
	sigemptyset(early);
	sigfillset(&all);
	sigdelset(&all, SIGCHLD);
	while ((sig = sigtimedwait(&all, &si, &now)) > 0) {
		guest->was_told = guest->was_told || tells_to_end(&si);
		sigaddset(early, sig);
	}
}

static void give_early(const sigset_t *early)
{
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (sigismember(early, sig) == 1)
			kill(getpid(), sig);
}

/* `perl -e 'alarm 9; exec @ARGV'`: exec keeps timers, fork does not. */
static void timers_take(void)
{
	struct itimerval none;

	memset(&none, 0, sizeof(none));
	for (size_t i = 0; i < 3; i++)
		setitimer((__itimer_which_t)timer_kinds[i], &none, &timers_at_start[i]);
}

static void timers_give(void)
{
	for (size_t i = 0; i < 3; i++)
		setitimer((__itimer_which_t)timer_kinds[i], &timers_at_start[i], NULL);
}

static char state_of(int32_t pid)
{
	char path[32], text[512], *end;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	end = strrchr(text, ')');
	return end && end[1] == ' ' ? end[2] : 0;
}

static void forward(const struct watch *w, const siginfo_t *si)
{
	siginfo_t copy = *si;

	if (si->si_pid != getpid() && si->si_pid != w->guest->pid && tells_to_end(si))
		w->guest->was_told = true;
	if (si->si_code > 0 || si->si_pid == w->guest->pid || si->si_pid == getpid())
		return;
	/* The kernel lets nobody pretend to be kill(2), but passes a queued value on. */
	if (si->si_code == SI_QUEUE &&
	    !syscall(SYS_rt_sigqueueinfo, w->guest->pid, si->si_signo, &copy))
		return;
	kill(w->guest->pid, si->si_signo);
}

static void continued(struct watch *w, const siginfo_t *si)
{
	struct timespec grace = { 0, GROUP_CONT_MS * (long)MS };

	if (!w->is_stopped) {
		forward(w, si);
		return;
	}
	w->is_stopped = false;
	if (state_of(w->guest->pid) != 'T')
		return;
	nanosleep(&grace, NULL);
	if (state_of(w->guest->pid) == 'T')
		kill(w->guest->pid, SIGCONT);
}

/* Stops this process as the guest was stopped. In an orphaned group the kernel
 * stops nobody for the terminal's signals; then this just returns. */
static void stop_too(struct watch *w, int sig)
{
	struct sigaction plain = { .sa_handler = SIG_DFL }, before;
	sigset_t one, pending;

	/* A stop would swallow the SIGCONT of a shell that was quicker than we. */
	sigpending(&pending);
	if (sigismember(&pending, SIGCONT) == 1)
		return;
	sigemptyset(&one);
	sigaddset(&one, sig);
	if (sig != SIGSTOP)
		sigaction(sig, &plain, &before);
	/* To the process, not the thread: it must merge with the one that ^Z left pending. */
	kill(getpid(), sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	sigprocmask(SIG_BLOCK, &one, NULL);
	if (sig != SIGSTOP)
		sigaction(sig, &before, NULL);
	sigpending(&pending);
	w->is_stopped = sigismember(&pending, SIGCONT) == 1;
}

/* As the first process of a container we get everybody's orphans. */
static void reap_strangers(int32_t guest)
{
	siginfo_t si;

	for (;;) {
		memset(&si, 0, sizeof(si));
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) || !si.si_pid ||
		    si.si_pid == guest)
			return;
		waitpid(si.si_pid, NULL, WNOHANG);
	}
}

/* Takes every news of the guest. True when it has ended. */
static bool ask_after(struct watch *w)
{
	siginfo_t si;

	for (;;) {
		memset(&si, 0, sizeof(si));
		if (waitid(P_PID, (id_t)w->guest->pid, &si,
			   WEXITED | WSTOPPED | WCONTINUED | WNOHANG)) {
			if (errno == EINTR)
				continue;
			w->end->status = 70;
			return true;
		}
		if (!si.si_pid)
			return false;
		if (si.si_code == CLD_EXITED) {
			w->end->status = si.si_status;
			return true;
		}
		if (si.si_code == CLD_KILLED || si.si_code == CLD_DUMPED) {
			w->end->signal = si.si_status;
			w->end->has_core = si.si_code == CLD_DUMPED;
			return true;
		}
		if (si.si_code == CLD_STOPPED)
			stop_too(w, si.si_status);
	}
}

/* Sleeps until the next signal or look. 0 or the signal. */
static int next_signal(const struct watch *w, siginfo_t *si)
{
	struct timespec ts;
	int64_t left;
	sigset_t all;

	sigfillset(&all);
	if (w->look_at < 0)
		return sigwaitinfo(&all, si);
	left = w->look_at - now_ms();
	if (left < 0)
		left = 0;
	ts.tv_sec = (time_t)(left / 1000);
	ts.tv_nsec = (long)(left % 1000) * MS;
	return sigtimedwait(&all, si, &ts);
}

static void wait_for_guest(struct watch *w)
{
	bool is_first = getpid() == 1;
	siginfo_t si;
	int sig, ms;

	while (!ask_after(w)) {
		sig = next_signal(w, &si);
		if (sig == SIGCHLD && is_first)
			reap_strangers(w->guest->pid);
		else if (sig == SIGCONT)
			continued(w, &si);
		else if (sig > 0 && sig != SIGCHLD)
			forward(w, &si);
		if (w->look_at >= 0 && now_ms() >= w->look_at) {
			ms = w->guest->look(w->guest->arg);
			w->look_at = ms < 0 ? -1 : now_ms() + ms;
		}
	}
}

int taf_supervise(struct taf_guest *guest, struct taf_end *end)
{
	struct watch w = { .guest = guest, .end = end };
	sigset_t early;
	int err;

	memset(end, 0, sizeof(*end));
	timers_take();
	take_early(guest, &early);
	guest->pid = (int32_t)fork();
	if (guest->pid < 0) {
		err = -errno;
		timers_give();
		give_early(&early);
		return err;
	}
	if (!guest->pid) {
		timers_give();
		give_early(&early);
		taf_signals_restore();
		_exit(guest->start(guest->arg));
	}
	w.look_at = guest->look_ms < 0 ? -1 : now_ms() + guest->look_ms;
	wait_for_guest(&w);
	return 0;
}

bool taf_supervise_pause(int64_t ms)
{
	struct taf_guest none = { 0 };
	struct taf_end end;
	struct watch w = { .guest = &none, .end = &end, .look_at = now_ms() + ms };
	siginfo_t si;
	int sig;

	while (now_ms() < w.look_at) {
		sig = next_signal(&w, &si);
		if (sig > 0 && (tells_to_end(&si) || sig == SIGHUP))
			return false;
		if (sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU)
			stop_too(&w, sig);
		if (sig == SIGCHLD && getpid() == 1)
			reap_strangers(0);
	}
	return true;
}

void taf_end_like(const struct taf_end *end)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	struct rlimit none = { 0, 0 };
	sigset_t one;

	if (end->signal) {
		/* The core file, if there is one, is the guest's. */
		setrlimit(RLIMIT_CORE, &none);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		sigemptyset(&one);
		sigaddset(&one, end->signal);
		sigaction(end->signal, &plain, NULL);
		kill(getpid(), end->signal);
		sigprocmask(SIG_UNBLOCK, &one, NULL);
		/* Still here: the first process of a container, which no signal ends. */
		_exit(128 + end->signal);
	}
	_exit(end->status);
}
