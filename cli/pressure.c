/* SPDX-License-Identifier: MIT */
#include "pressure.h"

#include <string.h>

void taf_pressure_read(struct taf_pressure *p, FILE *meminfo, FILE *psi)
{
	unsigned long long kib;
	char line[256];
	double pct;

	memset(p, 0, sizeof(*p));
	while (meminfo && fgets(line, sizeof(line), meminfo)) {
		if (sscanf(line, "MemTotal: %llu kB", &kib) == 1)
			p->total = kib * 1024;
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			p->available = kib * 1024;
	}
	if (p->available > p->total)
		p->available = p->total;
	if (p->total)
		p->used_pct = (uint32_t)((p->total - p->available) / (p->total / 100 + 1));
	while (psi && fgets(line, sizeof(line), psi))
		if (sscanf(line, "some avg10=%lf", &pct) == 1 && pct >= 0 && pct <= 100) {
			p->has_stall = true;
			p->stall_pct = (uint32_t)pct;
		}
}

void taf_pressure_now(struct taf_pressure *p)
{
	FILE *meminfo = fopen("/proc/meminfo", "re"), *psi = fopen("/proc/pressure/memory", "re");

	taf_pressure_read(p, meminfo, psi);
	if (meminfo)
		fclose(meminfo);
	if (psi)
		fclose(psi);
}

enum taf_pressure_is taf_pressure_level(const struct taf_pressure *p, uint32_t warn_pct,
					uint32_t critical_pct)
{
	if (!p->total || !p->available)
		return TAF_PRESSURE_NONE;
	if (p->used_pct >= critical_pct)
		return TAF_PRESSURE_CRITICAL;
	return p->used_pct >= warn_pct ? TAF_PRESSURE_WARN : TAF_PRESSURE_NONE;
}
