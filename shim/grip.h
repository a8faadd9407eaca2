/* SPDX-License-Identifier: MIT */
/* grip.h -- a handle of the program's that a wait of ours uses.
 *
 *   a drain                                  the program
 *     if (taf_grip_take(&g, until)) {          the handle is not to be found any more
 *             look whether it is there         if (taf_grip_is_free(&g))
 *             use it                                   r = their destroy
 *             taf_grip_let(&g)                 else  it stays: a leak, never a crash
 *     }
 *
 * Who destroys waits for the one that has it as long as that thread lives, whatever the
 * scheduler does with it: the deadlines of drains bound what happens in there.  Only a
 * driver that hangs, or a handler that left our wait by a jump, keeps it longer than
 * drain.deadline and TAF_GRIP_MS; then the handle must not be destroyed.
 */
#ifndef TAF_GRIP_H
#define TAF_GRIP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TAF_GRIP_MS 10000u /* beyond drain.deadline */

struct taf_grip {
	_Atomic(uint32_t) holder; /* tid; a futex; 0: nobody */
};

/* False: another thread has it until after until (taf_sys_mono_ns), or this one already. */
bool taf_grip_take(struct taf_grip *g, uint64_t until);
void taf_grip_let(struct taf_grip *g);
/* Waits until nobody has it. False: it must stay, and a crumb says so. */
bool taf_grip_is_free(struct taf_grip *g);

#endif
