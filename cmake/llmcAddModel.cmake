# llmc_add_model(target MODEL.onnx|MODEL.mlir
#                [RECIPE name]                    as for `llmc compile --recipe`
#                [PASSES "quantize-rtn{bits=4}"]  compression passes, as for `llmc compile --passes`
#                [NAME symbol]                    the llmc_program's name in C; default: the target's
#                [TARGET TRIPLE[:VARIANT,…]]      default: all variants for the machine built for;
#                                                 cuda,TRIPLE for GPUs too
#                [MAX_ROWS n]                     tokens of a step, as for `llmc compile --max-rows`
#                [EMBED_WEIGHTS]                  link the weights in
#                [OPTIONS option…])               further options of `llmc compile`, as they are
#
# The model may be a module as well, but not one that was planned for a target already.
#
# Compiles the model when the project is built, and again when it or a file of its weights changes.
# `target` becomes a library to link: it brings the program, the header "symbol.h" that declares it,
# and llmc::runtime. Its property LLMC_WEIGHTS is the path of the file of weights, which
# llmc_model_load_program is given; it can be installed anywhere. With EMBED_WEIGHTS the file's
# contents are linked in as symbol_weights and symbol_weights_size, for llmc_model_load_embedded;
# a program with more than 2 GB of them needs the linker's large code model.

function(llmc_add_model target model)
  cmake_parse_arguments(PARSE_ARGV 2 ARG "EMBED_WEIGHTS" "RECIPE;PASSES;NAME;TARGET;MAX_ROWS"
                        "OPTIONS")
  if(ARG_UNPARSED_ARGUMENTS OR ARG_KEYWORDS_MISSING_VALUES)
    message(FATAL_ERROR "llmc_add_model(${target}): expected [RECIPE r] [PASSES p] [NAME n] "
      "[TARGET t] [MAX_ROWS n] [EMBED_WEIGHTS] [OPTIONS o…], found ${ARG_UNPARSED_ARGUMENTS} ${ARG_KEYWORDS_MISSING_VALUES}")
  endif()
  set(symbol "${target}")
  if(ARG_NAME)
    set(symbol "${ARG_NAME}")
  endif()
  if(NOT symbol MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
    message(FATAL_ERROR "llmc_add_model(${target}): expected a C identifier as NAME, found ${symbol}")
  endif()
  if(NOT ARG_TARGET)
    _llmc_default_target(ARG_TARGET "${target}")
  endif()
  get_filename_component(model "${model}" ABSOLUTE)
  if(TARGET llmc-compile)
    set(compiler llmc-compile)
    set(command "$<TARGET_FILE:llmc-compile>")
  elseif(EXISTS "${LLMC_COMPILE}")
    set(compiler "${LLMC_COMPILE}")
    set(command "${LLMC_COMPILE}")
  else()
    message(FATAL_ERROR "llmc_add_model(${target}): expected llmc-compile at ${LLMC_COMPILE}: llmc "
      "was installed without its compiler, so set LLMC_COMPILE to one")
  endif()

  set(folder "${CMAKE_CURRENT_BINARY_DIR}/${target}.llmc")
  set(object "${folder}/${symbol}.o")
  set(weights "${folder}/${symbol}.weights")
  set(arguments --object "--symbol=${symbol}" "--target=${ARG_TARGET}")
  if(ARG_RECIPE)
    list(APPEND arguments "--recipe=${ARG_RECIPE}")
  endif()
  if(ARG_PASSES)
    list(APPEND arguments "--passes=${ARG_PASSES}")
  endif()
  if(ARG_MAX_ROWS)
    list(APPEND arguments "--max-rows=${ARG_MAX_ROWS}")
  endif()
  list(APPEND arguments ${ARG_OPTIONS})
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(
    OUTPUT "${object}" "${folder}/${symbol}.h" "${weights}"
    COMMAND "${command}" "${model}" ${arguments} "--depfile=${object}.d" -o "${object}"
    DEPENDS "${model}" "${compiler}"
    DEPFILE "${object}.d"
    COMMENT "Compiling the model ${model}"
    VERBATIM)

  # Either language of the project will do: the archive holds code that is compiled already.
  if(CMAKE_C_COMPILER_LOADED)
    set(language C)
    set(ending c)
  elseif(CMAKE_CXX_COMPILER_LOADED)
    set(language CXX)
    set(ending cpp)
  else()
    message(FATAL_ERROR "llmc_add_model(${target}): expected a project with the language C or CXX")
  endif()
  set(sources "${object}" "${folder}/${symbol}.h")
  if(ARG_EMBED_WEIGHTS)
    _llmc_embed("${symbol}" "${weights}" "${folder}/${symbol}_weights.${ending}")
    list(APPEND sources "${folder}/${symbol}_weights.${ending}")
  endif()
  add_library(${target} STATIC ${sources})
  set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE ${language} LLMC_WEIGHTS "${weights}")
  target_include_directories(${target} INTERFACE "${folder}")
  target_link_libraries(${target} PUBLIC llmc::runtime)
endfunction()

# The machine that the project is built for, as llmc names it.
function(_llmc_default_target result target)
  if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
    message(FATAL_ERROR "llmc_add_model(${target}): expected Linux, found ${CMAKE_SYSTEM_NAME}")
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|aarch64)$")
    set(${result} "${CMAKE_SYSTEM_PROCESSOR}-linux-gnu" PARENT_SCOPE)
  else()
    message(FATAL_ERROR "llmc_add_model(${target}): expected a processor of x86_64 or aarch64, "
      "found ${CMAKE_SYSTEM_PROCESSOR}")
  endif()
endfunction()

# A file of C or C++ that includes the file of weights as it is, which costs neither time nor memory.
function(_llmc_embed symbol weights source)
  file(CONFIGURE OUTPUT "${source}" @ONLY NEWLINE_STYLE UNIX CONTENT [[
/* Links the file of weights in. Generated by llmc_add_model. */
__asm__(".pushsection .rodata.@symbol@_weights,\"a\",%progbits\n"
        ".p2align 12\n"
        ".globl @symbol@_weights\n"
        "@symbol@_weights:\n"
        ".incbin \"@weights@\"\n"
        "@symbol@_weights_end:\n"
        ".globl @symbol@_weights_size\n"
        ".p2align 3\n"
        "@symbol@_weights_size:\n"
        ".quad @symbol@_weights_end - @symbol@_weights\n"
        ".popsection\n");
]])
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${weights}")
endfunction()
