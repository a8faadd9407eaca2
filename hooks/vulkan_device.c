/* SPDX-License-Identifier: MIT */
#include "vulkan_device.h"

#include <errno.h>

#include "../policy/text.h"
#include "hook.h"

#define TAF_ROWS "vulkan.def"
#define TAF_TABLE taf_table_vulkan
#include "rows.h"

struct device {
	void *physical;
	uint32_t host_types; /* one bit each */
	_Atomic(taf_fn) fn[ROW_COUNT];
};

struct taf_queues taf_vk_queues;
bool taf_vk_is_layer;
static struct taf_queues instances;
static taf_vk_instance_proc *next_of[TAF_QUEUES]; /* of the instance at the same place */
static struct taf_queues physicals; /* parent: the instance; device: its number there */
static struct taf_queues devices; /* claimed while memory is asked for */
static struct device info[TAF_QUEUES]; /* of the device at the same place */

void taf_vk_instance_add(void *instance, const void *home, taf_vk_instance_proc *next)
{
	struct taf_queue like = { .home = home }, *q;

	q = taf_queue_add(&instances, TAF_U64(instance), &like);
	if (q)
		next_of[q - instances.of] = next;
}

void taf_vk_instance_drop(const void *instance)
{
	struct taf_queue *q = taf_queue_of(&instances, TAF_U64(instance));

	if (instance)
		taf_queue_drop_all(&physicals, TAF_U64(instance));
	if (q)
		taf_queue_drop(&instances, q);
}

static void *handle_of(const struct taf_queue *q)
{
	union {
		uint64_t n;
		void *p;
	} u = { .n = atomic_load(&q->handle) };

	return u.p;
}

/* A function of an instance for calls of our own: only what this one offers. */
static taf_fn instance_fn(const struct taf_queue *in, int row)
{
	taf_vk_instance_proc *ask = next_of[in - instances.of];
	void *handle = handle_of(in);
	union {
		void *p;
		taf_fn f;
	} u = { .p = NULL };

	if (!ask)
		ask = THEIRS(vkGetInstanceProcAddr, in->home);
	if (ask && handle)
		u.p = ask(handle, taf_row_name(&taf_table_vulkan, row));
	return u.f;
}

#define INSTANCE_FN(in, name) ((name##_fn *)instance_fn(in, ROW_##name))

/* What the program was told: asking for it once more would be seen, since what chooses
 * among devices may print, or connect to a screen. */
void taf_vk_physicals_note(void *instance, uint32_t n, void *const *list)
{
	struct taf_queue *in = taf_queue_of(&instances, TAF_U64(instance));

	for (uint32_t i = 0; in && i < n; i++) {
		struct taf_queue like = { .parent = TAF_U64(instance), .device = i };

		taf_queue_add(&physicals, TAF_U64(list[i]), &like);
	}
}

struct taf_queue *taf_vk_instance_of(const void *physical, taf_vk_instance_proc **next)
{
	const struct taf_queue *p = taf_queue_of(&physicals, TAF_U64(physical));
	struct taf_queue *in = p ? taf_queue_of(&instances, p->parent) : NULL;

	*next = in ? next_of[in - instances.of] : NULL;
	return in;
}

/* Types whose heap is not the device's own. */
static uint32_t host_types(const struct taf_vk_memory *m)
{
	uint32_t types = 0;

	for (uint32_t i = 0; i < m->n_types && i < TAF_VK_TYPES; i++) {
		uint32_t heap = m->types[i].heap;

		if (heap < TAF_VK_HEAPS && !(m->heaps[heap].flags & TAF_VK_DEVICE_LOCAL))
			types |= 1u << i;
	}
	return types;
}

void taf_vk_device_add(void *device, void *physical, const void *home)
{
	const struct taf_queue *p = taf_queue_of(&physicals, TAF_U64(physical));
	struct taf_queue like = { .home = home, .device = p ? p->device : 0 };
	struct taf_queue *in = p ? taf_queue_of(&instances, p->parent) : NULL, *q;
	vkGetPhysicalDeviceMemoryProperties_fn *ask;
	struct taf_vk_memory memory = { .n_types = 0 };

	taf_tls.inside++;
	ask = in ? INSTANCE_FN(in, vkGetPhysicalDeviceMemoryProperties) : NULL;
	if (ask)
		ask(physical, &memory);
	taf_tls.inside--;
	q = taf_queue_add(&devices, TAF_U64(device), &like);
	if (!q)
		return;
	info[q - devices.of].physical = physical;
	info[q - devices.of].host_types = host_types(&memory);
	for (int row = 0; row < ROW_COUNT; row++)
		atomic_store(&info[q - devices.of].fn[row], NULL);
}

static struct device *device_of(uint64_t device)
{
	const struct taf_queue *q = taf_queue_of(&devices, device);

	return q ? &info[q - devices.of] : NULL;
}

void taf_vk_device_drop(const void *device)
{
	struct taf_queue *q = taf_queue_of(&devices, TAF_U64(device));

	/* There may have been no room for the device, and for its queues there was. */
	if (device)
		taf_queue_drop_all(&taf_vk_queues, TAF_U64(device));
	if (q)
		taf_queue_drop(&devices, q);
}

uint32_t taf_vk_device_number(const void *device)
{
	const struct taf_queue *q = taf_queue_of(&devices, TAF_U64(device));

	return q ? q->device : 0;
}

bool taf_vk_is_host(const void *device, uint32_t type)
{
	const struct device *d = device_of(TAF_U64(device));

	return d && type < TAF_VK_TYPES && (d->host_types >> type & 1);
}

bool taf_vk_is_host_pointer(const struct taf_vk_allocate *a)
{
	for (const struct taf_vk_link *l = a->next; l; l = l->next)
		if (l->type == TAF_VK_IMPORT_HOST_POINTER)
			return true;
	return false;
}

bool taf_vk_learn(const void *device, int row, taf_fn theirs)
{
	struct device *d = device_of(TAF_U64(device));

	if (d)
		atomic_store_explicit(&d->fn[row], theirs, memory_order_release);
	return d;
}

bool taf_vk_learn_for_all(const void *instance, int row, taf_fn theirs)
{
	const struct taf_queue *in = taf_queue_of(&instances, TAF_U64(instance));

	if (!in || row < ROW_vkDestroyDevice || row > ROW_vkTrimCommandPoolKHR)
		return false;
	taf_real_learn(&taf_table_vulkan, row, theirs);
	return true;
}

void taf_vk_learn_beside(const void *device, int row)
{
	const struct device *d = device_of(TAF_U64(device));
	taf_vk_instance_proc *next;
	struct taf_queue *in = d ? taf_vk_instance_of(d->physical, &next) : NULL;
	taf_fn all;

	taf_tls.inside++;
	all = in ? instance_fn(in, row) : NULL;
	taf_tls.inside--;
	if (d)
		taf_real_learn(&taf_table_vulkan, row, all ? all : atomic_load(&d->fn[row]));
}

/* What the program got for all devices is right for this one as well, but what it got for
 * another device may be another driver's. */
static taf_fn ask_device(uint64_t device, struct device *d, int row, taf_fn otherwise)
{
	const struct taf_queue *q = &devices.of[d - info];
	vkGetDeviceProcAddr_fn *ask = THEIRS(vkGetDeviceProcAddr, q->home);
	union {
		void *p;
		taf_fn f;
	} u = { .p = NULL };

	taf_tls.inside++;
	if (ask && atomic_load(&q->handle) == device)
		u.p = ask(handle_of(q), taf_row_name(&taf_table_vulkan, row));
	taf_tls.inside--;
	if (!u.p || taf_real_is_ours(u.p))
		u.f = otherwise;
	atomic_store_explicit(&d->fn[row], u.f, memory_order_release);
	return u.f;
}

taf_fn taf_vk_fn_of(uint64_t device, int row, taf_fn otherwise)
{
	struct device *d = device_of(device);
	taf_fn fn = d ? atomic_load_explicit(&d->fn[row], memory_order_acquire) : NULL;
	taf_fn learned;

	if (fn)
		return fn;
	learned = atomic_load(&taf_table_vulkan.learned[row]);
	/* The loader's own function would come back to a layer for ever. */
	if (taf_vk_is_layer)
		return learned ? learned : otherwise;
	return d && learned == otherwise ? ask_device(device, d, row, otherwise) : otherwise;
}

/* ---- free memory ---- */

/* Only where the instance offers the question; a driver without the budget leaves the
 * zeroes, and then nothing is known. */
static int ask_memory(struct taf_queue *in, void *physical, struct taf_memory *out)
{
	vkGetPhysicalDeviceMemoryProperties2_fn *ask;
	struct taf_vk_budget budget = { .type = TAF_VK_MEMORY_BUDGET };
	struct taf_vk_memory2 m = { .type = TAF_VK_MEMORY_PROPERTIES_2, .next = &budget };

	ask = INSTANCE_FN(in, vkGetPhysicalDeviceMemoryProperties2);
	if (!ask)
		return -ENOSYS;
	ask(physical, &m);
	for (uint32_t i = 0; i < m.memory.n_heaps && i < TAF_VK_HEAPS; i++) {
		if (!(m.memory.heaps[i].flags & TAF_VK_DEVICE_LOCAL) || !budget.budget[i])
			continue;
		out->total += m.memory.heaps[i].bytes;
		if (budget.budget[i] > budget.usage[i])
			out->free += budget.budget[i] - budget.usage[i];
	}
	return out->total ? 0 : -ENOSYS;
}

int taf_vk_memory(struct taf_memory *out)
{
	int err = -ENODEV;

	for (int i = 0; i < TAF_QUEUES && err == -ENODEV; i++) {
		struct taf_queue *q = taf_queue_enter(&devices, atomic_load(&devices.of[i].handle));
		taf_vk_instance_proc *next;
		struct taf_queue *in;

		if (!q)
			continue;
		in = taf_vk_instance_of(info[i].physical, &next);
		if (in)
			err = ask_memory(in, info[i].physical, out);
		taf_queue_leave(q);
	}
	return err;
}

static int ask_name(struct taf_queue *in, void *physical, struct taf_device *out)
{
	vkGetPhysicalDeviceProperties_fn *ask = INSTANCE_FN(in, vkGetPhysicalDeviceProperties);
	vkGetPhysicalDeviceMemoryProperties_fn *memory =
		INSTANCE_FN(in, vkGetPhysicalDeviceMemoryProperties);
	struct taf_vk_properties properties = { .name = "" };
	struct taf_vk_memory m = { .n_types = 0 };

	if (!ask)
		return -ENOSYS;
	ask(physical, &properties);
	properties.name[sizeof(properties.name) - 1] = '\0';
	taf_copy(out->name, properties.name, sizeof(out->name));
	if (memory)
		memory(physical, &m);
	for (uint32_t i = 0; i < m.n_heaps && i < TAF_VK_HEAPS; i++)
		if (m.heaps[i].flags & TAF_VK_DEVICE_LOCAL)
			out->bytes += m.heaps[i].bytes;
	return 0;
}

int taf_vk_describe(uint32_t number, struct taf_device *out)
{
	int err = -EAGAIN;

	for (int i = 0; i < TAF_QUEUES && err == -EAGAIN; i++) {
		struct taf_queue *of = &devices.of[i], *q;
		taf_vk_instance_proc *next;
		struct taf_queue *in;

		if (!atomic_load(&of->handle) || of->device != number)
			continue;
		q = taf_queue_enter(&devices, atomic_load(&of->handle));
		in = q && q->device == number ? taf_vk_instance_of(info[i].physical, &next) : NULL;
		if (in)
			err = ask_name(in, info[i].physical, out);
		taf_queue_leave(q);
	}
	return err;
}
