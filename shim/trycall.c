/* SPDX-License-Identifier: MIT */
#include "trycall.h"

#include "elfmap.h"
#include "entry.h"

/* Of the Itanium C++ ABI, level one. */
enum { FOUND = 6, INSTALL = 7, CONTINUE = 8 };
enum { SEARCH = 1, CLEANUP = 2, HANDLER = 4, FORCED = 8 };

#if defined(__x86_64__)
#define KEPT 3 /* rbx in the numbering of unwind tables */
#else
#define KEPT 19 /* x19 */
#endif

/* What is taken from the runtime of the engine. */
enum {
	GET_GR,
	SET_IP,
	BEGIN_CATCH,
	END_CATCH,
	ALLOCATE,
	ERROR_MAKE,
	ERROR_DROP,
	ERROR_TYPE,
	THROW,
	NEW,
	DELETE,
	N_FOUND
};
static const char names[N_FOUND][28] = {
	[GET_GR] = "_Unwind_GetGR",
	[SET_IP] = "_Unwind_SetIP",
	[BEGIN_CATCH] = "__cxa_begin_catch",
	[END_CATCH] = "__cxa_end_catch",
	[ALLOCATE] = "__cxa_allocate_exception",
	[ERROR_MAKE] = "_ZNSt13runtime_errorC1EPKc",
	[ERROR_DROP] = "_ZNSt13runtime_errorD1Ev",
	[ERROR_TYPE] = "_ZTISt13runtime_error",
	[THROW] = "__cxa_throw",
	[NEW] = "_Znwm",
	[DELETE] = "_ZdlPv",
};
static _Atomic(uintptr_t) found[N_FOUND]; /* addresses; 0: not in the process */

extern void taf_try_enter_all(struct taf_try *t, const struct taf_regs *r)
	__attribute__((visibility("hidden")));
extern const char taf_try_land[] __attribute__((visibility("hidden")));
int taf_try_personality(int version, int actions, uint64_t class, void *exception, void *context)
	__attribute__((visibility("hidden"), used));

/* clang-format off */
#if defined(__x86_64__)
__asm__(".text\n.p2align 4\n.globl taf_try_enter\n.hidden taf_try_enter\n"
	".type taf_try_enter,@function\ntaf_try_enter:\n"
	".cfi_startproc\n.cfi_personality 0x1b,taf_try_personality\n endbr64\n"
	" push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset 6,-16\n"
	" mov %rsp,%rbp\n.cfi_def_cfa_register 6\n"
	" push %rbx\n.cfi_offset 3,-24\n sub $8,%rsp\n"
	" mov %rdi,%rbx\n"
	" mov 16(%rbx),%rsi\n mov 24(%rbx),%rdx\n mov 32(%rbx),%rcx\n mov 8(%rbx),%rdi\n"
	" xor %eax,%eax\n call *(%rbx)\n"
	" mov %rax,40(%rbx)\n mov %rdx,48(%rbx)\n xor %eax,%eax\n"
	"1: mov -8(%rbp),%rbx\n leave\n.cfi_remember_state\n.cfi_def_cfa 7,8\n ret\n"
	".cfi_restore_state\n"
	".globl taf_try_land\n.hidden taf_try_land\ntaf_try_land:\n endbr64\n"
	" mov $1,%eax\n jmp 1b\n"
	".cfi_endproc\n.size taf_try_enter,.-taf_try_enter\n");
__asm__(".text\n.p2align 4\n.globl taf_try_enter_all\n.hidden taf_try_enter_all\n"
	".type taf_try_enter_all,@function\ntaf_try_enter_all:\n"
	".cfi_startproc\n.cfi_personality 0x1b,taf_try_personality\n endbr64\n"
	" push %rbp\n.cfi_def_cfa_offset 16\n.cfi_offset 6,-16\n"
	" mov %rsp,%rbp\n.cfi_def_cfa_register 6\n"
	" push %rbx\n.cfi_offset 3,-24\n sub $136,%rsp\n"
	" mov %rdi,%rbx\n mov %rsi,%rax\n"
	" mov %rsp,%rdi\n lea 224(%rax),%rsi\n mov $16,%ecx\n cld\n rep movsq\n"
	" mov 0(%rax),%rdi\n mov 8(%rax),%rsi\n mov 16(%rax),%rdx\n mov 24(%rax),%rcx\n"
	" mov 32(%rax),%r8\n mov 40(%rax),%r9\n"
	" xor %eax,%eax\n call *(%rbx)\n"
	" mov %rax,40(%rbx)\n mov %rdx,48(%rbx)\n"
	" mov -8(%rbp),%rbx\n leave\n.cfi_def_cfa 7,8\n ret\n"
	".cfi_endproc\n.size taf_try_enter_all,.-taf_try_enter_all\n");
#define STACK_AT 224
#else
__asm__(".text\n.p2align 4\n.globl taf_try_enter\n.hidden taf_try_enter\n"
	".type taf_try_enter,%function\ntaf_try_enter:\n"
	".cfi_startproc\n.cfi_personality 0x1b,taf_try_personality\n hint #34\n"
	" stp x29,x30,[sp,#-32]!\n.cfi_def_cfa_offset 32\n.cfi_offset 29,-32\n.cfi_offset 30,-24\n"
	" str x19,[sp,#16]\n.cfi_offset 19,-16\n mov x29,sp\n"
	" mov x19,x0\n"
	" ldp x0,x1,[x19,#8]\n ldp x2,x3,[x19,#24]\n ldr x9,[x19]\n blr x9\n"
	" stp x0,x1,[x19,#40]\n mov w0,#0\n"
	"1: ldr x19,[sp,#16]\n ldp x29,x30,[sp],#32\n.cfi_remember_state\n"
	".cfi_restore 19\n.cfi_restore 29\n.cfi_restore 30\n.cfi_def_cfa_offset 0\n ret\n"
	".cfi_restore_state\n"
	".globl taf_try_land\n.hidden taf_try_land\ntaf_try_land:\n hint #36\n"
	" mov w0,#1\n b 1b\n"
	".cfi_endproc\n.size taf_try_enter,.-taf_try_enter\n");
__asm__(".text\n.p2align 4\n.globl taf_try_enter_all\n.hidden taf_try_enter_all\n"
	".type taf_try_enter_all,%function\ntaf_try_enter_all:\n"
	".cfi_startproc\n.cfi_personality 0x1b,taf_try_personality\n hint #34\n"
	" stp x29,x30,[sp,#-32]!\n.cfi_def_cfa_offset 32\n.cfi_offset 29,-32\n.cfi_offset 30,-24\n"
	" str x19,[sp,#16]\n.cfi_offset 19,-16\n mov x29,sp\n.cfi_def_cfa_register 29\n"
	" sub sp,sp,#128\n mov x19,x0\n mov x16,x1\n add x17,x16,#240\n"
	" ldp x0,x1,[x17,#0]\n ldp x2,x3,[x17,#16]\n stp x0,x1,[sp,#0]\n stp x2,x3,[sp,#16]\n"
	" ldp x0,x1,[x17,#32]\n ldp x2,x3,[x17,#48]\n stp x0,x1,[sp,#32]\n stp x2,x3,[sp,#48]\n"
	" ldp x0,x1,[x17,#64]\n ldp x2,x3,[x17,#80]\n stp x0,x1,[sp,#64]\n stp x2,x3,[sp,#80]\n"
	" ldp x0,x1,[x17,#96]\n ldp x2,x3,[x17,#112]\n stp x0,x1,[sp,#96]\n stp x2,x3,[sp,#112]\n"
	" ldp x0,x1,[x16,#0]\n ldp x2,x3,[x16,#16]\n ldp x4,x5,[x16,#32]\n ldp x6,x7,[x16,#48]\n"
	" ldr x8,[x16,#64]\n ldr x9,[x19]\n blr x9\n"
	" stp x0,x1,[x19,#40]\n mov sp,x29\n"
	" ldr x19,[sp,#16]\n ldp x29,x30,[sp],#32\n"
	".cfi_restore 19\n.cfi_restore 29\n.cfi_restore 30\n.cfi_def_cfa 31,0\n ret\n"
	".cfi_endproc\n.size taf_try_enter_all,.-taf_try_enter_all\n");
#define STACK_AT 240
#endif
/* clang-format on */

_Static_assert(offsetof(struct taf_try, arg) == 8 && offsetof(struct taf_try, result) == 40 &&
		       offsetof(struct taf_try, second) == 48,
	       "the assembly above");
_Static_assert(offsetof(struct taf_regs, arg) == 0 && offsetof(struct taf_regs, stack) == STACK_AT,
	       "likewise");

/* Data as well as functions: typeinfo is found like any name. */
static uintptr_t find(const struct taf_elf *e, const char *name)
{
	struct taf_elf_bytes b;
	const void *p = taf_elf_symbol(e, name, NULL);

	if (!p && taf_elf_bytes(e, name, STT_OBJECT, &b))
		p = b.at;
	return (uintptr_t)p;
}

static void look(void *ctx)
{
	struct taf_elf e;

	(void)ctx;
	for (struct link_map *m = taf_elf_first(); m; m = m->l_next) {
		if (m == taf_elf_self() || !taf_elf_of(m, &e))
			continue;
		for (int i = 0; i < N_FOUND; i++)
			if (!atomic_load(&found[i]))
				atomic_store(&found[i], find(&e, names[i]));
	}
}

bool taf_try_is_ready(void)
{
	if (!atomic_load(&found[SET_IP]) || !atomic_load(&found[END_CATCH]))
		taf_elf_locked(look, NULL);
	for (int i = GET_GR; i <= END_CATCH; i++)
		if (!atomic_load(&found[i]))
			return false;
	return true;
}

#define FN(i, type) ((type)atomic_load(&found[i]))

/* Called by the unwinder for the frame of taf_try_enter: once to ask who will catch, once
 * to clean up. */
int taf_try_personality(int version, int actions, uint64_t class, void *exception, void *context)
{
	union {
		uint64_t n;
		struct taf_try *t;
	} kept;

	(void)version;
	(void)class;
	if ((actions & FORCED) || !atomic_load(&found[GET_GR]) || !atomic_load(&found[SET_IP]))
		return CONTINUE;
	kept.n = FN(GET_GR, uint64_t(*)(void *, int))(context, KEPT);
	kept.t->thrown = exception;
	if (actions & SEARCH) {
		if (kept.t->seen)
			kept.t->seen(kept.t);
		return kept.t->is_swallowed ? FOUND : CONTINUE;
	}
	if (actions & HANDLER) {
		FN(SET_IP, void (*)(void *, uint64_t))(context, (uint64_t)(uintptr_t)taf_try_land);
		return INSTALL;
	}
	if (kept.t->undo)
		kept.t->undo(kept.t);
	return CONTINUE;
}

bool taf_try_call(struct taf_try *t)
{
	t->is_swallowed = true;
	t->thrown = NULL;
	if (!t->fn || !taf_try_is_ready())
		return false;
	if (!taf_try_enter(t))
		return true;
	FN(BEGIN_CATCH, void *(*)(void *))(t->thrown);
	FN(END_CATCH, void (*)(void))();
	return false;
}

/* The engine that calls is there, and with it what it throws with. */
static _Atomic(bool) has_looked;

static void get_ready(struct taf_try *t)
{
	if (!atomic_load_explicit(&has_looked, memory_order_relaxed)) {
		taf_try_is_ready();
		atomic_store(&has_looked, true);
	}
	t->is_swallowed = false;
	t->thrown = NULL;
}

void taf_pass_call(struct taf_try *t)
{
	get_ready(t);
	taf_try_enter(t);
}

void taf_pass_regs(struct taf_try *t, const struct taf_regs *r)
{
	get_ready(t);
	taf_try_enter_all(t, r);
}

#define ERROR_BYTES 64 /* of a runtime_error: two or three words everywhere */

bool taf_throw(const char *what)
{
	void *e;

	taf_elf_locked(look, NULL);
	for (int i = ALLOCATE; i <= THROW; i++)
		if (!atomic_load(&found[i]))
			return false;
	e = FN(ALLOCATE, void *(*)(uint64_t))(ERROR_BYTES);
	FN(ERROR_MAKE, void (*)(void *, const char *))(e, what);
	FN(THROW, void (*)(void *, uintptr_t, uintptr_t))
	(e, atomic_load(&found[ERROR_TYPE]), atomic_load(&found[ERROR_DROP]));
	return false;
}

void *taf_cxx_new(size_t n)
{
	struct taf_try t = { .arg = { n } };
	union {
		uint64_t n;
		void *p;
	} u = { .n = 0 };

	if (!atomic_load(&found[NEW]) || !atomic_load(&found[DELETE]))
		taf_elf_locked(look, NULL);
	t.fn = (taf_fn)atomic_load(&found[NEW]);
	if (t.fn && atomic_load(&found[DELETE]) && taf_try_call(&t))
		u.n = t.result;
	return u.p;
}

void taf_cxx_delete(void *p)
{
	FN(DELETE, void (*)(void *))(p);
}
