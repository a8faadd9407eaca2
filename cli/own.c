/* SPDX-License-Identifier: MIT */
#include "own.h"

#include <unistd.h>

#include "../policy/text.h"

#define SEGMENT_BYTES (64u * 1024)
#define RING_BYTES (256u * 1024)

/* The extra members of the start record. */
static void write_head(const struct taf_own *own, struct taf_text *t)
{
	taf_text_put(t, ",\"role\":\"");
	taf_text_put(t, own->role);
	taf_text_put(t, "\",\"v\":");
	taf_text_u64(t, TAF_CRUMB_VERSION);
	if (own->program) {
		taf_text_put(t, ",\"exe\":");
		taf_text_json(t, own->program, 512);
	}
	taf_text_put(t, ",\"shim\":\"" TAF_VERSION "\"");
	if (own->guest) {
		taf_text_put(t, ",\"pid_of_guest\":");
		taf_text_i64(t, own->guest);
	}
	if (own->label) {
		taf_text_put(t, ",\"label\":");
		taf_text_json(t, own->label, 256);
	}
}

bool taf_own_open(const struct taf_own *own)
{
	struct taf_session s = { .pid = getpid(),
				 .start = taf_sys_start_ticks(0),
				 .exe = own->program,
				 .journal = own->journal,
				 .ring_bytes = RING_BYTES,
				 .segment_bytes = SEGMENT_BYTES };
	char head[1600];
	struct taf_text t;

	if (taf_crumb_is_open())
		return true;
	if (!own->crumbs[0] || !taf_copy(s.dir, own->crumbs, sizeof(s.dir)) ||
	    taf_sys_boot_id(s.boot))
		return false;
	taf_copy(s.run, own->run, sizeof(s.run));
	taf_text_init(&t, head, sizeof(head));
	write_head(own, &t);
	s.head = head;
	/* A full disk: what others left stands for itself. */
	return !taf_crumb_open(&s);
}
