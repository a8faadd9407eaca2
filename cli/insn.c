/* SPDX-License-Identifier: MIT */
#include "insn.h"

#include <stdbool.h>

#include "../shim/site.h"

#if defined(__x86_64__)

#define LONGEST 15 /* bytes; the processor refuses more */

/* What follows an opcode. */
enum tail {
	NONE,
	MODRM = 1, /* an operand byte, and what that asks for */
	BYTE = 2, /* a constant of so many bytes */
	WORD = 4,
	LONG = 8, /* 4 bytes, or 2 with the prefix 66 */
	DISTANCE = 16, /* 4 bytes, always */
	BAD = 32,
};

/* What a letter of the maps below stands for. */
static unsigned tail_by(char letter)
{
	switch (letter) {
	case '.': return NONE;
	case 'm': return MODRM;
	case 'M': return MODRM | BYTE;
	case 'L': return MODRM | LONG;
	case 'b': return BYTE;
	case 'w': return WORD;
	case 'E': return WORD | BYTE;
	case 'l': return LONG;
	case 'd': return DISTANCE;
	default: return BAD;
	}
}

/* The opcode maps, sixteen opcodes a line. Prefixes, REX and what leads to another map
 * never come here; the constant of f6 and f7 depends on the operand (tail_of). */
static const char map_one[256 + 1] = "mmmmblxxmmmmblxx"
				     "mmmmblxxmmmmblxx"
				     "mmmmblxxmmmmblxx"
				     "mmmmblxxmmmmblxx"
				     "xxxxxxxxxxxxxxxx"
				     "................"
				     "xxxmxxxxlLbM...."
				     "bbbbbbbbbbbbbbbb"
				     "MLxMmmmmmmmmmmmm"
				     "..........x....."
				     "........bl......"
				     "bbbbbbbbllllllll"
				     "MMw.xxMLE.w..bx."
				     "mmmmxxx.mmmmmmmm"
				     "bbbbbbbbddxb...."
				     "x.xx..mm......mm";

/* Behind 0f; VEX and EVEX share it. */
static const char map_two[256 + 1] = "mmmmx.....x.xm.M"
				     "mmmmmmmmmmmmmmmm"
				     "mmmmxxxxmmmmmmmm"
				     "......x.xxxxxxxx"
				     "mmmmmmmmmmmmmmmm"
				     "mmmmmmmmmmmmmmmm"
				     "mmmmmmmmmmmmmmmm"
				     "MMMMmmm.mmmmmmmm"
				     "dddddddddddddddd"
				     "mmmmmmmmmmmmmmmm"
				     "...mMmmm...mMmmm"
				     "mmmmmmmmmmMmmmmm"
				     "mmMmMMMm........"
				     "mmmmmmmmmmmmmmmm"
				     "mmmmmmmmmmmmmmmm"
				     "mmmmmmmmmmmmmmmm";

/* One instruction on its way through. */
struct reader {
	const unsigned char *p;
	size_t n; /* bytes there are */
	unsigned at; /* bytes read */
	unsigned char op, rex;
	unsigned map; /* 1, 2 (0f), 3 (0f 38), 4 (0f 3a); 5: XOP */
	bool is_short, is_long_vex, is_address_short;
};

static unsigned char peek(const struct reader *r, unsigned ahead)
{
	return r->at + ahead < r->n ? r->p[r->at + ahead] : 0;
}

static void read_prefixes(struct reader *r)
{
	for (; r->at < r->n && r->at < LONGEST; r->at++) {
		unsigned char c = r->p[r->at];

		if (c == 0x66)
			r->is_short = true;
		else if (c == 0x67)
			r->is_address_short = true;
		else if (c != 0x26 && c != 0x2e && c != 0x36 && c != 0x3e && c != 0x64 &&
			 c != 0x65 && c != 0xf0 && c != 0xf2 && c != 0xf3)
			break;
	}
	if ((peek(r, 0) & 0xf0) == 0x40)
		r->rex = r->p[r->at++];
}

/* Opcodes behind VEX (c4, c5), EVEX (62) and XOP (8f). False: none of these. */
static bool read_vector(struct reader *r)
{
	static const unsigned char maps[8] = { 0, 2, 3, 4, 0, 2, 2, 0 };
	unsigned char first = peek(r, 0), second = peek(r, 1);

	if (r->rex)
		return false;
	if (first == 0xc5) {
		r->map = 2;
		r->at += 2;
	} else if (first == 0xc4 || first == 0x62) {
		r->map = maps[second & 7];
		/* Of EVEX's maps 5 and 6 no opcode has a constant. */
		r->is_long_vex = first == 0x62 && (second & 7) > 4;
		r->at += first == 0xc4 ? 3 : 4;
	} else if (first == 0x8f && (second & 0x1f) >= 8 && (second & 0x1f) <= 10) {
		r->map = 5 + (second & 0x1f) - 8;
		r->at += 3;
	} else {
		return false;
	}
	r->op = peek(r, 0);
	r->at++;
	return true;
}

static void read_opcode(struct reader *r)
{
	r->map = 1;
	r->op = peek(r, 0);
	r->at++;
	if (r->op != 0x0f)
		return;
	r->map = 2;
	r->op = peek(r, 0);
	r->at++;
	if (r->op != 0x38 && r->op != 0x3a)
		return;
	r->map = r->op == 0x38 ? 3 : 4;
	r->op = peek(r, 0);
	r->at++;
}

static unsigned tail_of(const struct reader *r, bool is_vector)
{
	switch (r->map) {
	case 1:
		if ((r->op == 0xf6 || r->op == 0xf7) && !(peek(r, 0) & 0x30))
			return MODRM | (r->op == 0xf6 ? BYTE : LONG);
		return tail_by(map_one[r->op]);
	case 2:
		if (is_vector)
			return r->op == 0x77	? NONE
			       : r->is_long_vex ? MODRM
						: MODRM | (tail_by(map_two[r->op]) & BYTE);
		return tail_by(map_two[r->op]);
	case 3:
	case 6: return MODRM;
	case 4:
	case 5: return MODRM | BYTE;
	case 7: return MODRM | DISTANCE;
	default: return BAD;
	}
}

static void skip_operand(struct reader *r)
{
	unsigned char c = peek(r, 0), mode = c >> 6, base = c & 7;

	r->at++;
	if (mode == 3)
		return;
	if (base == 4) {
		base = peek(r, 0) & 7;
		r->at++;
	}
	if (mode == 1)
		r->at++;
	else if (mode == 2 || base == 5)
		r->at += 4;
}

static void skip_constant(struct reader *r, unsigned tail)
{
	bool is_move = r->map == 1 && (r->op & 0xf8) == 0xb8;

	if (r->map == 1 && r->op >= 0xa0 && r->op <= 0xa3)
		r->at += r->is_address_short ? 4 : 8;
	r->at += tail & BYTE ? 1 : 0;
	r->at += tail & WORD ? 2 : 0;
	r->at += tail & DISTANCE ? 4 : 0;
	if (tail & LONG)
		r->at += r->rex & 8 ? (is_move ? 8 : 4) : r->is_short ? 2 : 4;
}

/* Of ff: call, near or far, and the jump by a word at a fixed place, which is a last call
 * into another object; other jumps may be those of a switch. */
static bool is_call_by_pointer(unsigned char operand)
{
	unsigned which = operand >> 3 & 7;

	return which == 2 || which == 3 || operand == 0x25;
}

unsigned taf_insn_read(const unsigned char *p, size_t n, uint64_t at, struct taf_insn *insn)
{
	struct reader r = { .p = p, .n = n < LONGEST ? n : LONGEST };
	bool is_vector;
	unsigned tail;

	*insn = (struct taf_insn){ .sort = TAF_INSN_OTHER };
	read_prefixes(&r);
	insn->opcode = r.at;
	is_vector = read_vector(&r);
	if (!is_vector)
		read_opcode(&r);
	tail = tail_of(&r, is_vector);
	if (tail & BAD)
		return 0;
	if (r.map == 1 && r.op == 0xff && is_call_by_pointer(peek(&r, 0)))
		insn->sort = TAF_INSN_INDIRECT;
	if (tail & MODRM)
		skip_operand(&r);
	skip_constant(&r, tail);
	if (r.at > r.n)
		return 0;
	if (!is_vector && tail & DISTANCE &&
	    taf_site_read(p + insn->opcode, r.at - insn->opcode, at + insn->opcode, &insn->target))
		insn->sort = TAF_INSN_BRANCH;
	return r.at;
}

#else

unsigned taf_insn_read(const unsigned char *p, size_t n, uint64_t at, struct taf_insn *insn)
{
	uint32_t word;

	*insn = (struct taf_insn){ .sort = TAF_INSN_OTHER };
	if (n < 4)
		return 0;
	__builtin_memcpy(&word, p, 4);
	if (taf_site_read(p, n, at, &insn->target))
		insn->sort = TAF_INSN_BRANCH;
	/* blr, and with a signature blraa and its like. */
	else if ((word & 0xfefff800u) == 0xd63f0000u)
		insn->sort = TAF_INSN_INDIRECT;
	return 4;
}

#endif
