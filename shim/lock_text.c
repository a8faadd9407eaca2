/* SPDX-License-Identifier: MIT */
#include "lock_text.h"

#include <errno.h>
#include <stdatomic.h>

#include "../policy/stamp.h"
#include "crumb_scan.h"
#include "scan.h"
#include "sys_lock.h"

static const char hold_names[TAF_HOLD_COUNT][12] = { "run", "inference", "take" };

const char *taf_lock_hold_name(uint32_t hold)
{
	return hold < TAF_HOLD_COUNT ? hold_names[hold] : "run";
}

uint64_t taf_lock_boot(void)
{
	static _Atomic(uint64_t) known; /* it does not change */
	char id[TAF_BOOT_ID_LEN + 1];
	uint64_t boot = atomic_load(&known);

	if (!boot && !taf_sys_boot_id(id)) {
		boot = taf_boot_key(id);
		atomic_store(&known, boot);
	}
	return boot;
}

uint64_t taf_lock_now_ms(void)
{
	return taf_sys_boot_ns() / 1000000;
}

bool taf_lock_is_run(const char *run)
{
	size_t n = 0;

	while ((run[n] >= '0' && run[n] <= '9') || (run[n] >= 'a' && run[n] <= 'f'))
		n++;
	return n == 16 && !run[n];
}

static void put_number(struct taf_text *t, const char *key, uint64_t v)
{
	taf_text_put(t, ",\"");
	taf_text_put(t, key);
	taf_text_put(t, "\":");
	taf_text_u64(t, v);
}

static void put_word(struct taf_text *t, const char *key, const char *s)
{
	taf_text_put(t, ",\"");
	taf_text_put(t, key);
	taf_text_put(t, "\":");
	taf_text_json(t, s, TAF_LOCK_COMMAND);
}

static void put_object(const struct taf_lock_text *x, bool has_words, struct taf_text *t)
{
	taf_text_put(t, "{\"v\":1");
	put_word(t, "run", x->run);
	put_number(t, "pid", x->pid > 0 ? (uint64_t)x->pid : 0);
	put_number(t, "start", x->start);
	put_number(t, "pid_ns", x->pid_ns);
	taf_text_put(t, ",\"boot\":\"");
	taf_text_hex(t, x->boot, 16);
	taf_text_char(t, '"');
	put_number(t, "since_ms", x->since_ms);
	put_number(t, "since_utc_ms", x->since_utc_ms);
	put_word(t, "hold", taf_lock_hold_name(x->hold));
	put_number(t, "turn_ms", x->turn_ms);
	put_word(t, "label", has_words ? x->label : "");
	put_word(t, "command", has_words ? x->command : "");
	taf_text_char(t, '}');
}

int taf_lock_text_write(int fd, const struct taf_lock_text *text)
{
	char buf[TAF_LOCK_TEXT_BYTES + 1];
	struct taf_text t;
	int64_t n;

	taf_text_init(&t, buf, sizeof(buf) - 1);
	put_object(text, true, &t);
	if (t.is_cut) {
		taf_text_init(&t, buf, sizeof(buf) - 1);
		put_object(text, false, &t);
	}
	for (size_t i = t.used; i < TAF_LOCK_TEXT_BYTES - 1; i++)
		buf[i] = ' ';
	buf[TAF_LOCK_TEXT_BYTES - 1] = '\n';
	n = taf_sys_pwrite(fd, buf, TAF_LOCK_TEXT_BYTES, 0);
	if (n == TAF_LOCK_TEXT_BYTES)
		return 0;
	/* An older run must not be read where this one could not be written. */
	taf_sys_ftruncate(fd, 0);
	return n < 0 ? (int)n : -ENOSPC;
}

/* 0 when it is not 16 digits. */
static uint64_t read_hex16(const char *s)
{
	uint64_t v = 0;

	for (int i = 0; i < 16; i++) {
		int d = taf_hex_digit(s[i]);

		if (d < 0)
			return 0;
		v = v << 4 | (unsigned)d;
	}
	return s[16] ? 0 : v;
}

/* Takes the value of a member that we know. */
static void take(void *to, const char *key, const struct taf_scan *s, enum taf_scan_token t)
{
	struct taf_lock_text *x = to;
	struct {
		const char *key;
		uint64_t *to;
	} numbers[] = { { "start", &x->start },
			{ "pid_ns", &x->pid_ns },
			{ "since_ms", &x->since_ms },
			{ "since_utc_ms", &x->since_utc_ms } };
	struct {
		const char *key;
		char *to;
		size_t room;
	} words[] = { { "run", x->run, sizeof(x->run) },
		      { "label", x->label, sizeof(x->label) },
		      { "command", x->command, sizeof(x->command) } };

	if (t == TAF_SCAN_NUMBER && s->is_whole) {
		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
			if (taf_same(key, numbers[i].key))
				*numbers[i].to = s->number;
		if (taf_same(key, "pid") && s->number <= INT32_MAX)
			x->pid = (int32_t)s->number;
		if (taf_same(key, "turn_ms") && s->number <= UINT32_MAX)
			x->turn_ms = (uint32_t)s->number;
	}
	if (t != TAF_SCAN_STRING)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (taf_same(key, words[i].key))
			taf_copy(words[i].to, s->text, words[i].room);
	if (taf_same(key, "boot"))
		x->boot = read_hex16(s->text);
	for (uint32_t i = 0; taf_same(key, "hold") && i < TAF_HOLD_COUNT; i++)
		if (taf_same(s->text, hold_names[i]))
			x->hold = i;
}

bool taf_lock_text_read(int fd, struct taf_lock_text *text)
{
	char buf[TAF_LOCK_TEXT_BYTES];
	int64_t n = taf_sys_pread(fd, buf, sizeof(buf), 0);

	taf_zero(text, sizeof(*text));
	return n > 0 && taf_scan_members(buf, (size_t)n, take, text) && taf_lock_is_run(text->run);
}

bool taf_lock_is_alive(int32_t pid, uint64_t start, uint64_t pid_ns)
{
	/* Another namespace's numbers say nothing here. */
	if (pid <= 0 || !pid_ns || pid_ns != taf_sys_pid_ns())
		return true;
	return taf_sys_start_ticks(pid) == start && taf_sys_proc_state(pid) != 'Z';
}

bool taf_lock_text_is_alive(const struct taf_lock_text *x)
{
	return x->boot == taf_lock_boot() && taf_lock_is_alive(x->pid, x->start, x->pid_ns);
}

void taf_lock_plain(struct taf_text *out, const char *s)
{
	for (; *s; s++)
		taf_text_char(out, (unsigned char)*s < ' ' || *s == 127 ? '?' : *s);
}

void taf_lock_text_show(const struct taf_lock_text *x, struct taf_text *out)
{
	uint64_t now = taf_lock_now_ms();

	taf_lock_plain(out, x->command[0] ? x->command : "a program");
	taf_text_put(out, " (pid ");
	taf_text_i64(out, x->pid);
	if (x->label[0]) {
		taf_text_put(out, ", ");
		taf_lock_plain(out, x->label);
	}
	if (x->boot == taf_lock_boot() && x->since_ms <= now) {
		taf_text_put(out, ", for ");
		taf_text_ms(out, now - x->since_ms);
	}
	taf_text_char(out, ')');
}
