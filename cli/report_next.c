/* SPDX-License-Identifier: MIT */
/* report_next.c -- what to do now, after what a session has met and how it ended.
 *
 * What the runtime has said of the device comes first: it is the cause of more than
 * what the end looks like.
 */
#include <string.h>

#include "../policy/app.h"
#include "../policy/fault.h"
#include "../policy/text.h"
#include "../policy/value.h"
#include "report.h"
#include "show.h"

/* After which errors of GPU runtimes what is of use. The tools are those of CUDA's and
 * HIP's own manuals. */
static const struct {
	const char *class;
	bool is_kernel; /* the program's own kernel did it */
	bool is_logged; /* the kernel's log knows more */
} hints[] = {
	{ "illegal_address", true, true },
	{ "misaligned_address", true, true },
	{ "address_space", true, false },
	{ "invalid_pc", true, true },
	{ "illegal_instruction", true, true },
	{ "hardware_stack", true, true },
	{ "device_assert", true, false },
	{ "launch_failed", true, true },
	{ "launch_timeout", false, true },
	{ "ecc_uncorrectable", false, true },
	{ "nvlink", false, true },
	{ "contained_memory_error", false, true },
	{ "operating_system", false, true },
	{ "device_lost", false, true },
	{ "device_requires_reset", false, true },
	{ "runtime_memory", false, true },
	{ "runtime_failed", false, true },
	{ "out_of_resources", true, true },
	{ "dependency_failed", true, false },
	{ "unknown", false, true },
};

static void next(FILE *out, const char *text)
{
	taf_report_label(out, "next");
	fprintf(out, "%s\n", text);
}

static const char *kernel_hint(uint32_t engines)
{
	if (engines & (1u << TAF_ENGINE_CUDA | 1u << TAF_ENGINE_CUDART))
		return "which kernel it was: run it under compute-sanitizer, or with "
		       "CUDA_LAUNCH_BLOCKING=1";
	if (engines & 1u << TAF_ENGINE_HIP)
		return "which kernel it was: run it with AMD_SERIALIZE_KERNEL=3 and "
		       "HIP_LAUNCH_BLOCKING=1";
	if (engines & 1u << TAF_ENGINE_VULKAN)
		return "which call it was: run it with "
		       "VK_INSTANCE_LAYERS=VK_LAYER_KHRONOS_validation";
	if (engines & 1u << TAF_ENGINE_OPENCL)
		return "which command it was: drain.every_submits: 1 in the policy waits for each";
	return NULL;
}

/* False: nothing that the runtime has said asks for more. */
static bool after_error(FILE *out, const struct taf_story *s)
{
	const char *kernel = kernel_hint(s->engines);

	if (!strcmp(s->error_class, "out_of_memory")) {
		next(out,
		     taf_story_is_bare(s)
			     ? "less at once on the device; memory.oom_retries in the policy frees "
			       "caches and tries again"
			     : "a smaller model, context or batch; memory.oom_retries in the "
			       "policy "
			       "frees caches and tries again");
		return true;
	}
	for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
		if (strcmp(hints[i].class, s->error_class) != 0)
			continue;
		if (hints[i].is_kernel && kernel)
			next(out, kernel);
		if (hints[i].is_logged)
			next(out,
			     "what the driver wrote down: taffrail events; journalctl -k | grep "
			     "-iE 'xid|amdgpu|i915|xe '");
		return true;
	}
	return false;
}

static bool has_hung(const struct taf_story *s)
{
	return taf_story_open(s, TAF_INFER) || taf_story_open(s, TAF_SUBMIT) ||
	       taf_story_open(s, TAF_SYNC) || taf_story_open(s, TAF_DRAIN);
}

/* Ollama ends the process of a model by SIGKILL, always. */
static bool is_ended_so(const struct taf_trail *t)
{
	struct taf_crumb_line head;
	char name[64];

	return taf_report_head(t, &head) &&
	       taf_crumb_text(&head, TAF_KEY_PROFILE, name, sizeof(name)) &&
	       !strcmp(name, taf_app_name(TAF_APP_OLLAMA_CHILD));
}

/* A signal that exit.signals may name, in the midst of work. */
static void after_signal(FILE *out, const struct taf_page *page)
{
	const struct taf_story *s = page->story;
	char name[32], text[200];
	const char *bare;
	uint64_t mask = 0;

	if (!taf_report_is_cut_off(page) || s->was_terminated ||
	    !(s->n_open || (taf_story_is_bare(s) && s->oldest.is_known)))
		return;
	taf_show_signal(name, sizeof(name), s->signal);
	if (taf_value_signals(name, &mask, NULL))
		return;
	bare = name + (taf_starts(name, "SIG") ? sizeof("SIG") - 1 : 0);
	snprintf(text, sizeof(text),
		 "exit.signals: [\"%s\"] in the policy, or --set exit.signals=%s, waits for the "
		 "device before %s ends the program",
		 bare, bare, name);
	next(out, text);
}

void taf_report_next(FILE *out, const struct taf_page *page)
{
	const struct taf_story *s = page->story;
	bool is_told = after_error(out, s);
	char text[160];

	/* A program that ended as it should has done without. */
	if (s->advice && s->verdict != TAF_ENDED_CLEAN)
		next(out, s->advice);
	taf_report_missed(out, page);
	switch (s->verdict) {
	case TAF_ENDED_RUNNING:
		snprintf(text, sizeof(text), "to follow it: taffrail log -f --session %d",
			 page->trail->pid);
		next(out, text);
		break;
	case TAF_ENDED_KILLED:
		snprintf(text, sizeof(text),
			 "was it out of memory? journalctl -k | grep -i 'killed process %d'",
			 page->trail->pid);
		if (is_told || s->was_terminated)
			break;
		next(out,
		     is_ended_so(page->trail)
			     ? "Ollama ends the process of each model so, idle or not: see its own "
			       "log for why it did"
			     : text);
		break;
	case TAF_ENDED_SIGNAL: after_signal(out, page); break;
	case TAF_ENDED_CRASH:
		snprintf(text, sizeof(text), "a core file, if one was kept: coredumpctl info %d",
			 page->trail->pid);
		next(out, text);
		break;
	case TAF_ENDED_MACHINE_DOWN:
		next(out,
		     s->n_open ? "what is open above is the suspect; the kernel's last words: "
				 "journalctl -k -b -1"
			       : "nothing was open; the kernel's last words: journalctl -k -b -1");
		if (has_hung(s))
			next(out, "drain.every_submits: 8 in the policy narrows the next one down "
				  "to 8 submits");
		break;
	default: break;
	}
}
