/* SPDX-License-Identifier: MIT */
/* fake_stranger.c -- a library that has names of stable-diffusion.cpp and is another one. */
#include <stdarg.h>

#define PUBLIC __attribute__((visibility("default")))

struct wide {
	double at[9];
};

PUBLIC struct wide generate_image(double first, struct wide w, long n, float last);
PUBLIC double txt2img(const char *kinds, ...);

struct wide generate_image(double first, struct wide w, long n, float last)
{
	for (int i = 0; i < 9; i++)
		w.at[i] += first * (double)n + (double)last;
	return w;
}

/* Sums what follows: d a double, l a long. */
double txt2img(const char *kinds, ...)
{
	double sum = 0;
	va_list ap;

	va_start(ap, kinds);
	for (; *kinds; kinds++)
		sum += *kinds == 'd' ? va_arg(ap, double) : (double)va_arg(ap, long);
	va_end(ap);
	return sum;
}
