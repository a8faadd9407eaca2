/* SPDX-License-Identifier: MIT */
/* vulkan_wait.h -- our own waits for a queue of Vulkan, which end after drain.deadline.
 *
 * vkQueueWaitIdle has no limit, and a correct program may have submitted what waits for a
 * semaphore that this very thread signals later.  So nothing is submitted with a fence of
 * ours, which is signaled when all before it is done, and that fence is waited for: without
 * the queue's claim, since what signals the semaphore may go to the same queue.
 *
 * A fence that was waited for in vain is in use until it is signaled, and must not be
 * destroyed: its queue keeps it (queues.h).
 */
#ifndef TAF_VULKAN_WAIT_H
#define TAF_VULKAN_WAIT_H

#include "../shim/queues.h"

/* 0, -ETIMEDOUT, or another -errno. Claimed by this thread; the claim is given back. */
int taf_vk_wait(struct taf_queue *q, uint64_t until);
/* The same, of a queue that is not known to be idle; at the exit of any. */
int taf_vk_wait_busy(struct taf_queue *q, uint64_t until);
/* Before a device goes: lets no wait begin in its queues, and destroys what they kept. */
void taf_vk_forget_late(uint64_t device);

#endif
