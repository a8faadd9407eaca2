/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>

#include "crumb.h"
#include "gate.h"
#include "life.h"
#include "stacks.h"
#include "stall.h"
#include "state.h"
#include "sys_file.h"

#define STALLS_MAX 16
#define LEAST_MS 250u
#define MOST_MS 5000u

static _Atomic(int32_t) armed_pid; /* the process that has looked at watch.in_process */

/* The thread's own. */
struct watch {
	struct taf_stall told[STALLS_MAX]; /* the calls that there is a crumb about */
	size_t n_told;
	struct taf_stall found[STALLS_MAX]; /* this time */
	uint64_t term_ns; /* when SIGTERM was sent; 0: it was not */
	bool is_kill_sent;
};

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static uint32_t interval_ms(const struct watch *w)
{
	uint32_t ms = least(taf_rules.watch_orphan_after_ms,
			    least(taf_rules.watch_load_after_ms, taf_rules.watch_infer_after_ms)) /
		      4;

	ms = ms < LEAST_MS || w->term_ns ? LEAST_MS : ms;
	return least(ms, MOST_MS);
}

static bool was_told(const struct watch *w, const struct taf_stall *s)
{
	for (size_t i = 0; i < w->n_told; i++)
		if (w->told[i].tid == s->tid && w->told[i].call.stamp == s->call.stamp)
			return true;
	return false;
}

/* The row of an engine's table. */
static const char *name_of(const struct taf_ring_call *call)
{
	for (int t = 0; t < taf_table_count; t++)
		if ((uint8_t)taf_tables[t]->engine == call->engine &&
		    call->row < taf_tables[t]->n_rows)
			return taf_row_name(taf_tables[t], call->row);
	return NULL;
}

/* Its buffers and those of say are static: one thread a process comes here. */
static void put_capture(struct taf_text *msg, const struct taf_ring_head *h)
{
	static char dir[TAF_PATH_MAX], path[TAF_PATH_MAX];
	char name[96];
	struct taf_text t;

	if (taf_dir_state(taf_env_now, dir, NULL) || taf_len(dir) + 8 >= sizeof(dir))
		return;
	taf_copy(dir + taf_len(dir), "/stacks", 8);
	taf_text_init(&t, name, sizeof(name));
	taf_text_put(&t, h->boot);
	taf_text_char(&t, '-');
	taf_text_i64(&t, h->pid);
	taf_text_char(&t, '-');
	taf_text_u64(&t, h->start);
	if (taf_stacks_write(dir, name, h->pid, path))
		return;
	taf_text_put(msg, "; stacks in ");
	taf_text_put(msg, path);
}

static void say(const struct taf_stall *s, const struct taf_ring_head *h)
{
	static char buf[TAF_PATH_MAX + 160];
	struct taf_text t;
	bool is_observing = taf_rules.mode == TAF_MODE_OBSERVE;
	struct taf_rec r = { .kind = is_observing ? TAF_WOULD : TAF_NOTE,
			     .phase = TAF_MARK,
			     .engine = s->call.engine < TAF_ENGINE_COUNT
					       ? (enum taf_engine)s->call.engine
					       : TAF_ENGINE_NONE,
			     .call = name_of(&s->call),
			     .model = h->model[0] ? h->model : NULL,
			     .rule = taf_rule_info(s->rule)->path,
			     .class = "stalled",
			     .msg = buf,
			     .keep = TAF_KEEP_SYNC };

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, "thread ");
	taf_text_i64(&t, s->tid);
	taf_text_put(&t, ": no progress for ");
	taf_text_ms(&t, s->still_ms);
	taf_text_put(&t, " of ");
	taf_text_ms(&t, s->limit_ms);
	if (!is_observing && taf_rules.watch_action >= TAF_WATCH_STACK)
		put_capture(&t, h);
	taf_crumb(&r);
}

static void send(struct watch *w, int signo)
{
	struct taf_rec r = { .kind = TAF_SIGNAL,
			     .phase = TAF_MARK,
			     .call = signo == SIGKILL ? "SIGKILL" : "SIGTERM",
			     .rule = "watch.action",
			     .msg = "a call does not come back: sent to this process by its watch",
			     .keep = TAF_KEEP_SYNC };

	w->is_kill_sent = signo == SIGKILL;
	w->term_ns = taf_sys_mono_ns();
	taf_crumb(&r);
	taf_sys_kill(taf_life.pid, signo);
}

static void act(struct watch *w, size_t n_stalled)
{
	uint64_t deadline_ns = (uint64_t)taf_rules.watch_deadline_ms * 1000000;

	if (taf_rules.mode != TAF_MODE_ENFORCE || taf_rules.watch_action < TAF_WATCH_TERMINATE)
		return;
	if (!w->term_ns && n_stalled)
		send(w, SIGTERM);
	else if (w->term_ns && !w->is_kill_sent && taf_rules.watch_action == TAF_WATCH_KILL &&
		 taf_sys_mono_ns() - w->term_ns > deadline_ns)
		send(w, SIGKILL);
}

static void look(struct watch *w)
{
	struct taf_stall *stalls = w->found;
	struct taf_ring_head *h = taf_ring_head();
	static struct taf_ring_copy ring; /* too big for this stack; one thread a process */
	size_t n;

	if (!h || taf_ring_copy_check(h, h->bytes, &ring))
		return;
	ring.ready = taf_ring_ready();
	taf_ring_calibrate(&ring, taf_stamp_tsc(), taf_sys_mono_ns());
	n = taf_stall_find(&ring, &taf_rules, taf_sys_mono_ns(), stalls, STALLS_MAX);
	for (size_t i = 0; i < n; i++)
		if (!was_told(w, &stalls[i]))
			say(&stalls[i], h);
	taf_move(w->told, stalls, n * sizeof(stalls[0]));
	w->n_told = n;
	act(w, n);
}

/* While a process leaves, its own deadline counts (exit.deadline), but what was told to
 * end by us is still waited for. It may stay after all: an exec that fails. */
static void *watch_main(void *arg)
{
	static struct watch w; /* one thread a process; a fork child begins anew */

	(void)arg;
	taf_zero(&w, sizeof(w));
	while (taf_state_now() == TAF_ACTIVE || taf_state_now() == TAF_LEAVING) {
		taf_sys_sleep_ms(interval_ms(&w));
		if (taf_state_now() == TAF_ACTIVE)
			look(&w);
		else
			act(&w, 0);
	}
	return NULL;
}

void taf_watch_arm(void)
{
	int saved = errno, err;
	pthread_t thread;
	uint64_t mask;

	atomic_fetch_and(&taf_life.alert, ~(uint32_t)TAF_ALERT_WATCH);
	if (!taf_rules.watch_in_process ||
	    atomic_exchange(&armed_pid, taf_life.pid) == taf_life.pid)
		return;
	mask = taf_sys_block_outside();
	err = pthread_create(&thread, NULL, watch_main, NULL);
	taf_sys_restore_mask(mask);
	if (err)
		taf_mark(TAF_NOTE, TAF_ENGINE_NONE, NULL,
			 "watch.in_process is not in force: no thread could be started");
	else
		pthread_detach(thread);
	errno = saved;
}
