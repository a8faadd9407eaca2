/* SPDX-License-Identifier: MIT */
/* thrown.h -- what an exception of C++ says, while it is in flight.
 *
 * The layout is that of the Itanium C++ ABI (Exception Handling, 2.2.1 Exception
 * Objects; GNU's and LLVM's runtimes keep to it): the object lies behind the unwinder's
 * part, the type ten words before that.  Nothing of a type that is not the standard
 * library's own is called: its what() could do anything, ask for Python's lock too.
 */
#ifndef TAF_THROWN_H
#define TAF_THROWN_H

/* Its what(), which lives as long as the exception does; NULL: it is none of the
 * standard ones. exception: as the unwinder hands it to a personality routine. */
const char *taf_thrown_text(const void *exception);
/* The name of its type as the ABI spells it; NULL: it is not of C++. */
const char *taf_thrown_type(const void *exception);

#endif
