# Functions that declare the parts of the compiler.

# What every translation unit of the compiler is compiled with.
add_library(llmc_compiler_flags INTERFACE)
separate_arguments(_llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
target_compile_options(llmc_compiler_flags INTERFACE ${_llvm_definitions} -fno-exceptions)
# The shipped LLVM is built with NDEBUG, which changes the layout of some of its classes.
target_compile_definitions(llmc_compiler_flags INTERFACE NDEBUG)
target_include_directories(llmc_compiler_flags SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS}
                                                                ${MLIR_INCLUDE_DIRS})
target_include_directories(llmc_compiler_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
  $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/runtime/include>)
# MLIR's and LLVM's shared libraries only: mixing in their static archives would duplicate
# the registries they keep.
target_link_libraries(llmc_compiler_flags INTERFACE MLIR LLVM)

# A fuzzer is told where the compiler went; a sanitizer's runtime has what that calls in the other
# programs. The precompiled header has to agree, so all of the compiler is compiled like this.
if(LLMC_BUILD_FUZZERS AND LLMC_SANITIZE)
  target_compile_options(llmc_compiler_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# One precompiled header for all of it.
file(WRITE "${CMAKE_BINARY_DIR}/llmc_pch.cpp" "// Carries the precompiled header.\n")
add_library(llmc_pch OBJECT "${CMAKE_BINARY_DIR}/llmc_pch.cpp")
target_link_libraries(llmc_pch PRIVATE llmc_compiler_flags)
target_precompile_headers(llmc_pch PRIVATE "${PROJECT_SOURCE_DIR}/cmake/llmc_pch.h")
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Without a time stamp inside, the header's hash depends on its contents alone.
  target_compile_options(llmc_pch PRIVATE "SHELL:-Xclang -fno-pch-timestamp"
                                          -fpch-instantiate-templates)
  target_compile_options(llmc_compiler_flags INTERFACE -fpch-instantiate-templates
                                                       "SHELL:-Xclang -fno-pch-timestamp")
endif()

# All generated headers: a library that is built sees them complete.
add_custom_target(llmc-headers)

# Declares one library of the compiler: llmc_add_library(name SOURCES … LIBRARIES …).
function(llmc_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC llmc_compiler_flags ${ARG_LIBRARIES})
  target_precompile_headers(${name} REUSE_FROM llmc_pch)
  add_dependencies(${name} llmc-headers)
  set_property(GLOBAL APPEND PROPERTY LLMC_COMPILER_LIBRARIES ${name})
endfunction()

# Adds loops of the compiler's own to a library, compiled once for each instruction set:
# llmc_add_host_kernels(library source NAME=symbol …). In the source, macro NAME is the symbol with
# the variant behind it; see llmc/Support/HostVariant.h.
set(LLMC_HOST_VARIANTS baseline)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  list(APPEND LLMC_HOST_VARIANTS avx2 avx512)
endif()
set(_llmc_flags_avx2 -mavx2 -mfma)
set(_llmc_flags_avx512 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma)
function(llmc_add_host_kernels library sources)
  foreach(variant IN LISTS LLMC_HOST_VARIANTS)
    set(target ${library}_${variant})
    add_library(${target} OBJECT ${sources})
    list(TRANSFORM ARGN APPEND _${variant} OUTPUT_VARIABLE names)
    target_compile_definitions(${target} PRIVATE NDEBUG ${names})
    target_compile_options(${target} PRIVATE -O3 -fno-exceptions ${_llmc_flags_${variant}})
    target_sources(${library} PRIVATE $<TARGET_OBJECTS:${target}>)
  endforeach()
endfunction()

# Compiles an executable of the compiler (a tool or a test) like its libraries.
function(llmc_configure_executable name)
  target_link_libraries(${name} PRIVATE llmc_compiler_flags ${ARGN})
  # -fPIC rather than the executables' own -fPIE: the precompiled header needs one flag for all.
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${name} PRIVATE -fPIC)
  target_precompile_headers(${name} REUSE_FROM llmc_pch)
  add_dependencies(${name} llmc-headers)
  if(LLMC_SANITIZE MATCHES "address")
    target_sources(${name} PRIVATE "${PROJECT_SOURCE_DIR}/cmake/AddressSanitizerOptions.cpp")
  endif()
endfunction()

# Declares one tool of the compiler: llmc_add_tool(name SOURCES … LIBRARIES …).
function(llmc_add_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  llmc_configure_executable(${name} ${ARG_LIBRARIES})
  # Installed tools find LLVM's libraries where they were linked from.
  set_target_properties(${name} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
  install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endfunction()

# Runs mlir-tblgen: llmc_tablegen(INPUT.td OUTPUT ARGUMENTS…), in the folder of the .td file.
function(llmc_tablegen input output)
  set(LLVM_TARGET_DEFINITIONS ${input})
  mlir_tablegen(${output} ${ARGN} "-I${PROJECT_SOURCE_DIR}/include" "-I${MLIR_INCLUDE_DIRS}")
  set(TABLEGEN_OUTPUT ${TABLEGEN_OUTPUT} PARENT_SCOPE)
endfunction()

# Makes everything that llmc_tablegen declared in this folder part of llmc-headers.
function(llmc_tablegen_target name)
  add_custom_target(${name} DEPENDS ${TABLEGEN_OUTPUT})
  add_dependencies(llmc-headers ${name})
endfunction()

# Generates docs/OUTPUT.md in the build folder from a .td file: llmc_add_doc(INPUT.td OUTPUT
# ARGUMENTS…). The target mlir-doc makes them all.
function(llmc_add_doc input output)
  set(_file "${PROJECT_BINARY_DIR}/docs/${output}.md")
  set(_deps "${PROJECT_BINARY_DIR}/CMakeFiles/llmc-doc-${output}.d")
  add_custom_command(OUTPUT "${_file}"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${PROJECT_BINARY_DIR}/docs"
    COMMAND mlir-tblgen ${ARGN} -I "${PROJECT_SOURCE_DIR}/include" -I "${MLIR_INCLUDE_DIRS}"
            "${CMAKE_CURRENT_SOURCE_DIR}/${input}" -o "${_file}" -d "${_deps}"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${input}" mlir-tblgen
    DEPFILE "${_deps}"
    COMMENT "Generating docs/${output}.md"
    VERBATIM)
  add_custom_target(llmc-doc-${output} DEPENDS "${_file}")
  add_dependencies(mlir-doc llmc-doc-${output})
endfunction()
