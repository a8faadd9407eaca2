/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include <errno.h>

#include "sys_file.h"

/* Its number, and the low half of its inode above: together, so that nobody sees one of them
 * alone. 0: none was made. */
static _Atomic(uint64_t) kept;

static uint64_t pack(int fd)
{
	struct taf_stat st;

	return taf_sys_fstat(fd, &st) ? 0 : st.ino << 32 | (uint32_t)fd;
}

static int number_of(uint64_t box)
{
	return (int)(uint32_t)box;
}

static bool is_ours(uint64_t box)
{
	return box && pack(number_of(box)) == box;
}

/* In the place of old. Who else was about to make one may have been first. */
static int make(uint64_t old, uint64_t *box)
{
	int fd = taf_sys_socket();

	if (fd < 0)
		return fd;
	fd = taf_sys_move_high(fd);
	*box = pack(fd);
	if (*box && atomic_compare_exchange_strong(&kept, &old, *box))
		return 0;
	taf_sys_close(fd);
	*box = *box ? old : 0;
	return *box ? 0 : -EBADF;
}

static int take(uint64_t *box)
{
	*box = atomic_load(&kept);
	return is_ours(*box) ? 0 : make(*box, box);
}

void taf_outbox_open(void)
{
	uint64_t box;

	take(&box);
}

int taf_outbox_send(const char *path, const void *buf, size_t n)
{
	uint64_t box;
	int err = take(&box);

	return err ? err : taf_sys_send(number_of(box), path, buf, n);
}
