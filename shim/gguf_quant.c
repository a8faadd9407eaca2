/* SPDX-License-Identifier: MIT */
/* gguf_quant.c -- names of the numbers in which GGUF says how a model is quantised.
 *
 * general.file_type names a mixture; a file without it is named after the type
 * that most of its tensors have, as llama.cpp does.  Both lists are llama.cpp's;
 * holes are numbers that were given up. */
#include "gguf.h"

#define NAME 12 /* room for one of them; a hole is "" */

static const char file_types[][NAME] = {
	[0] = "F32",	  [1] = "F16",	    [2] = "Q4_0",    [3] = "Q4_1",    [7] = "Q8_0",
	[8] = "Q5_0",	  [9] = "Q5_1",	    [10] = "Q2_K",   [11] = "Q3_K_S", [12] = "Q3_K_M",
	[13] = "Q3_K_L",  [14] = "Q4_K_S",  [15] = "Q4_K_M", [16] = "Q5_K_S", [17] = "Q5_K_M",
	[18] = "Q6_K",	  [19] = "IQ2_XXS", [20] = "IQ2_XS", [21] = "Q2_K_S", [22] = "IQ3_XS",
	[23] = "IQ3_XXS", [24] = "IQ1_S",   [25] = "IQ4_NL", [26] = "IQ3_S",  [27] = "IQ3_M",
	[28] = "IQ2_S",	  [29] = "IQ2_M",   [30] = "IQ4_XS", [31] = "IQ1_M",  [32] = "BF16",
	[36] = "TQ1_0",	  [37] = "TQ2_0",   [38] = "MXFP4",  [39] = "NVFP4",  [40] = "Q1_0",
	[41] = "Q2_0",
};

static const char tensor_types[][NAME] = {
	[0] = "F32",	[1] = "F16",	 [2] = "Q4_0",	   [3] = "Q4_1",    [6] = "Q5_0",
	[7] = "Q5_1",	[8] = "Q8_0",	 [10] = "Q2_K",	   [11] = "Q3_K",   [12] = "Q4_K",
	[13] = "Q5_K",	[14] = "Q6_K",	 [16] = "IQ2_XXS", [17] = "IQ2_XS", [18] = "IQ3_XXS",
	[19] = "IQ1_S", [20] = "IQ4_NL", [21] = "IQ3_S",   [22] = "IQ2_S",  [23] = "IQ4_XS",
	[29] = "IQ1_M", [30] = "BF16",	 [34] = "TQ1_0",   [35] = "TQ2_0",  [39] = "MXFP4",
	[40] = "NVFP4", [41] = "Q1_0",	 [42] = "Q2_0",
};

#define GUESSED 1024u /* a bit that llama.cpp sets on what it guessed */

static const char *at(const char (*names)[NAME], size_t n, uint32_t i)
{
	return i < n ? names[i] : "";
}

const char *taf_gguf_quant(const struct taf_gguf *g)
{
	if (g->file_type != TAF_GGUF_NONE)
		return at(file_types, sizeof(file_types) / sizeof(file_types[0]),
			  g->file_type & ~GUESSED);
	return at(tensor_types, sizeof(tensor_types) / sizeof(tensor_types[0]), g->tensor_type);
}
