/* SPDX-License-Identifier: MIT */
/* show.h -- text for people: what the log says, made safe for a terminal.
 *
 * Whoever can write into the state directory can put any byte into a record,
 * and undoing its escapes brings control characters back.  So every string
 * that came from a file passes taf_show_text on its way out: controls, C1,
 * bidirectional marks and broken UTF-8 are shown as escapes.
 */
#ifndef TAF_SHOW_H
#define TAF_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TAF_TIME_ROOM 32

/* s made harmless, cut to room; returns buf. */
const char *taf_show_safe(char *buf, size_t room, const char *s);
/* Prints s made harmless, at most max bytes of it (a cut is shown by "..."). Returns
 * the bytes printed. */
size_t taf_show_text(FILE *out, const char *s, size_t max);
/* A record as it stands, but for bytes beyond ASCII that could steer a terminal. */
void taf_show_record(FILE *out, const char *text, size_t n);

/* "2026-11-21T10:00:00.123456Z"; returns buf. */
const char *taf_show_time(char buf[TAF_TIME_ROOM], uint64_t utc_us);
/* "250ms", "2.0s", of milliseconds, to the nearest. What is compared to a limit is cut, by
 * taf_text_ms: it must not look like what it has not reached. Returns buf. */
const char *taf_show_span(char *buf, size_t room, uint64_t ms);
struct taf_text;
void taf_show_put(struct taf_text *t, uint64_t ms);
/* The same of microseconds; below 10 ms with a decimal: "0.4ms". Returns buf. */
const char *taf_show_ms(char *buf, size_t room, uint64_t us);
const char *taf_show_bytes(char *buf, size_t room, uint64_t bytes);
/* The command of a start record as it was typed, arguments with blanks in quotes; without one
 * its program. False: neither is known. */
struct taf_crumb_line;
bool taf_show_command(FILE *out, const struct taf_crumb_line *head);
/* "mlx::core::eval" of "_ZN3mlx4core4evalE...", other names as they are. Returns buf. */
const char *taf_show_call(char *buf, size_t room, const char *call);
/* "load", "infer"; a GPU runtime infers nothing: "work". "?" of a kind below 0. */
const char *taf_show_kind(int kind, uint8_t engine);
/* "TERM" for 15 with its SIG: "SIGTERM"; "signal 99" for a stranger. Returns buf. */
const char *taf_show_signal(char *buf, size_t room, int signal);
/* The number of the first "SIG..." name in s, or 0. */
int taf_signal_in(const char *s);

/* Colour only for a terminal, and never when NO_COLOR is set or TERM is dumb. */
bool taf_show_has_colour(FILE *out);

#endif
