/* SPDX-License-Identifier: MIT */
#include "local_time.h"

#include <stdbool.h>
#include <time.h>

/* Whether summer time (or not) gives that very hour. */
static bool convert(int64_t local_s, int is_summer, int64_t *utc_s)
{
	time_t asked = (time_t)local_s;
	struct tm tm;
	int hour;

	if (!gmtime_r(&asked, &tm))
		return false;
	hour = tm.tm_hour;
	tm.tm_isdst = is_summer;
	*utc_s = (int64_t)mktime(&tm);
	return tm.tm_hour == hour && (is_summer < 0 || tm.tm_isdst == is_summer);
}

int64_t taf_local_to_utc(int64_t local_s)
{
	int64_t first = local_s, second = local_s;
	bool is_first = convert(local_s, 1, &first), is_second = convert(local_s, 0, &second);

	if (is_first && is_second)
		return first < second ? first : second;
	if (is_first)
		return first;
	if (!is_second)
		convert(local_s, -1, &second); /* an hour that was skipped */
	return second;
}
