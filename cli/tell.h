/* SPDX-License-Identifier: MIT */
/* tell.h -- what the command says on stderr: whole lines that begin "taffrail: ".
 *
 * One write a line, so that it never mixes with the guest's output.  Bytes that
 * could steer a terminal are shown as '?', whatever file name they came from.
 */
#ifndef TAF_TELL_H
#define TAF_TELL_H

void taf_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
