/* SPDX-License-Identifier: MIT */
/* signal.c -- who gets a signal: the program's view stays its own (shim/sig.c). */
#include <signal.h>

#include "../shim/sig.h"
#include "libc.h"

#define TAF_ROWS "signal.def"
#define TAF_TABLE taf_table_signal
#include "expand.h"

int taf_sigaction(int signo, const struct sigaction *act, struct sigaction *old)
{
	return taf_sig_action(signo, act, old, REAL(sigaction));
}

int taf___sigaction(int signo, const struct sigaction *act, struct sigaction *old)
{
	return taf_sig_action(signo, act, old, REAL(__sigaction));
}

/* A handler that puts the default action back and raises the signal again (node,
 * and whoever restores a terminal first) ends the process just the same. */
int taf_raise(int signo)
{
	taf_sig_raise(signo);
	return REAL(raise) ? REAL(raise)(signo) : -1;
}

#define SIGNAL_WRAPPER(name) \
	taf_handler_fn *taf_##name(int signo, taf_handler_fn *fn) \
	{ \
		return REAL(name) ? taf_sig_signal(signo, fn, REAL(name)) : SIG_ERR; \
	}

SIGNAL_WRAPPER(signal)
SIGNAL_WRAPPER(bsd_signal)
SIGNAL_WRAPPER(ssignal)
SIGNAL_WRAPPER(sysv_signal)
SIGNAL_WRAPPER(__sysv_signal)
