/* SPDX-License-Identifier: MIT */
/* restart.h -- whether a guest that ended is started again, and when.
 *
 *   asked     it asked to be recycled (recycle.*), or was ended by the watch: again
 *   told      somebody told `run` to end: never
 *   clean     status 0: never
 *   signal    HUP INT PIPE TERM from outside: only with always
 *   start-up  64 78 126 127, or it ended at once and never used an engine: never
 *   memory    the machine or the device had too little: never, it would again
 *   else      it failed: again
 *
 * No more than max times in a window.  The delay doubles with each failure in
 * a row, up to delay_max_ms; a life of stable_ms begins a new row.
 */
#ifndef TAF_RESTART_H
#define TAF_RESTART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum taf_restart_mode { TAF_RESTART_NEVER, TAF_RESTART_ON_FAILURE, TAF_RESTART_ALWAYS };

#define TAF_RESTARTS_MAX 100u

struct taf_restart_rules {
	enum taf_restart_mode mode;
	uint32_t max; /* up to TAF_RESTARTS_MAX */
	uint64_t window_ms, delay_ms, delay_max_ms;
	uint64_t stable_ms;
	uint64_t startup_ms; /* a life shorter than this, without an engine, failed to start */
};

/* What is remembered. */
struct taf_restart_past {
	uint64_t at_ms[TAF_RESTARTS_MAX]; /* the latest restarts, a ring */
	uint32_t n; /* in all */
	uint32_t row; /* failures without a stable life between */
};

/* How it ended. */
struct taf_restart_end {
	uint64_t now_ms, ran_ms;
	int signal, status; /* signal 0: it ended with status */
	bool was_active; /* it used an engine */
	bool was_asked, was_told;
	bool is_out_of_memory;
	bool is_respawn; /* the class of its error says: at once */
	bool is_lockout; /* the class of its error says: when the gate opens */
};

struct taf_restart_answer {
	bool again;
	bool waits_for_gate;
	uint64_t delay_ms;
	uint32_t count; /* restarts in the window, this one included */
	const char *why; /* static; why not, "" when there is nothing to say */
};

/* Numbers of a Unix; policy/ includes no signal.h. */
enum { TAF_SIG_HUP = 1, TAF_SIG_INT = 2, TAF_SIG_PIPE = 13, TAF_SIG_TERM = 15 };

/* Whether the budget has room for one more. */
bool taf_restart_has_room(const struct taf_restart_rules *rules,
			  const struct taf_restart_past *past, uint64_t now_ms);
void taf_restart_decide(const struct taf_restart_rules *rules, struct taf_restart_past *past,
			const struct taf_restart_end *end, struct taf_restart_answer *answer);

#endif
