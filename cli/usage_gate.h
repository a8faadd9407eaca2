/* SPDX-License-Identifier: MIT */
/* usage_gate.h -- the long texts of the verbs about what went wrong: for usage.c alone. */
#ifndef TAF_USAGE_GATE_H
#define TAF_USAGE_GATE_H

#define TEXT_COMMON \
	"  --policy FILE  take the rules from FILE, as for run\n" \
	"  --set K=V      override one setting; may be given more than once\n" \
	"  --state DIR    the state directory\n" \
	"  --json         print for programs\n" \
	"  --help         this text\n"

#define TEXT_gate \
	"Usage: taffrail gate [OPTION...]\n" \
	"\n" \
	"Says whether GPU work may start now, after panics, crashes and errors of the GPU:\n" \
	"why not, until when, and what to do about it. Reads what the system has written\n" \
	"down since the last time. The same answer holds `taffrail run` and the guests.\n" \
	"\n" \
	"  --strict       evidence that cannot be read is an answer of its own: 69\n" \
	"  --quiet        print nothing, the exit status says it\n" TEXT_COMMON "\n" \
	"Exit status: 0 go, 64 wrong arguments or no such DIR, 69 blind (--strict, or\n" \
	"cooldown.blind is hold), 70 the state cannot be read or is another user's, 75 held.\n" \
	"\n" \
	"Example: taffrail gate && ./start-server\n"

#define TEXT_events \
	"Usage: taffrail events [OPTION...]\n" \
	"\n" \
	"Lists panics, boots that ended inside a call, errors of GPUs and crashes of\n" \
	"guests, the oldest first, each once, however many files tell of it.\n" \
	"\n" \
	"  --since T      none that is older, as \"24h\" (all that are kept)\n" TEXT_COMMON "\n" \
	"Exit status: 0, 64 wrong arguments or no such DIR, 70 not all of it could be read.\n" \
	"\n" \
	"Example: taffrail events --since 7d\n"

#define TEXT_ack \
	"Usage: taffrail ack [OPTION...]\n" \
	"\n" \
	"Says that somebody has looked at what happened. That lifts a lockout and the\n" \
	"other holds until something new happens, but not the cooldown after one panic.\n" \
	"Guests that wait go on.\n" \
	"\n" \
	"  --clear        withdraw it\n" TEXT_COMMON "\n" \
	"Exit status: 0, 64 wrong arguments, 70 it could not be written.\n" \
	"\n" \
	"Example: taffrail ack\n"

#define TEXT_hold \
	"Usage: taffrail hold [--for T [--why TEXT] | --clear] [OPTION...]\n" \
	"\n" \
	"Keeps GPU work back for a while, as after a panic; without --for and --clear it\n" \
	"says whether that is so. What happens to the work is cooldown.on_hold.\n" \
	"\n" \
	"  --for T        so long, as \"2h\"; at most cooldown.max\n" \
	"  --why TEXT     shown to who is held\n" \
	"  --clear        lift it\n" TEXT_COMMON "\n" \
	"Exit status: 0 done, or there is no hold, 64 wrong arguments or no such DIR, 70 it\n" \
	"could not be read or written, 75 there is one.\n" \
	"\n" \
	"Example: taffrail hold --for 30m --why \"changing the riser\"\n"

#define TEXT_breaker \
	"Usage: taffrail breaker [--clear] [OPTION...]\n" \
	"\n" \
	"Says whether breaker.threshold GPU panics within breaker.window have opened the\n" \
	"circuit breaker, and until when.\n" \
	"\n" \
	"  --clear        close it; what was before counts no more\n" TEXT_COMMON "\n" \
	"Exit status: 0 closed, 64 wrong arguments or no such DIR, 70 it could not be read\n" \
	"or written, 75 open.\n" \
	"\n" \
	"Example: taffrail breaker --clear\n"

#endif
