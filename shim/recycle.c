/* SPDX-License-Identifier: MIT */
#include "recycle.h"

#include "../policy/recycle.h"
#include "crumb.h"
#include "life.h"
#include "maps.h"
#include "memory.h"
#include "ring.h"
#include "sys_memory.h"
#include "sys_file.h"

static _Atomic(uint64_t) measured_ns;
static _Atomic(uintptr_t) told; /* the ring's head that has been told: one crumb a session */

/* A number of live things and how many there may be. */
struct use {
	uint64_t have, most;
};

static uint64_t count_names(const char *path)
{
	_Alignas(struct taf_dirent) char rows[1024];
	int fd = taf_sys_open(path, TAF_O_READ | TAF_O_DIR);
	uint64_t n = 0;
	int64_t got;

	while (fd >= 0 && (got = taf_sys_getdents(fd, rows, sizeof(rows))) > 0)
		for (int64_t at = 0; at < got;) {
			struct taf_dirent *row = (struct taf_dirent *)(void *)(rows + at);

			n += row->name[0] != '.';
			at += row->len;
		}
	if (fd < 0)
		return 0;
	taf_sys_close(fd);
	return n ? n - 1 : 0; /* without the one that reads */
}

static size_t read_text(const char *path, char *buf, size_t room)
{
	int fd = taf_sys_open_any(path);
	int64_t got = fd < 0 ? 0 : taf_sys_read(fd, buf, room - 1);

	if (fd >= 0)
		taf_sys_close(fd);
	buf[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

static uint64_t number_behind(const char *text, const char *key)
{
	const char *at = taf_find(text, key);
	uint64_t v = 0;

	if (!at)
		return 0;
	at += taf_len(key);
	while (*at == ' ' || *at == '\t')
		at++;
	return taf_read_u64(at, NULL, &v) ? v : 0;
}

/* Resident or swapped out, and of this process alone: in the first 1.2 KiB of the file. */
static uint64_t own_bytes(void)
{
	char buf[1536];

	read_text("/proc/self/status", buf, sizeof(buf));
	return 1024 * (number_behind(buf, "\nRssAnon:") + number_behind(buf, "\nRssShmem:") +
		       number_behind(buf, "\nVmSwap:"));
}

static bool is_nearer(const struct use *a, const struct use *b)
{
	return !b->most || (a->most && a->have * (b->most / 16 + 1) > b->have * (a->most / 16 + 1));
}

static void measure(struct taf_ring_head *h)
{
	struct use fds = { count_names("/proc/self/fd"), taf_sys_fd_limit() }, maps = { 0, 0 };
	struct use gpu = { taf_ring_allocs_live(), taf_sys_gpu_resources() }, *nearer;
	char buf[32];

	if (fds.most == UINT64_MAX)
		fds.most = 0;
	read_text("/proc/sys/vm/max_map_count", buf, sizeof(buf));
	taf_read_u64(buf, NULL, &maps.most);
	maps.have = taf_maps_count(maps.most);
	nearer = is_nearer(&maps, &fds) ? &maps : &fds;
	nearer = gpu.most && is_nearer(&gpu, nearer) ? &gpu : nearer;
	atomic_store(&h->resources, nearer->have);
	atomic_store(&h->resource_limit, nearer->most);
	atomic_store(&h->footprint, own_bytes());
}

static void measure_now_and_then(struct taf_ring_head *h, uint64_t now_ns)
{
	uint64_t last = atomic_load_explicit(&measured_ns, memory_order_relaxed);

	if (last && now_ns < last + (uint64_t)TAF_RECYCLE_MS * 1000000 && last > h->mono0)
		return;
	if (atomic_compare_exchange_strong(&measured_ns, &last, now_ns))
		measure(h);
}

void taf_recycle_facts(struct taf_facts *f)
{
	struct taf_ring_head *h = taf_ring_head();
	uint64_t now = taf_sys_mono_ns();

	if (!h)
		return;
	f->infers = atomic_load_explicit(&h->infers, memory_order_relaxed);
	f->resources = atomic_load_explicit(&h->resources, memory_order_relaxed);
	f->resource_limit = atomic_load_explicit(&h->resource_limit, memory_order_relaxed);
	f->footprint = atomic_load_explicit(&h->footprint, memory_order_relaxed);
	f->uptime_ms = now > h->mono0 ? (now - h->mono0) / 1000000 : 0;
}

bool taf_recycle_ask(int rule, const char *why)
{
	struct taf_ring_head *h = taf_ring_head();
	const char *path = taf_rule_info(rule)->path;
	char buf[192];
	struct taf_text t;
	bool is_observing = taf_rules.mode == TAF_MODE_OBSERVE;
	struct taf_rec r = { .kind = is_observing ? TAF_WOULD : TAF_NOTE,
			     .phase = TAF_MARK,
			     .rule = path,
			     .class = "restart",
			     .msg = buf };

	if (!h || atomic_exchange(&told, (uintptr_t)h) == (uintptr_t)h)
		return false;
	taf_copy(h->restart_why, why, sizeof(h->restart_why));
	taf_copy(h->restart_rule, path, sizeof(h->restart_rule));
	if (!is_observing)
		atomic_store(&h->wants_restart, 1);
	taf_text_init(&t, buf, sizeof(buf));
	taf_text_put(&t, is_observing ? "would ask to be restarted: " : "a restart is due: ");
	taf_text_put(&t, why);
	taf_crumb(&r);
	return true;
}

void taf_recycle_look(void)
{
	struct taf_answer due[TAF_RECYCLE_REASONS];
	struct taf_ring_head *h = taf_ring_head();
	struct taf_facts f = { .now_ms = 0 };
	char why[sizeof(h->restart_why)];
	struct taf_text t;

	if (!h || atomic_load_explicit(&told, memory_order_relaxed) == (uintptr_t)h)
		return;
	measure_now_and_then(h, taf_sys_mono_ns());
	taf_recycle_facts(&f);
	if (taf_rules.recycle_footprint.is == TAF_AMOUNT_PCT)
		taf_memory_now(&f.memory);
	if (!taf_recycle_due(&taf_rules, &f, due))
		return;
	taf_text_init(&t, why, sizeof(why));
	taf_answer_text(&due[0], &t);
	taf_recycle_ask(due[0].rule, why);
}
