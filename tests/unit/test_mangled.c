/* SPDX-License-Identifier: MIT */
/* test_mangled.c -- which names of C++ are one function with other parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "../../policy/mangled.h"

static const struct {
	const char *name, *plain; /* "": it has no stem */
} names[] = {
	{ "_ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE", "mlx::core::eval" },
	{ "_ZN3mlx4core4evalENSt3__16vectorINS0_5arrayENS1_9allocatorIS3_EEEE", "mlx::core::eval" },
	{ "_ZN3mlx4core16load_safetensorsB5cxx11ESt10shared_ptrINS0_2io6ReaderEE",
	  "mlx::core::load_safetensors" },
	{ "_ZN3mlx4core5array4evalEv", "mlx::core::array::eval" },
	{ "_ZN3mlx4core4evalIJRNS0_5arrayEEvEEvDpOT_", "" }, /* of a template */
	{ "_ZN3mlx4core5arrayC1ERKS1_", "" },
	{ "_ZN3mlx4coreeqERKNS0_6DeviceES3_", "" },
	{ "_ZNK3mlx4core5array4sizeEv", "" },
	{ "_ZN3mlx4core4evalESt6vectorINS0_5arrayESaIS2_EE.cold", "" },
	{ "_ZN3mlx4core4evalESt6vector.part.0", "" },
	{ "_ZNSt6vectorIiE4sizeEv", "" },
	{ "_ZN", "" },
	{ "_ZNE", "" },
	{ "_ZN3ml", "" },
	{ "_ZN3mlx4core99evalE", "" },
	{ "_ZN0E", "" },
	{ "_ZN99999999999999999999xE", "" },
	{ "_ZN3mlxB", "" },
	{ "llama_decode", "" },
	{ "", "" },
};

/* In memory of exactly its size, so that reading past it is seen. */
static void each_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *name = strdup(names[i].name), plain[64];
		struct taf_text t;

		assert_non_null(name);
		taf_text_init(&t, plain, sizeof(plain));
		taf_mangled_put(&t, name);
		assert_string_equal(plain, names[i].plain);
		assert_int_equal(taf_mangled_stem(name) != 0, names[i].plain[0] != '\0');
		free(name);
	}
}

static void parameters_are_no_part_of_it(void **state)
{
	size_t n = taf_mangled_stem(names[0].name);

	(void)state;
	assert_int_equal(n, strlen("_ZN3mlx4core4eval"));
	assert_int_equal(taf_mangled_stem(names[1].name), n);
	assert_memory_equal(names[0].name, names[1].name, n);
	assert_int_equal(taf_mangled_stem(names[2].name), strlen("_ZN3mlx4core16load_safetensors"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name),
		cmocka_unit_test(parameters_are_no_part_of_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
