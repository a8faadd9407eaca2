/* SPDX-License-Identifier: MIT */
#include "life.h"

#include <errno.h>

struct taf_life taf_life __attribute__((aligned(TAF_LIFE_BYTES)));
_Thread_local struct taf_tls taf_tls __attribute__((tls_model("initial-exec")));
struct taf_rules taf_rules;
_Atomic(uint32_t) taf_routes;
bool taf_is_fork_child;

bool taf_is_other_process(void)
{
	enum taf_state s = taf_state_now();

	return (s == TAF_ACTIVE || s == TAF_LEAVING || s == TAF_GONE) &&
	       taf_life.pid != taf_sys_pid();
}

bool taf_has_ended(int32_t tid)
{
	return taf_sys_tgkill(taf_life.pid, tid, 0) == -ESRCH;
}
