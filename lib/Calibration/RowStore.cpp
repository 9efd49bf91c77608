//===- RowStore.cpp - rows of activations, in memory or in a file ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowStore.h"

#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <unistd.h>

using namespace mlir;
using namespace llmc;

RowStore::~RowStore() {
  if (descriptor >= 0)
    close(descriptor);
}

float *RowStore::prepare(Value value, int64_t batch, int64_t bytes, Pages &spare) {
  release(value, batch);
  Entry entry{bytes, Pages(), -1};
  std::vector<Pages> &same = freeMemory[bytes];
  // Memory of other sizes that nobody uses counts, so it goes before rows go to the file.
  if (same.empty() && available < bytes)
    for (auto &[size, buffers] : freeMemory) {
      available += size * buffers.size();
      buffers.clear();
    }
  if (!same.empty()) {
    entry.memory = std::move(same.back());
    same.pop_back();
  } else if (available >= bytes) {
    available -= bytes;
    entry.memory = Pages(bytes);
  } else if (std::vector<int64_t> &offsets = freeFile[bytes]; !offsets.empty()) {
    entry.offset = offsets.back();
    offsets.pop_back();
  } else {
    entry.offset = fileBytes;
    fileBytes += bytes;
  }
  float *rows = entry.memory.floats();
  if (!rows) {
    if (spare.size() < static_cast<size_t>(bytes))
      spare = Pages(bytes);
    rows = spare.floats();
  }
  entries.insert_or_assign({value, batch}, std::move(entry));
  return rows;
}

llvm::Error RowStore::openFile() {
  SmallString<128> path;
  std::error_code error =
      llvm::sys::fs::createTemporaryFile("llmc-calibration", "rows", descriptor, path);
  if (error)
    return llvm::createStringError(error, "cannot make a temporary file for calibration: %s",
                                   error.message().c_str());
  (void)llvm::sys::fs::remove(path);
  return llvm::Error::success();
}

llvm::Expected<const RowStore::Entry *> RowStore::find(Value value, int64_t batch) const {
  auto found = entries.find({value, batch});
  if (found == entries.end())
    return llvm::createStringError("calibration has no rows of a value of the model any more: this "
                                   "is a fault of llmc");
  return &found->second;
}

llvm::Error RowStore::store(Value value, int64_t batch, const float *rows) {
  llvm::Expected<const Entry *> found = find(value, batch);
  if (!found)
    return found.takeError();
  const Entry &entry = **found;
  if (entry.memory.size() != 0)
    return llvm::Error::success();
  if (descriptor < 0)
    if (llvm::Error error = openFile())
      return error;
  auto bytes = reinterpret_cast<const char *>(rows);
  for (int64_t done = 0; done < entry.bytes;) {
    ssize_t count = llvm::sys::RetryAfterSignal(-1, pwrite, descriptor, bytes + done,
                                                entry.bytes - done, entry.offset + done);
    if (count <= 0)
      return llvm::createStringError("cannot write a temporary file for calibration: %s",
                                     llvm::sys::StrError().c_str());
    done += count;
  }
  return llvm::Error::success();
}

llvm::Expected<const float *> RowStore::load(Value value, int64_t batch, Pages &spare) {
  llvm::Expected<const Entry *> found = find(value, batch);
  if (!found)
    return found.takeError();
  const Entry &entry = **found;
  if (entry.memory.size() != 0)
    return entry.memory.floats();
  if (spare.size() < static_cast<size_t>(entry.bytes))
    spare = Pages(entry.bytes);
  for (int64_t done = 0; done < entry.bytes;) {
    ssize_t count = llvm::sys::RetryAfterSignal(-1, pread, descriptor, spare.data() + done,
                                                entry.bytes - done, entry.offset + done);
    if (count <= 0)
      return llvm::createStringError("cannot read a temporary file for calibration: %s",
                                     llvm::sys::StrError().c_str());
    done += count;
  }
  return spare.floats();
}

void RowStore::release(Value value, int64_t batch) {
  auto found = entries.find({value, batch});
  if (found == entries.end())
    return;
  Entry &entry = found->second;
  if (entry.memory.size() != 0)
    freeMemory[entry.bytes].push_back(std::move(entry.memory));
  else
    freeFile[entry.bytes].push_back(entry.offset);
  entries.erase(found);
}

void RowStore::keepOnly(Value kept, Value renamed, Value untouched) {
  std::vector<std::pair<Value, int64_t>> others;
  std::vector<std::pair<int64_t, Entry>> same;
  for (auto &[key, entry] : entries) {
    if (kept && key.first == kept)
      same.emplace_back(key.second, std::move(entry));
    else if (!untouched || key.first != untouched)
      others.push_back(key);
  }
  for (auto &[batch, entry] : same)
    entries.erase({kept, batch});
  for (auto [value, batch] : others)
    release(value, batch);
  for (auto &[batch, entry] : same)
    entries.insert_or_assign({renamed, batch}, std::move(entry));
}
