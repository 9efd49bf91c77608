//===- FakeCUDA.cpp - a library of a CUDA driver for tests ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeCUDA.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <vector>

using namespace llmc::test;

namespace {

constexpr int success = 0, invalidValue = 1, outOfMemory = 2, invalidContext = 201,
              invalidPTX = 218, notFound = 500, notReady = 600;

/// Work of a stream, in order. One that does not end says so with `false`.
using Work = std::function<bool()>;
struct Stream {
  std::vector<Work> queue;
};

std::recursive_mutex mutex;
std::map<uintptr_t, size_t> memory, hostMemory; ///< sizes by address
std::set<Stream *> streams;
thread_local int depth = 0; ///< of contexts of this thread

} // namespace

extern "C" FakeCUDA *getFakeCUDA() {
  static FakeCUDA state;
  return &state;
}

/// What a driver that gave up has left, as when a process ends; and the state as new.
extern "C" FakeCUDA *resetFakeCUDA() {
  std::lock_guard lock(mutex);
  for (auto *where : {&memory, &hostMemory}) {
    for (auto [address, bytes] : *where)
      std::free(reinterpret_cast<void *>(address));
    where->clear();
  }
  for (Stream *stream : streams)
    delete stream;
  streams.clear();
  FakeCUDA *state = getFakeCUDA();
  *state = FakeCUDA();
  return state;
}

/// Whether the call is to fail; else what it does is done by `call`.
template <typename Call>
static int run(bool needsContext, Call call) {
  std::lock_guard lock(mutex);
  FakeCUDA &cuda = *getFakeCUDA();
  if (++cuda.count == cuda.failing)
    return cuda.error;
  if (needsContext && depth == 0)
    return invalidContext;
  return call(cuda);
}

/// Whether bytes belong to one allocation.
static bool isAllocated(const std::map<uintptr_t, size_t> &where, uintptr_t address, size_t bytes) {
  auto after = where.upper_bound(address);
  if (after == where.begin())
    return false;
  auto [begin, size] = *std::prev(after);
  return bytes > 0 && address - begin <= size && bytes <= size - (address - begin);
}

static int enqueue(void *stream, Work work) {
  auto *known = static_cast<Stream *>(stream);
  if (!streams.contains(known))
    return invalidValue;
  known->queue.push_back(std::move(work));
  return success;
}

/// Does what is left of a stream's work.
static int finish(void *stream) {
  auto *known = static_cast<Stream *>(stream);
  if (!streams.contains(known))
    return invalidValue;
  while (!known->queue.empty()) {
    if (!known->queue.front()())
      return notReady;
    known->queue.erase(known->queue.begin());
  }
  return success;
}

static int allocate(std::map<uintptr_t, size_t> &where, int &count, size_t bytes,
                    uintptr_t &address) {
  if (bytes == 0)
    return invalidValue;
  // Not zeros, as a device's memory.
  void *made = aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(made, 0xa5, bytes);
  address = reinterpret_cast<uintptr_t>(made);
  where[address] = bytes;
  ++count;
  return success;
}

static int release(std::map<uintptr_t, size_t> &where, int &count, uintptr_t address) {
  if (where.erase(address) == 0)
    return invalidValue;
  std::free(reinterpret_cast<void *>(address));
  --count;
  return success;
}

//===----------------------------------------------------------------------===//
// Devices, contexts and modules
//===----------------------------------------------------------------------===//

extern "C" {

int cuInit(unsigned) {
  return run(false, [](FakeCUDA &) { return success; });
}

int cuGetErrorString(int error, const char **text) {
  *text = error == outOfMemory ? "out of memory" : "the fake failed";
  return success;
}

int cuDeviceGetCount(int *count) {
  return run(false, [&](FakeCUDA &cuda) { return *count = cuda.devices, success; });
}

int cuDeviceGet(int *device, int index) {
  return run(false, [&](FakeCUDA &) { return *device = index, success; });
}

int cuDeviceGetName(char *name, int size, int) {
  return run(false, [&](FakeCUDA &) { return std::strncpy(name, "Fake GPU", size), success; });
}

int cuDeviceGetAttribute(int *value, int attribute, int) {
  return run(false, [&](FakeCUDA &cuda) {
    switch (attribute) {
    case 16: // CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT
      return *value = cuda.multiprocessors, success;
    case 75: // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
      return *value = cuda.major, success;
    case 76: // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR
      return *value = cuda.minor, success;
    case 95: // CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH
      return *value = cuda.isCooperative, success;
    default:
      return invalidValue;
    }
  });
}

int cuDevicePrimaryCtxRetain(void **context, int) {
  return run(false, [&](FakeCUDA &cuda) {
    ++cuda.contexts;
    *context = &cuda;
    return success;
  });
}

int cuDevicePrimaryCtxRelease_v2(int) { return --getFakeCUDA()->contexts, success; }

int cuCtxPushCurrent_v2(void *) {
  return run(false, [](FakeCUDA &cuda) { return ++depth, ++cuda.pushed, success; });
}

int cuCtxPopCurrent_v2(void **) { return --depth, --getFakeCUDA()->pushed, success; }

int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options,
                       void **values) {
  return run(true, [&](FakeCUDA &cuda) {
    cuda.code = static_cast<const char *>(image);
    if (cuda.loadLog.empty())
      return *module = &cuda.modules, ++cuda.modules, success;
    for (unsigned i = 0; i < count; ++i)
      if (options[i] == 5) // CU_JIT_ERROR_LOG_BUFFER
        std::strcpy(static_cast<char *>(values[i]), cuda.loadLog.c_str());
    return invalidPTX;
  });
}

int cuModuleUnload(void *) { return --getFakeCUDA()->modules, success; }

int cuModuleGetFunction(void **function, void *module, const char *name) {
  return run(true, [&](FakeCUDA &) {
    return *function = module, std::strcmp(name, "step_cuda") == 0 ? success : notFound;
  });
}

int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *, int, size_t) {
  return run(true, [&](FakeCUDA &cuda) { return *blocks = cuda.blocksOfMultiprocessor, success; });
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

int cuMemGetInfo_v2(size_t *available, size_t *total) {
  return run(true, [&](FakeCUDA &cuda) {
    *total = cuda.memory;
    *available = cuda.memory - cuda.bytes;
    return success;
  });
}

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  return run(true, [&](FakeCUDA &cuda) {
    if (bytes > cuda.memory - cuda.bytes)
      return outOfMemory;
    uintptr_t made = 0;
    int result = allocate(memory, cuda.allocations, bytes, made);
    *address = made;
    cuda.bytes += result == success ? bytes : 0;
    return result;
  });
}

int cuMemFree_v2(uint64_t address) {
  std::lock_guard lock(mutex);
  FakeCUDA &cuda = *getFakeCUDA();
  auto known = memory.find(address);
  if (known != memory.end())
    cuda.bytes -= known->second;
  return release(memory, cuda.allocations, address);
}

int cuMemAllocHost_v2(void **made, size_t bytes) {
  return run(true, [&](FakeCUDA &cuda) {
    uintptr_t address = 0;
    int result = allocate(hostMemory, cuda.hostAllocations, bytes, address);
    *made = reinterpret_cast<void *>(address);
    return result;
  });
}

int cuMemFreeHost(void *made) {
  std::lock_guard lock(mutex);
  return release(hostMemory, getFakeCUDA()->hostAllocations, reinterpret_cast<uintptr_t>(made));
}

int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *stream) {
  return run(true, [&](FakeCUDA &) {
    if (!isAllocated(memory, to, bytes))
      return invalidValue;
    return enqueue(
        stream, [=] { return std::memset(reinterpret_cast<void *>(to), value, bytes) != nullptr; });
  });
}

/// Memory that the device cannot read is copied at once, other memory when the stream comes to it.
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *stream) {
  return run(true, [&](FakeCUDA &) {
    if (!isAllocated(memory, to, bytes))
      return invalidValue;
    auto *target = reinterpret_cast<void *>(to);
    if (isAllocated(hostMemory, reinterpret_cast<uintptr_t>(from), bytes))
      return enqueue(stream, [=] { return std::memcpy(target, from, bytes) != nullptr; });
    auto *bytesNow = static_cast<const char *>(from);
    return enqueue(stream, [target, copy = std::vector<char>(bytesNow, bytesNow + bytes)] {
      return std::memcpy(target, copy.data(), copy.size()) != nullptr;
    });
  });
}

int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *stream) {
  return run(true, [&](FakeCUDA &) {
    if (!isAllocated(memory, from, bytes))
      return invalidValue;
    return enqueue(
        stream, [=] { return std::memcpy(to, reinterpret_cast<void *>(from), bytes) != nullptr; });
  });
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
  return run(true, [&](FakeCUDA &) {
    if (!isAllocated(memory, from, bytes) || !isAllocated(memory, to, bytes))
      return invalidValue;
    return enqueue(stream, [=] {
      return std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes) !=
             nullptr;
    });
  });
}

//===----------------------------------------------------------------------===//
// Streams and launches
//===----------------------------------------------------------------------===//

int cuStreamCreate(void **stream, unsigned) {
  return run(true, [&](FakeCUDA &cuda) {
    auto *made = new Stream;
    streams.insert(made);
    ++cuda.streams;
    *stream = made;
    return success;
  });
}

int cuStreamDestroy_v2(void *stream) {
  std::lock_guard lock(mutex);
  auto *known = static_cast<Stream *>(stream);
  if (streams.erase(known) == 0)
    return invalidValue;
  delete known;
  --getFakeCUDA()->streams;
  return success;
}

int cuStreamQuery(void *stream) {
  return run(true, [&](FakeCUDA &cuda) {
    // Copies of other streams go on beside a kernel.
    int result = finish(stream);
    if (result == notReady && cuda.ending != FakeCUDA::Ends)
      for (Stream *other : streams)
        if (other != stream)
          finish(other);
    return result;
  });
}

int cuStreamSynchronize(void *stream) {
  return run(true, [&](FakeCUDA &) { return finish(stream); });
}

int cuLaunchCooperativeKernel(void *, unsigned blocks, unsigned, unsigned, unsigned threads,
                              unsigned, unsigned, unsigned, void *stream, void **parameters) {
  return run(true, [&](FakeCUDA &cuda) {
    if (blocks == 0 || blocks > unsigned(cuda.multiprocessors * cuda.blocksOfMultiprocessor))
      return 720; // CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE
    FakeLaunch launch{};
    auto take = [&](unsigned index, auto &member) {
      std::memcpy(&member, parameters[index], sizeof member);
    };
    launch.blocks = blocks;
    launch.threads = threads;
    take(0, launch.step.weights);
    take(1, launch.step.arena);
    take(2, launch.step.worker_arena);
    take(3, launch.step.states);
    take(4, launch.step.tokens);
    take(5, launch.step.positions);
    take(6, launch.step.sequences);
    take(7, launch.step.outputs);
    take(8, launch.step.logits);
    take(9, launch.step.rows);
    take(10, launch.step.output_rows);
    take(11, launch.arrived);
    ++cuda.launches;
    return enqueue(stream, [launch, &cuda] {
      if (cuda.ending == FakeCUDA::Ends)
        cuda.kernel(launch);
      return cuda.ending == FakeCUDA::Ends ||
             (cuda.ending == FakeCUDA::HangsAtBarrier && *launch.arrived > int64_t(1) << 32);
    });
  });
}

} // extern "C"
