//===- AddressSanitizerOptions.cpp - defaults of AddressSanitizer builds ---===//
//
// Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM's headers poison the memory of bump allocators by hand. The shipped libraries are built
// without that and share those allocators with us, so it would find errors where there are none.
//
//===----------------------------------------------------------------------===//

extern "C" __attribute__((used, visibility("default"))) const char *__asan_default_options();

const char *__asan_default_options() { return "allow_user_poisoning=0"; }
