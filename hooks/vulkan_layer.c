/* SPDX-License-Identifier: MIT */
/* vulkan_layer.c -- the same object as an implicit layer of Vulkan, for programs that
 * cannot be started with a preload.
 *
 * The manifest (vulkan_layer.json.in) names taffrail_vulkan_layer; the loader opens this
 * object where TAFFRAIL_VULKAN_LAYER=1 is set, and puts it between a program and its
 * driver.  Then no exported name of ours is found first: what the program calls is the
 * loader's, which hands on to the wrappers that layer_device_proc gives out, and theirs
 * is what comes after this layer, per device.
 *
 * Preloaded as well, the wrappers have seen each call before it comes here: the layer then
 * only passes on, so that nothing is counted twice.  The same with TAFFRAIL=off. */
#include <time.h>

#include "../policy/text.h"
#include "../shim/elfmap.h"
#include "asked.h"
#include "vulkan_device.h"

#include "hook.h"

#define TAF_ROWS "vulkan.def"
#define TAF_TABLE taf_table_vulkan
#include "rows.h"

TAF_PUBLIC int32_t taffrail_vulkan_layer(struct taf_vk_negotiate *n);

static taf_vk_instance_proc layer_instance_proc;
static taf_vk_device_proc layer_device_proc;

static struct taf_queues instances; /* parent: the word that handles of one instance begin with */
static taf_vk_instance_proc *after_instance[TAF_QUEUES]; /* of the one at the same place */
static struct taf_queues devices;
static taf_vk_device_proc *after_device[TAF_QUEUES];
/* Of the latest one, which serves those that the tables have no room for: what comes after
 * a layer finds instance and device by their handles. They pass unseen. */
static _Atomic(taf_vk_instance_proc *) after_others;
static _Atomic(taf_vk_device_proc *) after_other_devices;

/* The loader writes its own table's address there, the same for an instance and its
 * physical devices. */
static uint64_t word_of(const void *handle)
{
	return handle ? *(const uintptr_t *)handle : 0;
}

static taf_vk_instance_proc *next_of(const void *instance)
{
	const struct taf_queue *q = taf_queue_of(&instances, TAF_U64(instance));

	if (q)
		return after_instance[q - instances.of];
	return instance ? atomic_load(&after_others) : NULL;
}

static taf_vk_device_proc *next_of_device(const void *device)
{
	const struct taf_queue *q = taf_queue_of(&devices, TAF_U64(device));

	if (q)
		return after_device[q - devices.of];
	return device ? atomic_load(&after_other_devices) : NULL;
}

/* ---- who sees the calls ---- */

/* Before libc in the loader's list stands what was preloaded: this object, or another
 * copy of it. */
static void look(void *ctx)
{
	bool *is_preloaded = ctx;
	const struct link_map *libc = taf_elf_at(taf_fn_object((taf_fn)clock_gettime));

	for (const struct link_map *m = taf_elf_first(); m && m != libc; m = m->l_next)
		if (m == taf_elf_self() || taf_same(taf_base(m->l_name), "libtaffrail.so"))
			*is_preloaded = true;
}

static bool is_passing_on(void)
{
	static _Atomic(int) answer; /* 0: not known yet */
	bool is_preloaded = false;

	if (!atomic_load(&answer)) {
		taf_elf_locked(look, &is_preloaded);
		taf_vk_is_layer = !is_preloaded;
		atomic_store(&answer, is_preloaded ? 1 : 2);
	}
	return atomic_load(&answer) == 1 || taf_state_now() == TAF_OFF;
}

/* Ours instead of what comes after this layer, for a device or, without, for all. */
static void *wrap(const void *device, const char *name, void *theirs)
{
	int row = theirs && !is_passing_on() ? taf_asked_row(&taf_table_vulkan, name) : -1;

	if (row < 0)
		return theirs;
	if (device && !taf_vk_learn(device, row, taf_object_fn(theirs)))
		return theirs;
	taf_real_learn(&taf_table_vulkan, row, taf_object_fn(theirs));
	return taf_fn_object(taf_table_vulkan.ours(row));
}

/* ---- instances ---- */

/* Our own link in the chain of what an instance is made with. */
static struct taf_vk_instance_info *instance_info(const void *info)
{
	const struct taf_vk_link *l = info;

	for (l = l ? l->next : NULL; l; l = l->next) {
		const struct taf_vk_instance_info *i = (const void *)l;

		if (l->type == TAF_VK_LOADER_INSTANCE_INFO && i->function == TAF_VK_LINK_INFO)
			return (struct taf_vk_instance_info *)(uintptr_t)i;
	}
	return NULL;
}

static int32_t layer_vkCreateInstance(const void *info, const void *allocator, void **instance)
{
	struct taf_vk_instance_info *mine = instance_info(info);
	taf_vk_instance_proc *next = mine && mine->link ? mine->link->instance_proc : NULL;
	vkCreateInstance_fn *theirs;
	struct taf_queue like = { .handle = 0 }, *q;
	int32_t r;

	theirs = next ? (vkCreateInstance_fn *)taf_object_fn(next(NULL, "vkCreateInstance")) : NULL;
	if (!theirs)
		return TAF_VK_INITIALIZATION_FAILED;
	mine->link = mine->link->next;
	r = theirs(info, allocator, instance);
	if (r != TAF_VK_SUCCESS)
		return r;
	like.parent = word_of(*instance);
	atomic_store(&after_others, next);
	q = taf_queue_add(&instances, TAF_U64(*instance), &like);
	if (q)
		after_instance[q - instances.of] = next;
	if (q && !is_passing_on())
		taf_vk_instance_add(*instance, TAF_CALLER, next);
	return r;
}

static void layer_vkDestroyInstance(void *instance, const void *allocator)
{
	taf_vk_instance_proc *next = next_of(instance);
	struct taf_queue *q = taf_queue_of(&instances, TAF_U64(instance));
	vkDestroyInstance_fn *theirs =
		next ? (vkDestroyInstance_fn *)taf_object_fn(next(instance, "vkDestroyInstance"))
		     : NULL;

	if (q)
		taf_queue_drop(&instances, q);
	if (!is_passing_on())
		taf_vk_instance_drop(instance);
	if (theirs)
		theirs(instance, allocator);
}

static int32_t layer_vkEnumeratePhysicalDevices(void *instance, uint32_t *count, void **list)
{
	taf_vk_instance_proc *next = next_of(instance);
	vkEnumeratePhysicalDevices_fn *theirs =
		next ? (vkEnumeratePhysicalDevices_fn *)taf_object_fn(
			       next(instance, "vkEnumeratePhysicalDevices"))
		     : NULL;
	int32_t r = theirs ? theirs(instance, count, list) : TAF_VK_INITIALIZATION_FAILED;

	if (r >= 0 && list && !is_passing_on())
		taf_vk_physicals_note(instance, *count, list);
	return r;
}

/* ---- devices ---- */

static struct taf_vk_device_info *device_info(const void *info)
{
	const struct taf_vk_link *l = info;

	for (l = l ? l->next : NULL; l; l = l->next) {
		const struct taf_vk_device_info *i = (const void *)l;

		if (l->type == TAF_VK_LOADER_DEVICE_INFO && i->function == TAF_VK_LINK_INFO)
			return (struct taf_vk_device_info *)(uintptr_t)i;
	}
	return NULL;
}

static void *instance_of(const void *physical)
{
	union {
		uint64_t n;
		void *p;
	} u = { .n = 0 };
	uint64_t other = 0, handle;

	for (int i = 0; i < TAF_QUEUES && !u.n; i++) {
		handle = atomic_load(&instances.of[i].handle);
		if (handle && instances.of[i].parent == word_of(physical))
			u.n = handle;
		other = handle ? handle : other;
	}
	u.n = u.n ? u.n : other;
	return u.p;
}

/* What is called by ourselves alone nobody asks us for. */
static void learn_own(void *device, taf_vk_device_proc *next)
{
	taf_vk_learn(device, ROW_vkCreateFence, taf_object_fn(next(device, "vkCreateFence")));
	taf_vk_learn(device, ROW_vkDestroyFence, taf_object_fn(next(device, "vkDestroyFence")));
	taf_vk_learn(device, ROW_vkQueueSubmit, taf_object_fn(next(device, "vkQueueSubmit")));
	taf_vk_learn(device, ROW_vkWaitForFences, taf_object_fn(next(device, "vkWaitForFences")));
}

static int32_t layer_vkCreateDevice(void *physical, const void *info, const void *allocator,
				    void **device)
{
	struct taf_vk_device_info *mine = device_info(info);
	struct taf_vk_device_link *link = mine ? mine->link : NULL;
	struct taf_queue like = { .handle = 0 }, *q;
	vkCreateDevice_fn *theirs = NULL;
	int32_t r;

	if (link)
		theirs = (vkCreateDevice_fn *)taf_object_fn(
			link->instance_proc(instance_of(physical), "vkCreateDevice"));
	if (!theirs)
		return TAF_VK_INITIALIZATION_FAILED;
	mine->link = link->next;
	r = theirs(physical, info, allocator, device);
	if (r != TAF_VK_SUCCESS)
		return r;
	atomic_store(&after_other_devices, link->device_proc);
	q = taf_queue_add(&devices, TAF_U64(*device), &like);
	if (q)
		after_device[q - devices.of] = link->device_proc;
	if (q && !is_passing_on()) {
		taf_vk_device_add(*device, physical, TAF_CALLER);
		learn_own(*device, link->device_proc);
	}
	return r;
}

static void layer_vkDestroyDevice(void *device, const void *allocator)
{
	taf_vk_device_proc *next = next_of_device(device);
	struct taf_queue *q = taf_queue_of(&devices, TAF_U64(device));
	void *theirs = next ? next(device, "vkDestroyDevice") : NULL;
	vkDestroyDevice_fn *ours =
		(vkDestroyDevice_fn *)taf_object_fn(wrap(device, "vkDestroyDevice", theirs));

	if (q)
		taf_queue_drop(&devices, q);
	if (ours)
		ours(device, allocator);
}

/* ---- functions by name ---- */

struct layer_fn {
	const char *name;
	taf_fn fn;
	bool is_of_device;
};

static const struct layer_fn layer_fns[] = {
#define OF_INSTANCE(name) { #name, (taf_fn)layer_##name, false },
#define OF_DEVICE(name) { #name, (taf_fn)layer_##name, true },
	{ "vkGetInstanceProcAddr", (taf_fn)layer_instance_proc, false },
	{ "vkGetDeviceProcAddr", (taf_fn)layer_device_proc, true },
	OF_INSTANCE(vkCreateInstance) OF_INSTANCE(vkDestroyInstance)
		OF_INSTANCE(vkEnumeratePhysicalDevices) OF_INSTANCE(vkCreateDevice)
			OF_DEVICE(vkDestroyDevice)
};

static void *own(const char *name, bool is_of_device)
{
	for (size_t i = 0; name && i < sizeof(layer_fns) / sizeof(*layer_fns); i++)
		if ((!is_of_device || layer_fns[i].is_of_device) &&
		    taf_same(name, layer_fns[i].name))
			return taf_fn_object(layer_fns[i].fn);
	return NULL;
}

static void *layer_instance_proc(void *instance, const char *name)
{
	taf_vk_instance_proc *next = next_of(instance);
	void *mine = own(name, false);

	if (mine || !next)
		return mine;
	return wrap(NULL, name, next(instance, name));
}

static void *layer_device_proc(void *device, const char *name)
{
	taf_vk_device_proc *next = next_of_device(device);
	void *mine = own(name, true);

	if (mine || !next)
		return mine;
	return wrap(device, name, next(device, name));
}

/* The loader's first call; 0 where both speak the same version. */
int32_t taffrail_vulkan_layer(struct taf_vk_negotiate *n)
{
	if (!n || n->type != TAF_VK_NEGOTIATE || n->version < TAF_VK_LAYER_VERSION)
		return TAF_VK_INITIALIZATION_FAILED;
	n->version = TAF_VK_LAYER_VERSION;
	n->instance_proc = layer_instance_proc;
	n->device_proc = layer_device_proc;
	n->physical_proc = NULL;
	return TAF_VK_SUCCESS;
}
