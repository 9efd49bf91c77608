//===- FakeDevice.cpp - a driver that is not the runtime's own ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeDevice.h"
#include "FakeProgram.h"

#include "gtest/gtest.h"

#include <cstring>

using namespace llmc::test;

namespace llmc::test {

/// The functions of the driver. A program's handle is the device's.
struct FakeDeviceCalls {
  static FakeDevice &get(llmc_driver_program *program) {
    return *reinterpret_cast<FakeDevice *>(program);
  }
  static FakeDevice &get(llmc_driver_executor *executor) {
    return *reinterpret_cast<FakeDevice *const *>(executor)[0];
  }
  static uintptr_t handle(const llmc_buffer *buffer) { return reinterpret_cast<uintptr_t>(buffer); }

  static llmc_status begin(FakeDevice &device, const char *name) {
    ++device.calls[name];
    if (++device.count == device.failing)
      return llmc_make_status(LLMC_IO_ERROR, "the device is lost");
    return llmc_ok_status();
  }

  static llmc_status load(const llmc_driver *driver, const llmc_driver_source *source,
                          llmc_loaded_program *result) {
    FakeDevice &device = *reinterpret_cast<const FakeDevice::Functions *>(driver)->device;
    std::lock_guard lock(device.mutex);
    LLMC_RETURN_IF_ERROR(begin(device, "load"));
    device.program = source->program ? source->program : &llmc_program_image;
    LLMC_RETURN_IF_ERROR(llmc_program_check(device.program, source->weights_bytes));
    device.weights = source->weights;
    *result = {reinterpret_cast<llmc_driver_program *>(&device), device.program, "one worker"};
    return llmc_ok_status();
  }

  static void unload(llmc_driver_program *program) { get(program).program = nullptr; }

  static llmc_status allocate(llmc_driver_program *program, uint64_t bytes, llmc_buffer **buffer) {
    FakeDevice &device = get(program);
    std::lock_guard lock(device.mutex);
    LLMC_RETURN_IF_ERROR(begin(device, "allocate"));
    device.memory[++device.handles].resize(bytes);
    *buffer = reinterpret_cast<llmc_buffer *>(device.handles);
    return llmc_ok_status();
  }

  static void release(llmc_driver_program *program, llmc_buffer *buffer, uint64_t bytes) {
    FakeDevice &device = get(program);
    std::lock_guard lock(device.mutex);
    EXPECT_EQ(device.memory.at(handle(buffer)).size(), bytes);
    device.memory.erase(handle(buffer));
  }

  static void *map(llmc_driver_program *, llmc_buffer *) { return nullptr; }

  /// The bytes from `offset` on, of which no step that was not waited for may know.
  static uint8_t *find(FakeDevice &device, llmc_buffer *buffer, uint64_t offset, uint64_t bytes) {
    std::vector<uint8_t> &memory = device.memory.at(handle(buffer));
    EXPECT_TRUE(bytes > 0 && offset <= memory.size() && bytes <= memory.size() - offset);
    for (const FakeDevice::Step &step : device.queue) {
      EXPECT_NE(step.logits, handle(buffer));
      for (uintptr_t state : step.states)
        EXPECT_NE(state, handle(buffer));
    }
    return memory.data() + offset;
  }

  static llmc_status write(llmc_driver_program *program, llmc_buffer *to, uint64_t offset,
                           const void *from, uint64_t bytes) {
    FakeDevice &device = get(program);
    std::lock_guard lock(device.mutex);
    LLMC_RETURN_IF_ERROR(begin(device, "write"));
    std::memcpy(find(device, to, offset, bytes), from, bytes);
    return llmc_ok_status();
  }

  static llmc_status read(llmc_driver_program *program, llmc_buffer *from, uint64_t offset,
                          void *to, uint64_t bytes) {
    FakeDevice &device = get(program);
    std::lock_guard lock(device.mutex);
    LLMC_RETURN_IF_ERROR(begin(device, "read"));
    std::memcpy(to, find(device, from, offset, bytes), bytes);
    return llmc_ok_status();
  }

  static llmc_status copy(llmc_driver_program *program, llmc_buffer *to, uint64_t toOffset,
                          llmc_buffer *from, uint64_t fromOffset, uint64_t bytes) {
    FakeDevice &device = get(program);
    std::lock_guard lock(device.mutex);
    LLMC_RETURN_IF_ERROR(begin(device, "copy"));
    std::memcpy(find(device, to, toOffset, bytes), find(device, from, fromOffset, bytes), bytes);
    return llmc_ok_status();
  }

  static llmc_status createExecutor(llmc_driver_program *program, const llmc_executor_options *,
                                    llmc_driver_executor **executor, uint32_t *workers) {
    FakeDevice &device = get(program);
    std::lock_guard lock(device.mutex);
    LLMC_RETURN_IF_ERROR(begin(device, "create_executor"));
    *executor = reinterpret_cast<llmc_driver_executor *>(new FakeDevice *(&device));
    device.executors.insert(*executor);
    *workers = 1;
    return llmc_ok_status();
  }

  static void destroyExecutor(llmc_driver_executor *executor) {
    FakeDevice &device = get(executor);
    EXPECT_TRUE(device.queue.empty());
    EXPECT_EQ(device.executors.erase(executor), 1u);
    delete reinterpret_cast<FakeDevice **>(executor);
  }

  static llmc_status run(llmc_driver_executor *executor, const llmc_driver_step *step) {
    FakeDevice &device = get(executor);
    std::lock_guard lock(device.mutex);
    LLMC_RETURN_IF_ERROR(begin(device, "run"));
    FakeDevice::Step taken{executor, {}, {}, {}, {}, {}, step->host_logits, 0, step->logits_offset};
    for (int64_t i = 0; i < step->sequence_count; ++i)
      taken.states.push_back(handle(step->states[i]));
    taken.tokens.assign(step->tokens, step->tokens + step->rows);
    taken.positions.assign(step->positions, step->positions + step->rows);
    taken.sequences.assign(step->sequences, step->sequences + step->rows);
    taken.outputs.assign(step->outputs, step->outputs + step->output_rows);
    taken.logits = handle(step->logits);
    device.queue.push_back(taken);
    return llmc_ok_status();
  }

  static llmc_status wait(llmc_driver_executor *executor) {
    FakeDevice &device = get(executor);
    std::lock_guard lock(device.mutex);
    std::vector<FakeDevice::Step> others;
    for (const FakeDevice::Step &step : device.queue)
      if (step.executor == executor)
        device.run(step);
      else
        others.push_back(step);
    device.queue = others;
    return begin(device, "wait");
  }
};

} // namespace llmc::test

FakeDevice::FakeDevice() {
  using Calls = FakeDeviceCalls;
  functions = {{LLMC_DRIVER_VERSION, "fake", Calls::load, Calls::unload, Calls::allocate,
                Calls::release, Calls::map, Calls::write, Calls::read, Calls::copy,
                Calls::createExecutor, Calls::destroyExecutor, Calls::run, Calls::wait},
               this};
}

FakeDevice::~FakeDevice() {
  EXPECT_TRUE(memory.empty());
  EXPECT_TRUE(executors.empty());
  EXPECT_EQ(program, nullptr);
}

void FakeDevice::run(const Step &taken) {
  std::vector<uint8_t> arena(program->arena_bytes), workerArena(program->worker_arena_bytes);
  std::vector<uint8_t *> states;
  for (uintptr_t state : taken.states)
    states.push_back(memory.at(state).data());
  llmc_step step{};
  step.weights = weights;
  step.arena = arena.data();
  step.worker_arena = workerArena.data();
  step.states = states.data();
  step.tokens = taken.tokens.data();
  step.positions = taken.positions.data();
  step.sequences = taken.sequences.data();
  step.outputs = taken.outputs.data();
  step.rows = static_cast<int64_t>(taken.tokens.size());
  step.output_rows = static_cast<int64_t>(taken.outputs.size());
  step.logits = taken.hostLogits
                    ? taken.hostLogits
                    : reinterpret_cast<float *>(memory.at(taken.logits).data() + taken.offset);
  step.barrier = [](void *, int32_t) {};
  program->variants[program->variant_count - 1].step(&step, 0, 1);
}
