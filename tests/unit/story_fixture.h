/* SPDX-License-Identifier: MIT */
/* story_fixture.h -- a state directory with one guest, the session of its `run`
 * and a ring, for the tests of sessions and stories. */
#ifndef TAF_TEST_STORY_FIXTURE_H
#define TAF_TEST_STORY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>

#include "../../cli/story.h"
#include "../../shim/ring.h"
#include "crumb_fixture.h"

#define SIZE 65536
#define GUEST 77
#define RUNNER 70

static char state_dir[64], crumbs[128];
static struct taf_world world;
static struct taf_trails trails;
static struct taf_story story;
static int32_t alive_pid;

static inline bool is_alive(int32_t pid, uint64_t start)
{
	return pid == alive_pid && start == 5000 + (uint64_t)pid;
}

static inline int setup(void **state)
{
	struct fx *f = malloc(sizeof(*f));

	fx_begin(f, GUEST, SIZE);
	*state = f;
	fx_state(state_dir, crumbs);
	memset(&world, 0, sizeof(world));
	strcpy(world.boot, FX_BOOT);
	world.mono_ns = 1000 * FX_SEC;
	world.is_alive = is_alive;
	alive_pid = 0;
	return 0;
}

static inline int teardown(void **state)
{
	free(*state);
	taf_trails_free(&trails);
	fx_remove(state_dir);
	return 0;
}

static inline struct taf_trail *load(int32_t pid)
{
	taf_trails_free(&trails);
	assert_int_equal(taf_trails_scan(&trails, crumbs, &world), 0);
	for (size_t i = 0; i < trails.n; i++)
		if (trails.list[i].pid == pid) {
			assert_int_equal(taf_trail_load(&trails.list[i], crumbs), 0);
			return &trails.list[i];
		}
	fail_msg("no session of %d", pid);
	return NULL;
}

static inline const struct taf_story *tell(void)
{
	struct taf_trail *t = load(GUEST), *runner = taf_trails_runner(&trails, t->run);

	if (runner)
		assert_int_equal(taf_trail_load(runner, crumbs), 0);
	taf_story_tell(&story, t, runner, &world);
	return &story;
}

static inline void put_start(struct fx *f)
{
	fx_put(f, "start", "mark",
	       ",\"v\":1,\"seg\":%u,\"exe\":\"/usr/bin/node\",\"argv\":[\"node\",\"serve.mjs\"],"
	       "\"ppid\":%d",
	       f->seg, RUNNER);
	fx_wait(f, 10);
}

/* The same process, told anew. */
static inline void again(struct fx *f)
{
	fx_begin(f, GUEST, SIZE);
	put_start(f);
}

static inline void put_load(struct fx *f)
{
	uint64_t of = fx_put(f, "load", "begin",
			     ",\"engine\":\"llama\",\"call\":\"llama_model_load_from_file\","
			     "\"model\":\"tiny\",\"bytes\":1048576");

	fx_wait(f, 500);
	fx_put(f, "load", "end",
	       ",\"engine\":\"llama\",\"call\":\"llama_model_load_from_file\",\"model\":\"tiny\","
	       "\"bytes\":1048576,\"ms\":500.000,\"rc\":0,\"of\":%" PRIu64,
	       of);
}

static inline uint64_t put_infer(struct fx *f)
{
	fx_wait(f, 100);
	return fx_put(f, "infer", "begin",
		      ",\"engine\":\"llama\",\"call\":\"llama_decode\",\"model\":\"tiny\"");
}

/* A whole beginning, up to the moment that comes back: the generation begins. */
static inline uint64_t put_generation(struct fx *f)
{
	put_start(f);
	put_load(f);
	put_infer(f);
	return f->mono_ns;
}

static inline void put_infer_end(struct fx *f, uint64_t of)
{
	fx_wait(f, 1000);
	fx_put(f, "infer", "end",
	       ",\"engine\":\"llama\",\"model\":\"tiny\",\"ms\":1000.000,\"tokens\":20,"
	       "\"submits\":8,\"peak\":13,\"of\":%" PRIu64,
	       of);
}

static inline void put_exit(struct fx *f, const char *call, int rc)
{
	uint64_t of = fx_put(f, "exit", "begin", ",\"engine\":\"libc\",\"call\":\"%s\",\"rc\":%d",
			     call, rc);

	fx_put(f, "exit", "end", ",\"engine\":\"libc\",\"rc\":%d,\"of\":%" PRIu64, rc, of);
}

/* What `run` leaves, after the guest's records so far. */
static inline void put_runner(const struct fx *guest, int rc, const char *msg)
{
	struct fx r;

	fx_begin(&r, RUNNER, SIZE);
	strcpy(r.boot, guest->boot);
	r.mono_ns = guest->mono_ns;
	fx_put(&r, "start", "mark", ",\"v\":1,\"role\":\"run\"");
	fx_put(&r, "exit", "mark", ",\"call\":\"run\",\"rc\":%d,\"msg\":\"%s\",\"pid_of_guest\":%d",
	       rc, msg, GUEST);
	fx_save(&r, crumbs);
}

static _Alignas(64) unsigned char ring[TAF_RING_PAGE + 2 * 1152];

/* A ring whose stamps are nanoseconds; lane 0 belongs to the guest's first thread. */
static inline struct taf_lane *ring_begin(const struct fx *f)
{
	struct taf_ring_head *h = (struct taf_ring_head *)(void *)ring;
	struct taf_lane *lane = (struct taf_lane *)(void *)(ring + TAF_RING_PAGE);

	memset(ring, 0, sizeof(ring));
	h->magic = TAF_RING_MAGIC;
	h->version = TAF_RING_VERSION;
	h->bytes = sizeof(ring);
	h->lanes = 2;
	h->lane_bytes = 1152;
	h->pid = f->pid;
	h->start = f->start;
	strcpy(h->boot, f->boot);
	lane->slots = 32;
	lane->tid = f->pid;
	lane->open.what = TAF_NO_ROW;
	return lane;
}

static inline void ring_submit(struct taf_lane *lane, uint64_t at_ns)
{
	struct taf_slot_body b = { .stamp = at_ns,
				   .row = 3,
				   .engine = TAF_ENGINE_LLAMA,
				   .kind = TAF_SUBMIT | TAF_END << 6 };

	taf_ring_put(lane, &b);
	lane->submits++;
	lane->last_stamp = at_ns;
	((struct taf_ring_head *)(void *)ring)->last_activity_ns = at_ns;
}

static inline void ring_inside(struct taf_lane *lane, enum taf_kind kind, uint64_t since_ns)
{
	lane->open.since = since_ns;
	lane->open.what = 3u | (uint32_t)TAF_ENGINE_LLAMA << 16 | (uint32_t)kind << 24;
}

/* Beside the segments, as crumbs.ring=disk puts it. */
static inline void ring_save(const struct fx *f)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s-%d-%" PRIu64 ".ring", crumbs, f->boot, f->pid,
		 f->start);
	fx_write(path, ring, sizeof(ring));
}

#define VERDICT(wanted) assert_string_equal(taf_ended_name(tell()->verdict), wanted)
#define SAYS(words) \
	do { \
		if (!strstr(story.text, words)) \
			fail_msg("\"%s\" lacks \"%s\"", story.text, words); \
	} while (0)

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
