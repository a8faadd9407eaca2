/* SPDX-License-Identifier: MIT */
/* fuzz_ring.c -- the reader of rings, on any bytes.
 *
 * A head that validates is rare in random bytes: the bits of the first byte choose
 * whether the magic and a geometry that fits are put in (0), right lanes and records
 * as well (1), whether the file is as long as its head says (2), and the numbers of
 * lanes (3, 4) and slots (5 to 7).  Besides staying in bounds:
 * records come in the order of their stamps, never more than there is room for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../shim/ring_read.h"

#define ROOM 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(int is_right)
{
	if (!is_right)
		abort();
}

static uint32_t lanes_of(unsigned how)
{
	return 1 + (how >> 3 & 3);
}

static uint32_t slots_of(unsigned how)
{
	return 1 + (how >> 5);
}

static uint32_t lane_bytes_of(unsigned how)
{
	return (uint32_t)(sizeof(struct taf_lane) + slots_of(how) * sizeof(struct taf_slot));
}

/* The lane and its records are what a writer leaves: numbers and checks are right. */
static void repair_lane(unsigned char *at, unsigned how)
{
	struct taf_lane lane;
	struct taf_slot slot;

	memcpy(&lane, at, sizeof(lane));
	lane.slots = slots_of(how);
	memcpy(at, &lane, sizeof(lane));
	for (uint32_t seq = 1; seq <= slots_of(how); seq++) {
		unsigned char *to = at + sizeof(lane) + (seq - 1) * sizeof(slot);

		memcpy(&slot, to, sizeof(slot));
		slot.seq = seq;
		slot.check = taf_slot_check(&slot, seq);
		memcpy(to, &slot, sizeof(slot));
	}
}

/* Makes the bytes a ring, as far as the head goes; with bit 1 the lanes as well. */
static void repair(unsigned char *bytes, size_t n, unsigned how)
{
	struct taf_ring_head head;
	size_t at = TAF_RING_PAGE;

	if (!(how & 1) || n < sizeof(head))
		return;
	memcpy(&head, bytes, sizeof(head));
	head.magic = TAF_RING_MAGIC;
	head.version = TAF_RING_VERSION;
	head.lanes = lanes_of(how);
	head.lane_bytes = lane_bytes_of(how);
	head.bytes = TAF_RING_PAGE + head.lanes * head.lane_bytes;
	memcpy(bytes, &head, sizeof(head));
	for (; how & 2 && at + head.lane_bytes <= n; at += head.lane_bytes)
		repair_lane(bytes + at, how);
}

static void read_all(struct taf_ring_copy *c)
{
	struct taf_ring_record records[ROOM + 1];
	struct taf_ring_lane lane;
	size_t n;
	uint32_t i;

	check(memchr(c->facts.exe, 0, sizeof(c->facts.exe)) != NULL);
	for (i = 0; taf_ring_lane_view(c, i, &lane); i++) {
		n = taf_ring_lane_records(c, i, records, ROOM);
		check(n <= ROOM && n <= c->slots);
		for (size_t k = 1; k < n; k++)
			check(records[k].n > records[k - 1].n);
	}
	check(i == c->lanes);
	n = taf_ring_last(c, records, ROOM);
	check(n <= ROOM);
	for (size_t k = 1; k < n; k++)
		check(records[k].call.stamp >= records[k - 1].call.stamp);
	taf_ring_submits(c);
}

/* The input as a file. With bit 2 it is a ring of full size, whose first byte says how much of
 * the others goes into the head's page; the rest goes into the lanes. Without it no input that
 * is shorter than a page would ever be read. */
static unsigned char *lay_out(const uint8_t *data, size_t *n, unsigned how)
{
	size_t whole = TAF_RING_PAGE + lanes_of(how) * lane_bytes_of(how), in_head = 0, rest;
	unsigned char *bytes;

	if (how & 4 && *n) {
		--*n;
		in_head = *data++ * 16u;
	} else {
		in_head = TAF_RING_PAGE;
		whole = 0;
	}
	in_head = in_head < *n ? in_head : *n;
	rest = *n - in_head;
	*n = rest ? TAF_RING_PAGE + rest : in_head;
	if (*n < whole)
		*n = whole;
	bytes = calloc(1, *n + 1);
	if (!bytes)
		return NULL;
	memcpy(bytes, data, in_head);
	if (rest)
		memcpy(bytes + TAF_RING_PAGE, data + in_head, rest);
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct taf_ring_copy c;
	unsigned char *bytes;
	unsigned how;

	if (!n)
		return 0;
	how = *data++;
	n--;
	bytes = lay_out(data, &n, how);
	if (!bytes)
		return 0;
	repair(bytes, n, how);
	bytes = realloc(bytes, n ? n : 1); /* no byte more than the reader is told of */
	if (!taf_ring_copy_check(bytes, n, &c)) {
		read_all(&c);
		taf_ring_calibrate(&c, c.tsc0 + 12345, c.mono0 + 6789);
		read_all(&c);
	}
	free(bytes);
	return 0;
}
