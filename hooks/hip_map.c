/* SPDX-License-Identifier: MIT */
/* hip_map.c -- AMD's HIP runtime: where memory by handle is mapped, and who holds it. */
#include "abi/hip.h"
#include "handle_map.h"
#include "hook.h"

#define TAF_ROWS "hip.def"
#define TAF_TABLE taf_table_hip
#include "rows.h"
extern const struct taf_table TAF_TABLE;

#define MAPS(name, params, args, after) \
	int taf_##name params \
	{ \
		struct taf_call call = TAF_CALL(name); \
		int r; \
\
		call.real = (taf_fn)REAL(name); \
		if (!call.real) \
			return TAF_HIP_NOT_INITIALIZED; \
		r = THROUGH(call, name) args; \
		if (!r && taf_is_counting()) \
			after; \
		if (__builtin_expect(r != 0, 0)) \
			taf_fault_seen(&call, r); \
		return r; \
	}
MAPS(hipMemMap, (void *ptr, size_t size, size_t offset, void *handle, unsigned long long flags),
     (ptr, size, offset, handle, flags),
     taf_map_made(&(struct taf_mapping){ TAF_API_HIP, TAF_U64(ptr), size, TAF_U64(handle) }))
MAPS(hipMemUnmap, (void *ptr, size_t size), (ptr, size),
     taf_map_unmade(TAF_API_HIP, TAF_U64(ptr), size))
MAPS(hipMemRetainAllocationHandle, (void **handle, void *ptr), (handle, ptr),
     taf_map_retained(TAF_API_HIP, TAF_WHERE(handle), TAF_U64(ptr)))

#include "none.h"
#undef OWN
#define OWN(ret, name, params, args, kind, refuse, doc) \
	extern TAF_PUBLIC ret name params __attribute__((alias("taf_" #name)));
#include "hip_map.def"
