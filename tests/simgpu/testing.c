/* SPDX-License-Identifier: MIT */
#include "testing.h"

#include <fcntl.h>
#include <libgen.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "machine.h"

static char folder[64];
static struct sim_machine *machine;

static void set_all(const char *const *settings)
{
	for (; settings && *settings; settings++) {
		char name[64];
		const char *equals = strchr(*settings, '=');

		snprintf(name, sizeof(name), "%.*s", (int)(equals - *settings), *settings);
		setenv(name, equals + 1, 1);
	}
}

/* Beside this program, in simgpu/. */
static void find_kernel(char *path, size_t size)
{
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n < 0 ? 0 : n] = '\0';
	snprintf(path, size, "%s/simgpu/simgpu-kernel", dirname(self));
}

void sim_start(const char *const *settings)
{
	char path[600];
	int fd, status;
	pid_t pid;

	find_kernel(path, sizeof(path));
	snprintf(folder, sizeof(folder), "/tmp/simgpu-XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("SIMGPU_DIR", folder, 1);
	pid = fork();
	if (!pid) {
		set_all(settings);
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execl(path, path, folder, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snprintf(path, sizeof(path), "%s/machine", folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	machine = mmap(NULL, sizeof(*machine), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	assert_true(machine != MAP_FAILED);
}

/* With its folder gone the kernel ends by itself. */
void sim_stop(void)
{
	char command[128];

	munmap(machine, sizeof(*machine));
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

pid_t sim_begin(sim_guest_fn *fn, const char *const *settings)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	alarm(20);
	set_all(settings);
	fn();
	_exit(0);
}

int sim_await(pid_t pid)
{
	int status = 0;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

int sim_run(sim_guest_fn *fn, const char *const *settings)
{
	return sim_await(sim_begin(fn, settings));
}

void sim_good(sim_guest_fn *fn, const char *const *settings)
{
	sim_start(NULL);
	assert_int_equal(sim_run(fn, settings), 0);
	sim_until_empty();
	assert_int_equal(sim_panics(), 0);
	sim_stop();
}

size_t sim_read(const char *name, char *text, size_t size)
{
	char path[128];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	n = n < 0 ? 0 : n;
	text[n] = '\0';
	return (size_t)n;
}

int sim_panics(void)
{
	return (int)atomic_load(&machine->panics);
}

void sim_until_empty(void)
{
	for (int i = 0; i < SIM_GUESTS; i++)
		while (atomic_load(&machine->guests[i].pid)) {
			assert_int_equal(kill(machine->kernel_pid, 0), 0);
			usleep(1000);
		}
}
