/* SPDX-License-Identifier: MIT */
#include "sig.h"

#include <errno.h>
#include <pthread.h>

#include "../policy/text.h"
#include "act.h"
#include "crumb.h"
#include "exit.h"
#include "life.h"
#include "park.h"
#include "still.h"
#include "work.h"

#define SIGNALS 64
#define RECALL_TRIES 1000

static _Atomic(uint64_t) taken; /* bit signo-1: we answer for this signal */
static _Atomic(uint32_t) versions[SIGNALS + 1]; /* odd while app_default[] changes */
static struct sigaction
	app_default[SIGNALS + 1]; /* what the program last set, while ours is installed */
static _Atomic(uint32_t) arrived; /* futex: the signal that the helper shall act on */
static _Atomic(int32_t) sender_pid;
static _Atomic(int32_t) helper_pid; /* the process that has a helper thread */
static _Atomic(int32_t) armed_pid; /* the process that has looked at exit.signals */

static void handler(int signo, siginfo_t *info, void *context);

static bool is_ours(const struct sigaction *a)
{
	return (a->sa_flags & SA_SIGINFO) && a->sa_sigaction == handler;
}

static bool is_taken(int signo)
{
	return signo >= 1 && signo <= SIGNALS && (atomic_load(&taken) >> (signo - 1) & 1);
}

/* Others wait for what this thread is in: who leaves first of all, and for the end of the log
 * whoever acts on the signal. */
static bool is_awaited(void)
{
	return taf_park_is_awaited() || taf_tls.is_submitting || taf_tls.is_passing ||
	       taf_still_is_mine() || taf_work_is_any_mine() ||
	       atomic_load(&taf_park.closer) == (uint32_t)taf_tid();
}

/* Hands the signal to the helper thread. By its default action nothing would run
 * here any more; a thread inside the engine goes on, so that its context becomes
 * free, and parks at its next hook. */
static void hand_over(int signo, int32_t sender)
{
	uint32_t none = 0;

	atomic_store(&sender_pid, sender);
	if (atomic_compare_exchange_strong(&arrived, &none, (uint32_t)signo)) {
		atomic_store(&taf_park.signo, signo);
		taf_sys_wake_all(&arrived);
	}
	while (!is_awaited())
		taf_sys_wait(&arrived, atomic_load(&arrived), UINT32_MAX);
}

static void handler(int signo, siginfo_t *info, void *context)
{
	(void)context;
	if (signo == SIGBUS) {
		if (!info || info->si_code <= 0 || !taf_ring_heal(info->si_addr))
			taf_sys_die_of(signo);
		return;
	}
	if (atomic_load(&helper_pid) != taf_sys_pid())
		taf_sys_die_of(signo); /* a fork child: nobody drains here */
	hand_over(signo, info && info->si_code <= 0 ? (int32_t)info->si_pid : 0);
}

static void install(int signo, taf_sigaction_fn *real)
{
	struct sigaction a = { .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	a.sa_sigaction = handler;
	sigemptyset(&a.sa_mask);
	real(signo, &a, NULL);
}

static void remember(int signo, const struct sigaction *a)
{
	atomic_fetch_add(&versions[signo], 1);
	taf_move(&app_default[signo], a, sizeof(*a));
	atomic_fetch_add(&versions[signo], 1);
}

static void recall(int signo, struct sigaction *to)
{
	uint32_t v;

	/* A handler may have interrupted remember() on this thread: what is there must do. */
	for (int tries = 0; tries < RECALL_TRIES; tries++) {
		v = atomic_load(&versions[signo]);
		taf_move(to, &app_default[signo], sizeof(*to));
		if (!(v & 1) && v == atomic_load(&versions[signo]))
			return;
	}
}

int taf_sig_action(int signo, const struct sigaction *act, struct sigaction *old,
		   taf_sigaction_fn *real)
{
	struct sigaction before;
	bool is_default = act && !(act->sa_flags & SA_SIGINFO) && act->sa_handler == SIG_DFL;
	int r;

	/* Go passes SA_SIGINFO together with SIG_DFL: the pointer decides. */
	if (act && act->sa_handler == SIG_DFL)
		is_default = true;
	if (!is_taken(signo) || taf_is_other_process() || taf_state_now() == TAF_COLD) {
		r = real(signo, act, old);
		if (!r && old && is_ours(old))
			recall(signo, old);
		return r;
	}
	r = real(signo, is_default ? NULL : act, &before);
	if (r)
		return r;
	if (is_ours(&before))
		recall(signo, &before);
	if (is_default) {
		remember(signo, act);
		install(signo, real);
	}
	if (old)
		taf_move(old, &before, sizeof(*old));
	return 0;
}

/* sigaction of the C library, past our own. */
static taf_sigaction_fn *find_real(void)
{
	union {
		taf_fn f;
		taf_sigaction_fn *s;
	} u = { .f = taf_real_libc("sigaction") };

	return u.s;
}

taf_handler_fn *taf_sig_signal(int signo, taf_handler_fn *fn,
			       taf_handler_fn *(*real)(int, taf_handler_fn *))
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	taf_sigaction_fn *act = is_taken(signo) ? find_real() : NULL;
	taf_handler_fn *old;
	union {
		void (*three)(int, siginfo_t *, void *);
		taf_handler_fn *one;
	} ours = { .three = handler };

	old = real(signo, fn);
	if (!act || old == SIG_ERR)
		return old;
	/* What the C library really set is what a query must show. */
	if (fn == SIG_DFL && !act(signo, NULL, &dfl))
		taf_sig_action(signo, &dfl, NULL, act);
	return old == ours.one ? SIG_DFL : old;
}

void taf_sig_raise(int signo)
{
	taf_sigaction_fn *real = is_taken(signo) ? find_real() : NULL;
	struct sigaction now;

	if (signo == SIGBUS)
		return;
	if (real && atomic_load(&helper_pid) == taf_sys_pid() && !real(signo, NULL, &now) &&
	    now.sa_handler == SIG_DFL)
		hand_over(signo, taf_sys_pid());
}

static const char *name_of(int signo)
{
	static const char names[][8] = {
		[SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT",
		[SIGUSR1] = "SIGUSR1", [SIGUSR2] = "SIGUSR2", [SIGTERM] = "SIGTERM",
		[SIGALRM] = "SIGALRM", [SIGPIPE] = "SIGPIPE"
	};

	return signo > 0 && (size_t)signo < sizeof(names) / sizeof(*names) && names[signo][0]
		       ? names[signo]
		       : "signal";
}

static void crumb_signal(int signo)
{
	char buf[64];
	struct taf_text t;
	struct taf_rec r = { .kind = TAF_SIGNAL,
			     .phase = TAF_MARK,
			     .call = name_of(signo),
			     .has = TAF_HAS_RC,
			     .rc = signo,
			     .rule = "exit.signals" };

	taf_text_init(&t, buf, sizeof(buf));
	if (atomic_load(&sender_pid)) {
		taf_text_put(&t, "sent by process ");
		taf_text_i64(&t, atomic_load(&sender_pid));
	}
	r.msg = buf[0] ? buf : NULL;
	taf_crumb(&r);
}

static void *helper(void *arg)
{
	int signo;

	(void)arg;
	while (!(signo = (int)atomic_load(&arrived)))
		taf_sys_wait(&arrived, 0, UINT32_MAX);
	crumb_signal(signo);
	taf_leave_signal(name_of(signo), signo);
	taf_sys_die_of(signo);
	taf_sys_exit_group(128 + signo); /* not reached, unless the kernel does not let it die */
}

static bool start_helper(void)
{
	pthread_t thread;
	uint64_t mask = taf_sys_block_all();
	int err = pthread_create(&thread, NULL, helper, NULL);

	taf_sys_restore_mask(mask);
	if (err)
		return false;
	pthread_detach(thread);
	atomic_store(&helper_pid, taf_sys_pid());
	return true;
}

static void take(int signo, taf_sigaction_fn *real)
{
	struct sigaction now;

	if (real(signo, NULL, &now))
		return;
	/* Ours already: inherited over a fork. */
	if (!is_ours(&now) && now.sa_handler == SIG_DFL) {
		remember(signo, &now);
		install(signo, real);
	} else if (!is_ours(&now) && now.sa_handler != SIG_IGN) {
		taf_mark(TAF_NOTE, TAF_ENGINE_NONE, name_of(signo),
			 "exit.signals: the program handles this signal itself; drained if it "
			 "raises it again");
	}
	atomic_fetch_or(&taken, 1ull << (signo - 1));
}

/* A file that is mapped can be cut by whoever may write it: that must not be the
 * program's death. Only where SIGBUS is at its default action. */
void taf_sig_guard_ring(void)
{
	struct sigaction now;
	int saved = errno;
	taf_sigaction_fn *real = find_real();

	if (real && !real(SIGBUS, NULL, &now) && !is_ours(&now) && now.sa_handler == SIG_DFL) {
		remember(SIGBUS, &now);
		install(SIGBUS, real);
		atomic_fetch_or(&taken, 1ull << (SIGBUS - 1));
	}
	errno = saved;
}

void taf_sig_arm(void)
{
	int saved = errno;
	taf_sigaction_fn *real;

	atomic_fetch_and(&taf_life.alert, ~(uint32_t)TAF_ALERT_SIGNALS);
	if (!taf_rules.exit_signals || taf_rules.mode != TAF_MODE_ENFORCE ||
	    atomic_exchange(&armed_pid, taf_life.pid) == taf_life.pid)
		return;
	if (taf_life.pid == 1) {
		taf_mark(TAF_NOTE, TAF_ENGINE_NONE, NULL,
			 "exit.signals is not in force: a first process ignores signals at their "
			 "default action");
		return;
	}
	atomic_store(&arrived, 0);
	real = find_real();
	if (!real || !start_helper()) {
		taf_mark(TAF_NOTE, TAF_ENGINE_NONE, NULL,
			 "exit.signals is not in force: no helper thread could be started");
		errno = saved;
		return;
	}
	for (int signo = 1; signo <= SIGNALS; signo++)
		if (taf_rules.exit_signals >> (signo - 1) & 1)
			take(signo, real);
	errno = saved;
}
