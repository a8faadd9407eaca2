/* SPDX-License-Identifier: MIT */
#include "mapped.h"

#include "sys.h"

#define LIST_BYTES (8u << 20) /* 65530 mappings, which the kernel allows by default */
#define INODE 4 /* of the fields of a line: address, rights, offset, device, inode, path */

/* Where in a line the reader is. */
struct line {
	int field;
	bool is_blank;
	uint64_t inode;
};

/* Takes one byte; true when it ends a line of that inode. */
static bool take(struct line *l, char c, uint64_t inode)
{
	if (c == '\n') {
		bool is_it = l->field >= INODE && l->inode == inode;

		*l = (struct line){ 0 };
		return is_it;
	}
	if (c == ' ') {
		l->is_blank = true;
		return false;
	}
	l->field += l->is_blank;
	l->is_blank = false;
	if (l->field == INODE && c >= '0' && c <= '9')
		l->inode = l->inode * 10 + (uint64_t)(c - '0');
	return false;
}

static uint64_t inode_of(const char *path)
{
	struct taf_stat st = { 0 };
	int fd = taf_sys_open_any(path);

	if (fd < 0)
		return 0;
	if (taf_sys_fstat(fd, &st))
		st.ino = 0;
	taf_sys_close(fd);
	return st.ino;
}

bool taf_mapped(const char *path)
{
	uint64_t inode = inode_of(path), bytes = 0;
	struct line l = { 0 };
	bool is_there = false;
	char buf[1024];
	int64_t got = 1;
	int fd;

	fd = inode ? taf_sys_open_any("/proc/self/maps") : -1;
	if (fd < 0)
		return true;
	while (!is_there && bytes < LIST_BYTES && (got = taf_sys_read(fd, buf, sizeof(buf))) > 0) {
		bytes += (uint64_t)got;
		for (int64_t i = 0; i < got; i++)
			is_there = take(&l, buf[i], inode) || is_there;
	}
	taf_sys_close(fd);
	return is_there || got != 0;
}
