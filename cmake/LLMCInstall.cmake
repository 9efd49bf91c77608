# What `cmake --install` gives: tools, runtime headers and libraries, a CMake package.

include(CMakePackageConfigHelpers)

set(_package "${CMAKE_INSTALL_LIBDIR}/cmake/llmc")
install(DIRECTORY runtime/include/llmc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES cmake/llmcAddModel.cmake DESTINATION ${_package})
install(EXPORT llmcTargets NAMESPACE llmc:: DESTINATION ${_package})
if(LLMC_BUILD_TOKENIZER)
  install(EXPORT llmcTokenizerTargets NAMESPACE llmc:: DESTINATION ${_package})
endif()
configure_package_config_file(cmake/llmcConfig.cmake.in "${PROJECT_BINARY_DIR}/llmcConfig.cmake"
                              INSTALL_DESTINATION ${_package}
                              PATH_VARS CMAKE_INSTALL_BINDIR)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/llmcConfigVersion.cmake"
                                 COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/llmcConfig.cmake" "${PROJECT_BINARY_DIR}/llmcConfigVersion.cmake"
        DESTINATION ${_package})
