# Toolchain file: Debian's AArch64 libraries, with its clang or the one that LLMC_TEST_CLANG names.
set(clang "$ENV{LLMC_TEST_CLANG}")
if(NOT clang)
  set(clang /usr/lib/llvm-22/bin/clang)
endif()
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER "${clang}")
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_CXX_COMPILER "${clang}++")
set(CMAKE_CXX_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT -fuse-ld=lld)
# find_package takes what CMAKE_PREFIX_PATH names.
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
