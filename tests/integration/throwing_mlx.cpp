/* SPDX-License-Identifier: MIT */
/* throwing_mlx.cpp -- an MLX whose computations throw, and a program that uses it.
 *
 *	c++ -shared -fPIC -DENGINE	the engine: names as of libmlx to 0.31.1
 *	c++				the program
 *
 *	program WORD...
 *
 *	metal other alloc again own number nested	eval throws: of the device, of
 *		the program's doing, bad_alloc, once more by pointer, a type of its own
 *		whose what() says that it was called, a number, from a call inside
 *	fine		eval computes
 *	async=WHAT one=WHAT sync=WHAT	the same of async_eval, array::eval, synchronize
 *	load=PATH	load_safetensors, which fails likewise
 *	many=N	so many evaluations one behind the other
 *	later=WHAT	async_eval computes, and what waits next throws
 *	uncaught=WHAT	nobody catches it; uncaught_load=PATH: nor that
 *	noexcept=WHAT	a function that promised not to throw is between
 *	hop=WHAT	a frame between catches, prints and throws on
 *	wire=BYTES	set_wired_limit
 *	idle		a thread computes, and then stands still
 *	busy=N		N threads compute one thing behind the other until the process ends
 *	leave=N		N threads compute, and leave all at once, this one with them
 *	noexec		an exec that fails
 *	wish=WHAT	all that follows fails of it
 *	clear=WHAT	clear_cache alone fails of it
 *	late		registers an exit handler that synchronizes
 *	exit=N _exit=N	ends
 *	wait		for a signal
 *
 *	ENGINE_LOG=FILE	gets a line for each call, and one when the streams of a thread go
 *	ENGINE_CUDA=FILE	a CUDA driver whose context goes last, as cudart does it */
#include <dlfcn.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <unistd.h>

namespace mlx::core
{

struct Device {
	int kind, index;
};
struct Stream {
	int index;
	Device device;
};
struct array {
	std::shared_ptr<int> desc;

	__attribute__((visibility("default"))) void eval();
};
using StreamOrDevice = std::variant<std::monostate, Stream, Device>;
using Loaded = std::pair<std::unordered_map<std::string, array>,
			 std::unordered_map<std::string, std::string>>;

void eval(std::vector<array> arrays);
void async_eval(std::vector<array> arrays);
void synchronize();
namespace io
{
struct Reader {
	std::string path;
};
} // namespace io
Loaded load_safetensors(std::shared_ptr<io::Reader> in, StreamOrDevice s);
Loaded load_safetensors(const std::string &path, StreamOrDevice s);
std::size_t set_wired_limit(std::size_t limit);
void clear_cache();
const char *version();

} // namespace mlx::core

#ifdef ENGINE

namespace
{

/* What only the program may call: it counts. */
struct own : std::runtime_error {
	own() : std::runtime_error("[METAL] Command buffer execution failed: own")
	{
	}
	const char *what() const noexcept override
	{
		puts("own::what");
		return std::runtime_error::what();
	}
};

std::string wish, later, clear_wish;
std::atomic<int> slow_ms;

/* As where it waits for another thread: a cancel that came in here would end the process. */
void take_time() noexcept
{
	if (slow_ms)
		usleep(static_cast<useconds_t>(slow_ms) * 1000);
}

void fail(const std::string &what)
{
	if (what == "metal")
		throw std::runtime_error(
			"[METAL] Command buffer execution failed: Insufficient Memory "
			"(00000008:kIOGPUCommandBufferCallbackErrorOutOfMemory).");
	if (what == "other")
		throw std::invalid_argument("[matmul] shapes do not fit");
	if (what == "alloc")
		throw std::bad_alloc();
	if (what == "again")
		std::rethrow_exception(std::make_exception_ptr(std::runtime_error(
			"cudaMallocAsync(&p, n, stream) failed: out of memory")));
	if (what == "own")
		throw own();
	if (what == "number")
		throw 42;
	if (what == "nested") {
		try {
			wish = "metal";
			mlx::core::array().eval();
		} catch (const std::exception &) {
			throw std::runtime_error("[eval] inside: Command buffer execution failed: "
						 "Caused GPU Timeout Error (IOAF code 2)");
		}
	}
}

void note(const char *name)
{
	const char *path = getenv("ENGINE_LOG");

	if (path)
		std::ofstream(path, std::ios::app) << name << '\n';
}

/* As the real one: streams of a thread are gone once its thread_local objects are. */
struct streams {
	bool is_there = true;
	~streams()
	{
		is_there = false;
		note("streams gone");
	}
};
thread_local streams mine;
thread_local bool *is_there = &mine.is_there;

/* MLX for CUDA makes a runtime below it at need, whose last word is the context's release. */
struct runtime {
	int (*release)(int) = nullptr;

	runtime()
	{
		const char *path = getenv("ENGINE_CUDA");
		void *driver = path ? dlopen(path, RTLD_NOW) : nullptr, *context;
		using retain = int (*)(void **, int);

		if (!driver)
			return;
		reinterpret_cast<retain>(dlsym(driver, "cuDevicePrimaryCtxRetain"))(&context, 0);
		release = reinterpret_cast<int (*)(int)>(
			dlsym(driver, "cuDevicePrimaryCtxRelease_v2"));
	}
	~runtime()
	{
		if (!release)
			return;
		note("context goes");
		release(0);
	}
};

/* Who waits first is told, and nobody after it. */
void wait_for_all()
{
	if (!later.empty())
		fail(std::exchange(later, ""));
	fail(wish);
}

} // namespace

extern "C" void wish_for(const char *what)
{
	wish = what;
}

extern "C" void wish_later(const char *what)
{
	later = what;
}

extern "C" void wish_clear(const char *what)
{
	clear_wish = what;
}

extern "C" void wish_slow(int ms)
{
	slow_ms = ms;
}

namespace mlx::core
{

void array::eval()
{
	wait_for_all();
}

void eval(std::vector<array> arrays)
{
	static std::atomic<int> n;

	if (n++)
		static runtime below;
	note("eval");
	*is_there = true;
	arrays.clear();
	fail(wish);
}

void async_eval(std::vector<array> arrays)
{
	arrays.clear();
	fail(wish);
}

void synchronize()
{
	note("synchronize");
	if (!*is_there)
		throw std::runtime_error("There is no Stream in current thread.");
	take_time();
	wait_for_all();
}

std::size_t set_wired_limit(std::size_t limit)
{
	static std::size_t now;

	note(("wired " + std::to_string(limit)).c_str());
	return std::exchange(now, limit);
}

void clear_cache()
{
	note("clear_cache");
	fail(clear_wish);
}

const char *version()
{
	return "0.31.1";
}

Loaded load_safetensors(std::shared_ptr<io::Reader> in, StreamOrDevice)
{
	if (!std::ifstream(in->path))
		throw std::runtime_error("[load_safetensors] Failed to open file " + in->path);
	fail(wish);
	return {};
}

/* As the real one: by path it makes a stream and reads that, by the exported name. */
Loaded load_safetensors(const std::string &path, StreamOrDevice s)
{
	return load_safetensors(std::make_shared<io::Reader>(io::Reader{ path }), s);
}

} // namespace mlx::core

#else

#include <future>
#include <thread>

extern "C" void wish_for(const char *what);
extern "C" void wish_later(const char *what);
extern "C" void wish_clear(const char *what);

static mlx::core::array cell;

static void call(const std::string &how)
{
	if (how == "async")
		mlx::core::async_eval({ cell });
	else if (how == "one")
		cell.eval();
	else if (how == "sync")
		mlx::core::synchronize();
	else
		mlx::core::eval({ cell });
}

static void promised(const std::string &how) noexcept
{
	call(how);
}

static void hop()
{
	try {
		call("eval");
	} catch (const std::exception &e) {
		printf("hop: %s\n", e.what());
		throw;
	}
}

static void once(const std::string &how, const std::string &value)
{
	try {
		if (how == "load") {
			mlx::core::load_safetensors(value, {});
			puts("loaded");
			return;
		}
		if (how == "many") {
			for (int n = atoi(value.c_str()); n; n--)
				call("eval");
			return;
		}
		if (how == "later") {
			wish_later(value.c_str());
			call("async");
			call("one");
			return;
		}
		wish_for(value.c_str());
		how == "hop" ? hop() : call(how);
		printf("%s: computed\n", value.c_str());
	} catch (const std::invalid_argument &e) {
		printf("invalid_argument: %s\n", e.what());
	} catch (const std::bad_alloc &e) {
		printf("bad_alloc: %s\n", e.what());
	} catch (const std::runtime_error &e) {
		printf("runtime_error: %s\n", e.what());
	} catch (int n) {
		printf("int: %d\n", n);
	}
	wish_for("");
	printf("uncaught now: %d\n", std::uncaught_exceptions());
}

static void idle()
{
	std::promise<void> ready;

	std::thread([&ready] {
		mlx::core::eval({ cell });
		ready.set_value();
		pause();
	}).detach();
	ready.get_future().wait();
}

/* Comes back when each of them has computed something. */
static void busy(int threads)
{
	for (; threads > 0; threads--) {
		std::promise<void> ready;

		std::thread([&ready] {
			call("async");
			call("eval");
			ready.set_value();
			for (;;) {
				call("async");
				call("eval");
			}
		}).detach();
		ready.get_future().wait();
	}
}

/* Ends with 3, whichever of them is first. */
static void leave(int threads)
{
	static std::atomic<int> ready;
	auto compute = [threads] {
		call("async");
		call("eval");
		for (ready++; ready <= threads;)
			call("eval");
		_exit(3);
	};

	for (int i = 0; i < threads; i++)
		std::thread(compute).detach();
	compute();
}

int main(int argc, char **argv)
{
	setvbuf(stdout, nullptr, _IOLBF, 0);
	for (int i = 1; i < argc; i++) {
		std::string word = argv[i], value = word.substr(word.find('=') + 1);

		word = word.substr(0, word.find('='));
		if (word == "uncaught") {
			wish_for(value.c_str());
			call("eval");
		} else if (word == "uncaught_load") {
			mlx::core::load_safetensors(value, {});
		} else if (word == "noexcept") {
			wish_for(value.c_str());
			promised("eval");
		} else if (word == "wire") {
			mlx::core::set_wired_limit(strtoul(value.c_str(), nullptr, 10));
		} else if (word == "wish") {
			wish_for(value.c_str());
		} else if (word == "clear") {
			wish_clear(value.c_str());
		} else if (word == "idle") {
			idle();
		} else if (word == "busy") {
			busy(atoi(value.c_str()));
		} else if (word == "leave") {
			leave(atoi(value.c_str()));
		} else if (word == "noexec") {
			execl("/nowhere/at/all", "all", static_cast<char *>(nullptr));
		} else if (word == "late") {
			atexit([] { mlx::core::synchronize(); });
		} else if (word == "_exit") {
			_exit(atoi(value.c_str()));
		} else if (word == "exit") {
			exit(atoi(value.c_str()));
		} else if (word == "wait") {
			puts("waiting");
			pause();
		} else {
			once(word, value);
		}
	}
	return 7;
}

#endif
