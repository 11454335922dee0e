# Compiler settings that every room shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths are hashed relative to the source tree and a precompiled header by the checksum beside it (cmake/Mlir.cmake), so
  # that every build folder and every clone shares one cache. The sloppiness is what ccache asks for to look behind a
  # precompiled header (its manual, "Precompiled headers").
  set(GLM_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_PCH_EXTSUM=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${GLM_LAUNCHER})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${GLM_LAUNCHER})
endif()

find_program(GLM_LLD ld.lld HINTS /usr/lib/llvm-22/bin NO_DEFAULT_PATH)
if(GLM_LLD)
  get_filename_component(GLM_LLD_DIR ${GLM_LLD} DIRECTORY)
  add_link_options(-fuse-ld=lld -B${GLM_LLD_DIR})
endif()

add_compile_options(-Wall -Wextra -fno-math-errno)
# Clang reports that libstdc++ 12 calls a function of its own that C++17 deprecated, in every std::stable_sort.
add_compile_options($<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})

set(GLM_SANITIZE "" CACHE STRING "sanitizers to build with, such as address,undefined or thread")
if(GLM_SANITIZE)
  add_compile_options(-fsanitize=${GLM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GLM_SANITIZE})
endif()

find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# glm_library(NAME SOURCES... LIBRARIES...): one folder, one target.
function(glm_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LIBRARIES})
endfunction()
