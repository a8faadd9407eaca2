/* SPDX-License-Identifier: MIT */
#include "stubs.h"

#include "../policy/text.h"
#include "site.h"
#include "sys.h"
#include "sys_code.h"

#define GRAIN ((uintptr_t)65536) /* no page is bigger */
#define TRIES 256
#define NEAR_TRIES 16 /* of them one beside the other */
#define FAR_STEP (TAF_SITE_REACH / 1024)

/* Places below the image first: above it the heap grows. */
static void *place_below(const struct taf_span *image, size_t bytes)
{
	uintptr_t at = image->from & ~(GRAIN - 1);
	union {
		uintptr_t n;
		void *p;
	} u;

	for (int i = 0; i < TRIES; i++) {
		uintptr_t step = GRAIN + (i < NEAR_TRIES ? 0 : FAR_STEP) + bytes;

		if (at < step + GRAIN || image->to - (at - step) >= TAF_SITE_REACH)
			return NULL;
		at = (at - step) & ~(GRAIN - 1);
		u.n = at;
		if (taf_sys_map_at(u.p, bytes))
			return u.p;
	}
	return NULL;
}

/* So far above that the heap hardly comes there. */
static void *place_above(const struct taf_span *image, size_t bytes)
{
	uintptr_t at = (image->to + TAF_SITE_REACH / 2) & ~(GRAIN - 1);
	union {
		uintptr_t n;
		void *p;
	} u;

	for (int i = 0; i < TRIES; i++, at += FAR_STEP & ~(GRAIN - 1)) {
		if (at + bytes - image->from >= TAF_SITE_REACH)
			return NULL;
		u.n = at;
		if (taf_sys_map_at(u.p, bytes))
			return u.p;
	}
	return NULL;
}

bool taf_stubs_map(struct taf_stubs *s, const struct taf_span *image, unsigned room)
{
	size_t bytes = (room * TAF_STUB_BYTES + GRAIN - 1) & ~(GRAIN - 1);

	*s = (struct taf_stubs){ .bytes = bytes, .room = room };
	if (!room || image->to - image->from >= TAF_SITE_REACH)
		return false;
	s->at = place_below(image, bytes);
	if (!s->at)
		s->at = place_above(image, bytes);
	return s->at != NULL;
}

uintptr_t taf_stubs_add(struct taf_stubs *s, taf_fn door)
{
#if defined(__x86_64__)
	/* jmp *2(%rip); int3; int3 */
	static const unsigned char jump[8] = { 0xff, 0x25, 2, 0, 0, 0, 0xcc, 0xcc };
#else
	/* ldr x16, .+8; br x16 */
	static const unsigned char jump[8] = { 0x50, 0, 0, 0x58, 0, 0x02, 0x1f, 0xd6 };
#endif
	unsigned char *p = s->at + s->n * TAF_STUB_BYTES;

	if (s->n >= s->room)
		return 0;
	s->n++;
	taf_move(p, jump, sizeof(jump));
	taf_move(p + sizeof(jump), &door, sizeof(door));
	return (uintptr_t)p;
}

int taf_stubs_seal(struct taf_stubs *s)
{
	__builtin___clear_cache((char *)s->at, (char *)s->at + s->bytes);
	return taf_sys_protect_code(s->at, s->bytes, false);
}

void taf_stubs_unmap(struct taf_stubs *s)
{
	taf_sys_unmap(s->at, s->bytes);
	s->at = NULL;
}
