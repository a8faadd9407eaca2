/* SPDX-License-Identifier: MIT */
/* lock_text.h -- who holds a slot of the GPU lock, in words.
 *
 * One JSON object of TAF_LOCK_TEXT_BYTES bytes, blanks at its end, written in
 * one piece by whoever takes the slot:
 *
 *   {"v":1,"run":"9c2f...","pid":12,"start":4711,"pid_ns":4026531836,
 *    "boot":"5f0c...","since_ms":1234,"since_utc_ms":1764...,"hold":"run",
 *    "turn_ms":0,"label":"web","command":"llama-server -m x.gguf"}
 *
 * It is for people, and for members of the same run who look for their slot.
 * Whether a slot is held only the kernel says.  So nothing in it is trusted:
 * reading is bounded, and a text that is not whole is none.
 */
#ifndef TAF_LOCK_TEXT_H
#define TAF_LOCK_TEXT_H

#include "../policy/text.h"

#define TAF_LOCK_TEXT_BYTES 1024
#define TAF_LOCK_COMMAND 120
#define TAF_LOCK_LABEL 64

enum taf_lock_hold {
	TAF_HOLD_RUN, /* until the run has ended */
	TAF_HOLD_INFERENCE, /* a turn; in its pauses the slot is free but spoken for */
	TAF_HOLD_TAKE, /* `taffrail lock --take` lets the kernel tidy up */
	TAF_HOLD_COUNT
};

struct taf_lock_text {
	char run[17];
	int32_t pid; /* of the member that took it */
	uint64_t start, pid_ns; /* clock ticks since boot; inode of its pid namespace */
	uint64_t boot; /* taf_boot_key */
	uint64_t since_ms, since_utc_ms; /* CLOCK_BOOTTIME; UTC */
	uint32_t hold; /* enum taf_lock_hold */
	uint32_t turn_ms; /* how long a turn is at least */
	char label[TAF_LOCK_LABEL];
	char command[TAF_LOCK_COMMAND];
};

/* 0 or -errno; after a failure there is no text. */
int taf_lock_text_write(int fd, const struct taf_lock_text *text);
/* False when there is none that is whole. */
bool taf_lock_text_read(int fd, struct taf_lock_text *text);
/* "run", "inference", "take" */
const char *taf_lock_hold_name(uint32_t hold);
/* Whether the member that took it still is there, as far as it can be seen from here. */
bool taf_lock_text_is_alive(const struct taf_lock_text *text);
/* The same of any process: false only when it is known to be gone or a zombie. */
bool taf_lock_is_alive(int32_t pid, uint64_t start, uint64_t pid_ns);
/* "llama-server -m x.gguf (pid 12, web, since 3m 10s)" */
void taf_lock_text_show(const struct taf_lock_text *text, struct taf_text *out);
/* Puts s without what could steer a terminal or break a line. */
void taf_lock_plain(struct taf_text *out, const char *s);
/* The boot that this is, and the milliseconds of its clock. */
uint64_t taf_lock_boot(void);
uint64_t taf_lock_now_ms(void);
/* 16 lower-case hexadecimal digits. */
bool taf_lock_is_run(const char *run);

#endif
