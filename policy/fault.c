/* SPDX-License-Identifier: MIT */
#include "fault.h"

static const struct taf_fault faults[] = {
#define FAULT(API, number, name, class, severity, hint) \
	{ TAF_API_##API, number, name, class, severity, hint },
#include "faults.def"
#undef FAULT
};

enum taf_api taf_api_of(enum taf_engine engine)
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

const struct taf_fault *taf_fault_of(enum taf_api api, int64_t number)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i].api == api && faults[i].number == number)
			return &faults[i];
	return NULL;
}
