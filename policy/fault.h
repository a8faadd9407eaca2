/* SPDX-License-Identifier: MIT */
/* fault.h -- the numbers by which GPU runtimes say that something is wrong with the
 * device, its memory or the work on it (faults.def).  What a program gets for a
 * question of its own (not ready, bad argument) is no fault and not in the table. */
#ifndef TAF_FAULTS_H
#define TAF_FAULTS_H

#include "event.h"

/* Runtimes whose addresses and error numbers are of one kind. */
enum taf_api {
	TAF_API_NONE,
	TAF_API_CUDA,
	TAF_API_HIP,
	TAF_API_OPENCL,
	TAF_API_VULKAN,
	TAF_API_LEVEL0,
	TAF_API_METAL,
	TAF_APIS
};

struct taf_fault {
	enum taf_api api;
	int64_t number;
	char name[48]; /* as the runtime's header calls it */
	char class[28]; /* the word of a crumb, and of cooldown.classes */
	/* 0: a normal answer worth a remark; 1 to 4 as policy/xid.def: this process, this
	 * model, this device until it is reset, this machine until it boots again. */
	uint8_t severity;
	char hint[96];
};

static inline enum taf_api taf_api_of(enum taf_engine engine)
{
	switch (engine) {
	case TAF_ENGINE_CUDA:
	case TAF_ENGINE_CUDART: return TAF_API_CUDA;
	case TAF_ENGINE_HIP: return TAF_API_HIP;
	case TAF_ENGINE_OPENCL: return TAF_API_OPENCL;
	case TAF_ENGINE_VULKAN: return TAF_API_VULKAN;
	case TAF_ENGINE_LEVEL0: return TAF_API_LEVEL0;
	case TAF_ENGINE_METAL: return TAF_API_METAL;
	default: return TAF_API_NONE;
	}
}

/* Under which an API's figures are told: its driver. */
enum taf_engine taf_engine_of_api(enum taf_api api);
/* Whether such an error says that the device itself is lost, until somebody resets it. */
bool taf_fault_is_lasting(const char *class);
/* How many there are, and which of them one is. */
enum {
#define FAULT(api, number, name, class, severity, hint) +1
	TAF_FAULTS = 0
#include "faults.def"
#undef FAULT
};
unsigned taf_fault_index(const struct taf_fault *f);
/* NULL: not a fault. */
const struct taf_fault *taf_fault_of(enum taf_api api, int64_t number);

#endif
