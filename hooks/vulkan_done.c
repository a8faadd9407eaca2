/* SPDX-License-Identifier: MIT */
#include "vulkan_done.h"

#include "../shim/flight_point.h"
#include "vulkan_device.h"

/* A value of a semaphore that counts upwards, as one event. Who waits for less than what
 * a submit signals is not seen to have waited. */
static uint64_t event_of(uint64_t semaphore, uint64_t value)
{
	return semaphore ^ value * 0x9e3779b97f4a7c15ull;
}

static void note_value(uint64_t queue, uint64_t semaphore, uint64_t value)
{
	if (value)
		taf_event_record(TAF_API_VULKAN, event_of(semaphore, value),
				 taf_flight_key(TAF_API_VULKAN, queue, 0));
}

static const struct taf_vk_timeline *timeline_of(const struct taf_vk_submit *s)
{
	for (const struct taf_vk_link *l = s->next; l; l = l->next)
		if (l->type == TAF_VK_TIMELINE_SUBMIT)
			return (const void *)l;
	return NULL;
}

void taf_vk_note(uint64_t queue, const struct taf_vk_submit *submits, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct taf_vk_timeline *t = timeline_of(&submits[i]);

		for (uint32_t k = 0; t && k < t->n_signals && k < submits[i].n_signals; k++)
			note_value(queue, submits[i].signals[k], t->signals[k]);
	}
}

void taf_vk_note2(uint64_t queue, const struct taf_vk_submit2 *submits, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < submits[i].n_signals; k++)
			note_value(queue, submits[i].signals[k].semaphore,
				   submits[i].signals[k].value);
}

void taf_vk_reached(const struct taf_vk_wait *w)
{
	if ((w->flags & TAF_VK_WAIT_ANY) && w->n != 1)
		return;
	for (uint32_t i = 0; i < w->n; i++)
		taf_event_reached(TAF_API_VULKAN, event_of(w->semaphores[i], w->values[i]));
}

void taf_vk_settled(uint64_t queue)
{
	struct taf_flight_mark mark;

	taf_flight_seen(&mark, taf_flight_key(TAF_API_VULKAN, queue, 0));
	taf_flight_done(&mark);
}

void taf_vk_settled_all(uint64_t device)
{
	for (int i = 0; i < TAF_QUEUES; i++) {
		const struct taf_queue *q = &taf_vk_queues.of[i];

		if (atomic_load(&q->handle) && q->parent == device && atomic_load(&q->is_used))
			taf_vk_settled(atomic_load(&q->handle));
	}
}
