/* SPDX-License-Identifier: MIT */
/* test_constant.c -- which functions return a fixed address, by their code alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../shim/constant.h"

static const char text[] = "1.2.3";

static const char *ours(void)
{
	return text;
}

/* What it returns, relative to its own first byte. */
static intptr_t away(enum taf_isa isa, const unsigned char *code, size_t n)
{
	uintptr_t at = taf_constant_of(isa, code, n);

	return at ? (intptr_t)(at - (uintptr_t)code) : 0;
}

static void the_forms_of_x86_64(void **state)
{
	const unsigned char plain[] = { 0x48, 0x8d, 0x05, 0x10, 0, 0, 0, 0xc3 };
	const unsigned char endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x8d,
					0x05, 0x10, 0,	  0,	0,    0xc3 };
	const unsigned char framed[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0x8d, 0x05,
					 0xf0, 0xff, 0xff, 0xff, 0x5d, 0xc3 };
	const unsigned char fixed[] = { 0xb8, 0x78, 0x56, 0x34, 0x12, 0xc3 };

	(void)state;
	assert_int_equal(away(TAF_ISA_X86_64, plain, sizeof(plain)), 7 + 0x10);
	assert_int_equal(away(TAF_ISA_X86_64, endbr, sizeof(endbr)), 11 + 0x10);
	assert_int_equal(away(TAF_ISA_X86_64, framed, sizeof(framed)), 11 - 0x10);
	assert_int_equal(taf_constant_of(TAF_ISA_X86_64, fixed, sizeof(fixed)), 0x12345678);
	/* Cut anywhere it is none. */
	for (size_t n = 0; n < sizeof(framed); n++)
		assert_int_equal(taf_constant_of(TAF_ISA_X86_64, framed, n), 0);
}

static void what_does_more_is_none(void **state)
{
	const unsigned char called[] = { 0x48, 0x8d, 0x05, 0x10, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0xc3 };
	const unsigned char loaded[] = { 0x48, 0x8b, 0x05, 0x10, 0, 0, 0, 0xc3 };
	const unsigned char unframed[] = { 0x55, 0x48, 0x89, 0xe5, 0x48, 0x8d,
					   0x05, 0x10, 0,    0,	   0,	 0xc3 };

	(void)state;
	assert_int_equal(taf_constant_of(TAF_ISA_X86_64, called, sizeof(called)), 0);
	assert_int_equal(taf_constant_of(TAF_ISA_X86_64, loaded, sizeof(loaded)), 0);
	assert_int_equal(taf_constant_of(TAF_ISA_X86_64, unframed, sizeof(unframed)), 0);
	assert_int_equal(taf_constant_of(TAF_ISA_X86_64, (const unsigned char *)"0.9.4", 6), 0);
	assert_int_equal(taf_constant_of(TAF_ISA_OTHER, loaded, sizeof(loaded)), 0);
}

static void the_forms_of_aarch64(void **state)
{
	/* adrp x0, 0x1000 further; add x0, x0, #0x234; ret */
	_Alignas(4096) static const unsigned char paged[] = { 0x00, 0x00, 0x00, 0xb0, 0x00, 0xd0,
							      0x08, 0x91, 0xc0, 0x03, 0x5f, 0xd6 };
	/* bti c; adr x0, -4; ret */
	const unsigned char near[] = { 0x5f, 0x24, 0x03, 0xd5, 0xe0, 0xff,
				       0xff, 0x10, 0xc0, 0x03, 0x5f, 0xd6 };
	/* adrp x1, ... */
	const unsigned char other[] = { 0x01, 0x00, 0x00, 0xb0, 0x00, 0xd0,
					0x08, 0x91, 0xc0, 0x03, 0x5f, 0xd6 };

	(void)state;
	assert_int_equal(away(TAF_ISA_AARCH64, paged, sizeof(paged)), 0x1234);
	assert_int_equal(taf_constant_of(TAF_ISA_AARCH64, near, sizeof(near)), (uintptr_t)near);
	assert_int_equal(taf_constant_of(TAF_ISA_AARCH64, other, sizeof(other)), 0);
	for (size_t n = 0; n < sizeof(paged); n++)
		assert_int_equal(taf_constant_of(TAF_ISA_AARCH64, paged, n), 0);
}

static void the_compilers_own(void **state)
{
	union {
		const char *(*fn)(void);
		const unsigned char *code;
	} u = { .fn = ours };

	(void)state;
	assert_string_equal(u.fn(), text);
	/* A sanitizer or a profiler may put more into it: then it is unknown, never wrong. */
	if (taf_constant_of(TAF_ISA_HERE, u.code, 32))
		assert_int_equal(taf_constant_of(TAF_ISA_HERE, u.code, 32), (uintptr_t)text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_forms_of_x86_64),
		cmocka_unit_test(what_does_more_is_none),
		cmocka_unit_test(the_forms_of_aarch64),
		cmocka_unit_test(the_compilers_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
