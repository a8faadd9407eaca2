/* SPDX-License-Identifier: MIT */
/* bench_gate.c -- what asking the gate costs.
 *
 *   gate, empty           `taffrail gate --quiet` as a process, nothing ever happened
 *   gate, 1000 events     the same after a thousand old events; its bar is 20 ms, that of
 *                         the empty one 5 ms
 *   share, enter + leave  one section of a process that looks and changes nothing
 *   share, one stamp      one section that writes and flushes a stamp
 *
 * The evidence of this machine is left out (TAFFRAIL_EVIDENCE_ROOT is an empty
 * folder): what it costs is not ours. */
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/share.h"
#include "bench.h"

#define PAIRS 300
#define SECTIONS 2000
#define EVENTS 1000

static char dir[] = "/tmp/taf-bench-XXXXXX";

static double run_ms(char *const *argv, char *const *envp)
{
	double begin = bench_now_ns();
	static posix_spawn_file_actions_t quiet;
	static int is_made;
	pid_t pid;
	int status;

	if (!is_made++) {
		posix_spawn_file_actions_init(&quiet);
		posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
	}
	if (posix_spawn(&pid, argv[0], &quiet, NULL, argv, envp) ||
	    waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 75)) {
		fprintf(stderr, "bench_gate: %s did not run\n", argv[0]);
		exit(1);
	}
	return (bench_now_ns() - begin) / 1e6;
}

static const char *in(const char *leaf)
{
	static char path[4][128];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[0]), "%s/%s", dir, leaf);
	return path[turn];
}

/* A thousand crashes and panics of last month. */
static void fill(const char *state)
{
	struct taf_moment now = taf_moment_now();
	int err;

	taf_share_open(state);
	for (int n = 0; n < EVENTS;) {
		struct taf_ledger *l = taf_share_enter(&err);

		for (int end = n + 50; n < end; n++) {
			struct taf_ledger_event e = { .pid = n + 1, .is_abort = n % 4 != 0 };

			e.severity = e.is_abort ? TAF_SEVERITY_PROCESS : TAF_SEVERITY_PANIC;
			e.at.utc_ms = now.utc_ms - 30ull * TAF_DAY_MS + (uint64_t)n * 60000;
			e.seen = e.at;
			snprintf(e.class, sizeof(e.class), "iogpu_prepare_count_underflow");
			snprintf(e.model, sizeof(e.model), "mlx-community/some-model-%d", n);
			taf_ledger_note(l, &e);
		}
		if (taf_share_leave(TAF_SHARE_DURABLE))
			exit(1);
	}
}

static void gate(const char *what, const char *taffrail, const char *state)
{
	static double a[PAIRS], b[PAIRS];
	char bin[4096], set[256], root[256], home[256];
	char word_gate[] = "gate", word_quiet[] = "--quiet", word_help[] = "--version";
	char *argv[] = { bin, word_gate, word_quiet, NULL }, *bare[] = { bin, word_help, NULL };
	char *envp[] = { set, root, home, NULL };

	snprintf(bin, sizeof(bin), "%s", taffrail);
	snprintf(set, sizeof(set), "TAFFRAIL_STATE=%s", state);
	snprintf(root, sizeof(root), "TAFFRAIL_EVIDENCE_ROOT=%s", in("root"));
	snprintf(home, sizeof(home), "HOME=%s", dir);
	for (int i = 0; i < PAIRS; i++) {
		a[i] = run_ms(bare, envp);
		b[i] = run_ms(argv, envp);
	}
	bench_pairs(what, a, b, PAIRS, "ms", 0);
}

static double section_us(const char *id)
{
	double begin = bench_now_ns();
	int err;
	struct taf_ledger *l = taf_share_enter(&err);
	struct taf_ledger_stamp s = { .id = id, .kind = TAF_LOAD };

	if (id) {
		s.now = taf_moment_now();
		taf_ledger_mark(l, &s);
	}
	if (taf_share_leave(id ? TAF_SHARE_DURABLE : TAF_SHARE_SAME) || err)
		exit(1);
	return (bench_now_ns() - begin) / 1e3;
}

static void sections(void)
{
	static double a[SECTIONS], b[SECTIONS];

	taf_share_open(in("old"));
	section_us("warm");
	for (int i = 0; i < SECTIONS; i++) {
		a[i] = section_us(NULL);
		b[i] = section_us("mlx-community/some-model");
	}
	bench_pairs("one section", a, b, SECTIONS, "us", 0);
}

int main(void)
{
	const char *taffrail = getenv("TAFFRAIL");
	char cmd[64];
	int err;

	if (!taffrail || access(taffrail, X_OK) || !mkdtemp(dir)) {
		fprintf(stderr, "bench_gate: TAFFRAIL names no command\n");
		return 1;
	}
	mkdir(in("root"), 0700);
	mkdir(in("empty"), 0700);
	mkdir(in("old"), 0700);
	fill(in("old"));
	bench_head("Asking the gate", "taffrail --version", "taffrail gate");
	gate("gate, empty", taffrail, in("empty"));
	gate("gate, 1000 events", taffrail, in("old"));
	bench_head("The shared state", "look", "stamp, flushed");
	sections();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	err = system(cmd);
	return err ? 1 : 0;
}
