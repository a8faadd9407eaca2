/* SPDX-License-Identifier: MIT */
#include "seg_name.h"

#include "../policy/text.h"

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
	if (*p++ != '-' || !taf_read_u64(p, &p, &pid) || pid > INT32_MAX || *p++ != '-' ||
	    !taf_read_u64(p, &p, &out->start))
		return false;
	out->pid = (int32_t)pid;
	out->is_ring = taf_same(p, ".ring");
	if (out->is_ring)
		return true;
	if (*p++ != '-' || !taf_read_u64(p, &p, &seg) || seg > UINT32_MAX || !taf_same(p, ".jsonl"))
		return false;
	out->seg = (uint32_t)seg;
	return true;
}
