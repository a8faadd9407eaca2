/* SPDX-License-Identifier: MIT */
/* bench_decide.c -- what the policy engine costs.
 *
 *   decide      taf_decide with all rules, examples/guarded.json, a ledger of 8 models
 *               and 20 events; against asking no rule at all.  All is warm, as between
 *               two requests of a server.
 *   activation  a fake engine's first call in this program started again, which opens
 *               the log, reads policy and state, and is judged; against the same call
 *               without the shim.  The policy is compiled, as `taffrail run` leaves it. */
#include <dlfcn.h>
#include <unistd.h>

#include "../../cli/config.h"
#include "../../policy/ledger.h"
#include "../../policy/policy.h"
#include "bench.h"

#define PAIRS 31
#define CALLS 100000
#define STARTS 301
#define HOUR_MS 3600000u

static struct taf_policy policy;
static struct taf_ledger ledger;

/* Some hours ago, in this boot. */
static struct taf_moment ago(uint64_t ms)
{
	return (struct taf_moment){ .boot = 0x0a250ae03ba3403cull,
				    .boot_ms = 400ull * HOUR_MS - ms,
				    .utc_ms = 1764000000000ull - ms };
}

static void fill_ledger(void)
{
	ledger.n_models = 8;
	for (uint32_t i = 0; i < ledger.n_models; i++) {
		struct taf_ledger_model *m = &ledger.model[i];

		snprintf(m->id, sizeof(m->id), "org/model-%u-7b-q4_k_m", i);
		m->load = ago((i + 2) * HOUR_MS);
		m->infer = m->unload = ago((i + 1) * HOUR_MS);
		m->bytes = 4ull << 30;
	}
	ledger.n_events = 20;
	for (uint32_t i = 0; i < ledger.n_events; i++) {
		struct taf_ledger_event *e = &ledger.event[i];

		e->at = e->seen = ago((100 + i) * HOUR_MS);
		e->severity = i % 2 ? TAF_SEVERITY_PANIC : TAF_SEVERITY_PROCESS;
		e->is_abort = !(i % 2);
		strcpy(e->class, "iogpu_prepare_count_underflow");
		strcpy(e->model, ledger.model[i % 8].id);
	}
}

static double decide_ns(const struct taf_question *q, bool asks)
{
	static struct taf_verdict v;
	double begin = bench_now_ns();

	for (int i = 0; i < CALLS; i++) {
		if (asks)
			taf_decide(q, &v);
		else
			taf_verdict_init(&v);
		__asm__ volatile("" : : "r"(&v), "r"(q) : "memory");
	}
	return (bench_now_ns() - begin) / CALLS;
}

static void decide(const char *name, const struct taf_event *event)
{
	static double a[PAIRS], b[PAIRS];
	struct taf_facts facts = { .now_ms = 400u * HOUR_MS,
				   .now = ago(0),
				   .ledger = &ledger,
				   .contexts_live = 1,
				   .models_live = 1,
				   .submits_since_sync = 12,
				   .lock = TAF_LOCK_OURS,
				   .memory = { .total = 64ull << 30, .free = 40ull << 30 },
				   .infers = 300,
				   .uptime_ms = HOUR_MS };
	struct taf_question q = { &policy.base, event, &facts };

	decide_ns(&q, true);
	for (int i = 0; i < PAIRS; i++) {
		a[i] = decide_ns(&q, false);
		b[i] = decide_ns(&q, true);
	}
	bench_pairs(name, a, b, PAIRS, "ns", 0);
}

static int read_policy(void)
{
	const char *src = getenv("SRC");
	char path[4096];

	snprintf(path, sizeof(path), "%s/examples/guarded.json", src ? src : ".");
	if (!taffrail_policy_load(path, &policy, sizeof(policy), TAF_POLICY_VERSION, NULL, NULL) &&
	    !policy.n_bad)
		return 0;
	fprintf(stderr, "bench_decide: %s cannot be read; set SRC\n", path);
	return 1;
}

/* The child: us of the first call. */
static int child(const char *fake)
{
	void *h = dlopen(fake, RTLD_NOW);
	union {
		void *p;
		int (*submit)(void *, void *);
	} u = { .p = h ? dlsym(h, "ggml_backend_sched_graph_compute_async") : NULL };
	double begin = bench_now_ns();

	if (!u.p)
		return 1;
	u.submit(NULL, NULL);
	printf("%.3f\n", (bench_now_ns() - begin) / 1e3);
	fflush(stdout);
	return 0;
}

static double start_us(const char *self, const char *setting)
{
	char cmd[10240], line[64];
	double us = 0;
	FILE *p;

	snprintf(cmd, sizeof(cmd), "%s %s child", setting, self);
	p = popen(cmd, "r");
	if (!p || !fgets(line, sizeof(line), p) || (us = atof(line)) <= 0) {
		fprintf(stderr, "bench_decide: no answer from a child\n");
		exit(1);
	}
	pclose(p);
	return us;
}

/* What a wait would cost is not measured: each rule only warns. */
static void activation(const char *self, const char *build, const char *state)
{
	static double a[STARTS], b[STARTS];
	const char *src = getenv("SRC") ? getenv("SRC") : ".";
	char shim[9216], cmd[9216];

	snprintf(cmd, sizeof(cmd),
		 "%s/taffrail check --compile --state %s %s/examples/guarded.json >/dev/null",
		 build, state, src);
	if (system(cmd)) {
		fprintf(stderr, "bench_decide: the policy was not compiled\n");
		exit(1);
	}
	snprintf(shim, sizeof(shim),
		 "TAFFRAIL_STATE=%s TAFFRAIL_POLICY=%s/examples/guarded.json "
		 "TAFFRAIL_SET='lock.on_conflict=warn;cooldown.on_hold=warn;breaker.on_open=warn' "
		 "LD_PRELOAD=%s/libtaffrail.so",
		 state, src, build);
	start_us(self, shim);
	for (int i = 0; i < STARTS; i++) {
		a[i] = start_us(self, "");
		b[i] = start_us(self, shim);
	}
	bench_head("A process becomes active", "bare", "under the shim");
	bench_pairs("first call, all of it", a, b, STARTS, "us", 0);
}

int main(int argc, char **argv)
{
	static const struct taf_event load = { .kind = TAF_LOAD,
					       .phase = TAF_BEGIN,
					       .engine = TAF_ENGINE_LLAMA,
					       .bytes = 4ull << 30,
					       .cache_bytes = 1ull << 30,
					       .model = "org/model-3-7b-q4_k_m" };
	static const struct taf_event infer = { .kind = TAF_INFER,
						.phase = TAF_BEGIN,
						.engine = TAF_ENGINE_LLAMA,
						.model = "org/model-3-7b-q4_k_m" };
	const char *build = getenv("BUILD") ? getenv("BUILD") : "build";
	char fake[4096], cmd[128], state[] = "/tmp/taffrail-bench-XXXXXX";

	snprintf(fake, sizeof(fake), "%s/tests/libfake_empty.so", build);
	if (argc == 2)
		return child(fake);
	if (access(fake, R_OK) || !mkdtemp(state)) {
		fprintf(stderr, "bench_decide: %s is missing; run make tests first\n", fake);
		return 1;
	}
	if (read_policy())
		return 1;
	fill_ledger();
	bench_head("All rules, guarded.json, 8 models, 20 events", "no rule", "all rules");
	decide("before a load", &load);
	decide("before a generation", &infer);
	activation(argv[0], build, state);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", state);
	return system(cmd) ? 1 : 0;
}
