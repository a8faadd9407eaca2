/* SPDX-License-Identifier: MIT */
/* crc32c.c -- the checksum of a record (Castagnoli, reflected).
 *
 * By the processor's own instruction where it has one, else four bits at a
 * time with a table of sixteen words: a record is a few hundred bytes and
 * costs a write besides, so a larger table would only be cold.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "../policy/text.h"
#include "crumb.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

/* Remainders of the sixteen half bytes, polynomial 0x82f63b78. */
static const uint32_t halves[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t by_table(uint32_t crc, const unsigned char *p, size_t n)
{
	for (; n; n--, p++) {
		crc ^= *p;
		crc = crc >> 4 ^ halves[crc & 15];
		crc = crc >> 4 ^ halves[crc & 15];
	}
	return crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t crc, const unsigned char *p,
							       size_t n)
{
	uint64_t wide = crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v;

		__builtin_memcpy(&v, p, 8);
		wide = __builtin_ia32_crc32di(wide, v);
	}
	crc = (uint32_t)wide;
	for (; n; n--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}

/* cpuid leaves the guest of a hypervisor, so it is asked once. */
static bool has_instruction(void)
{
	static _Atomic(uint32_t) known; /* 0 not asked, 1 no, 2 yes */
	uint32_t now = atomic_load_explicit(&known, memory_order_relaxed);
	unsigned a, b, c, d;

	if (!now) {
		now = __get_cpuid(1, &a, &b, &c, &d) && c & bit_SSE4_2 ? 2 : 1;
		atomic_store_explicit(&known, now, memory_order_relaxed);
	}
	return now == 2;
}

#else

#define by_processor by_table

static bool has_instruction(void)
{
	return false;
}

#endif

uint32_t taf_crc32c(uint32_t crc, const void *p, size_t n)
{
	return ~(has_instruction() ? by_processor(~crc, p, n) : by_table(~crc, p, n));
}

uint32_t taf_crumb_seed(const char *boot, uint64_t start, uint32_t seg)
{
	char buf[96];
	struct taf_text t;

	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, boot);
	taf_text_char(&t, '-');
	taf_text_u64(&t, start);
	taf_text_char(&t, '-');
	taf_text_pad(&t, seg, 3);
	return taf_crc32c(0, buf, t.used);
}
