/* SPDX-License-Identifier: MIT */
/* stamp.h -- a moment that can be compared after a reboot and after the clock was set.
 *
 * Within one boot the boot-relative clock counts, which nobody can set and
 * which goes on while the machine sleeps.  Between boots only UTC is left,
 * and it is not trusted: an age is never negative, and what was stamped in an
 * earlier boot is at least as old as the present one.
 */
#ifndef TAF_STAMP_H
#define TAF_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define TAF_SECOND_MS 1000u
#define TAF_MINUTE_MS 60000u
#define TAF_HOUR_MS 3600000u
#define TAF_DAY_MS 86400000u

struct taf_moment {
	uint64_t boot; /* the first 16 digits of the boot id; 0: unknown */
	uint64_t boot_ms; /* CLOCK_BOOTTIME, mach_continuous_time; counts only with boot */
	uint64_t utc_ms; /* since 1970 */
};

static inline bool taf_moment_is_set(const struct taf_moment *m)
{
	return m->boot || m->utc_ms;
}

/* From then to now; a stamp from the future has the age 0. UINT64_MAX when then is not set.
 * In line: the rules ask it of every model and event that is remembered. */
static inline uint64_t taf_moment_age_ms(const struct taf_moment *then,
					 const struct taf_moment *now)
{
	uint64_t age;

	if (!taf_moment_is_set(then))
		return UINT64_MAX;
	if (then->boot && then->boot == now->boot)
		return now->boot_ms > then->boot_ms ? now->boot_ms - then->boot_ms : 0;
	age = now->utc_ms > then->utc_ms ? now->utc_ms - then->utc_ms : 0;
	if (then->boot && now->boot && age < now->boot_ms)
		age = now->boot_ms;
	return age;
}

/* The younger of the two ages. */
static inline uint64_t taf_moment_youngest_ms(const struct taf_moment *a,
					      const struct taf_moment *b,
					      const struct taf_moment *now)
{
	uint64_t x = taf_moment_age_ms(a, now), y = taf_moment_age_ms(b, now);

	return x < y ? x : y;
}

/* The number for a boot id of 32 hexadecimal digits (dashes are skipped); 0 when it is none. */
uint64_t taf_boot_key(const char *boot_id);

#endif
