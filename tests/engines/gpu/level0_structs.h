/* SPDX-License-Identifier: MIT */
/* level0_structs.h -- hooks/abi/level0.h against ze_api.h: abi.sh includes both. */
#ifdef TAF_ABI_LEVEL0_H
SAME_SIZE(struct taf_ze_count, ze_group_count_t);
SAME_PLACE(struct taf_ze_physical, flags, ze_physical_mem_desc_t, flags);
SAME_PLACE(struct taf_ze_physical, size, ze_physical_mem_desc_t, size);
SAME_PLACE(struct taf_ze_queue_desc, flags, ze_command_queue_desc_t, flags);
SAME_PLACE(struct taf_ze_queue_desc, mode, ze_command_queue_desc_t, mode);
SAME_SIZE(struct taf_ze_properties, ze_device_properties_t);
SAME_PLACE(struct taf_ze_properties, name, ze_device_properties_t, name);
SAME_NUMBER(TAF_ZE_DEVICE_PROPERTIES, ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES);
SAME_SIZE(struct taf_ze_memory, ze_device_memory_properties_t);
SAME_PLACE(struct taf_ze_memory, bytes, ze_device_memory_properties_t, totalSize);
SAME_NUMBER(TAF_ZE_MEMORY_PROPERTIES, ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES);
#ifdef ZE_API_VERSION_CURRENT_M /* not in 1.8, nor are these */
SAME_NUMBER(TAF_ZE_ON_HOST, ZE_PHYSICAL_MEM_FLAG_ALLOCATE_ON_HOST);
SAME_NUMBER(TAF_ZE_IN_ORDER, ZE_COMMAND_QUEUE_FLAG_IN_ORDER);
#endif
SAME_NUMBER(TAF_ZE_SYNCHRONOUS, ZE_COMMAND_QUEUE_MODE_SYNCHRONOUS);
SAME_NUMBER(TAF_ZE_NOT_READY, ZE_RESULT_NOT_READY);
SAME_NUMBER(TAF_ZE_DEVICE_LOST, ZE_RESULT_ERROR_DEVICE_LOST);
SAME_NUMBER(TAF_ZE_OUT_OF_HOST_MEMORY, ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY);
SAME_NUMBER(TAF_ZE_OUT_OF_DEVICE_MEMORY, ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY);
SAME_NUMBER(TAF_ZE_NOT_PERMITTED, ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS);
SAME_NUMBER(TAF_ZE_UNINITIALIZED, ZE_RESULT_ERROR_UNINITIALIZED);
#endif
