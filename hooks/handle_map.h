/* SPDX-License-Identifier: MIT */
/* handle_map.h -- memory by handle, which cuMemCreate or hipMemCreate took and the program
 * maps: it is given back when nobody holds its handle and it is nowhere mapped any more,
 * whichever comes last.
 *
 *   taf_map_made       after theirs
 *   taf_map_unmade     after theirs: a range, with all that was mapped in it
 *   taf_map_retained   after theirs: the handle of what is mapped at an address, held once
 *                      more, though all who held it may have released it before
 *   taf_map_released   before theirs: what live.h knows the piece by if it goes now,
 *                      0 where it stays mapped or held
 *
 * A handle's number may come back once it is released; so a piece that outlives its
 * handle is known to live.h by the address of one of its mappings.  Mappings and holds
 * beyond the tables, and those of a thread that finds them taken for long, are not known:
 * such a piece counts as given at its release, and the sums say that they are a lower
 * bound (taf_live_miss).
 */
#ifndef TAF_HANDLE_MAP_H
#define TAF_HANDLE_MAP_H

#include "../policy/fault.h"

#define TAF_MAPPINGS 8192

struct taf_mapping {
	enum taf_api api;
	uint64_t at, bytes, handle;
};

void taf_map_made(const struct taf_mapping *m);
void taf_map_unmade(enum taf_api api, uint64_t at, uint64_t bytes);
void taf_map_retained(enum taf_api api, uint64_t handle, uint64_t at);
uint64_t taf_map_released(enum taf_api api, uint64_t handle);
/* All contexts of an API are gone. A fork child begins with nothing. */
void taf_map_forget(enum taf_api api);
/* One of its devices was reset: forgets what is about pieces that live.h does not know. */
void taf_map_forget_gone(enum taf_api api);

#endif
