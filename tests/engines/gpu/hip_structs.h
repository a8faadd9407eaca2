/* SPDX-License-Identifier: MIT */
/* hip_structs.h -- hooks/abi/hip.h against hip_runtime_api.h: abi.sh includes both. */
#ifdef TAF_ABI_HIP_H
#define SAME_PLACE(ours, a, theirs, b) \
	_Static_assert(offsetof(ours, a) == offsetof(theirs, b), #ours "." #a)

_Static_assert(sizeof(struct taf_hip_dim3) == sizeof(dim3), "dim3");
_Static_assert(sizeof(struct taf_hip_extent) == sizeof(hipExtent), "extent");
SAME_PLACE(struct taf_hip_extent, depth, hipExtent, depth);
_Static_assert(sizeof(struct taf_hip_pitched) == sizeof(hipPitchedPtr), "pitched");
SAME_PLACE(struct taf_hip_pitched, pitch, hipPitchedPtr, pitch);
_Static_assert(sizeof(struct taf_hip_launch) == sizeof(hipLaunchParams), "launch");
SAME_PLACE(struct taf_hip_launch, stream, hipLaunchParams, stream);
SAME_PLACE(struct taf_hip_location, id, hipMemLocation, id);
#if HIP_VERSION_MAJOR > 5
SAME_PLACE(struct taf_hip_prop, now, hipMemAllocationProp, location);
#else
SAME_PLACE(struct taf_hip_prop, old, hipMemAllocationProp, location);
#endif
_Static_assert(TAF_HIP_ON_DEVICE == hipMemLocationTypeDevice, "location");
_Static_assert(TAF_HIP_OUT_OF_MEMORY == hipErrorOutOfMemory, "number");
_Static_assert(TAF_HIP_NOT_INITIALIZED == hipErrorNotInitialized, "number");
_Static_assert(TAF_HIP_NOT_READY == hipErrorNotReady, "number");
_Static_assert(TAF_HIP_NOT_SUPPORTED == hipErrorNotSupported, "number");
_Static_assert(TAF_HIP_UNMATCHED == hipErrorStreamCaptureUnmatched, "number");
_Static_assert(TAF_HIP_WRONG_THREAD == hipErrorStreamCaptureWrongThread, "number");
#endif
