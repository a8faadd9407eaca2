/* SPDX-License-Identifier: MIT */
/* test_insn.c -- lengths of instructions, and which of them call. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "../../cli/insn.h"
#include "../../shim/site.h"

#if defined(__x86_64__)

struct encoding {
	const char *what;
	unsigned length;
	unsigned char bytes[15];
};

/* One of each form; what compilers emit most is compared with objdump by
 * tests/engines/static/insn.sh. */
static const struct encoding encodings[] = {
	{ "nop", 1, { 0x90 } },
	{ "push rbp", 1, { 0x55 } },
	{ "ret 8", 3, { 0xc2, 8, 0 } },
	{ "enter", 4, { 0xc8, 8, 0, 0 } },
	{ "mov eax, imm32", 5, { 0xb8, 1, 2, 3, 4 } },
	{ "mov ax, imm16", 4, { 0x66, 0xb8, 1, 2 } },
	{ "mov rax, imm64", 10, { 0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "mov al, [moffs]", 9, { 0xa0, 1, 2, 3, 4, 5, 6, 7, 8 } },
	{ "mov al, [moffs32]", 6, { 0x67, 0xa0, 1, 2, 3, 4 } },
	{ "lea rax, [rip+d]", 7, { 0x48, 0x8d, 0x05, 1, 2, 3, 4 } },
	{ "mov eax, [rsp+8]", 4, { 0x8b, 0x44, 0x24, 8 } },
	{ "mov eax, [d32]", 7, { 0x8b, 0x04, 0x25, 1, 2, 3, 4 } },
	{ "mov eax, [rax+rcx+d32]", 7, { 0x8b, 0x84, 0x08, 1, 2, 3, 4 } },
	{ "add word [rax], imm16", 5, { 0x66, 0x81, 0x00, 1, 2 } },
	{ "test byte [rax], imm8", 3, { 0xf6, 0x00, 1 } },
	{ "not byte [rax]", 2, { 0xf6, 0x10 } },
	{ "test eax, imm32", 6, { 0xf7, 0xc0, 1, 2, 3, 4 } },
	{ "imul eax, ecx, imm32", 6, { 0x69, 0xc1, 1, 2, 3, 4 } },
	{ "mov dword fs:[0], imm32", 12, { 0x64, 0xc7, 0x04, 0x25, 0, 0, 0, 0, 1, 2, 3, 4 } },
	{ "endbr64", 4, { 0xf3, 0x0f, 0x1e, 0xfa } },
	{ "long nop", 10, { 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0 } },
	{ "pshufd", 5, { 0x66, 0x0f, 0x70, 0xc1, 1 } },
	{ "pshufb", 5, { 0x66, 0x0f, 0x38, 0x00, 0xc1 } },
	{ "palignr", 6, { 0x66, 0x0f, 0x3a, 0x0f, 0xc1, 1 } },
	{ "vzeroupper", 3, { 0xc5, 0xf8, 0x77 } },
	{ "vaddps", 4, { 0xc5, 0xf4, 0x58, 0xc1 } },
	{ "vpshufd", 5, { 0xc5, 0xf9, 0x70, 0xc1, 1 } },
	{ "vfmadd231ps", 5, { 0xc4, 0xe2, 0x75, 0xb8, 0xc2 } },
	{ "vpermq", 6, { 0xc4, 0xe3, 0xfd, 0x00, 0xc1, 1 } },
	{ "vaddps zmm", 6, { 0x62, 0xf1, 0x74, 0x48, 0x58, 0xc2 } },
	{ "vpternlogd", 7, { 0x62, 0xf3, 0x75, 0x48, 0x25, 0xc2, 1 } },
	{ "vaddph", 6, { 0x62, 0xf5, 0x74, 0x48, 0x58, 0xc2 } },
	{ "call [rip+d]", 6, { 0xff, 0x15, 1, 2, 3, 4 } },
};

static void lengths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(encodings) / sizeof(*encodings); i++) {
		const struct encoding *e = &encodings[i];
		struct taf_insn insn;

		if (taf_insn_read(e->bytes, sizeof(e->bytes), 0x1000, &insn) != e->length)
			fail_msg("%s", e->what);
		/* Cut off it is none: nothing behind the end is looked at. */
		for (unsigned n = 0; n < e->length; n++)
			if (taf_insn_read(e->bytes, n, 0x1000, &insn))
				fail_msg("%s of %u bytes", e->what, n);
	}
}

static void unknown(void **state)
{
	static const unsigned char bad[][15] = { { 0x06 },	 { 0xd5, 0 },	 { 0x0f, 0x04 },
						 { 0x48, 0xc5 }, { 0x62, 0xf4 }, { 0xc4, 0xe0 } };
	unsigned char prefixes[15];
	struct taf_insn insn;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(taf_insn_read(bad[i], 15, 0, &insn), 0);
	memset(prefixes, 0x66, sizeof(prefixes));
	assert_int_equal(taf_insn_read(prefixes, 15, 0, &insn), 0);
}

static void branches(void **state)
{
	static const unsigned char call[] = { 0xe8, 0x10, 0, 0, 0 };
	static const unsigned char relaxed[] = { 0x67, 0xe8, 0xf0, 0xff, 0xff, 0xff };
	static const unsigned char tail[] = { 0xe9, 0, 0, 0, 0x80 };
	static const unsigned char behind_test[] = { 0x0f, 0x85, 0x10, 0, 0, 0 };
	static const unsigned char by_pointer[] = { 0x41, 0xff, 0xd3 };
	static const unsigned char jump_by_pointer[] = { 0xff, 0xe0 };
	static const unsigned char jump_by_slot[] = { 0xff, 0x25, 1, 0, 0, 0 };
	/* Not a call: the bytes of one, inside of something else. */
	static const unsigned char constant[] = { 0xb8, 0xe8, 0x10, 0, 0 };
	struct taf_insn insn;

	(void)state;
	assert_int_equal(taf_insn_read(call, sizeof(call), 0x1000, &insn), 5);
	assert_int_equal(insn.sort, TAF_INSN_BRANCH);
	assert_true(insn.target == 0x1015 && insn.opcode == 0);
	assert_int_equal(taf_insn_read(relaxed, sizeof(relaxed), 0x1000, &insn), 6);
	assert_true(insn.sort == TAF_INSN_BRANCH && insn.target == 0xff6 && insn.opcode == 1);
	assert_int_equal(taf_insn_read(tail, sizeof(tail), 0x80001000, &insn), 5);
	assert_true(insn.sort == TAF_INSN_BRANCH && insn.target == 0x1005);
	assert_int_equal(taf_insn_read(behind_test, sizeof(behind_test), 0x1000, &insn), 6);
	assert_true(insn.sort == TAF_INSN_BRANCH && insn.target == 0x1016);
	assert_int_equal(taf_insn_read(by_pointer, sizeof(by_pointer), 0, &insn), 3);
	assert_int_equal(insn.sort, TAF_INSN_INDIRECT);
	assert_int_equal(taf_insn_read(jump_by_pointer, sizeof(jump_by_pointer), 0, &insn), 2);
	assert_int_equal(insn.sort, TAF_INSN_OTHER);
	assert_int_equal(taf_insn_read(jump_by_slot, sizeof(jump_by_slot), 0, &insn), 6);
	assert_int_equal(insn.sort, TAF_INSN_INDIRECT);
	assert_int_equal(taf_insn_read(constant, sizeof(constant), 0, &insn), 5);
	assert_int_equal(insn.sort, TAF_INSN_OTHER);
}

static void rewriting(void **state)
{
	unsigned char call[6] = { 0xe8 }, behind_test[6] = { 0x0f, 0x84 }, other[6] = { 0x90 };
	uint64_t target;

	(void)state;
	assert_true(taf_site_write(call, 0x400000, 0x3e0010));
	assert_true(taf_site_read(call, 5, 0x400000, &target) && target == 0x3e0010);
	assert_true(taf_site_write(behind_test, 0x400000, 0x500000));
	assert_true(taf_site_read(behind_test, 6, 0x400000, &target) && target == 0x500000);
	/* Out of reach, or no site: the bytes stay. */
	assert_false(taf_site_write(call, 0x400000, 0x80400006));
	assert_true(taf_site_read(call, 5, 0x400000, &target) && target == 0x3e0010);
	assert_false(taf_site_write(other, 0x400000, 0x400010));
	assert_int_equal(other[1], 0);
	assert_false(taf_site_read(call, 4, 0, &target));
	assert_false(taf_site_read(behind_test, 5, 0, &target));
}

#else

static void branches(void **state)
{
	static const uint32_t words[] = { 0x94000004, 0x17ffffff, 0xd63f0100, 0xd503201f };
	struct taf_insn insn;

	(void)state;
	assert_int_equal(taf_insn_read((const void *)&words[0], 4, 0x1000, &insn), 4);
	assert_true(insn.sort == TAF_INSN_BRANCH && insn.target == 0x1010);
	assert_int_equal(taf_insn_read((const void *)&words[1], 4, 0x1000, &insn), 4);
	assert_true(insn.sort == TAF_INSN_BRANCH && insn.target == 0xffc);
	assert_int_equal(taf_insn_read((const void *)&words[2], 4, 0x1000, &insn), 4);
	assert_int_equal(insn.sort, TAF_INSN_INDIRECT);
	assert_int_equal(taf_insn_read((const void *)&words[3], 4, 0x1000, &insn), 4);
	assert_int_equal(insn.sort, TAF_INSN_OTHER);
	assert_int_equal(taf_insn_read((const void *)&words[3], 3, 0x1000, &insn), 0);
}

static void rewriting(void **state)
{
	uint32_t word = 0x94000000;
	uint64_t target;

	(void)state;
	assert_true(taf_site_write((void *)&word, 0x400000, 0x3e0010));
	assert_true(taf_site_read((void *)&word, 4, 0x400000, &target) && target == 0x3e0010);
	assert_false(taf_site_write((void *)&word, 0x400000, 0x400000 + TAF_SITE_REACH));
	assert_true(taf_site_read((void *)&word, 4, 0x400000, &target) && target == 0x3e0010);
	assert_false(taf_site_read((void *)&word, 4, 0x400002, &target));
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#if defined(__x86_64__)
		cmocka_unit_test(lengths),
		cmocka_unit_test(unknown),
#endif
		cmocka_unit_test(branches),
		cmocka_unit_test(rewriting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
