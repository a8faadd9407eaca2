/* SPDX-License-Identifier: MIT */
/* runtime.cu -- a program of nvcc's, for `make check-gpu`: built with the static and the shared
 * runtime, and with the thread's own stream for 0.
 *
 *   runtime basic|async|graph|child|leave      prints the same at every run
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

static const unsigned n = 1024;

__global__ void add_one(unsigned *p, unsigned count)
{
	unsigned i = blockIdx.x * blockDim.x + threadIdx.x;

	if (i < count)
		p[i]++;
}

static void must(cudaError_t r, const char *what)
{
	if (r == cudaSuccess)
		return;
	printf("%s: error %d\n", what, (int)r);
	fflush(stdout);
	exit(1);
}

static void look(const char *what, const unsigned *p, unsigned wanted)
{
	static unsigned host[n];
	unsigned bad = 0;

	must(cudaMemcpy(host, p, sizeof(host), cudaMemcpyDeviceToHost), "copy");
	for (unsigned i = 0; i < n; i++)
		bad += host[i] != wanted;
	printf("%s: %s, last error %d\n", what, bad ? "WRONG numbers" : "right",
	       (int)cudaGetLastError());
}

static unsigned *some(void)
{
	unsigned *p = nullptr;

	must(cudaMalloc(&p, n * sizeof(*p)), "memory");
	must(cudaMemset(p, 0, n * sizeof(*p)), "memset");
	return p;
}

static void basic(void)
{
	unsigned *p = some();

	for (int i = 0; i < 100; i++)
		add_one<<<n / 128, 128>>>(p, n);
	must(cudaDeviceSynchronize(), "wait");
	look("100 launches", p, 100);
	must(cudaFree(p), "free");
	must(cudaMalloc(&p, (size_t)1 << 50) == cudaErrorMemoryAllocation ? cudaSuccess :
									     cudaErrorUnknown,
	     "a petabyte");
	printf("a petabyte: last error %d, then %d\n", (int)cudaGetLastError(),
	       (int)cudaGetLastError());
}

static void async(void)
{
	cudaStream_t stream;
	unsigned *p;

	must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
	for (int i = 0; i < 50; i++) {
		must(cudaMallocAsync(&p, n * sizeof(*p), stream), "pool");
		add_one<<<n / 128, 128, 0, stream>>>(p, n);
		must(cudaFreeAsync(p, stream), "pool");
	}
	must(cudaStreamSynchronize(stream), "wait");
	must(cudaStreamDestroy(stream), "stream");
	printf("pools: 50 pieces\n");
}

static void graph(void)
{
	cudaStream_t stream;
	cudaGraph_t captured;
	cudaGraphExec_t exec;
	unsigned *p = some();

	must(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
	must(cudaDeviceSynchronize(), "wait");
	must(cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal), "begin");
	for (int i = 0; i < 10; i++)
		add_one<<<n / 128, 128, 0, stream>>>(p, n);
	must(cudaStreamEndCapture(stream, &captured), "end");
	must(cudaGraphInstantiateWithFlags(&exec, captured, 0), "instantiate");
	for (int i = 0; i < 20; i++)
		must(cudaGraphLaunch(exec, stream), "graph");
	must(cudaStreamSynchronize(stream), "wait");
	look("20 graphs of 10 launches", p, 200);
	must(cudaGraphExecDestroy(exec), "destroy");
	must(cudaGraphDestroy(captured), "destroy");
	must(cudaFree(p), "free");
}

static void child(void)
{
	int status = 0;
	pid_t pid;

	basic();
	fflush(stdout);
	pid = fork();
	if (!pid) {
		void *p;

		printf("child: memory %d\n", (int)cudaMalloc(&p, 4096));
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	printf("the child ended with %d\n", status);
	basic();
}

static void leave(void)
{
	unsigned *p = some();

	for (int i = 0; i < 200; i++)
		add_one<<<n / 128, 128>>>(p, n);
	printf("leaving\n");
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*go)(void);
	} cases[] = { { "basic", basic },
		      { "async", async },
		      { "graph", graph },
		      { "child", child },
		      { "leave", leave } };

	for (size_t i = 0; argc > 1 && i < sizeof(cases) / sizeof(*cases); i++)
		if (!strcmp(argv[1], cases[i].name)) {
			cases[i].go();
			return 0;
		}
	return 64;
}
