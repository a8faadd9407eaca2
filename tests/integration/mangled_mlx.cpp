/* SPDX-License-Identifier: MIT */
/* mangled_mlx.cpp -- what hooks/mlx.def names, as C++, so that a compiler says how it is spelled.
 *
 *	c++ -c				of libstdc++, by its own headers
 *	c++ -c -DLIBCXX			of libc++, whose types are declared here as far as names go
 *	-DSTREAMS=1, 2 or 3		what a stream can be: to 0.31.1, to 0.32.0, since 0.32.1
 *
 * Never run. Signatures as of mlx/transforms.h, array.h, io.h, memory.h, stream.h, scheduler.h
 * and backend/metal/metal.h of those versions. */
#include <cstddef>

#ifdef LIBCXX
namespace std {
inline namespace __1 {
template <class> struct char_traits;
template <class> class allocator;
template <class, class = char_traits<char>, class = allocator<char>> class basic_string {
};
using string = basic_string<char>;
template <class T, class = allocator<T>> class vector {
};
template <class> class shared_ptr {
};
template <class...> class variant {
};
struct monostate {
};
template <class, class> struct pair {
};
template <class, class> class unordered_map {
};
} // namespace __1
} // namespace std
#else
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>
#endif

namespace mlx::core {

namespace io {
struct Reader;
}
struct Device {
	enum DeviceType { cpu, gpu };
	DeviceType type;
	int index;
};
struct Stream {
	int index;
	Device device;
};
struct ThreadLocalStream : Stream {
};
struct array {
	void eval();
};
using Loaded = std::pair<std::unordered_map<std::string, array>,
			 std::unordered_map<std::string, std::string>>;
#if STREAMS == 1
using StreamOrDevice = std::variant<std::monostate, Stream, Device>;
#elif STREAMS == 2
using StreamOrDevice = std::variant<std::monostate, Stream, ThreadLocalStream, Device>;
#else
using StreamOrDevice =
	std::variant<std::monostate, Stream, ThreadLocalStream, Device, Device::DeviceType>;
#endif

void array::eval() {}
void eval(std::vector<array>) {}
void async_eval(std::vector<array>) {}
Loaded load_safetensors(const std::string &, StreamOrDevice) { return {}; }
Loaded load_safetensors(std::shared_ptr<io::Reader>, StreamOrDevice) { return {}; }
Loaded load_gguf(const std::string &, StreamOrDevice) { return {}; }

std::size_t set_wired_limit(std::size_t) { return 0; }
std::size_t set_cache_limit(std::size_t) { return 0; }
std::size_t set_memory_limit(std::size_t) { return 0; }
std::size_t get_memory_limit() { return 0; }
std::size_t get_cache_memory() { return 0; }
std::size_t get_active_memory() { return 0; }
std::size_t get_peak_memory() { return 0; }
void clear_cache() {}
void clear_streams() {}
void synchronize() {}
void synchronize(Stream) {}
void synchronize(ThreadLocalStream) {}
Stream new_stream(Device) { return {}; }
Stream new_stream() { return {}; }
ThreadLocalStream new_thread_local_stream(Device) { return {}; }
Stream new_thread_unsafe_stream(Device) { return {}; }

namespace metal {
std::size_t set_wired_limit(std::size_t) { return 0; }
std::size_t set_cache_limit(std::size_t) { return 0; }
std::size_t set_memory_limit(std::size_t, bool) { return 0; }
std::size_t get_cache_memory() { return 0; }
std::size_t get_active_memory() { return 0; }
std::size_t get_peak_memory() { return 0; }
void clear_cache() {}
bool is_available() { return false; }
} // namespace metal

} // namespace mlx::core
