/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <stdlib.h>

static struct sim_entry *slot_of(const struct sim_table *t, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15ull >> 20) % t->size;

	while (t->entries[i].key && t->entries[i].key != key)
		i = (i + 1) % t->size;
	return &t->entries[i];
}

static void resize(struct sim_table *t, size_t size)
{
	struct sim_table old = *t;

	t->entries = calloc(size, sizeof(*t->entries));
	if (!t->entries)
		abort();
	t->size = size;
	for (size_t i = 0; i < old.size; i++)
		if (old.entries[i].key)
			*slot_of(t, old.entries[i].key) = old.entries[i];
	free(old.entries);
}

void sim_table_put(struct sim_table *t, uint64_t key, void *value)
{
	struct sim_entry *e;

	pthread_mutex_lock(&t->lock);
	if (2 * (t->used + 1) > t->size)
		resize(t, t->size ? 2 * t->size : 256);
	e = slot_of(t, key);
	t->used += e->key == 0;
	*e = (struct sim_entry){ key, value };
	pthread_mutex_unlock(&t->lock);
}

void *sim_table_get(struct sim_table *t, uint64_t key)
{
	void *value;

	pthread_mutex_lock(&t->lock);
	value = t->size && key ? slot_of(t, key)->value : NULL;
	pthread_mutex_unlock(&t->lock);
	return value;
}

/* What stands behind it in its row moves up, so that no look-up ends early. */
static void close_gap(struct sim_table *t, struct sim_entry *gap)
{
	size_t at = (size_t)(gap - t->entries);

	*gap = (struct sim_entry){ 0, NULL };
	for (size_t i = (at + 1) % t->size; t->entries[i].key; i = (i + 1) % t->size) {
		struct sim_entry moved = t->entries[i];

		t->entries[i] = (struct sim_entry){ 0, NULL };
		*slot_of(t, moved.key) = moved;
	}
}

void *sim_table_take(struct sim_table *t, uint64_t key)
{
	void *value = NULL;

	pthread_mutex_lock(&t->lock);
	if (t->size && key) {
		struct sim_entry *e = slot_of(t, key);

		value = e->value;
		if (e->key) {
			t->used--;
			close_gap(t, e);
		}
	}
	pthread_mutex_unlock(&t->lock);
	return value;
}

int sim_table_each(struct sim_table *t, int (*fn)(void *value, void *arg), void *arg)
{
	int r = 0;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; !r && i < t->size; i++)
		if (t->entries[i].key)
			r = fn(t->entries[i].value, arg);
	pthread_mutex_unlock(&t->lock);
	return r;
}
