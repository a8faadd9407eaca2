/* SPDX-License-Identifier: MIT */
#include "catalog.h"

#include "abi/opencl.h"
#include "abi/vulkan.h"
#include "catalog_rows.h"

static const struct taf_catalog_row rows[] = {
#define TAF_ENGINE_NOW TAF_ENGINE_LIBC
#include "libc.def"
#include "exec.def"
#include "dl.def"
#include "signal.def"
#include "sem.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_LLAMA
#include "llama.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_GGML
#include "ggml.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_MLX
#include "mlx.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_MLXC
#include "mlxc.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_WHISPER
#include "whisper.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_SD
#include "sd.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_DS4
#include "ds4.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_CUDA
#include "cuda.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_CUDART
#include "cudart.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_HIP
#include "hip.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_LEVEL0
#include "level0.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_OPENCL
#include "opencl.def"
#undef TAF_ENGINE_NOW
#define TAF_ENGINE_NOW TAF_ENGINE_VULKAN
#include "vulkan.def"
#undef TAF_ENGINE_NOW
};

const struct taf_catalog_row *taf_catalog(size_t *n)
{
	*n = sizeof(rows) / sizeof(*rows);
	return rows;
}
