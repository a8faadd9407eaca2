/* SPDX-License-Identifier: MIT */
/* test_ring_read.c -- the reader of rings: live, dead, damaged, cut.
 *
 * Rings are laid out here from the format at the head of shim/ring.h; slots go
 * in through the writer's own taf_ring_put, since both sides share it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../shim/ring_read.h"

#define LANES 4u
#define SLOTS 8u
#define LANE_BYTES (sizeof(struct taf_lane) + SLOTS * sizeof(struct taf_slot))
#define RING_BYTES (TAF_RING_PAGE + LANES * LANE_BYTES)

static _Alignas(64) unsigned char ring[RING_BYTES];

static struct taf_ring_head *head(void)
{
	return (struct taf_ring_head *)(void *)ring;
}

static struct taf_lane *lane(uint32_t i)
{
	return (struct taf_lane *)(void *)(ring + TAF_RING_PAGE + i * LANE_BYTES);
}

static int setup(void **state)
{
	struct taf_ring_head *h = head();

	(void)state;
	memset(ring, 0, sizeof(ring));
	h->magic = TAF_RING_MAGIC;
	h->version = TAF_RING_VERSION;
	h->bytes = RING_BYTES;
	h->lanes = LANES;
	h->lane_bytes = LANE_BYTES;
	h->pid = 77;
	h->start = 5077;
	strcpy(h->boot, "0123456789abcdef0123456789abcdef");
	h->mono0 = 1000000;
	h->stamp_is_tsc = 1;
	h->tsc0 = 5000;
	/* Two ticks a nanosecond. */
	h->tsc1 = 5000 + 2000000;
	h->mono1 = 1000000 + 1000000;
	for (uint32_t i = 0; i < LANES; i++) {
		lane(i)->slots = SLOTS;
		lane(i)->open.what = TAF_NO_ROW;
	}
	return 0;
}

static void put(uint32_t i, uint64_t stamp, enum taf_kind kind)
{
	struct taf_slot_body b = { .stamp = stamp,
				   .arg = stamp * 3,
				   .row = 5,
				   .engine = TAF_ENGINE_LLAMA,
				   .kind = (uint8_t)(kind | TAF_END << 6),
				   .rc = -1 };

	lane(i)->tid = 100 + (int32_t)i;
	taf_ring_put(lane(i), &b);
}

static struct taf_ring_copy copy(void)
{
	struct taf_ring_copy c;

	assert_int_equal(taf_ring_copy_check(ring, sizeof(ring), &c), 0);
	return c;
}

static void records_come_in_stamp_order(void **state)
{
	struct taf_ring_record r[16];
	struct taf_ring_copy c;

	(void)state;
	put(0, 6000, TAF_SUBMIT);
	put(1, 6500, TAF_ALLOC);
	put(0, 7000, TAF_FREE);
	c = copy();
	assert_int_equal(taf_ring_last(&c, r, 16), 3);
	assert_int_equal(r[0].call.kind, TAF_SUBMIT);
	assert_int_equal(r[0].tid, 100);
	assert_int_equal(r[0].arg, 18000);
	assert_int_equal(r[0].rc, -1);
	assert_int_equal(r[0].phase, TAF_END);
	assert_int_equal(r[0].call.row, 5);
	assert_int_equal(r[0].call.engine, TAF_ENGINE_LLAMA);
	assert_int_equal(r[1].call.kind, TAF_ALLOC);
	assert_int_equal(r[1].tid, 101);
	assert_int_equal(r[2].n, 2);
	assert_int_equal(r[0].call.mono_ns, 1000500);
	/* Less room: the newest. */
	assert_int_equal(taf_ring_last(&c, r, 2), 2);
	assert_int_equal(r[0].call.kind, TAF_ALLOC);
	assert_int_equal(taf_ring_last(&c, r, 0), 0);
}

static void a_full_lane_keeps_its_newest(void **state)
{
	struct taf_ring_record r[16];
	struct taf_ring_copy c;

	(void)state;
	for (uint64_t i = 1; i <= 21; i++)
		put(2, 6000 + i, TAF_SUBMIT);
	c = copy();
	assert_int_equal(taf_ring_lane_records(&c, 2, r, 16), SLOTS);
	for (uint32_t i = 0; i < SLOTS; i++)
		assert_int_equal(r[i].n, 14 + i);
	assert_int_equal(taf_ring_lane_records(&c, 2, r, 3), 3);
	assert_int_equal(r[0].n, 19);
	assert_int_equal(taf_ring_lane_records(&c, 9, r, 3), 0);
}

static void only_whole_slots_count(void **state)
{
	struct taf_ring_record r[16];
	struct taf_ring_copy c;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		put(0, 6000 + i, TAF_SUBMIT);
	taf_lane_slot(lane(0), 2)->arg ^= 1;
	taf_lane_slot(lane(0), 4)->seq = 0; /* being overwritten when it died */
	c = copy();
	assert_int_equal(taf_ring_lane_records(&c, 0, r, 16), 3);
	assert_int_equal(r[1].n, 3);
	/* Right by its check, but in the place of another record. */
	*taf_lane_slot(lane(0), 4) = *taf_lane_slot(lane(0), 3);
	assert_int_equal(taf_ring_lane_records(&c, 0, r, 16), 3);
}

static void a_record_counts_once_its_slot_is_published(void **state)
{
	struct taf_ring_record r[16];
	struct taf_ring_copy c;

	(void)state;
	for (uint64_t i = 1; i <= 5; i++)
		put(0, 6000 + i, TAF_SUBMIT);
	lane(0)->next = 4; /* killed between the two last stores */
	c = copy();
	assert_int_equal(taf_ring_lane_records(&c, 0, r, 16), 5);
	lane(0)->next = 0xdeadbeefdeadbeef;
	assert_int_equal(taf_ring_lane_records(&c, 0, r, 16), 5);
	lane(0)->next = UINT64_MAX;
	assert_int_equal(taf_ring_lane_records(&c, 0, r, 16), 5);
}

static void open_calls_are_seen(void **state)
{
	struct taf_ring_lane l;
	struct taf_ring_copy c;

	(void)state;
	put(0, 6000, TAF_SUBMIT);
	lane(0)->open.since = 7000;
	lane(0)->open.what = 3u | (uint32_t)TAF_ENGINE_GGML << 16 | (uint32_t)TAF_SYNC << 24;
	lane(0)->submits = 9;
	head()->submits_closed = 4;
	lane(1)->submits = 100; /* of a thread that is counted as closed */
	c = copy();
	assert_true(taf_ring_lane_view(&c, 0, &l));
	assert_true(l.is_inside);
	assert_int_equal(l.open.row, 3);
	assert_int_equal(l.open.engine, TAF_ENGINE_GGML);
	assert_int_equal(l.open.kind, TAF_SYNC);
	assert_int_equal(l.open.mono_ns, 1001000);
	assert_int_equal(taf_ring_submits(&c), 13);
	lane(0)->open.what = TAF_NO_ROW;
	assert_true(taf_ring_lane_view(&c, 0, &l));
	assert_false(l.is_inside);
	assert_true(taf_ring_lane_view(&c, LANES - 1, &l));
	assert_int_equal(l.tid, 0);
	assert_false(taf_ring_lane_view(&c, LANES, &l));
}

static void stamps_become_time(void **state)
{
	struct taf_ring_copy c;

	(void)state;
	c = copy();
	assert_int_equal(taf_ring_mono(&c, 5000), 1000000);
	assert_int_equal(taf_ring_mono(&c, 5000 + 40000000), 21000000);
	assert_int_equal(taf_ring_mono(&c, 4000), 999500);
	assert_int_equal(taf_ring_mono(&c, 0), 0);
	assert_int_equal(taf_ring_mono(&c, UINT64_MAX), 1000000 + (UINT64_MAX - 5000) / 2);
	/* A longer line is better, a shorter one is not. */
	taf_ring_calibrate(&c, 5000 + 400000000, 1000000 + 100000000);
	assert_int_equal(taf_ring_mono(&c, 5000 + 400), 1000100);
	taf_ring_calibrate(&c, 5000 + 4, 1000000 + 4);
	assert_int_equal(taf_ring_mono(&c, 5000 + 400), 1000100);
	head()->mono1 = UINT64_MAX;
	c = copy();
	assert_int_equal(taf_ring_mono(&c, 6000), 0);
	head()->tsc1 = head()->tsc0;
	c = copy();
	assert_int_equal(taf_ring_mono(&c, 6000), 1000000);
	head()->stamp_is_tsc = 0;
	c = copy();
	assert_int_equal(taf_ring_mono(&c, 6000), 6000);
}

static void a_wrong_head_is_refused(void **state)
{
	struct taf_ring_copy c;

	(void)state;
#define REFUSED(member, value) \
	do { \
		setup(NULL); \
		head()->member = (value); \
		assert_int_equal(taf_ring_copy_check(ring, sizeof(ring), &c), -EBADMSG); \
	} while (0)
	REFUSED(magic, 1);
	REFUSED(version, TAF_RING_VERSION + 1);
	REFUSED(bytes, 0);
	REFUSED(bytes, UINT32_MAX);
	REFUSED(bytes, RING_BYTES - 1);
	REFUSED(lanes, 0);
	REFUSED(lanes, LANES + 1);
	REFUSED(lanes, UINT32_MAX);
	REFUSED(lane_bytes, 0);
	REFUSED(lane_bytes, sizeof(struct taf_lane));
	REFUSED(lane_bytes, LANE_BYTES + 8);
	REFUSED(lane_bytes, UINT32_MAX & ~31u);
#undef REFUSED
	setup(NULL);
	assert_int_equal(taf_ring_copy_check(ring, 100, &c), -EBADMSG);
	/* Strings without an end, and a lane that claims more slots than it has. */
	memset(head()->exe, 'x', sizeof(head()->exe));
	lane(0)->slots = UINT32_MAX;
	put(1, 6000, TAF_SUBMIT);
	c = copy();
	assert_int_equal(strlen(c.facts.exe), sizeof(c.facts.exe) - 1);
}

static int make_file(char *path, size_t n)
{
	int fd;

	strcpy(path, "/tmp/taf-ring-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, ring, n), (ssize_t)n);
	return fd;
}

static void a_file_is_copied(void **state)
{
	static unsigned char buf[RING_BYTES];
	struct taf_ring_record r[4];
	struct taf_ring_copy c;
	char path[64];
	int fd;

	(void)state;
	put(0, 6000, TAF_SUBMIT);
	fd = make_file(path, sizeof(ring));
	assert_int_equal(taf_ring_copy_size(fd), RING_BYTES);
	assert_int_equal(taf_ring_copy_read(fd, buf, 100, &c), -ENOMEM);
	assert_int_equal(taf_ring_copy_read(fd, buf, sizeof(buf), &c), 0);
	assert_false(c.is_cut);
	assert_int_equal(c.facts.pid, 77);
	assert_int_equal(taf_ring_last(&c, r, 4), 1);
	close(fd);
	unlink(path);
}

/* A mapping would raise SIGBUS here. */
/* From inside the process that writes, where a lane may have no pages yet. */
static void lanes_that_are_not_ready_are_not_looked_at(void **state)
{
	struct taf_ring_lane l;
	struct taf_ring_copy c;

	(void)state;
	for (uint32_t i = 0; i < LANES; i++)
		put(i, 6000, TAF_SUBMIT);
	c = copy();
	c.ready = 1;
	for (uint32_t i = 0; i < LANES; i++) {
		assert_true(taf_ring_lane_view(&c, i, &l));
		assert_int_equal(l.tid != 0, !i || i == LANES - 1);
	}
	assert_false(taf_ring_lane_view(&c, LANES, &l));
}

static void a_cut_file_is_read_as_far_as_it_goes(void **state)
{
	static unsigned char buf[RING_BYTES];
	struct taf_ring_record r[32];
	struct taf_ring_copy c;
	struct taf_ring_lane l;
	char path[64];
	int fd;

	(void)state;
	for (uint64_t i = 1; i <= 6; i++) {
		put(0, 6000 + i, TAF_SUBMIT);
		put(1, 7000 + i, TAF_SUBMIT);
	}
	fd = make_file(path, sizeof(ring));
	assert_int_equal(ftruncate(fd,
				   (off_t)(TAF_RING_PAGE + LANE_BYTES + sizeof(struct taf_lane) +
					   2 * sizeof(struct taf_slot) + 5)),
			 0);
	assert_int_equal(taf_ring_copy_read(fd, buf, sizeof(buf), &c), 0);
	assert_true(c.is_cut);
	assert_int_equal(taf_ring_last(&c, r, 32), 8);
	assert_true(taf_ring_lane_view(&c, 3, &l));
	assert_false(l.is_inside);
	assert_int_equal(ftruncate(fd, TAF_RING_PAGE), 0);
	assert_int_equal(taf_ring_copy_read(fd, buf, sizeof(buf), &c), 0);
	assert_int_equal(taf_ring_last(&c, r, 32), 0);
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(taf_ring_copy_read(fd, buf, sizeof(buf), &c), -EBADMSG);
	close(fd);
	unlink(path);
	fd = open("/dev/zero", O_RDONLY);
	assert_int_equal(taf_ring_copy_read(fd, buf, sizeof(buf), &c), -EBADMSG);
	close(fd);
	assert_int_equal(taf_ring_copy_size(-1), -EBADF);
}

static void what_is_held_of_each_device_is_read(void **state)
{
	struct taf_ring_copy c;

	(void)state;
	head()->devices[0].id = 1u << 8 | 2;
	head()->devices[0].bytes[0] = 4096;
	head()->devices[0].pieces[0] = 3;
	head()->devices[0].peak = 8192;
	head()->devices[3].id = 4u << 8;
	c = copy();
	assert_int_equal(c.facts.n_devices, 2);
	assert_int_equal(c.facts.devices[0].api, 1);
	assert_int_equal(c.facts.devices[0].device, 2);
	assert_int_equal(c.facts.devices[0].bytes[0], 4096);
	assert_int_equal(c.facts.devices[0].pieces[0], 3);
	assert_int_equal(c.facts.devices[0].peak, 8192);
	assert_int_equal(c.facts.devices[1].api, 4);
	head()->version = 2;
	c = copy();
	assert_int_equal(c.facts.n_devices, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(records_come_in_stamp_order, setup),
		cmocka_unit_test_setup(a_full_lane_keeps_its_newest, setup),
		cmocka_unit_test_setup(only_whole_slots_count, setup),
		cmocka_unit_test_setup(a_record_counts_once_its_slot_is_published, setup),
		cmocka_unit_test_setup(open_calls_are_seen, setup),
		cmocka_unit_test_setup(stamps_become_time, setup),
		cmocka_unit_test_setup(a_wrong_head_is_refused, setup),
		cmocka_unit_test_setup(what_is_held_of_each_device_is_read, setup),
		cmocka_unit_test_setup(a_file_is_copied, setup),
		cmocka_unit_test_setup(lanes_that_are_not_ready_are_not_looked_at, setup),
		cmocka_unit_test_setup(a_cut_file_is_read_as_far_as_it_goes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
