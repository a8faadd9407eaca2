/* SPDX-License-Identifier: MIT */
/* retain.h -- removes old sessions, never evidence.
 *
 * A session is all files of one boot, pid and start time.  The oldest go
 * first, until both limits hold.  These stay whatever the limits say:
 *
 *   - a session whose process lives, or may live: this boot and either the
 *     process is there, or the session is of another pid namespace and was
 *     written to within a day
 *   - a ring without a log, for its first minute
 *   - the newest session of every other boot: what ran when it ended
 *
 * Every process that becomes active asks, so most of them shall not pay for more
 * than a list of names: the number of sessions may grow by a sixteenth before
 * they are cut to their limit, and a first segment counts with all that it can
 * have (TAF_SEGMENT_FIRST) until that is too much.
 *
 * Looks at 4096 names at most; files of other names are not touched.
 */
#ifndef TAF_RETAIN_H
#define TAF_RETAIN_H

#include <stdint.h>

void taf_retain(const char *dir, uint32_t keep_sessions, uint64_t keep_bytes, const char *boot);
/* Removes the rings in ring_dir of dead processes without a session in dir once
 * they are a week old (several state directories share one ring_dir), and all but
 * the newest 32 of the dead ones. */
void taf_retain_rings(const char *ring_dir, const char *dir, const char *boot);

#endif
