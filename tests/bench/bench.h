/* SPDX-License-Identifier: MIT */
/* bench.h -- paired measurements: A and B in turn, medians, the median of the
 * pairwise differences or ratios, and its 95 % interval from order statistics. */
#ifndef TAF_BENCH_H
#define TAF_BENCH_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int bench_by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static inline double bench_median(double *v, int n)
{
	qsort(v, (size_t)n, sizeof(*v), bench_by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Pairs (a[i], b[i]): prints both medians, and median and 95 % interval of b - a or b / a. */
static inline void bench_pairs(const char *what, const double *a, const double *b, int n,
			       const char *unit, int is_ratio)
{
	double *x = malloc(sizeof(double) * (size_t)n), *y = malloc(sizeof(double) * (size_t)n);
	double *d = malloc(sizeof(double) * (size_t)n), mid, ma, mb;
	int half = (int)(0.98 * sqrt((double)n)), lo, hi;

	if (!x || !y || !d)
		abort();
	for (int i = 0; i < n; i++) {
		x[i] = a[i];
		y[i] = b[i];
		d[i] = is_ratio ? b[i] / a[i] : b[i] - a[i];
	}
	ma = bench_median(x, n);
	mb = bench_median(y, n);
	mid = bench_median(d, n);
	lo = n / 2 - half < 0 ? 0 : n / 2 - half;
	hi = n / 2 + half >= n ? n - 1 : n / 2 + half;
	printf("| %s | %.4g %s | %.4g %s | %s%.4g%s | %.4g .. %.4g | %d |\n", what, ma, unit, mb,
	       unit, is_ratio ? "x" : "", mid, is_ratio ? "" : unit, d[lo], d[hi], n);
	fflush(stdout);
	free(x);
	free(y);
	free(d);
}

static inline void bench_head(const char *title, const char *a, const char *b)
{
	printf("\n### %s\n\n| what | %s | %s | median of pairs | 95 %% interval | pairs "
	       "|\n|---|---|---|---|---|---|\n",
	       title, a, b);
}

#endif
