/* SPDX-License-Identifier: MIT */
/* vulkan_done.h -- which of Vulkan's submits are known to be done. */
#ifndef TAF_VULKAN_DONE_H
#define TAF_VULKAN_DONE_H

#include "abi/vulkan.h"

/* A submit to queue has succeeded: what its semaphores will show, when they count
 * upwards. Under the queue's claim. */
void taf_vk_note(uint64_t queue, const struct taf_vk_submit *submits, uint32_t n);
void taf_vk_note2(uint64_t queue, const struct taf_vk_submit2 *submits, uint32_t n);
/* A wait for semaphores has succeeded. */
void taf_vk_reached(const struct taf_vk_wait *w);
/* All that was submitted to this queue is done. It is claimed, or used by this thread. */
void taf_vk_settled(uint64_t queue);
/* The same of all queues of a device. */
void taf_vk_settled_all(uint64_t device);

#endif
