/* SPDX-License-Identifier: MIT */
/* fake_streams.h -- streams of fake GPU runtimes: whether something is captured, and whether
 * all that was launched is known to be done. After fake.h. */
#ifndef FAKE_STREAMS_H
#define FAKE_STREAMS_H

static _Atomic(int) fake_captures, fake_is_idle;

/* A call that no capture allows. */
static FAKE_MAYBE void fake_uncaptured(int row)
{
	fake_called(row);
	if (fake_captures)
		fake_fail(97, fake_names[row], " was called while a stream is being captured");
}

static FAKE_MAYBE void fake_waited(int row)
{
	fake_uncaptured(row);
	fake_is_idle = 1;
}

/* What the call that begins, or ends, a capture gives. */
static FAKE_MAYBE int fake_begin_capture(const void *stream)
{
	if (stream && !fake_is_failing())
		fake_captures++;
	return stream ? 0 : 900;
}

static FAKE_MAYBE int fake_end_capture(int row, const void *stream, void **graph)
{
	if (!stream || (!fake_captures && !fake_is_failing()))
		return 401;
	if (!fake_is_failing())
		fake_captures--;
	if (graph)
		*graph = fake_cells[row];
	return 0;
}

#endif
