/* SPDX-License-Identifier: MIT */
/* cuda_work.h -- what every route to CUDA does: on device 1 three pieces are taken, five
 * launches made and waited for, one piece given back, and the rest left.
 *
 * What it prints must be the same with and without a guard. */
#ifndef CUDA_WORK_H
#define CUDA_WORK_H

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Another namespace has a C library of its own, whose stdio nobody flushes. */
#define cuda_say(...) dprintf(1, __VA_ARGS__)

struct cuda_dim {
	unsigned x, y, z;
};

/* The runtime's functions, or the driver's under the same heads. */
struct cuda_api {
	int (*set_device)(int device);
	int (*take)(uint64_t *p, size_t size);
	int (*give)(uint64_t p);
	int (*launch)(void);
	int (*sync)(void);
};

static inline void cuda_work(const struct cuda_api *api)
{
	uint64_t p[3] = { 0 };
	int bad = 0, r = api->set_device(1);

	cuda_say("device %d\n", r);
	cuda_say("take %d", api->take(&p[0], 4096));
	cuda_say(" %d", api->take(&p[1], 8192));
	cuda_say(" %d\n", api->take(&p[2], 1000));
	for (int i = 0; i < 5; i++)
		bad += api->launch() != 0;
	cuda_say("%d launches failed\n", bad);
	cuda_say("sync %d\n", api->sync());
	cuda_say("give %d\n", api->give(p[0]));
}

/* An object pointer as a function. */
#define CUDA_SET(slot, p) \
	do { \
		void *cuda_p = (p); \
		if (!cuda_p) { \
			cuda_say("%s is missing\n", #slot); \
			exit(92); \
		} \
		memcpy(&(slot), &cuda_p, sizeof(cuda_p)); \
	} while (0)

void cuda_run(void);

#endif
