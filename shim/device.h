/* SPDX-License-Identifier: MIT */
/* device.h -- the devices that a process uses, each named once in the log.
 *
 * The program has used the device before we ask for its name: a question that came first
 * could make a context that the program never wanted.  Nothing is asked while a stream is
 * captured, nor in what a runtime calls back; then the next call that passes here asks.
 * The note is of the class "device_name" and has the number as `device`, the name as `name`
 * and the bytes of its memory as `total`. */
#ifndef TAF_DEVICE_H
#define TAF_DEVICE_H

#include <stdatomic.h>

#include "live.h"

/* Of each api a bit a device: it was told of, or nobody can. */
extern _Atomic(uint32_t) taf_devices_told[TAF_APIS];

void taf_device_tell(enum taf_api api, uint32_t number);

/* After a call that has used it, on a thread that may call the runtime. */
static inline void taf_device_met(enum taf_api api, uint32_t number)
{
	uint32_t told = atomic_load_explicit(&taf_devices_told[api], memory_order_relaxed);

	if (__builtin_expect(
		    api != TAF_API_NONE && number < TAF_LIVE_DEVICES && !(told >> number & 1), 0))
		taf_device_tell(api, number);
}

/* A fork child has used none. */
void taf_devices_forget(void);

#endif
