# How Takt's libraries, tools and unit tests are declared: one function each, so
# that warnings, sanitizers and the link with Debian's shared libMLIR are set in
# one place.

find_program(TAKT_CCACHE ccache)
if(TAKT_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TAKT_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${TAKT_CCACHE})
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  find_program(TAKT_LLD ld.lld-22)
  if(TAKT_LLD)
    add_link_options(-fuse-ld=lld)
  endif()
endif()

if(TAKT_SANITIZE)
  add_compile_options(-fsanitize=${TAKT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TAKT_SANITIZE})
endif()

if(TAKT_BUILD_FUZZERS)
  # Fuzzers see the coverage of the libraries, too.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# libstdc++ 12 itself uses what it declares deprecated (get_temporary_buffer).
add_compile_options(-Wall -Wextra -Wno-unused-parameter -Wno-deprecated-declarations)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports false positives inside LLVM's headers.
  add_compile_options(-Wno-comment -Wno-dangling-pointer -Wno-maybe-uninitialized)
endif()

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${CMAKE_SOURCE_DIR}/include ${CMAKE_BINARY_DIR}/include)
add_definitions(${LLVM_DEFINITIONS})

# takt_library(NAME source… [LINK lib…] [DEPENDS target…])
function(takt_library name)
  cmake_parse_arguments(ARG "" "" "LINK;DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# takt_tool(NAME source… [LINK lib…])
function(takt_tool name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK})
endfunction()

# takt_unittest(NAME source… [LINK lib…]): a GoogleTest program known to ctest
function(takt_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE ${ARG_LINK} GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/test/unit)
  add_test(NAME ${name} COMMAND ${name})
  set_property(GLOBAL APPEND PROPERTY TAKT_UNITTESTS ${name})
endfunction()
