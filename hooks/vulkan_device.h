/* SPDX-License-Identifier: MIT */
/* vulkan_device.h -- the instances, devices and queues of Vulkan that are alive.
 *
 * A device remembers which of its memory types lie on the device, which number it has
 * among those that its instance lists, and the functions that the program was given
 * for it by vkGetDeviceProcAddr: these may differ from one device to the next, and a
 * name that the loader does not export is found nowhere else.
 */
#ifndef TAF_VULKAN_DEVICE_H
#define TAF_VULKAN_DEVICE_H

#include "../shim/table.h"
#include "abi/vulkan.h"
#include "../shim/queues.h"

extern const struct taf_table taf_table_vulkan;
extern struct taf_queues taf_vk_queues; /* parent: the device */
extern bool taf_vk_is_layer; /* not preloaded: the loader calls us (vulkan_layer.c) */

/* next: how a layer asks what comes after it; NULL: the loader's own functions serve. */
void taf_vk_instance_add(void *instance, const void *home, taf_vk_instance_proc *next);
void taf_vk_instance_drop(const void *instance);
/* The program was told of these. */
void taf_vk_physicals_note(void *instance, uint32_t n, void *const *list);
/* A device that is made has that number: its name, and the memory that is its own. */
int taf_vk_describe(uint32_t number, struct taf_device *out);
/* The instance of a physical device, and its way on; NULL: not known. */
struct taf_queue *taf_vk_instance_of(const void *physical, taf_vk_instance_proc **next);

void taf_vk_device_add(void *device, void *physical, const void *home);
/* With its queues; waits for a drain that is in one of them. */
void taf_vk_device_drop(const void *device);
uint32_t taf_vk_device_number(const void *device);
/* Whether memory of that type lies on the host alone. */
bool taf_vk_is_host(const void *device, uint32_t type);
/* Whether this asks for memory that the host has already. */
bool taf_vk_is_host_pointer(const struct taf_vk_allocate *a);

/* The program was given theirs for this device. False: the device is not known. */
bool taf_vk_learn(const void *device, int row, taf_fn theirs);
/* Beside it the loader's function for all devices, for those that are not known; else,
 * where it has none, this one. */
void taf_vk_learn_beside(const void *device, int row);
/* The program was given theirs for all devices of an instance. False: the instance is not
 * known, or it is no function of a device. */
bool taf_vk_learn_for_all(const void *instance, int row, taf_fn theirs);
/* What is theirs for this device; otherwise is the loader's, or what was learned first. */
taf_fn taf_vk_fn_of(uint64_t device, int row, taf_fn otherwise);

/* Free and total memory of the first device that is alive. 0 or -errno. */
int taf_vk_memory(struct taf_memory *out);

#endif
