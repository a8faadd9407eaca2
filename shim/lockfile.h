/* SPDX-License-Identifier: MIT */
/* lockfile.h -- the GPU lock, which belongs to a run: a process and all that come of it.
 *
 *   taf_lock_name(&who);                        once, before the others
 *   switch (taf_lock_try(rules, &why)) ...      OURS, BUSY or UNKNOWN
 *   taf_lock_wait(ms);                          BUSY and it is to be waited for
 *   taf_lock_release();                         see below
 *
 * A slot is a file (lock_place.h); a member of the run that has it holds a
 * flock LOCK_SH on it.  The kernel is the only truth: it gives the slot back
 * when the last member has ended, however that came.  What lies beside the
 * slot (lock_text.h) is for people and for members that look for their slot.
 *
 *            free ---- take: LOCK_EX, text, LOCK_SH ----> held by run A
 *             ^                                            |  ^
 *             |   the last descriptor is closed            |  | join: text says A, and
 *             +--------------------------------------------+  | LOCK_SH can be had
 *                                                             +-- but not LOCK_EX
 *
 * Turning LOCK_EX into LOCK_SH is two steps in the kernel, and looking and
 * taking are several: all of it happens under a flock on the file `guard`,
 * waited for at most 200 ms.  Nobody who follows these rules can
 * come between; who is killed between two steps leaves a slot that is free,
 * because its lock went with him, whatever the text says.  Readers take the
 * guard and write nothing.
 *
 * A fork child inherits the descriptor and with it the slot: the run goes on
 * in it.  When it uses a device itself it joins like any other member
 * (taf_lock_forget).  exec closes the descriptor.
 *
 * lock.hold = run: taken once, and kept until the run has ended.
 *
 * lock.hold = inference: held while a thread computes and no longer.  Nobody
 * learns when a burst of decodes is over, and a flock cannot be taken away; so
 * the slot is given back after every one, when the device is done with it, and
 * taken again before the next.  In between it is free for the kernel but spoken
 * for: the text says whose turn it is, and until turn_ms (drain.idle_ms, at
 * most 10 s) after its beginning others leave it alone.  After that the first
 * in the queue (lock_queue.h) takes the turn, and who had it goes to the end.
 * Where nobody waits the turn goes on.  A turn of a process that ended is over.
 *
 *   taf_lock_try      before each decode, on the thread that decodes
 *   taf_lock_release  after it, on the same thread, synchronized
 *
 * A thread that leaves a decode by an exception or a jump keeps nobody for long
 * (lock_threads.h).  Only where the whole process makes no watched call any more
 * does it keep the slot: there is nobody to give it back.
 *
 * Where the files cannot be used (read-only, no locks there, a stranger's) the
 * answer is UNKNOWN with a reason: a lock that cannot work blocks nobody.
 *
 * Threads: any; state is under a small lock of the process, signals blocked.
 */
#ifndef TAF_LOCKFILE_H
#define TAF_LOCKFILE_H

#include "../policy/event.h"
#include "../policy/rules.h"
#include "lock_place.h"
#include "lock_text.h"

struct taf_lock_who {
	const char *run; /* 16 hexadecimal digits; else the answer is UNKNOWN */
	const char *label, *command; /* for people; NULL: none */
	char *const *env; /* ours, for the places; must live on */
	char *const *theirs; /* the program's, for its devices; read now */
};

/* Names this process's run. What it held under another name is forgotten, not closed. */
void taf_lock_name(const struct taf_lock_who *who);
/* Takes or joins a slot, if that is possible now. Idempotent; when it is ours already,
 * one system call or two. why gets a line for UNKNOWN, and for what is worth a note
 * besides; "" when there is nothing new to say. Never waits longer than the guard. */
enum taf_lock_state taf_lock_try(const struct taf_rules *rules, struct taf_text *why);
/* Who stood in the way at the last try: "llama-server (pid 12, web, since 3m 10s)". */
void taf_lock_holder(struct taf_text *out);
/* Enters the queue and sleeps until the slot is ours, or ms have passed. */
void taf_lock_wait(uint32_t ms);
/* hold = inference: this thread computes no more. Always: leaves the queue, so
 * that a run that gave up waiting keeps nobody back. */
void taf_lock_release(void);
/* The same for every thread of this process: none of them computes. */
void taf_lock_release_all(void);
/* hold = run: this process does not begin after all, and holds nobody back. The other
 * members of its run keep what they have. */
void taf_lock_drop(void);
/* hold = inference: that thread computes no more, although it did not say so. */
void taf_lock_drop_thread(int32_t tid);
/* A fork child holds nothing by itself. */
void taf_lock_forget(void);

#endif
