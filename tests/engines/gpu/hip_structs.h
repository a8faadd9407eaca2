/* SPDX-License-Identifier: MIT */
/* hip_structs.h -- hooks/abi/hip.h against hip_runtime_api.h: abi.sh includes both. */
#ifdef TAF_ABI_HIP_H
SAME_SIZE(struct taf_hip_dim3, dim3);
SAME_SIZE(struct taf_hip_extent, hipExtent);
SAME_PLACE(struct taf_hip_extent, depth, hipExtent, depth);
SAME_SIZE(struct taf_hip_pitched, hipPitchedPtr);
SAME_PLACE(struct taf_hip_pitched, pitch, hipPitchedPtr, pitch);
SAME_SIZE(struct taf_hip_launch, hipLaunchParams);
SAME_PLACE(struct taf_hip_launch, stream, hipLaunchParams, stream);
SAME_SIZE(struct taf_hip_array_desc, HIP_ARRAY_DESCRIPTOR);
SAME_PLACE(struct taf_hip_array_desc, channels, HIP_ARRAY_DESCRIPTOR, NumChannels);
SAME_SIZE(struct taf_hip_array3d_desc, HIP_ARRAY3D_DESCRIPTOR);
SAME_PLACE(struct taf_hip_array3d_desc, channels, HIP_ARRAY3D_DESCRIPTOR, NumChannels);
SAME_NUMBER(0x20, HIP_AD_FORMAT_FLOAT);
SAME_NUMBER(0x10, HIP_AD_FORMAT_HALF);
SAME_PLACE(struct taf_hip_location, id, hipMemLocation, id);
SAME_SIZE(struct taf_hip_channels, hipChannelFormatDesc);
#if HIP_VERSION_MAJOR > 5
SAME_PLACE(struct taf_hip_config, stream, hipLaunchConfig_t, stream);
SAME_PLACE(struct taf_hip_config, stream, HIP_LAUNCH_CONFIG, hStream);
SAME_PLACE(struct taf_hip_prop, now, hipMemAllocationProp, location);
#else
SAME_PLACE(struct taf_hip_prop, old, hipMemAllocationProp, location);
#endif
SAME_NUMBER(TAF_HIP_TO_HOST, hipMemcpyDeviceToHost);
SAME_NUMBER(TAF_HIP_NON_BLOCKING, hipStreamNonBlocking);
SAME_NUMBER(TAF_HIP_NO_TIMING, hipEventDisableTiming);
SAME_NUMBER(TAF_HIP_ON_DEVICE, hipMemLocationTypeDevice);
SAME_NUMBER(TAF_HIP_OUT_OF_MEMORY, hipErrorOutOfMemory);
SAME_NUMBER(TAF_HIP_NOT_INITIALIZED, hipErrorNotInitialized);
SAME_NUMBER(TAF_HIP_NOT_READY, hipErrorNotReady);
SAME_NUMBER(TAF_HIP_NOT_SUPPORTED, hipErrorNotSupported);
SAME_NUMBER(TAF_HIP_UNMATCHED, hipErrorStreamCaptureUnmatched);
SAME_NUMBER(TAF_HIP_WRONG_THREAD, hipErrorStreamCaptureWrongThread);
#endif
