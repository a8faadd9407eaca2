/* SPDX-License-Identifier: MIT */
#include "ring_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../hooks/catalog.h"
#include "../policy/text.h"

/* A ring has row numbers: the rows of an engine in the order of its table. */
static const char *row_name(const struct taf_ring_call *c)
{
	const struct taf_catalog_row *rows;
	size_t n, row = 0;

	rows = taf_catalog(&n);
	for (size_t i = 0; i < n; i++)
		if (rows[i].engine == (enum taf_engine)c->engine && row++ == c->row)
			return rows[i].name;
	return NULL;
}

void taf_ring_file_name(char *to, size_t room, const struct taf_ring_call *c)
{
	const char *name = row_name(c);

	if (name || c->row == TAF_NO_ROW)
		taf_copy(to, name ? name : "", room);
	else
		snprintf(to, room, "%s row %u", taf_engine_name((enum taf_engine)c->engine),
			 c->row);
}

static int open_ring(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_uid == geteuid() || geteuid() == 0))
		return fd;
	close(fd);
	return -1;
}

static bool read_ring(const char *path, const struct taf_trail *trail, struct taf_ring_copy *copy,
		      void **bytes)
{
	int fd = open_ring(path);
	int64_t n;
	bool is_ours = false;

	*bytes = NULL;
	if (fd < 0)
		return false;
	n = taf_ring_copy_size(fd);
	*bytes = n > 0 ? malloc((size_t)n) : NULL;
	if (*bytes && !taf_ring_copy_read(fd, *bytes, (size_t)n, copy))
		is_ours = copy->facts.pid == trail->pid && copy->facts.start == trail->start &&
			  !strncmp(copy->facts.boot, trail->boot, TAF_BOOT_ID_LEN);
	close(fd);
	if (!is_ours) {
		free(*bytes);
		*bytes = NULL;
	}
	return is_ours;
}

/* Where the start record says, else where rings are kept. */
bool taf_ring_file_read(const struct taf_trail *trail, struct taf_ring_copy *copy, void **bytes)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[TAF_PATH_MAX + 128];

	if (trail->ring[0] == '/' && read_ring(trail->ring, trail, copy, bytes))
		return true;
	if (runtime) {
		snprintf(path, sizeof(path), "%s/taffrail/%s.ring", runtime, trail->id);
		if (read_ring(path, trail, copy, bytes))
			return true;
	}
	snprintf(path, sizeof(path), "/dev/shm/taffrail-%u/%s.ring", (unsigned)geteuid(),
		 trail->id);
	if (read_ring(path, trail, copy, bytes))
		return true;
	snprintf(path, sizeof(path), "%s/%s.ring", trail->dir, trail->id);
	return read_ring(path, trail, copy, bytes);
}
