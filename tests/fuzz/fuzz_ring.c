/* SPDX-License-Identifier: MIT */
/* fuzz_ring.c -- the reader of rings, on any bytes.
 *
 * A head that validates is rare in random bytes: the first byte chooses whether
 * the magic and a geometry that fits are put in.  Besides staying in bounds:
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

/* Makes the bytes a ring, as far as the head goes; every third slot gets a right check. */
static void repair(unsigned char *bytes, size_t n, unsigned how)
{
	struct taf_ring_head head;
	struct taf_slot slot;
	uint32_t seq = 1;

	if (!(how & 1) || n < sizeof(head))
		return;
	memcpy(&head, bytes, sizeof(head));
	head.magic = TAF_RING_MAGIC;
	head.version = TAF_RING_VERSION;
	head.lanes = 1 + (how >> 3 & 3);
	head.lane_bytes = (uint32_t)(sizeof(struct taf_lane) + (1 + (how >> 5)) * sizeof(slot));
	head.bytes = TAF_RING_PAGE + head.lanes * head.lane_bytes;
	memcpy(bytes, &head, sizeof(head));
	if (!(how & 2))
		return;
	for (size_t at = TAF_RING_PAGE + sizeof(struct taf_lane); at + sizeof(slot) <= n;
	     at += sizeof(slot), seq++) {
		memcpy(&slot, bytes + at, sizeof(slot));
		slot.seq = seq;
		slot.check = taf_slot_check(&slot, seq);
		memcpy(bytes + at, &slot, sizeof(slot));
	}
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

/* The input as a file. With bit 2 it lacks the empty rest of the head's page,
 * which is most of a small ring. */
static unsigned char *lay_out(const uint8_t *data, size_t *n, unsigned how)
{
	size_t head = sizeof(struct taf_ring_head),
	       pad = how & 4 && *n > head ? TAF_RING_PAGE - head : 0;
	unsigned char *bytes = calloc(1, *n + pad + 1);

	if (!bytes)
		return NULL;
	memcpy(bytes, data, pad ? head : *n);
	if (pad)
		memcpy(bytes + TAF_RING_PAGE, data + head, *n - head);
	*n += pad;
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
