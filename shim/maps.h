/* SPDX-License-Identifier: MIT */
/* maps.h -- how many mappings this process has.
 *
 * The kernel tells the number only as the length of a list, at some 0.4 us a
 * line: 1 ms for 3000 mappings, 30 ms for 65530.  So the list is read again only
 * when the size of the address space differs from that at the last reading, or
 * when more than half of the limit was in use, and so seldom that at most one
 * thousandth of the time goes into it.  Of the list 8 MiB are read, which holds the
 * 65530 lines that the kernel allows by default; beyond them the count is a least.
 */
#ifndef TAF_MAPS_H
#define TAF_MAPS_H

#include <stdint.h>

/* The number as read now or lately; most is how many there may be, 0 unknown. One
 * caller at a time. */
uint64_t taf_maps_count(uint64_t most);

#endif
