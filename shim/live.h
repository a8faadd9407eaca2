/* SPDX-License-Identifier: MIT */
/* live.h -- what this process holds of each device: bytes, pieces, peaks.
 *
 *   taf_live_take    their allocation succeeded
 *   taf_live_give    before a free is handed on: the address may be somebody's at once
 *   taf_live_back    that free failed, nothing was given
 *
 * A piece is known by its address or handle within its API: CUDA's runtime and
 * driver are one API, so that what cudaMalloc takes by cuMemAlloc is counted
 * once, whichever of the two gives it back.  It is charged to the device that it
 * was taken on, whichever is current when it is freed.  A piece that is not known
 * was taken before this process was seen, or is none of theirs: nothing is given.
 *
 * The table is mapped at the first piece and only touched where it is used; under one
 * lock, which is waited for a while, and never in a handler that interrupted its holder.
 * What does not fit, or comes in such a moment, is counted in `missed` and said in the
 * sums: from then on they are a lower bound.  A fork child holds nothing.
 */
#ifndef TAF_LIVE_H
#define TAF_LIVE_H

#include <stdatomic.h>

#include "../policy/fault.h"

#define TAF_LIVE_DEVICES 16 /* what is beyond shares the last one */

enum taf_place {
	TAF_AT_DEVICE, /* memory of the device */
	TAF_AT_MANAGED, /* one address for both; moves as it is used */
	TAF_AT_HOST, /* pinned, or placed on the host: no memory of the device */
	TAF_AT_GRAPH, /* an executable graph; its bytes are not known */
	TAF_PLACES /* part of the ring's format, as TAF_RING_PLACES */
};

struct taf_piece {
	enum taf_api api;
	enum taf_place place;
	uint32_t device;
	uint64_t at; /* address or handle; never 0 */
	uint64_t bytes;
};

/* Of one api on one device. */
struct taf_live_sum {
	uint64_t bytes[TAF_PLACES], pieces[TAF_PLACES];
	uint64_t peak; /* of device and managed bytes together */
	uint64_t largest; /* single piece of device or managed memory so far */
};

void taf_live_take(const struct taf_piece *p);
/* Fills out with what lay there. False: nothing that is known. */
bool taf_live_give(enum taf_api api, uint64_t at, struct taf_piece *out);
void taf_live_back(const struct taf_piece *p);
/* Whether anything is known to lie there; true as well where it cannot be told now. */
bool taf_live_has(enum taf_api api, uint64_t at);
/* Sums of an api on a device; all devices together with TAF_LIVE_DEVICES. */
void taf_live_sum(enum taf_api api, uint32_t device, struct taf_live_sum *out);
/* Device and managed bytes of all apis and devices. */
uint64_t taf_live_bytes(void);
/* The same of what lies on the host. */
uint64_t taf_live_host_bytes(void);
/* Of a piece something could not be kept by which it is told when it goes. */
void taf_live_miss(void);
uint64_t taf_live_missed(void); /* pieces that could not be kept */
/* All pieces of an api on a device are gone: its context was destroyed or reset. */
void taf_live_drop(enum taf_api api, uint32_t device);
void taf_live_forget(void);

#endif
