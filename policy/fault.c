/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include "ledger.h"
#include "text.h"

static const struct taf_fault faults[] = {
#define FAULT(API, number, name, class, severity, hint) \
	{ TAF_API_##API, number, name, class, severity, hint },
#include "faults.def"
#undef FAULT
};

enum taf_engine taf_engine_of_api(enum taf_api api)
{
	static const enum taf_engine engines[TAF_APIS] = {
		[TAF_API_CUDA] = TAF_ENGINE_CUDA,     [TAF_API_HIP] = TAF_ENGINE_HIP,
		[TAF_API_OPENCL] = TAF_ENGINE_OPENCL, [TAF_API_VULKAN] = TAF_ENGINE_VULKAN,
		[TAF_API_LEVEL0] = TAF_ENGINE_LEVEL0, [TAF_API_METAL] = TAF_ENGINE_METAL,
	};

	return (unsigned)api < TAF_APIS ? engines[api] : TAF_ENGINE_NONE;
}

bool taf_fault_is_lasting(const char *class)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i].severity >= TAF_SEVERITY_DEVICE && taf_same(faults[i].class, class))
			return true;
	return false;
}

unsigned taf_fault_index(const struct taf_fault *f)
{
	return (unsigned)(f - faults);
}

const struct taf_fault *taf_fault_of(enum taf_api api, int64_t number)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (faults[i].api == api && faults[i].number == number)
			return &faults[i];
	return NULL;
}
