//===- MemoryTest.cpp - all memory comes from the caller's allocator ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The linker has the runtime, and what is linked with it, call the functions of libc below through
// counters (--wrap), so that memory from elsewhere is seen.
//
//===----------------------------------------------------------------------===//

#include "ArtifactBuilder.h"
#include "TestSession.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace llmc::test;

static std::atomic<int> fromLibc, mapped;

extern "C" {
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset);

void *__wrap_malloc(size_t size) {
  ++fromLibc;
  return __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size) {
  ++fromLibc;
  return __real_calloc(count, size);
}
void *__wrap_realloc(void *memory, size_t size) {
  ++fromLibc;
  return __real_realloc(memory, size);
}
void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  ++fromLibc;
  return __real_aligned_alloc(alignment, size);
}
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  ++mapped;
  return __real_mmap(address, size, protection, flags, file, offset);
}
}

namespace {

/// An allocator that counts, and of which one call fails.
struct Allocator {
  int calls = 0, failing = 0, live = 0;
  size_t bytes = 0, largest = 0;
  bool givesZeros = false;

  operator llmc_allocator() {
    return {this,
            [](void *self, size_t size, size_t alignment) {
              return static_cast<Allocator *>(self)->allocate(size, alignment);
            },
            [](void *self, void *memory, size_t size) {
              auto *allocator = static_cast<Allocator *>(self);
              --allocator->live;
              allocator->bytes -= size;
              std::free(memory);
            },
            givesZeros};
  }
  void *allocate(size_t size, size_t alignment) {
    EXPECT_GT(size, 0u);
    EXPECT_EQ(alignment, size_t(LLMC_ALIGNMENT));
    if (++calls == failing)
      return nullptr;
    ++live;
    bytes += size;
    largest = std::max(largest, bytes);
    void *memory = __real_aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
    std::memset(memory, givesZeros ? 0 : 0x5a, size);
    return memory;
  }
};

/// Loads a model, makes one of everything, and uses it. Ends at the first call that fails.
llmc_status useAll(const char *path, Allocator &allocator, bool zeros = false) {
  struct Handles {
    llmc_model *model = nullptr;
    llmc_executor *executor = nullptr;
    llmc_session *session = nullptr, *fork = nullptr;
    ~Handles() {
      llmc_session_release(fork);
      llmc_session_release(session);
      llmc_executor_release(executor);
      llmc_model_release(model);
    }
  } handles;
  allocator.givesZeros = zeros;
  llmc_model_options options = llmc_model_default_options();
  options.threads = 2;
  options.allocator = allocator;
  const llmc_executor_options executorOptions{3, 0};
  LLMC_RETURN_IF_ERROR(llmc_model_load(path, &options, &handles.model));
  LLMC_RETURN_IF_ERROR(llmc_executor_create(handles.model, &executorOptions, &handles.executor));
  LLMC_RETURN_IF_ERROR(llmc_session_create(handles.model, &handles.session));
  const std::vector<int32_t> tokens = makeTokens(11), more = makeTokens(20, 5);
  const int made = allocator.calls;
  LLMC_RETURN_IF_ERROR(
      llmc_session_evaluate(handles.session, tokens.data(), tokens.size(), nullptr));
  EXPECT_EQ(allocator.calls, made);
  LLMC_RETURN_IF_ERROR(llmc_session_fork(handles.session, &handles.fork));

  // What follows allocates nothing.
  const int before = allocator.calls;
  std::vector<float> logits(more.size() * fakeVocabulary);
  const llmc_batch_entry entries[] = {
      {handles.session, more.data(), more.size(), logits.data(), nullptr, 0, 0},
      {handles.fork, more.data(), 1, nullptr, nullptr, 0, 0}};
  LLMC_RETURN_IF_ERROR(llmc_evaluate_batch(handles.executor, entries, 2));
  llmc_sampling sampling = llmc_sampling_default();
  sampling.temperature = 1;
  sampling.top_p = 0.5f;
  int32_t token = 0;
  LLMC_RETURN_IF_ERROR(llmc_session_exclude(handles.fork, more.data(), 2));
  LLMC_RETURN_IF_ERROR(llmc_session_sample(handles.fork, &sampling, &token));
  LLMC_RETURN_IF_ERROR(llmc_session_rewind(handles.fork, 1));
  EXPECT_EQ(allocator.calls, before);
  return llmc_ok_status();
}

TEST(Memory, ComesFromTheCallersAllocator) {
  TemporaryFile file(makeArtifact());
  for (bool zeros : {false, true}) {
    Allocator allocator;
    const int libcBefore = fromLibc, mappedBefore = mapped;
    llmc_status status = useAll(file.path(), allocator, zeros);
    ASSERT_EQ(status.code, LLMC_OK) << status.message;
    EXPECT_EQ(fromLibc, libcBefore);
    // The artifact itself.
    EXPECT_EQ(mapped, mappedBefore + 1);
    EXPECT_EQ(allocator.live, 0);
    EXPECT_EQ(allocator.bytes, 0u);
    // The states of two sessions, and scratch of two executors of 2 and 3 threads.
    EXPECT_GT(allocator.largest, 2 * llmc_program_image.state_bytes +
                                     2 * llmc_program_image.arena_bytes +
                                     5 * llmc_program_image.worker_arena_bytes);
  }
}

TEST(Memory, ThatIsRefusedIsReported) {
  TemporaryFile file(makeArtifact());
  Allocator all;
  ASSERT_EQ(useAll(file.path(), all).code, LLMC_OK);
  ASSERT_GT(all.calls, 12);
  for (int failing = 1; failing <= all.calls; ++failing) {
    Allocator allocator;
    allocator.failing = failing;
    expectStatus(useAll(file.path(), allocator), LLMC_OUT_OF_MEMORY, "no memory for ");
    EXPECT_EQ(allocator.live, 0);
  }
}

TEST(Memory, OfTheSystemIsTakenWithoutAnAllocator) {
  const int libcBefore = fromLibc;
  Model model;
  Session session(model);
  session.evaluate(makeTokens(3));
  session.expect(makeTokens(3));
  EXPECT_GT(fromLibc, libcBefore);
}

} // namespace
