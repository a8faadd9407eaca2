/* SPDX-License-Identifier: MIT */
/* cuda_map.h -- memory that cuMemCreate took and the program maps: it is given back when
 * its handle is released and it is nowhere mapped any more, whichever comes last.
 *
 *   taf_cuda_mapped     after theirs
 *   taf_cuda_unmapped   after theirs: a range, with all that was mapped in it
 *   taf_cuda_released   before theirs: what live.h knows the piece by if it goes now,
 *                       0 where it stays mapped
 *
 * A handle's number may come back once it is released; so a piece that outlives its
 * handle is known to live.h by the address of one of its mappings.  Mappings beyond
 * the table, and those of a thread that finds it taken for long, are not known: such
 * a piece counts as given at its release.
 */
#ifndef TAF_CUDA_MAP_H
#define TAF_CUDA_MAP_H

#include <stdint.h>

void taf_cuda_mapped(uint64_t at, uint64_t handle);
void taf_cuda_unmapped(uint64_t at, uint64_t size);
uint64_t taf_cuda_released(uint64_t handle);
/* All contexts are gone, or a fork child begins. */
void taf_cuda_maps_forget(void);

#endif
