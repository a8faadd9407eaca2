/* SPDX-License-Identifier: MIT */
/* table.h -- what is alive, by its address: handles and pieces of memory.
 *
 * A handle that a program makes up or uses twice is not in it, so nothing is ever
 * read through a pointer of theirs.  One lock; it may be used in any thread. */
#ifndef SIM_TABLE_H
#define SIM_TABLE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct sim_entry {
	uint64_t key; /* 0: free */
	void *value;
};

struct sim_table {
	pthread_mutex_t lock;
	struct sim_entry *entries;
	size_t size, used;
};

#define SIM_TABLE \
	{ \
		PTHREAD_MUTEX_INITIALIZER, NULL, 0, 0 \
	}

void sim_table_put(struct sim_table *t, uint64_t key, void *value);
void *sim_table_get(struct sim_table *t, uint64_t key);
void *sim_table_take(struct sim_table *t, uint64_t key);
/* Calls fn for all until it returns non-zero; fn may not use this table. */
int sim_table_each(struct sim_table *t, int (*fn)(void *value, void *arg), void *arg);

#endif
