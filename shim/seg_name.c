/* SPDX-License-Identifier: MIT */
#include "seg_name.h"

#include "../policy/text.h"

/* As we write it: at least digits wide, and no zero in front of a wider one. */
static bool read_number(const char **p, int digits, uint64_t *v)
{
	const char *from = *p;

	return taf_read_u64(from, p, v) && *p - from >= digits &&
	       (*p - from == digits || *from != '0');
}

bool taf_seg_name_read(const char *name, struct taf_seg_name *out)
{
	const char *p = name;
	uint64_t pid, seg = 0;

	taf_zero(out, sizeof(*out));
	for (int i = 0; i < TAF_BOOT_ID_LEN; i++, p++) {
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'f')))
			return false;
		out->boot[i] = *p;
	}
	if (*p++ != '-' || !read_number(&p, 1, &pid) || pid > INT32_MAX || *p++ != '-' ||
	    !read_number(&p, 1, &out->start))
		return false;
	out->pid = (int32_t)pid;
	out->is_ring = taf_same(p, ".ring");
	if (out->is_ring)
		return true;
	if (*p++ != '-' || !read_number(&p, 3, &seg) || seg > UINT32_MAX || !taf_same(p, ".jsonl"))
		return false;
	out->seg = (uint32_t)seg;
	return true;
}
