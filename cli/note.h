/* SPDX-License-Identifier: MIT */
/* note.h -- leaves a remark in the log. */
#ifndef TAF_NOTE_H
#define TAF_NOTE_H

/* One NOTE record in a session of its own, on disk when it returns. run (16 hexadecimal
 * digits) and state may be NULL: the newest run, the default place. 0 or -errno. */
int taf_note_leave(const char *run, const char *state, const char *text);

#endif
