/* SPDX-License-Identifier: MIT */
#include "constant.h"

#include "../policy/text.h"

/* Encodings: Intel SDM volume 2 (LEA, MOV, PUSH, POP, RET, ENDBR64) and the Arm
 * A-profile reference manual C6.2 (ADR, ADRP, ADD immediate, RET, BTI). */

struct code {
	const unsigned char *at;
	size_t n, used;
};

/* Steps over those bytes if they are the next ones. */
static bool takes(struct code *c, const char *bytes, size_t n)
{
	if (c->n - c->used < n || !taf_equal(c->at + c->used, bytes, n))
		return false;
	c->used += n;
	return true;
}

static bool take_u32(struct code *c, uint32_t *v)
{
	const unsigned char *p = c->at + c->used;

	if (c->n - c->used < 4)
		return false;
	*v = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
	c->used += 4;
	return true;
}

static uintptr_t on_x86_64(struct code *c)
{
	uint32_t away;
	uintptr_t at;
	bool has_frame;

	takes(c, "\xf3\x0f\x1e\xfa", 4); /* endbr64 */
	has_frame = takes(c, "\x55\x48\x89\xe5", 4); /* push %rbp; mov %rsp,%rbp */
	if (takes(c, "\x48\x8d\x05", 3) && take_u32(c, &away)) /* lea away(%rip),%rax */
		at = (uintptr_t)c->at + c->used + (uintptr_t)(intptr_t)(int32_t)away;
	else if (takes(c, "\xb8", 1) && take_u32(c, &away)) /* mov $away,%eax */
		at = away;
	else
		return 0;
	if (has_frame && !takes(c, "\x5d", 1)) /* pop %rbp */
		return 0;
	return takes(c, "\xc3", 1) ? at : 0; /* ret */
}

/* The 21 signed bits that adr and adrp hold in two pieces. */
static uintptr_t away_of(uint32_t op)
{
	uint32_t bits = (op >> 5 & 0x7ffffu) << 2 | (op >> 29 & 3u);

	return (uintptr_t)(intptr_t)(int32_t)((bits ^ 0x100000u) - 0x100000u);
}

static uintptr_t on_aarch64(struct code *c)
{
	uintptr_t pc, at;
	uint32_t op;

	takes(c, "\x5f\x24\x03\xd5", 4); /* bti c */
	pc = (uintptr_t)c->at + c->used;
	if (!take_u32(c, &op))
		return 0;
	if ((op & 0x9f00001fu) == 0x10000000u) { /* adr x0, away */
		at = pc + away_of(op);
	} else if ((op & 0x9f00001fu) == 0x90000000u) { /* adrp x0, page; add x0, x0, #rest */
		at = (pc & ~(uintptr_t)0xfff) + (away_of(op) << 12);
		if (!take_u32(c, &op) || (op & 0xffc003ffu) != 0x91000000u)
			return 0;
		at += op >> 10 & 0xfffu;
	} else {
		return 0;
	}
	return takes(c, "\xc0\x03\x5f\xd6", 4) ? at : 0; /* ret */
}

uintptr_t taf_constant_of(enum taf_isa isa, const unsigned char *code, size_t n)
{
	struct code c = { code, n, 0 };

	switch (isa) {
	case TAF_ISA_X86_64: return on_x86_64(&c);
	case TAF_ISA_AARCH64: return on_aarch64(&c);
	default: return 0;
	}
}
