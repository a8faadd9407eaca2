/* SPDX-License-Identifier: MIT */
/* program.c -- an ordinary OpenCL program, which knows nothing of taffrail.
 *
 *	program add             adds two vectors, in order and out of order; 0 when right
 *	program take MIB...     takes buffers of so many MiB, prints each error code, gives all back
 *	program keep            as take 1 2 3, with what retains, maps, images and sub-buffers do
 *	program launch N        hands N kernels to a queue, then waits by the last one's event
 *	program leave N         hands N kernels over and ends without a wait
 *	program gate            a kernel waits for an event that is set when a queue and shared
 *	                        memory that nobody uses have been given back
 *	program callback        has a function called by the driver, which launches and gives
 *	                        shared memory back, while its queue cannot go on
 *	program let-go FILE     hands over a kernel that takes long and writes into FILE,
 *	                        releases all, and ends without a wait
 */
#define CL_TARGET_OPENCL_VERSION 200
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N 4096

static const char *source =
	"kernel void add(global const int *a, global const int *b,\n"
	"		global int *c)\n"
	"{ size_t i = get_global_id(0); c[i] = a[i] + b[i]; }\n"
	"kernel void slow(global uint *out)\n"
	"{ uint x = 1;\n"
	"  for (uint i = 0; i < 300000000u; i++) x = x * 1664525u + 1013904223u;\n"
	"  out[0] = x; }\n";

static cl_device_id device;
static cl_context context;
static cl_command_queue queue;
static cl_kernel kernel, slow;
static int numbers[N];

static void must(cl_int rc, const char *what)
{
	if (rc == CL_SUCCESS)
		return;
	printf("%s: %d\n", what, rc);
	exit(1);
}

static void begin(cl_command_queue_properties how)
{
	cl_platform_id platform;
	cl_program program;
	cl_int rc;

	must(clGetPlatformIDs(1, &platform, NULL), "platform");
	must(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL), "device");
	context = clCreateContext(NULL, 1, &device, NULL, NULL, &rc);
	must(rc, "context");
	queue = clCreateCommandQueue(context, device, how, &rc);
	must(rc, "queue");
	program = clCreateProgramWithSource(context, 1, &source, NULL, &rc);
	must(rc, "program");
	must(clBuildProgram(program, 1, &device, "", NULL, NULL), "build");
	kernel = clCreateKernel(program, "add", &rc);
	must(rc, "kernel");
	slow = clCreateKernel(program, "slow", &rc);
	must(rc, "kernel");
	must(clReleaseProgram(program), "release of the program");
	for (int i = 0; i < N; i++)
		numbers[i] = i;
}

static void end(void)
{
	must(clReleaseKernel(kernel), "release of the kernel");
	must(clReleaseKernel(slow), "release of the kernel");
	must(clReleaseCommandQueue(queue), "release of the queue");
	must(clReleaseContext(context), "release of the context");
}

static cl_mem numbers_buffer(void)
{
	cl_int rc;
	cl_mem m = clCreateBuffer(context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, sizeof(numbers),
				  numbers, &rc);

	must(rc, "buffer");
	return m;
}

static cl_mem set_arguments(cl_mem *a, cl_mem *b)
{
	cl_int rc;
	cl_mem c = clCreateBuffer(context, CL_MEM_WRITE_ONLY, sizeof(numbers), NULL, &rc);

	must(rc, "result");
	*a = numbers_buffer();
	*b = numbers_buffer();
	must(clSetKernelArg(kernel, 0, sizeof(*a), a), "argument");
	must(clSetKernelArg(kernel, 1, sizeof(*b), b), "argument");
	must(clSetKernelArg(kernel, 2, sizeof(c), &c), "argument");
	return c;
}

static void launch(cl_event *event)
{
	size_t n = N;

	must(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &n, NULL, 0, NULL, event), "launch");
}

static int add(cl_command_queue_properties how)
{
	static int out[N];
	cl_mem a, b, c;
	cl_event done;
	int wrong = 0;

	begin(how);
	c = set_arguments(&a, &b);
	launch(&done);
	/* The kernel still uses them. */
	must(clReleaseMemObject(a), "release");
	must(clReleaseMemObject(b), "release");
	must(clEnqueueReadBuffer(queue, c, CL_TRUE, 0, sizeof(out), out, 1, &done, NULL), "read");
	for (int i = 0; i < N; i++)
		wrong += out[i] != 2 * i;
	must(clReleaseEvent(done), "release of the event");
	must(clReleaseMemObject(c), "release");
	must(clFinish(queue), "finish");
	end();
	printf("%d wrong\n", wrong);
	return wrong != 0;
}

static int take(int n, char **mib)
{
	cl_mem *all = calloc((size_t)n, sizeof(cl_mem));

	begin(0);
	for (int i = 0; all && i < n; i++) {
		cl_int rc = 1;

		all[i] = clCreateBuffer(context, CL_MEM_READ_WRITE,
					(size_t)strtoull(mib[i], NULL, 10) << 20, NULL, &rc);
		printf("%s MiB: %s, %d\n", mib[i], all[i] ? "taken" : "not taken", rc);
	}
	for (int i = 0; all && i < n; i++)
		if (all[i])
			must(clReleaseMemObject(all[i]), "release");
	free(all);
	printf("released nothing: %d\n", clReleaseMemObject(NULL));
	end();
	return 0;
}

static int keep(void)
{
	cl_image_format format = { CL_RGBA, CL_UNORM_INT8 };
	cl_image_desc desc = { .image_type = CL_MEM_OBJECT_IMAGE2D,
			       .image_width = 512,
			       .image_height = 512 };
	cl_buffer_region region = { 0, 4096 };
	cl_mem buffer, part, image;
	void *mapped;
	cl_int rc;

	begin(0);
	buffer = clCreateBuffer(context, CL_MEM_READ_WRITE, 1 << 20, NULL, &rc);
	must(rc, "buffer");
	part = clCreateSubBuffer(buffer, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &rc);
	must(rc, "part");
	image = clCreateImage(context, CL_MEM_READ_WRITE, &format, &desc, NULL, &rc);
	must(rc, "image");
	must(clRetainMemObject(image), "retain");
	must(clReleaseMemObject(image), "release");
	must(clReleaseMemObject(buffer), "release"); /* its part holds it */
	mapped = clEnqueueMapBuffer(queue, part, CL_TRUE, CL_MAP_WRITE, 0, 64, 0, NULL, NULL, &rc);
	must(rc, "map");
	memset(mapped, 1, 64);
	must(clEnqueueUnmapMemObject(queue, part, mapped, 0, NULL, NULL), "unmap");
	must(clFinish(queue), "finish");
	must(clReleaseMemObject(part), "release");
	must(clReleaseMemObject(image), "release");
	must(clRetainCommandQueue(queue), "retain");
	must(clReleaseCommandQueue(queue), "release");
	end();
	printf("kept and given\n");
	return 0;
}

static int launch_many(int n, int is_waiting)
{
	cl_mem a, b, c;
	cl_event last = NULL;

	begin(0);
	c = set_arguments(&a, &b);
	for (int i = 1; i <= n; i++)
		launch(i == n ? &last : NULL);
	printf("%d launched\n", n);
	if (!is_waiting)
		return 0;
	must(clWaitForEvents(1, &last), "wait");
	must(clReleaseEvent(last), "release of the event");
	must(clReleaseMemObject(a), "release");
	must(clReleaseMemObject(b), "release");
	must(clReleaseMemObject(c), "release");
	end();
	return 0;
}

static int gate(void)
{
	cl_command_queue other;
	cl_event open;
	cl_mem a, b, c;
	size_t n = N;
	void *shared;
	cl_int rc;

	begin(0);
	c = set_arguments(&a, &b);
	other = clCreateCommandQueue(context, device, 0, &rc);
	must(rc, "other queue");
	shared = clSVMAlloc(context, CL_MEM_READ_WRITE, 4096, 0);
	open = clCreateUserEvent(context, &rc);
	must(rc, "event");
	must(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &n, NULL, 1, &open, NULL), "launch");
	must(clFlush(queue), "flush");
	must(clReleaseCommandQueue(other), "release of the other queue");
	must(clReleaseMemObject(a), "release");
	clSVMFree(context, shared);
	must(clSetUserEventStatus(open, CL_COMPLETE), "open");
	must(clFinish(queue), "finish");
	must(clReleaseEvent(open), "release of the event");
	must(clReleaseMemObject(b), "release");
	must(clReleaseMemObject(c), "release");
	end();
	printf("through\n");
	return 0;
}

static sem_t called;

static void CL_CALLBACK on_done(cl_event event, cl_int status, void *shared)
{
	(void)event;
	launch(NULL);
	clSVMFree(context, shared);
	printf("called with %d\n", status);
	sem_post(&called);
}

static int callback(void)
{
	cl_event open, first;
	cl_mem a, b, c;
	size_t n = N;
	void *shared;
	cl_int rc;

	begin(0);
	sem_init(&called, 0, 0);
	c = set_arguments(&a, &b);
	shared = clSVMAlloc(context, CL_MEM_READ_WRITE, 4096, 0);
	open = clCreateUserEvent(context, &rc);
	must(rc, "event");
	must(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &n, NULL, 1, &open, &first), "launch");
	must(clSetEventCallback(first, CL_COMPLETE, on_done, shared), "callback");
	must(clFlush(queue), "flush");
	must(clSetUserEventStatus(open, CL_COMPLETE), "open");
	sem_wait(&called);
	launch(NULL);
	must(clFinish(queue), "finish");
	printf("no function: %d\n", clSetEventCallback(first, CL_COMPLETE, NULL, NULL));
	must(clReleaseEvent(open), "release of the event");
	must(clReleaseEvent(first), "release of the event");
	must(clReleaseMemObject(a), "release");
	must(clReleaseMemObject(b), "release");
	must(clReleaseMemObject(c), "release");
	end();
	return 0;
}

static int let_go(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	size_t n = 1;
	void *out;
	cl_mem m;
	cl_int rc;

	if (fd < 0 || ftruncate(fd, 4096))
		return 1;
	out = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	begin(0);
	m = clCreateBuffer(context, CL_MEM_USE_HOST_PTR | CL_MEM_READ_WRITE, 4096, out, &rc);
	must(rc, "buffer");
	must(clSetKernelArg(slow, 0, sizeof(m), &m), "argument");
	must(clEnqueueNDRangeKernel(queue, slow, 1, NULL, &n, NULL, 0, NULL, NULL), "launch");
	must(clReleaseMemObject(m), "release");
	end();
	printf("let go\n");
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(what, "add"))
		return add(0) || add(CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
	if (!strcmp(what, "take") && argc > 2)
		return take(argc - 2, argv + 2);
	if (!strcmp(what, "keep"))
		return keep();
	if (!strcmp(what, "launch") && argc > 2)
		return launch_many(atoi(argv[2]), 1);
	if (!strcmp(what, "leave") && argc > 2)
		return launch_many(atoi(argv[2]), 0);
	if (!strcmp(what, "gate"))
		return gate();
	if (!strcmp(what, "callback"))
		return callback();
	if (!strcmp(what, "let-go") && argc > 2)
		return let_go(argv[2]);
	fprintf(stderr, "usage: program add | take MIB... | keep | launch N | leave N | gate |\n"
			"               callback | let-go FILE\n");
	return 64;
}
