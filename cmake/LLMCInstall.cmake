# What `cmake --install` gives: tools, runtime headers and libraries, a CMake package.

install(DIRECTORY runtime/include/llmc DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
