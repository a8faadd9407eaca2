/* SPDX-License-Identifier: MIT */
/* init.c -- the first and the last code of ours that runs in a process.
 *
 * The constructor runs before every other one (-z initfirst), when environ is
 * still NULL and no libc state is ready: it keeps its three arguments, looks
 * for the off switch, and arms.  It opens nothing, allocates nothing, starts
 * nothing.  The destructor runs before every other one, after exit handlers;
 * runtimes may be gone by then, so it only closes the log. */
#include "../policy/text.h"
#include "exit.h"
#include "life.h"
#include "state.h"

__attribute__((constructor)) static void taf_init(int argc, char **argv, char **envp)
{
	const char *off;
	uint32_t cold = TAF_COLD;

	taf_argc = argc;
	taf_argv = argv;
	taf_env_now = envp;
	taf_rules_default(&taf_rules);
	off = envp ? taf_env(envp, "TAFFRAIL") : NULL;
	atomic_compare_exchange_strong(&taf_life.state, &cold,
				       off && taf_same(off, "off") ? (uint32_t)TAF_OFF : (uint32_t)TAF_ARMED);
	taf_is_booted = true;
}

__attribute__((destructor)) static void taf_fini(void)
{
	taf_exit_close();
}
