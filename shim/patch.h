/* SPDX-License-Identifier: MIT */
/* patch.h -- objects that look past us.
 *
 * An exported name is found first by every object of the global scope, and the
 * dlsym entry answers handle look-ups.  Two sorts of objects still bind past
 * us: those opened with RTLD_DEEPBIND, and those of another namespace
 * (dlmopen).  Their slots for engine rows (JUMP_SLOT, GLOB_DAT, absolute), and those for
 * dlopen, dlsym and the like, are pointed at our functions, in
 * memory, before the program gets a symbol of them: the dlopen entries only note
 * that something was opened, since they end in a tail jump, and the next look-up or
 * open scans what is new.  What an object of another namespace looks up goes on to the C
 * library that it has (space.h): a runtime that is linked in statically finds its driver so.
 *
 * Never touched: a slot whose symbol nobody defines (a weak reference stays
 * absent), our own object, and any process in which neither DEEPBIND nor dlmopen was used.
 */
#ifndef TAF_PATCH_H
#define TAF_PATCH_H

#include <stdbool.h>

/* A dlopen or dlmopen is about to happen. */
void taf_patch_note_open(bool is_deepbind, bool is_namespace);
/* An object left the process: its address may come back as another. */
void taf_patch_forget(void);
/* Scans what is new, if anything may be. handle is what dlsym was asked about, or NULL. */
void taf_patch_pending(void *handle);

#endif
