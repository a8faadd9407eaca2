/* SPDX-License-Identifier: MIT */
/* fake_opencl.c -- an OpenCL made of the rows of hooks/opencl.def (fake.h). What was
 * handed to a queue is done at once. */
#include "../../hooks/abi/opencl.h"

#define FAKE_ROWS "../../hooks/opencl.def"
#define HAND_clGetEventInfo FAKE_HAND
#include "fake.h"

int32_t clGetEventInfo(void *event, uint32_t what, size_t room, void *value, size_t *used)
{
	int64_t r = fake_number(FAKE_clGetEventInfo);

	(void)event;
	(void)used;
	fake_called(FAKE_clGetEventInfo);
	fake_last[FAKE_clGetEventInfo] = r;
	if (value && what == TAF_CL_EVENT_STATUS && room >= sizeof(int32_t))
		memset(value, 0, sizeof(int32_t));
	return (int32_t)r;
}
