/* SPDX-License-Identifier: MIT */
/* opencl_wait.c -- our own waits for a queue of OpenCL, which end after drain.deadline.
 *
 * clFinish has no limit, and a correct program may have handed over what waits for a user
 * event that this very thread sets later.  So a marker is enqueued, which shows by its
 * event when all before it is done, and that event is asked.
 *
 * A queue may be released with work in it, which goes on.  A marker takes its place in the
 * table then (queues.h).  It holds the queue and its context, for whose end the program
 * may wait, so that it is given back as soon as the runtime says that it is reached; where
 * that says nothing (1.0), by a drain or the next call that makes or releases a queue, or
 * that releases memory or a context. */
#include <errno.h>

#include "opencl_device.h"

#define TAF_ROWS "opencl.def"
#define TAF_TABLE taf_table_opencl
#define TAF_ENGINE TAF_ENGINE_OPENCL
#include "rows.h"

#define API TAF_API_OPENCL

#define SLEEP_US 50
#define SLEEP_MOST_US 1000

static void give(void *event, const void *home)
{
	clReleaseEvent_fn *release = THEIRS(clReleaseEvent, home);

	if (event && release)
		release(event);
}

static int mark(void *queue, const void *home, void **event)
{
	clEnqueueMarkerWithWaitList_fn *with = THEIRS(clEnqueueMarkerWithWaitList, home);
	clEnqueueMarker_fn *without = THEIRS(clEnqueueMarker, home);
	clFlush_fn *flush = THEIRS(clFlush, home);

	if ((!with && !without) || !flush)
		return -ENOSYS;
	if (with ? with(queue, 0, NULL, event) : without(queue, event))
		return -EIO;
	/* Without it the queue need not begin. */
	flush(queue);
	return 0;
}

/* q: NULL for one that is not known. */
static int await(const struct taf_queue *q, void *event, const void *home, uint64_t until)
{
	clGetEventInfo_fn *ask = THEIRS(clGetEventInfo, home);
	uint32_t us = SLEEP_US;
	int32_t status = 1;

	while (ask) {
		if (ask(event, TAF_CL_EVENT_STATUS, sizeof(status), &status, NULL) || status < 0)
			return -EIO;
		if (!status)
			return 0;
		if (taf_sys_mono_ns() >= until || (q && atomic_load(&q->is_going)))
			return -ETIMEDOUT;
		taf_sys_sleep_us(us);
		us = us * 2 < SLEEP_MOST_US ? us * 2 : SLEEP_MOST_US;
	}
	return -ENOSYS;
}

/* An event that was waited for in vain is asked once, but at the exit. */
static int await_late(struct taf_queue *q, uint64_t until)
{
	uint64_t late = atomic_exchange(&q->late, 0), none = 0;
	int err = late ? await(q, taf_pointer_of(late), q->home,
			       taf_state_now() == TAF_LEAVING ? until : 0)
		       : 0;

	if (err == -ETIMEDOUT && atomic_compare_exchange_strong(&q->late, &none, late))
		return err;
	give(taf_pointer_of(late), q->home);
	return err == -ETIMEDOUT ? err : 0;
}

static int await_now(struct taf_queue *q, void *event, uint64_t until)
{
	uint64_t none = 0;
	int err = await(q, event, q->home, until);

	if (err != -ETIMEDOUT || !atomic_compare_exchange_strong(&q->late, &none, TAF_U64(event)))
		give(event, q->home);
	return err;
}

/* ---- queues that were released with work in flight ---- */

static void give_mark(struct taf_queue *q)
{
	give(taf_pointer_of(atomic_load(&q->handle)), q->home);
	taf_queue_drop(&taf_cl_queues, q);
}

static void look(struct taf_queue *q)
{
	if (await(NULL, taf_pointer_of(atomic_load(&q->handle)), q->home, 0) != -ETIMEDOUT)
		give_mark(q);
}

/* From the runtime, which holds the event itself meanwhile: this is not its last release. */
static void reached(void *event, int32_t status, void *data)
{
	int saved = errno;
	struct taf_queue *q;

	(void)status;
	(void)data;
	taf_tls.inside++;
	q = taf_queue_enter(&taf_cl_queues, TAF_U64(event));
	/* A drain may have had it first. */
	if (q && atomic_load(&q->handle) == TAF_U64(event) && atomic_load(&q->is_retired))
		give_mark(q);
	taf_queue_leave(q);
	taf_tls.inside--;
	errno = saved;
}

void taf_cl_look(void)
{
	int saved = errno;

	if (!taf_queue_has_retired(&taf_cl_queues))
		return;
	taf_tls.inside++;
	taf_queue_each_retired(&taf_cl_queues, look);
	taf_tls.inside--;
	errno = saved;
}

/* Claimed by this thread. In vain once, then at the exit once more, as any mark. */
static int await_retired(struct taf_queue *q, uint64_t until)
{
	uint64_t mark = atomic_load(&q->handle);
	bool is_late = atomic_exchange(&q->late, mark) && taf_state_now() != TAF_LEAVING;
	int err = await(NULL, taf_pointer_of(mark), q->home, is_late ? 0 : until);

	if (err != -ETIMEDOUT)
		give_mark(q);
	return err;
}

static bool is_to_be_kept(const struct taf_queue *q)
{
	return taf_state_now() == TAF_ACTIVE && taf_rules.mode == TAF_MODE_ENFORCE &&
	       !taf_flight_is_idle(taf_flight_key(API, atomic_load(&q->handle), 0));
}

/* Asks to be told before others can give the event back, and looks after that: what is told
 * in between finds no such mark yet. */
static void retire(struct taf_queue *q, void *event)
{
	clSetEventCallback_fn *tell = THEIRS(clSetEventCallback, q->home);

	if (tell)
		tell(event, 0, reached, NULL);
	taf_queue_retire(&taf_cl_queues, q, TAF_U64(event));
	taf_cl_look();
}

void taf_cl_let_go(struct taf_queue *q)
{
	void *event = NULL;
	int saved = errno;

	taf_cl_look();
	taf_tls.inside++;
	taf_queue_going(q);
	give(taf_pointer_of(atomic_exchange(&q->late, 0)), q->home);
	if (is_to_be_kept(q) && !mark(taf_pointer_of(atomic_load(&q->handle)), q->home, &event) &&
	    event)
		retire(q, event);
	else
		taf_queue_drop(&taf_cl_queues, q);
	taf_tls.inside--;
	errno = saved;
}

/* ---- queues that are used ---- */

int taf_cl_wait(struct taf_queue *q, uint64_t until)
{
	struct taf_flight_mark seen;
	void *event = NULL;
	uint64_t handle = atomic_load(&q->handle);
	int err;

	if (atomic_load(&q->is_retired))
		return await_retired(q, until);
	taf_flight_seen(&seen, taf_flight_key(API, handle, 0));
	if (!taf_queue_stay(q))
		return -ETIMEDOUT;
	err = await_late(q, until);
	err = err ? err : mark(taf_pointer_of(handle), q->home, &event);
	err = err ? err : await_now(q, event, until);
	taf_queue_go(q);
	if (!err)
		taf_flight_done(&seen);
	return err;
}

int taf_cl_wait_busy(struct taf_queue *q, uint64_t until)
{
	uint64_t key = taf_flight_key(API, atomic_load(&q->handle), 0);

	if (taf_state_now() != TAF_LEAVING && !atomic_load(&q->is_retired) &&
	    taf_flight_is_idle(key))
		return 0;
	return taf_cl_wait(q, until);
}

int taf_cl_wait_unknown(void *queue, const void *home)
{
	struct taf_flight_mark seen;
	void *event = NULL;
	int err;

	taf_flight_seen(&seen, taf_flight_key(API, TAF_U64(queue), 0));
	err = mark(queue, home, &event);
	err = err ? err : await(NULL, event, home, taf_queue_until());
	give(event, home);
	if (!err)
		taf_flight_done(&seen);
	return err;
}
