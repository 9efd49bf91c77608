# Options and flags that hold for the runtime, the compiler and the tests alike.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_SCAN_FOR_MODULES OFF)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

option(LLMC_BUILD_COMPILER "Build the compiler and its tools, not the runtime alone" ON)
option(LLMC_BUILD_TOKENIZER "Build the tokenizer (needs PCRE2, utf8proc, nlohmann_json)" ON)
option(LLMC_BUILD_DRIVER "Build the command llmc (needs the tokenizer and CLI11)"
       ${LLMC_BUILD_TOKENIZER})
option(LLMC_BUILD_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(LLMC_BUILD_FUZZERS "Build the libFuzzer targets (needs clang)" OFF)
option(LLMC_BUILD_BENCHMARKS "Build the benchmark programs under bench/" OFF)
option(LLMC_ASSERTIONS "Keep assertions, in any build type" OFF)
set(LLMC_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined")

add_compile_options(-Wall -Wextra -Wno-unused-parameter)
if(LLMC_ASSERTIONS)
  # Those of our code, and of LLVM's headers in it: the libraries of LLVM have none.
  add_compile_options(-UNDEBUG)
endif()
if(LLMC_SANITIZE)
  # Code that was generated has no type before its first byte, and no byte where that is a page's.
  add_compile_options(-fsanitize=${LLMC_SANITIZE} -fno-sanitize=vptr,function -fno-omit-frame-pointer
                      -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=${LLMC_SANITIZE})
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_link_options(-fuse-ld=lld)
endif()

set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

# Declares a libFuzzer target and the test that runs it: llmc_add_fuzzer(name SOURCES … LIBRARIES …).
# With COMPILER among the arguments it is compiled like the compiler; SEEDS is a script that makes
# the first inputs in the folder that it is given.
function(llmc_add_fuzzer name)
  if(NOT LLMC_BUILD_FUZZERS)
    return()
  endif()
  cmake_parse_arguments(ARG "COMPILER" "SEEDS" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  if(ARG_COMPILER)
    llmc_configure_executable(${name} ${ARG_LIBRARIES})
  else()
    target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  endif()
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer-no-link)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  # What is fuzzed tells the fuzzer where it went; a sanitizer's runtime has what that calls in the
  # other programs that link it.
  if(LLMC_SANITIZE AND NOT ARG_COMPILER)
    foreach(library ${ARG_LIBRARIES})
      target_compile_options(${library} PRIVATE -fsanitize=fuzzer-no-link)
    endforeach()
  endif()
  set(_seeds)
  if(ARG_SEEDS)
    set(_seeds ${LLMC_PYTHON} "${CMAKE_CURRENT_SOURCE_DIR}/${ARG_SEEDS}")
  endif()
  add_test(NAME fuzz.${name}
           COMMAND "${PROJECT_SOURCE_DIR}/test/fuzz/run" $<TARGET_FILE:${name}>
                   "${PROJECT_BINARY_DIR}/corpus/${name}" ${_seeds})
  set_tests_properties(fuzz.${name} PROPERTIES TIMEOUT 3600 LABELS fuzz)
endfunction()
