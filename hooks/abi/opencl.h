/* SPDX-License-Identifier: MIT */
/* opencl.h -- the parts of OpenCL's interface that the wrappers read, declared anew.
 *
 * All handles are void *; cl_int, cl_uint and cl_bool have 32 bits, bit fields and
 * properties 64.  tests/engines/headers.sh compares this with the vendor's headers where
 * they are installed.  Numbers are those of cl.h and cl_ext.h, 3.0. */
#ifndef TAF_ABI_OPENCL_H
#define TAF_ABI_OPENCL_H

#include <stddef.h>
#include <stdint.h>

#define TAF_CL_NO_MEMORY_OBJECT (-4) /* CL_MEM_OBJECT_ALLOCATION_FAILURE */
#define TAF_CL_NO_RESOURCES (-5)
#define TAF_CL_NO_HOST_MEMORY (-6)
#define TAF_CL_NO_PLATFORM (-1001) /* as the loader says where no driver is installed */

#define TAF_CL_USE_HOST_PTR (1u << 3)
#define TAF_CL_ALLOC_HOST_PTR (1u << 4)
#define TAF_CL_OUT_OF_ORDER (1u << 0)
#define TAF_CL_ON_DEVICE (1u << 2)

/* What may be asked. */
#define TAF_CL_DEVICE_MEMORY 0x101F
#define TAF_CL_DEVICE_NAME 0x102B
#define TAF_CL_DEVICE_FREE_AMD 0x4039 /* KiB: in all, and of the largest block */
#define TAF_CL_CONTEXT_DEVICES 0x1081
#define TAF_CL_QUEUE_PROPERTIES 0x1093
#define TAF_CL_MEM_SIZE 0x1102
#define TAF_CL_MEM_REFERENCES 0x1105
#define TAF_CL_EVENT_STATUS 0x11D3

struct taf_cl_format {
	uint32_t order, type;
};

/* Channel orders 0x10B0 to 0x10C3 and types 0x10D0 to 0x10E0. */
#define TAF_CL_FIRST_ORDER 0x10B0
#define TAF_CL_FIRST_TYPE 0x10D0

struct taf_cl_image {
	uint32_t type;
	size_t width, height, depth, layers, row_pitch, slice_pitch;
	uint32_t levels, samples;
	void *memory; /* it shares that of another object, where not NULL */
};

typedef void taf_cl_notify(void *event, int32_t status, void *data);
typedef void taf_cl_destructor(void *memory, void *data);
typedef void taf_cl_svm_free(void *queue, uint32_t n, void **pointers, void *data);

#endif
