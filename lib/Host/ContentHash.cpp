//===- ContentHash.cpp - tells contents of files apart ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "llmc/Host/ContentHash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cerrno>
#include <cstdio>
#include <unistd.h>
#include <vector>

using namespace llmc;

struct ContentHash::State {
  XXH3_state_t hash;
};

ContentHash::ContentHash() : state(std::make_unique<State>()) { XXH3_128bits_reset(&state->hash); }

ContentHash::~ContentHash() = default;

void ContentHash::update(const void *bytes, size_t size) {
  XXH3_128bits_update(&state->hash, bytes, size);
}

std::string ContentHash::get() const {
  XXH128_hash_t hash = XXH3_128bits_digest(&state->hash);
  char text[33];
  std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}

std::optional<std::string> ContentHash::ofFile(int descriptor) {
  ContentHash hash;
  // Small enough to stay in a CPU's cache between the two that touch it.
  std::vector<char> piece(size_t(1) << 18);
  for (off_t offset = 0;;) {
    ssize_t count = pread(descriptor, piece.data(), piece.size(), offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return std::nullopt;
    if (count == 0)
      return hash.get();
    hash.update(piece.data(), static_cast<size_t>(count));
    offset += count;
  }
}
