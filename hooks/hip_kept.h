/* SPDX-License-Identifier: MIT */
/* hip_kept.h -- the streams and pools of HIP that the program made and has not given up.
 *
 * Waits and trims of ours use handles of the program.  Each is held meanwhile, and who
 * destroys it waits until it is let go: nothing of ours is called with a handle after its
 * end (shim/grip.h).
 *
 *   taf_hip_made      after theirs made it; home: of the call
 *   taf_hip_going     before theirs destroys it; false: it must stay
 *   taf_hip_reset     before theirs resets a device: of its streams, and of all pools
 *   taf_hip_closed    after a dlclose: of everything, if the runtime is not mapped any more
 *
 * A fork child begins with none.  What finds no room is not known.
 */
#ifndef TAF_HIP_KEPT_H
#define TAF_HIP_KEPT_H

#include <stdbool.h>
#include <stdint.h>

/* TAF_HIP_ASIDE: a stream that the default one does not wait for. It is made as such, and
 * meant by TAF_HIP_STREAM everywhere else. */
enum taf_hip_kept { TAF_HIP_STREAM = 1, TAF_HIP_POOL, TAF_HIP_ASIDE };

/* device: the current one. */
void taf_hip_made(enum taf_hip_kept what, void *handle, uint32_t device, const void *home);
/* was: what it was kept as, for stays when theirs refused; 0: it was not. */
bool taf_hip_going(enum taf_hip_kept what, void *handle, uint32_t *was);
void taf_hip_stays(void *handle, uint32_t was);
/* Whether the default stream waits for what was kept as that, and is the low half of a
 * key (flight.h) that of a stream which is kept. */
bool taf_hip_is_behind(uint32_t was);
bool taf_hip_is_known(uint64_t low);
bool taf_hip_reset(uint32_t device);
void taf_hip_closed(void);

/* Places 0 .. count - 1. Hold gives the handle in one, to be let go then, with 0; -ENOENT
 * where there is none of these, -ETIMEDOUT; device: of streams. */
#define TAF_HIP_PLACES 256u /* a multiple of 64 */
uint32_t taf_hip_kept_count(void);
int taf_hip_hold(uint32_t i, enum taf_hip_kept what, uint32_t device, void **handle);
void taf_hip_let(uint32_t i);

#endif
