/* SPDX-License-Identifier: MIT */
/* half.c -- an object is half loaded while another thread looks something up.
 *
 *   -DSLOW   a library that the plugin needs: while it is relocated, which the loader does
 *            before it relocates the plugin, it waits for a word in a page of ours
 *   else     opens the plugin in one thread; when the loader is in there, another thread
 *            begins a look-up, which waits for the loader; then the page says go on
 */
#include "half.h"

#ifdef SLOW
int half_slow(void);
extern int (*half_first)(void);

static int answer(void)
{
	return 1;
}

/* Called by the loader in the middle of its work: no library may be used here. */
static int (*pick(void))(void)
{
	HALF->is_entered = 1;
	while (!HALF->is_to_go_on)
		;
	return answer;
}

int half_slow(void) __attribute__((ifunc("pick")));
/* It is called when this pointer is filled in. */
int (*half_first)(void) = half_slow;
#else
#include "route.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int seeker;

/* Made before: the loader does not let a thread begin while it is in there. */
static void *seek(void *arg)
{
	int tid = (int)syscall(SYS_gettid);

	while (!HALF->is_entered)
		sched_yield();
	seeker = tid;
	return dlsym(RTLD_DEFAULT, "no_such_function") ? NULL : arg;
}

static int is_asleep(int tid)
{
	char path[64], line[256] = "";
	const char *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	fd = open(path, O_RDONLY);
	if (fd >= 0 && read(fd, line, sizeof(line) - 1) < 0)
		line[0] = 0;
	close(fd);
	state = strrchr(line, ')');
	return state && state[2] == 'S';
}

static void *look_meanwhile(void *arg)
{
	while (!seeker || !is_asleep(seeker))
		sched_yield();
	HALF->is_to_go_on = 1;
	return arg;
}

static void tell(const char *which, void *handle)
{
	route_count_fn *count = ROUTE_FN(route_count_fn, route_symbol(handle, "fake_count"));
	void *(*load)(void);
	void *p = route_symbol(handle, "plugin_load"), *model;

	memcpy(&load, &p, sizeof(p));
	model = load();
	printf("%s: %s, %ld calls\n", which, model ? "a model" : "nothing",
	       count("llama_model_load_from_file"));
}

int main(int argc, char **argv)
{
	pthread_t first, second;
	void *h;

	if (argc < 3 ||
	    mmap((void *)HALF, 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != (void *)HALF)
		return 93;
	pthread_create(&first, NULL, seek, NULL);
	pthread_create(&second, NULL, look_meanwhile, NULL);
	h = argv[2][0] == 's' ? dlmopen(LM_ID_NEWLM, argv[1], RTLD_LAZY | RTLD_LOCAL)
			      : route_open(argv[1], RTLD_LAZY | RTLD_LOCAL | RTLD_DEEPBIND);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	tell(argv[2], h);
	return 0;
}
#endif
