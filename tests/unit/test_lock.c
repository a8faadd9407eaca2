/* SPDX-License-Identifier: MIT */
/* test_lock.c -- the GPU lock among real processes: taking, joining, inheriting,
 * ending, and files that somebody spoiled. */
#include "lock_kit.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "../../policy/policy.h"
#include "../../policy/stamp.h"

static void one_run_at_a_time(void **state)
{
	struct actor a = actor_of(RUN_A, ""), b = actor_of(RUN_B, "");

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&b, 't'), 'B');
	assert_int_equal(ask(&b, 'h'), 'k');
	assert_non_null(strstr(b.says, "actor (pid "));
	assert_non_null(strstr(b.says, ", kit, for "));
	/* Giving back means nothing while it is held for a run. */
	assert_int_equal(ask(&a, 'r'), 'k');
	assert_int_equal(ask(&b, 't'), 'B');
	dismiss(&a);
	assert_int_equal(ask(&b, 't'), 'O');
	dismiss(&b);
}

static void members_share_their_slot(void **state)
{
	struct actor a = actor_of(RUN_A, ""), a2 = actor_of(RUN_A, ""), b = actor_of(RUN_B, "");

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&a2, 't'), 'O');
	/* The first one ends, the run goes on. */
	dismiss(&a);
	assert_int_equal(ask(&b, 't'), 'B');
	a = actor_of(RUN_A, "");
	assert_int_equal(ask(&a, 't'), 'O');
	dismiss(&a2);
	assert_int_equal(ask(&b, 't'), 'B');
	/* Who took the slot is gone, so waiters are shown one who lives. */
	assert_int_equal(ask(&b, 'h'), 'k');
	{
		char pid[32];

		snprintf(pid, sizeof(pid), "(pid %d,", (int)a.pid);
		assert_non_null(strstr(b.says, pid));
	}
	dismiss(&a);
	assert_int_equal(ask(&b, 't'), 'O');
	dismiss(&b);
}

static void a_fork_child_keeps_the_slot(void **state)
{
	struct actor a = actor_of(RUN_A, ""), b = actor_of(RUN_B, "");

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&a, 'f'), 'k');
	kill(a.pid, SIGKILL);
	waitpid(a.pid, NULL, 0);
	/* The child has the descriptor, without having asked for anything. */
	assert_int_equal(ask(&b, 't'), 'B');
	/* And joins by itself when it uses a device. */
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&a, 'e'), 'O');
	assert_int_equal(ask(&b, 't'), 'B');
	close(a.to);
	assert_int_equal(hear(&a), 0);
	close(a.from);
	assert_int_equal(ask(&b, 'w'), 'O');
	dismiss(&b);
}

static void a_closed_descriptor_is_noticed(void **state)
{
	struct actor a = actor_of(RUN_A, ""), b = actor_of(RUN_B, "");

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&a, 'x'), 'k');
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&b, 't'), 'B');
	assert_int_equal(ask(&a, 'x'), 'k');
	assert_int_equal(ask(&b, 't'), 'O');
	assert_int_equal(ask(&a, 't'), 'B');
	dismiss(&a);
	dismiss(&b);
}

static void there_may_be_several_slots(void **state)
{
	static const char set[] = "lock.slots=2";
	struct actor a = actor_of(RUN_A, set), b = actor_of(RUN_B, set), c = actor_of(RUN_C, set);
	struct actor a2 = actor_of(RUN_A, "");

	(void)state;
	assert_int_equal(ask(&b, 't'), 'O');
	assert_int_equal(ask(&a, 't'), 'O');
	assert_int_equal(ask(&c, 't'), 'B');
	/* A member whose policy knows one slot finds the second one of its run. */
	assert_int_equal(ask(&a2, 't'), 'O');
	dismiss(&a2);
	dismiss(&b);
	assert_int_equal(ask(&c, 't'), 'O');
	dismiss(&a);
	dismiss(&c);
}

static void who_waits_gets_it(void **state)
{
	struct actor a = actor_of(RUN_A, ""), b = actor_of(RUN_B, ""), c = actor_of(RUN_C, "");

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	tell_actor(&b, 'w');
	/* b is in the queue when its file has an entry. */
	while (access(kit_path("queue"), F_OK))
		usleep(1000);
	for (struct stat st = { 0 }; !st.st_size;)
		stat(kit_path("queue"), &st);
	dismiss(&a);
	/* First come, first served, whoever asks more often. */
	assert_int_equal(hear(&b), 'O');
	assert_int_equal(ask(&c, 't'), 'B');
	dismiss(&b);
	assert_int_equal(ask(&c, 't'), 'O');
	dismiss(&c);
}

static void a_dead_waiter_keeps_nobody_back(void **state)
{
	struct actor a = actor_of(RUN_A, ""), b = actor_of(RUN_B, ""), c = actor_of(RUN_C, "");
	struct stat st = { 0 };

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	tell_actor(&b, 'w');
	while (!st.st_size)
		if (stat(kit_path("queue"), &st))
			st.st_size = 0;
	dismiss(&b);
	dismiss(&a);
	assert_int_equal(ask(&c, 't'), 'O');
	dismiss(&c);
}

/* ---- files that somebody spoiled ---- */

static void stale_and_hostile_texts(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{",
		"null",
		"{\"run\":17}",
		"{\"run\":\"" RUN_B "\",\"pid\":1",
		"{\"v\":1,\"run\":\"" RUN_B
		"\",\"pid\":1,\"start\":0,\"pid_ns\":0,\"hold\":\"run\"}",
		"{\"v\":1,\"run\":\"" RUN_B
		"\",\"pid\":-5,\"hold\":\"inference\",\"turn_ms\":1e99}",
		"{\"v\":1,\"run\":\"../../../../etc\",\"pid\":99999999999999999999}",
		"\377\376\0\0",
		"{\"run\":\"" RUN_B "\",\"command\":\"\\u001b[2J\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct actor a = actor_of(RUN_A, ""), b = actor_of(RUN_B, "");

		/* Free is free, whatever the text says. */
		assert_int_equal(ask(&a, 't'), 'O');
		kit_write(kit_path("slot-1.json"), texts[i], strlen(texts[i]));
		assert_int_equal(ask(&a, 't'), 'O');
		/* Only a text of its own run lets it in; readers repair nothing. */
		assert_int_equal(ask(&b, 't'), strstr(texts[i], "\"" RUN_B "\"") &&
							       texts[i][strlen(texts[i]) - 1] == '}'
						       ? 'O'
						       : 'B');
		ask(&b, 'h');
		assert_null(strchr(b.says, '\033'));
		dismiss(&b);
		dismiss(&a);
	}
}

static void a_spoiled_queue_is_empty(void **state)
{
	char junk[8192];
	struct actor a = actor_of(RUN_A, "");

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	dismiss(&a);
	for (int round = 0; round < 3; round++) {
		memset(junk, round == 0 ? 0xff : round == 1 ? 'a' : 0, sizeof(junk));
		kit_write(kit_path("queue"), junk, round == 2 ? 17 : sizeof(junk));
		a = actor_of(RUN_A, "");
		assert_int_equal(ask(&a, 't'), 'O');
		dismiss(&a);
	}
}

static void links_are_not_followed(void **state)
{
	struct actor a = actor_of(RUN_A, "");
	char victim[128], text[16] = "";
	int fd;

	(void)state;
	snprintf(victim, sizeof(victim), "%s/victim", kit_dir);
	kit_write(victim, "precious", 8);
	assert_int_equal(ask(&a, 't'), 'O');
	dismiss(&a);
	for (int way = 0; way < 3; way++) {
		const char *file = way == 2 ? kit_path("queue") : kit_path("slot-1.json");

		unlink(file);
		assert_int_equal(way == 1 ? symlink(victim, file) : link(victim, file), 0);
		a = actor_of(RUN_A, "");
		assert_int_equal(ask(&a, 't'), 'U');
		assert_non_null(strstr(a.says, "no plain file"));
		dismiss(&a);
		unlink(file);
	}
	fd = open(victim, O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, text, sizeof(text)), 8);
	assert_string_equal(text, "precious");
	close(fd);
}

static void a_kept_guard_is_busy(void **state)
{
	struct actor a = actor_of(RUN_A, "");
	int fd;

	(void)state;
	assert_int_equal(ask(&a, 't'), 'O');
	dismiss(&a);
	fd = open(kit_path("guard"), O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	a = actor_of(RUN_A, "");
	assert_int_equal(ask(&a, 't'), 'B');
	assert_int_equal(ask(&a, 'h'), 'k');
	assert_non_null(strstr(a.says, "guard"));
	close(fd);
	assert_int_equal(ask(&a, 't'), 'O');
	dismiss(&a);
}

/* From here on the kernel cannot lock files, as some network file systems. */
static void forbid_locks(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_flock, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOLCK),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog all = { sizeof(rules) / sizeof(*rules), rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &all))
		_exit(77);
}

/* What one try gives in a process that was prepared: the exit status of a child. */
static int try_after(void (*prepare)(void), const char *set, char *words, size_t room)
{
	static struct taf_rules rules;
	struct taf_text why;
	int status, ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		char buf[512] = "";

		taf_rules_default(&rules);
		taf_rules_set_many(&rules, set, NULL, NULL);
		kit_name(RUN_A, "");
		if (prepare)
			prepare();
		taf_text_init(&why, buf, sizeof(buf));
		status = (int)taf_lock_try(&rules, &why);
		_exit(write(ends[1], buf, sizeof(buf)) < 0 ? 90 : 10 + status);
	}
	close(ends[1]);
	memset(words, 0, room);
	if (read(ends[0], words, room - 1) < 0)
		words[0] = '\0';
	close(ends[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) - 10 : -1;
}

static void what_cannot_work_blocks_nobody(void **state)
{
	char words[512], set[200];

	(void)state;
	assert_int_equal(try_after(forbid_locks, "", words, sizeof(words)), TAF_LOCK_UNKNOWN);
	assert_non_null(strstr(words, "does not lock files"));
	assert_int_equal(try_after(NULL, "lock.scope=path;lock.path=/nowhere/at/all", words,
				   sizeof(words)),
			 TAF_LOCK_UNKNOWN);
	assert_non_null(strstr(words, "no such folder"));
	assert_int_equal(try_after(NULL, "lock.scope=path;lock.path=here", words, sizeof(words)),
			 TAF_LOCK_UNKNOWN);
	assert_non_null(strstr(words, "lock.path"));
	snprintf(set, sizeof(set), "%s/folder", kit_dir);
	assert_int_equal(mkdir(set, 0700), 0);
	snprintf(set, sizeof(set), "lock.scope=path;lock.path=%s/folder", kit_dir);
	assert_int_equal(try_after(NULL, set, words, sizeof(words)), TAF_LOCK_UNKNOWN);
	assert_int_equal(try_after(NULL, "lock.scope=device", words, sizeof(words)), TAF_LOCK_OURS);
	assert_non_null(strstr(words, "no variable names one device"));
}

/* ---- places ---- */

static void names_of_devices(void **state)
{
	static const struct {
		const char *entry, *name;
	} table[] = {
		{ "CUDA_VISIBLE_DEVICES=0", "cuda-0" },
		{ "CUDA_VISIBLE_DEVICES=GPU-8932f937-d72c", "cuda-GPU-8932f937-d72c" },
		{ "HIP_VISIBLE_DEVICES=3", "hip-3" },
		{ "GGML_VK_VISIBLE_DEVICES=1", "vulkan-1" },
		{ "ZE_AFFINITY_MASK=0", "ze-0" },
		{ "CUDA_VISIBLE_DEVICES=0,1", "" },
		{ "CUDA_VISIBLE_DEVICES=", "" },
		{ "CUDA_VISIBLE_DEVICES=-1", "" },
		{ "CUDA_VISIBLE_DEVICES=../x", "" },
		{ "CUDA_VISIBLE_DEVICES=0123456789012345678901234567890123456789012345678", "" },
		{ "PATH=0", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char entry[128], out[TAF_LOCK_DEVICE];
		char *env[] = { entry, NULL };

		snprintf(entry, sizeof(entry), "%s", table[i].entry);
		taf_lock_device(env, out);
		assert_string_equal(out, table[i].name);
	}
}

static void names_of_files(void **state)
{
	static struct taf_rules rules;
	static struct taf_lock_place p;
	char path[TAF_PATH_MAX];

	(void)state;
	taf_rules_default(&rules);
	taf_rules_set_many(&rules, "lock.scope=path;lock.path=/x/gpu.lock", NULL, NULL);
	assert_int_equal(taf_lock_place_look(&rules, kit_env, "", &p, NULL), 0);
	assert_string_equal(p.dir, "/x/");
	taf_lock_path(&p, TAF_LOCK_SLOT, 1, path);
	assert_string_equal(path, "/x/gpu.lock");
	taf_lock_path(&p, TAF_LOCK_SLOT, 2, path);
	assert_string_equal(path, "/x/gpu.lock.2");
	taf_lock_path(&p, TAF_LOCK_HOLDER, 1, path);
	assert_string_equal(path, "/x/gpu.lock.json");
	taf_lock_path(&p, TAF_LOCK_GUARD, 0, path);
	assert_string_equal(path, "/x/gpu.lock.guard");
	taf_rules_set_many(&rules, "lock.scope=device", NULL, NULL);
	assert_int_equal(taf_lock_place_look(&rules, kit_env, "cuda-1", &p, NULL), 0);
	assert_true(p.is_per_user);
	taf_lock_path(&p, TAF_LOCK_SLOT, 1, path);
	assert_string_equal(path, kit_path("cuda-1.slot-1"));
	taf_lock_path(&p, TAF_LOCK_QUEUE, 0, path);
	assert_string_equal(path, kit_path("cuda-1.queue"));
}

/* ---- the rule ---- */

struct line {
	const char *set;
	enum taf_kind kind;
	enum taf_lock_state lock;
	uint64_t waited_ms;
	enum taf_action action;
	uint32_t wait_ms;
};

static const struct line table[] = {
	{ "", TAF_LOAD, TAF_LOCK_BUSY, 0, TAF_ACT_WARN, 0 },
	{ "", TAF_LOAD, TAF_LOCK_OURS, 0, TAF_ACT_ALLOW, 0 },
	{ "", TAF_LOAD, TAF_LOCK_UNKNOWN, 0, TAF_ACT_ALLOW, 0 },
	{ "lock.on_conflict=wait", TAF_START, TAF_LOCK_BUSY, 0, TAF_ACT_WAIT, 1000 },
	{ "lock.on_conflict=wait", TAF_LOAD, TAF_LOCK_UNKNOWN, 0, TAF_ACT_ALLOW, 0 },
	{ "lock.on_conflict=wait", TAF_LOAD, TAF_LOCK_BUSY, 599900, TAF_ACT_WAIT, 100 },
	{ "lock.on_conflict=wait", TAF_LOAD, TAF_LOCK_BUSY, 600000, TAF_ACT_REFUSE, 0 },
	{ "lock.on_conflict=wait;lock.max_wait=0s", TAF_LOAD, TAF_LOCK_BUSY, 0, TAF_ACT_REFUSE, 0 },
	{ "lock.on_conflict=refuse", TAF_INFER, TAF_LOCK_BUSY, 0, TAF_ACT_REFUSE, 0 },
	{ "lock.on_conflict=refuse", TAF_UNLOAD, TAF_LOCK_BUSY, 0, TAF_ACT_ALLOW, 0 },
	{ "lock.on_conflict=refuse", TAF_EXIT, TAF_LOCK_BUSY, 0, TAF_ACT_ALLOW, 0 },
	{ "lock.on_conflict=refuse", TAF_ALLOC, TAF_LOCK_BUSY, 0, TAF_ACT_ALLOW, 0 },
	{ "lock.on_conflict=refuse;lock.hold=inference", TAF_LOAD, TAF_LOCK_BUSY, 0, TAF_ACT_ALLOW,
	  0 },
	{ "lock.on_conflict=refuse;lock.hold=inference", TAF_SUBMIT, TAF_LOCK_BUSY, 0,
	  TAF_ACT_REFUSE, 0 },
};

static void the_rule(void **state)
{
	static struct taf_rules rules;

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct line *l = &table[i];
		struct taf_event ev = { .kind = l->kind, .phase = TAF_BEGIN };
		struct taf_facts f = { .lock = l->lock,
				       .lock_holder = "llama-server (pid 12)",
				       .waited_ms = l->waited_ms };
		struct taf_question q = { &rules, &ev, &f };
		struct taf_verdict v;

		taf_rules_default(&rules);
		assert_int_equal(taf_rules_set_many(&rules, l->set, NULL, NULL), 0);
		taf_verdict_init(&v);
		taf_lock(&q, &v);
		if (v.action != l->action || v.wait_ms != l->wait_ms)
			fail_msg("line %zu: action %d, wait %u", i, (int)v.action, v.wait_ms);
		if (v.action == TAF_ACT_ALLOW)
			continue;
		assert_string_equal(taf_rule_info(v.rule)->path, "lock.on_conflict");
		assert_string_equal(v.said[0].about, "llama-server (pid 12)");
		ev.phase = TAF_END;
		taf_verdict_init(&v);
		taf_lock(&q, &v);
		assert_int_equal(v.action, TAF_ACT_ALLOW);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, kit_fresh)
	const struct CMUnitTest tests[] = {
		TEST(one_run_at_a_time),
		TEST(members_share_their_slot),
		TEST(a_fork_child_keeps_the_slot),
		TEST(a_closed_descriptor_is_noticed),
		TEST(there_may_be_several_slots),
		TEST(who_waits_gets_it),
		TEST(a_dead_waiter_keeps_nobody_back),
		TEST(stale_and_hostile_texts),
		TEST(a_spoiled_queue_is_empty),
		TEST(links_are_not_followed),
		TEST(a_kept_guard_is_busy),
		TEST(what_cannot_work_blocks_nobody),
		TEST(names_of_devices),
		TEST(names_of_files),
		TEST(the_rule),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, kit_begin, kit_end);
}
