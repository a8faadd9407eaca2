/* SPDX-License-Identifier: MIT */
/* capture.h -- no synchronize of ours while a stream is being captured.
 *
 * A synchronize in any thread can break a capture in another one, whatever its mode
 * (TensorRT #2888; nvshare #22, #28).  So the two exclude each other in the whole
 * process:
 *
 *   the program                          a drain
 *     taf_capture_opening()                if (!taf_capture_shut(wait_ms))
 *     r = their begin                              skip, and say so
 *     taf_capture_opened(stream, ok)       synchronize, trim
 *     ... captured work ...                taf_capture_free()
 *     r = their end
 *     taf_capture_closed(stream)
 *
 * An opening that meets a drain waits until it is over; a drain that meets an open
 * capture waits at most wait_ms, and not at all for one of its own thread.
 */
#ifndef TAF_CAPTURE_H
#define TAF_CAPTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

void taf_capture_opening(void);
void taf_capture_opened(uint64_t stream, bool is_open);
/* Ended, destroyed or reset, whatever their function said of it. */
void taf_capture_closed(uint64_t stream);
/* Before and after a stream is destroyed, whose handle may be another one's as soon as it
 * is. going: whether something was captured there, for gone; is_gone: it was destroyed. */
bool taf_capture_going(uint64_t stream);
void taf_capture_gone(uint64_t stream, bool is_gone);
/* Nothing is left on that device: what was captured there is over as well. */
void taf_captures_dropped(uint32_t device);
/* One word, so that a capture that opens and a drain that begins see each other:
 * drains in the upper half, captures that are open or opening in the lower. */
extern _Atomic(uint32_t) taf_captures;
#define TAF_CAPTURES_OPEN 0xffffu

static inline uint32_t taf_captures_open(void)
{
	return atomic_load_explicit(&taf_captures, memory_order_relaxed) & TAF_CAPTURES_OPEN;
}
/* Whether one of this thread is. */
bool taf_capture_is_own(void);
/* Whether what c hands to its queue is only recorded by one of this thread: its own queue, or one
 * that has joined. */
struct taf_call;
bool taf_capture_records(const struct taf_call *c);
/* True: none is open and none begins until taf_capture_free. */
bool taf_capture_shut(uint32_t wait_ms);
void taf_capture_free(void);
void taf_capture_forget(void);

#endif
