/* SPDX-License-Identifier: MIT */
/* fake_opencl.c -- an OpenCL made of the rows of hooks/opencl.def (fake.h). */
#include "../../hooks/abi/opencl.h"

#define FAKE_ROWS "../../hooks/opencl.def"
#include "fake.h"
