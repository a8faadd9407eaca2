/* SPDX-License-Identifier: MIT */
/* opencl_structs.h -- hooks/abi/opencl.h against cl.h and cl_ext.h: khronos.sh includes all
 * of them. */
#ifdef TAF_ABI_OPENCL_H
SAME_SIZE(struct taf_cl_format, cl_image_format);
SAME_PLACE(struct taf_cl_format, order, cl_image_format, image_channel_order);
SAME_PLACE(struct taf_cl_format, type, cl_image_format, image_channel_data_type);
SAME_SIZE(struct taf_cl_image, cl_image_desc);
SAME_PLACE(struct taf_cl_image, width, cl_image_desc, image_width);
SAME_PLACE(struct taf_cl_image, height, cl_image_desc, image_height);
SAME_PLACE(struct taf_cl_image, depth, cl_image_desc, image_depth);
SAME_PLACE(struct taf_cl_image, layers, cl_image_desc, image_array_size);
SAME_PLACE(struct taf_cl_image, memory, cl_image_desc, mem_object);
SAME_NUMBER(TAF_CL_NO_MEMORY_OBJECT, CL_MEM_OBJECT_ALLOCATION_FAILURE);
SAME_NUMBER(TAF_CL_NO_RESOURCES, CL_OUT_OF_RESOURCES);
SAME_NUMBER(TAF_CL_NO_HOST_MEMORY, CL_OUT_OF_HOST_MEMORY);
SAME_NUMBER(TAF_CL_NO_PLATFORM, CL_PLATFORM_NOT_FOUND_KHR);
SAME_NUMBER(TAF_CL_USE_HOST_PTR, CL_MEM_USE_HOST_PTR);
SAME_NUMBER(TAF_CL_ALLOC_HOST_PTR, CL_MEM_ALLOC_HOST_PTR);
SAME_NUMBER(TAF_CL_OUT_OF_ORDER, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
SAME_NUMBER(TAF_CL_ON_DEVICE, CL_QUEUE_ON_DEVICE);
SAME_NUMBER(TAF_CL_DEVICE_NAME, CL_DEVICE_NAME);
SAME_NUMBER(TAF_CL_DEVICE_MEMORY, CL_DEVICE_GLOBAL_MEM_SIZE);
SAME_NUMBER(TAF_CL_DEVICE_FREE_AMD, CL_DEVICE_GLOBAL_FREE_MEMORY_AMD);
SAME_NUMBER(TAF_CL_CONTEXT_DEVICES, CL_CONTEXT_DEVICES);
SAME_NUMBER(TAF_CL_QUEUE_PROPERTIES, CL_QUEUE_PROPERTIES);
SAME_NUMBER(TAF_CL_MEM_SIZE, CL_MEM_SIZE);
SAME_NUMBER(TAF_CL_MEM_REFERENCES, CL_MEM_REFERENCE_COUNT);
SAME_NUMBER(TAF_CL_EVENT_STATUS, CL_EVENT_COMMAND_EXECUTION_STATUS);
SAME_NUMBER(TAF_CL_FIRST_ORDER, CL_R);
SAME_NUMBER(TAF_CL_FIRST_TYPE, CL_SNORM_INT8);
#endif
