/* SPDX-License-Identifier: MIT */
/* evidence.c -- one look at all sources: read what is new, enter it, remember how far. */
#include "evidence.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../policy/text.h"
#include "../shim/share.h"
#include "../shim/state.h"
#include "../shim/sys.h"
#include "evidence_source.h"

#define LIMIT_NS 5000000000ull /* of the whole look, journalctl included */

/* False: there is a root, and it is none. */
static bool take_root(struct taf_evidence *ev)
{
	const char *root = getenv("TAFFRAIL_EVIDENCE_ROOT");
	struct stat st;
	size_t n;

	if (!root || !*root)
		return true;
	if (*root != '/' || !taf_copy(ev->root, root, sizeof(ev->root)) || stat(root, &st) ||
	    !S_ISDIR(st.st_mode)) {
		taf_evidence_blind(
			ev, "root",
			"TAFFRAIL_EVIDENCE_ROOT is \"%.80s\", no directory; name one by its "
			"whole path",
			root);
		return false;
	}
	for (n = strlen(ev->root); n && ev->root[n - 1] == '/'; n--)
		ev->root[n - 1] = '\0';
	return true;
}

static void begin(struct taf_evidence *ev)
{
	char boot[TAF_BOOT_ID_LEN + 1] = "";
	uint64_t boot_ns = taf_sys_boot_ns(), mono_ns = taf_sys_mono_ns();

	taf_sys_boot_id(boot);
	ev->now.boot = taf_boot_key(boot);
	ev->now.boot_ms = boot_ns / 1000000;
	ev->now.utc_ms = taf_sys_utc_us() / 1000;
	ev->asleep_ms = boot_ns > mono_ns ? (boot_ns - mono_ns) / 1000000 : 0;
	ev->deadline_ns = mono_ns + LIMIT_NS;
}

static void look(struct taf_evidence *ev)
{
	taf_evidence_reports(ev);
	taf_evidence_pstore(ev);
	taf_evidence_journal(ev);
	taf_evidence_kmsg(ev);
}

/* The blind sources in a line, or "". */
static void name_blind(const struct taf_evidence *ev, char *to, size_t room)
{
	struct taf_text t;

	taf_text_init(&t, to, room);
	for (uint32_t i = 0; i < ev->n_blind; i++) {
		bool is_named = false;

		for (uint32_t j = 0; j < i; j++)
			is_named = is_named || !strcmp(ev->blind[j].source, ev->blind[i].source);
		if (is_named)
			continue;
		taf_text_put(&t, t.used ? ", " : "");
		taf_text_put(&t, ev->blind[i].source);
	}
}

/* 0 or -errno of the sharing. */
static int enter(const struct taf_evidence *ev, bool is_kept, struct taf_evidence_report *out)
{
	char blind[sizeof(((struct taf_ledger *)0)->blind)];
	enum taf_share_change change = TAF_SHARE_SAME;
	struct taf_ledger *l;
	uint32_t settled = 0;
	int err, late;

	name_blind(ev, blind, sizeof(blind));
	l = taf_share_enter(&err);
	for (uint32_t i = 0; i < ev->n; i++)
		if (taf_ledger_note(l, &ev->event[i]) != TAF_NOTED_KNOWN)
			out->n_new++;
	for (uint32_t i = 0; i < ev->n_words; i++)
		settled += taf_klog_settle(l->event, l->n_events, &ev->word[i].k, &ev->word[i].at);
	if (out->n_new || settled)
		change = TAF_SHARE_DURABLE;
	if (l->is_blind != (ev->n_blind > 0) || strcmp(l->blind, blind) != 0)
		change = change == TAF_SHARE_SAME && is_kept ? TAF_SHARE_LAZY : change;
	l->is_blind = ev->n_blind > 0;
	taf_copy(l->blind, blind, sizeof(l->blind));
	late = taf_share_leave(change);
	return err ? err : late;
}

/* For who asks what stood in it, no log is as bad as one that cannot be read. */
static void miss(struct taf_evidence *ev, bool is_before)
{
	if (ev->n_blind || ev->n_boots)
		return;
	if (is_before)
		taf_evidence_blind(ev, "journal",
				   "there is no journal of the boot before; look for one by hand "
				   "with journalctl -k");
	else
		taf_evidence_blind(
			ev, "kmsg",
			"there is no kernel's log at %s/dev/kmsg, as in most "
			"containers; run this on the host, or give the container /dev/kmsg",
			ev->root);
}

void taf_evidence_hear(bool is_before, taf_hear *hear, void *hearer, struct taf_hearing *out)
{
	struct taf_evidence *ev = calloc(1, sizeof(*ev));

	memset(out, 0, sizeof(*out));
	if (!ev) {
		taf_copy(out->blind.why, "no memory; run this again", sizeof(out->blind.why));
		return;
	}
	ev->hear = hear;
	ev->hearer = hearer;
	begin(ev);
	if (take_root(ev)) {
		if (is_before)
			taf_evidence_journal(ev);
		else
			taf_evidence_kmsg(ev);
	}
	miss(ev, is_before);
	if (ev->n_blind)
		out->blind = ev->blind[0];
	out->n_boots = ev->n_boots;
	memcpy(out->boot, ev->boot, sizeof(out->boot));
	free(ev);
}

int taf_evidence_refresh(const char *state, struct taf_evidence_report *out)
{
	struct taf_evidence *ev = calloc(1, sizeof(*ev));
	struct stat st;
	bool is_kept = !stat(state, &st);
	int err;

	memset(out, 0, sizeof(*out));
	if (!ev)
		return -ENOMEM;
	begin(ev);
	if (take_root(ev)) {
		if (is_kept)
			taf_marks_load(ev, state);
		look(ev);
	}
	/* A remark is not worth a folder, harm is. */
	if (ev->n && !is_kept && *state)
		is_kept = !taf_dir_make(state, NULL);
	out->n_blind = ev->n_blind;
	memcpy(out->blind, ev->blind, sizeof(out->blind));
	err = enter(ev, is_kept, out);
	/* Only what the ledger keeps has been read. */
	if (!err && ev->is_moved && is_kept)
		err = taf_marks_save(ev, state);
	free(ev);
	return err;
}
