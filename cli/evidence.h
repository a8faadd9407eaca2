/* SPDX-License-Identifier: MIT */
/* evidence.h -- what the system itself has written down about GPUs and panics.
 *
 *   taf_share_open(state);
 *   taf_evidence_refresh(state, &found);       run, gate, events, watch
 *
 * Reads what is new since the last time, enters it into the ledger and says
 * which sources could not be read:
 *
 *	panic_file   macOS reports: DiagnosticReports, its Retired, PanicReporter, the user's own
 *	pstore       Linux: what the firmware kept of a crashed kernel, also archived by systemd
 *	journal      Linux: the kernel's journal of the boot before, asked for once a boot
 *	kmsg         Linux: the kernel's log of this boot
 *
 * A source that this system does not have is left out; one that is there and
 * cannot be read is blind, named with the reason, and never counts as clean.
 * How far each was read stands in STATE/evidence (evidence_mark.c).  With
 * TAFFRAIL_EVIDENCE_ROOT=/dir every path is looked for below /dir: the copied
 * disk of another machine, or a test.
 *
 * All is bounded: files, bytes of a file, the time of the whole.  When nothing
 * is new it costs some stats and the reading of the kernel's buffer.
 */
#ifndef TAF_EVIDENCE_H
#define TAF_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#define TAF_EVIDENCE_BLIND 12

struct taf_blind {
	char source[24]; /* "kmsg" */
	char why[232]; /* "/dev/kmsg: Operation not permitted; ...", with what to do */
};

struct taf_evidence_report {
	uint32_t n_new; /* events that the ledger did not know, or knows better now */
	uint32_t n_blind;
	struct taf_blind blind[TAF_EVIDENCE_BLIND];
};

/* state: the state directory, absolute, given to taf_share_open before. 0, or
 * -errno when what was found reaches no other process or is lost with this one. */
int taf_evidence_refresh(const char *state, struct taf_evidence_report *out);

#endif
