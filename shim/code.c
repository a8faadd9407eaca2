/* SPDX-License-Identifier: MIT */
#include "code.h"

#include <errno.h>

#include "../policy/text.h"
#include "sys.h"
#include "sys_code.h"

#define SMALL ((uintptr_t)4096) /* the least a page can be */
#if defined(__aarch64__)
#define LARGE ((uintptr_t)65536) /* the most; segments of programs begin at such places there */
#else
#define LARGE SMALL
#endif
#define HEAD sizeof(ElfW(Ehdr))

static void *pointer(uintptr_t n)
{
	union {
		uintptr_t n;
		void *p;
	} u = { .n = n };

	return u.p;
}

/* Whole pages round the span, whatever their size is, and none of another segment. */
static void round_to_pages(struct taf_code *c, const ElfW(Phdr) * h, uintptr_t bias)
{
	uintptr_t first = (bias + h->p_vaddr) & ~(SMALL - 1);
	uintptr_t last = (bias + h->p_vaddr + h->p_memsz + SMALL - 1) & ~(SMALL - 1);

	c->from &= ~(LARGE - 1);
	c->to = (c->to + LARGE - 1) & ~(LARGE - 1);
	c->from = c->from < first ? first : c->from;
	c->to = c->to > last ? last : c->to;
	c->at = h->p_offset - (bias + h->p_vaddr - c->from);
}

/* The file of the program itself: one that was started through its loader has another. */
static int open_file(const unsigned char *head)
{
	int fd = taf_sys_open_any("/proc/self/exe");
	unsigned char own[HEAD];

	if (fd < 0)
		return fd;
	if (taf_sys_pread(fd, own, HEAD, 0) == (int64_t)HEAD && taf_equal(own, head, HEAD))
		return fd;
	taf_sys_close(fd);
	return -ENOEXEC;
}

/* A page of that file, changed as code is about to be: what forbids one forbids the other. */
static int rehearse(int fd)
{
	volatile unsigned char *copy = taf_sys_map_copy(fd, LARGE);
	union {
		volatile unsigned char *v;
		void *p;
	} u = { .v = copy };
	int err;

	if (!copy)
		return -ENOMEM;
	copy[0] = copy[0];
	err = taf_sys_protect_code(u.p, LARGE, false);
	taf_sys_unmap(u.p, LARGE);
	return err;
}

int taf_code_open(struct taf_code *c, const ElfW(Phdr) * h, uintptr_t bias,
		  const unsigned char *head)
{
	int err;

	round_to_pages(c, h, bias);
	c->fd = open_file(head);
	if (c->fd < 0)
		return c->fd;
	err = rehearse(c->fd);
	if (!err)
		err = taf_sys_protect_code(pointer(c->from), c->to - c->from, true);
	if (err) {
		/* Part of it may be writable already. */
		taf_sys_protect_code(pointer(c->from), c->to - c->from, false);
		taf_sys_close(c->fd);
	}
	return err;
}

bool taf_code_close(struct taf_code *c)
{
	size_t n = c->to - c->from;
	bool is_code;

	__builtin___clear_cache(pointer(c->from), pointer(c->to));
	is_code = !taf_sys_protect_code(pointer(c->from), n, false);
	if (!is_code)
		taf_sys_map_code(pointer(c->from), n, c->fd, c->at);
	taf_sys_close(c->fd);
	return is_code;
}
