/* SPDX-License-Identifier: MIT */
/* exec.c -- the ways on: exec and posix_spawn, with the environment that the policy asks for.
 *
 * All arrays are on this stack: the caller may be a vfork child, which shares
 * its parent's memory and may not allocate. */
#include <errno.h>
#include <stdarg.h>

#include "../shim/exit.h"
#include "../shim/spawn.h"
#include "libc.h"

#define TAF_ROWS "exec.def"
#define TAF_TABLE taf_table_exec
#include "expand.h"

extern char **environ;

/* The environment for a program, from envp; lives in this function's frame. */
#define WITH_ENV(plan, envp) \
	struct taf_spawn plan; \
	taf_spawn_plan(&(plan), envp); \
	char *plan##_room[(plan).room + 1]; \
	char *const *plan##_env = taf_spawn_env(&(plan), plan##_room)

static int failed(int r)
{
	int saved = errno;

	taf_stay(-saved);
	errno = saved;
	return r;
}

int taf_execve(const char *path, char *const argv[], char *const envp[])
{
	WITH_ENV(plan, envp);
	taf_leave_exec("execve", path);
	return failed(REAL(execve)(path, argv, plan_env));
}

int taf_execv(const char *path, char *const argv[])
{
	WITH_ENV(plan, environ);
	taf_leave_exec("execv", path);
	return failed(plan.room ? REAL(execve)(path, argv, plan_env) : REAL(execv)(path, argv));
}

int taf_execvp(const char *file, char *const argv[])
{
	WITH_ENV(plan, environ);
	taf_leave_exec("execvp", file);
	return failed(plan.room ? REAL(execvpe)(file, argv, plan_env) : REAL(execvp)(file, argv));
}

int taf_execvpe(const char *file, char *const argv[], char *const envp[])
{
	WITH_ENV(plan, envp);
	taf_leave_exec("execvpe", file);
	return failed(REAL(execvpe)(file, argv, plan_env));
}

int taf_fexecve(int fd, char *const argv[], char *const envp[])
{
	WITH_ENV(plan, envp);
	taf_leave_exec("fexecve", NULL);
	return failed(REAL(fexecve)(fd, argv, plan_env));
}

int taf_execveat(int dir, const char *path, char *const argv[], char *const envp[], int flags)
{
	WITH_ENV(plan, envp);
	taf_leave_exec("execveat", path);
	return failed(REAL(execveat)(dir, path, argv, plan_env, flags));
}

/* The arguments of execl and its kin, counted and then copied; the closing NULL included. */
static size_t count_args(const char *arg, va_list *ap)
{
	size_t n = 1;

	for (const char *a = arg; a; n++)
		a = va_arg(*ap, const char *);
	return n;
}

static void copy_args(char **argv, const char *arg, va_list *ap)
{
	union {
		const char *c;
		char *m;
	} u = { .c = arg };
	size_t n = 0;

	for (argv[n++] = u.m; u.c; argv[n++] = u.m)
		u.c = va_arg(*ap, const char *);
}

/* The variable arguments behind arg as an array in this function's frame; ap is
 * left behind the NULL. */
#define WITH_ARGS(argv, arg) \
	va_list ap; \
	va_start(ap, arg); \
	size_t n = count_args(arg, &ap); \
	va_end(ap); \
	char *argv[n]; \
	va_start(ap, arg); \
	copy_args(argv, arg, &ap)

int taf_execl(const char *path, const char *arg, ...)
{
	WITH_ARGS(argv, arg);
	va_end(ap);
	return taf_execv(path, argv);
}

int taf_execlp(const char *file, const char *arg, ...)
{
	WITH_ARGS(argv, arg);
	va_end(ap);
	return taf_execvp(file, argv);
}

int taf_execle(const char *path, const char *arg, ...)
{
	char *const *envp;

	WITH_ARGS(argv, arg);
	envp = va_arg(ap, char *const *);
	va_end(ap);
	return taf_execve(path, argv, envp);
}

int taf_posix_spawn(int *pid, const char *path, const void *actions, const void *attributes,
		    char *const argv[], char *const envp[])
{
	int r;

	WITH_ENV(plan, envp);
	r = REAL(posix_spawn)(pid, path, actions, attributes, argv, plan_env);
	taf_spawn_started("posix_spawn", path, r);
	return r;
}

int taf_posix_spawnp(int *pid, const char *file, const void *actions, const void *attributes,
		     char *const argv[], char *const envp[])
{
	int r;

	WITH_ENV(plan, envp);
	r = REAL(posix_spawnp)(pid, file, actions, attributes, argv, plan_env);
	taf_spawn_started("posix_spawnp", file, r);
	return r;
}
