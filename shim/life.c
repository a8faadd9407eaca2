/* SPDX-License-Identifier: MIT */
#include "life.h"

struct taf_life taf_life __attribute__((aligned(TAF_LIFE_BYTES)));
_Thread_local struct taf_tls taf_tls __attribute__((tls_model("initial-exec")));
struct taf_rules taf_rules;
_Atomic(uint32_t) taf_routes;
bool taf_is_fork_child;
