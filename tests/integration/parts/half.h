/* SPDX-License-Identifier: MIT */
/* half.h -- the page by which half.c's library and program speak to each other. */
#ifndef HALF_H
#define HALF_H

struct half_page {
	volatile int is_entered, is_to_go_on;
};
#define HALF ((struct half_page *)0x70000000)

#endif
