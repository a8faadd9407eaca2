/* SPDX-License-Identifier: MIT */
/* share_text.h -- how the ledger reads as text: STATE/state and STATE/events.
 *
 * FORMAT (version 1): one record a line, words and key=value in a fixed order,
 * each line closed by " crc=" and 8 hexadecimal digits: CRC32C of the line
 * before that, continued from the CRC32C of the file's first line.  Text is
 * quoted as in JSON.  A moment is UTC, the first 16 digits of the boot id and
 * milliseconds of that boot, or "-":
 *
 *   2026-11-21T10:00:00.123000Z/0123456789abcdef+81723
 *
 * STATE/state is rewritten as a whole; a line per record, in any order:
 *
 *   taffrail state 1
 *   turn n=N                       first, and another one each time it is written
 *   ack MOMENT
 *   hold MOMENT for=MS why="TEXT"
 *   breaker MOMENT for=MS count=N
 *   blind what="SOURCES"
 *   lost file="NAME"               a damaged state, until somebody says something anew
 *   cursor name="SOURCE" a=N b=N
 *   model id="ID" load=MOMENT infer=MOMENT unload=MOMENT bytes=N
 *   end lines=N
 *
 * STATE/events only grows.  The word says what it was: panic, abort, error; behind
 * it a '+' says that this is an event told before of which more is known now, a
 * '=' that it was carried over when the file before was set aside as events-<utc>:
 *
 *   taffrail events 1
 *   panic at=MOMENT seen=MOMENT machine=HEX severity=5 is=suspected pid=N class="C"
 *      source="S" device="D" model="M"                                 (one line)
 *
 * A file whose first line names a higher version is left alone.
 */
#ifndef TAF_SHARE_TEXT_H
#define TAF_SHARE_TEXT_H

#include "../policy/ledger.h"
#include "../policy/text.h"

#define TAF_SHARE_VERSION 1

enum taf_share_file { TAF_SHARE_STATE, TAF_SHARE_EVENTS, TAF_SHARE_SAVED /* saved.h */ };

/* What was wrong with a file. */
struct taf_share_flaw {
	uint32_t n; /* lines that were skipped */
	uint32_t line; /* the first of them, from 1 */
	bool is_newer; /* of a later version: nothing was taken */
	bool may_hide; /* a hold, an ack or the breaker may have stood there */
	uint64_t turn; /* of the state; 0: it says none */
};

/* What stands between the word of an event and its first blank. */
enum taf_share_mark { TAF_SHARE_NEW = ' ', TAF_SHARE_MORE = '+', TAF_SHARE_CARRIED = '=' };

/* "taffrail state 1\n" */
void taf_share_put_head(struct taf_text *t, enum taf_share_file file);
/* Everything but the events. */
void taf_share_put_state(struct taf_text *t, const struct taf_ledger *l, uint64_t turn);
/* The turn that the first bytes of a state file tell; 0: none. */
uint64_t taf_share_turn_of(const char *text, size_t n);
/* Joins what text holds with *l: the later moment of each wins. */
void taf_share_take_state(struct taf_ledger *l, const char *text, size_t n,
			  struct taf_share_flaw *flaw);

void taf_share_put_event(struct taf_text *t, const struct taf_ledger_event *e,
			 enum taf_share_mark mark);
/* Whether the n bytes are one whole line of the events; fills *e and *mark. */
bool taf_share_take_event(const char *line, size_t n, struct taf_ledger_event *e,
			  enum taf_share_mark *mark);
/* The newest of the file, as many as the ledger has room for, take the place of
 * its events. Those that are not saved yet stay. Events of another machine are
 * marked. */
void taf_share_take_events(struct taf_ledger *l, const char *text, size_t n,
			   struct taf_share_flaw *flaw);
/* Whether text begins with the first line of that file; a higher version is told in *flaw. */
bool taf_share_is_head(const char *text, size_t n, enum taf_share_file file,
		       struct taf_share_flaw *flaw);

#endif
