# The compile side: where LLVM and MLIR are, and how a room that uses them is declared.
# Included after runtime/ was added, so that none of these include paths reaches the run side.

# Debian 12 ships LLVM 22 in a prefix of its own. Asking for version 22 would demand the exact patch number.
set(GLM_LLVM_PREFIX /usr/lib/llvm-22 CACHE PATH "where LLVM and MLIR 22 are installed")
find_package(MLIR REQUIRED CONFIG PATHS ${GLM_LLVM_PREFIX} NO_DEFAULT_PATH)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "${LLVM_DIR}: LLVM must be version 22, but found ${LLVM_PACKAGE_VERSION}")
endif()
message(STATUS "LLVM ${LLVM_PACKAGE_VERSION} in ${GLM_LLVM_PREFIX}")

# The linker as a library (targets lldELF, lldCommon): objects become host.so without a linker on the user's machine.
find_package(LLD REQUIRED CONFIG PATHS ${GLM_LLVM_PREFIX} NO_DEFAULT_PATH)

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# mlir-tblgen takes its search path from the directory, not from a target.
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(GLM_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")

# The headers that nearly every compile-side file includes are parsed once: a file then compiles in about a second.
# Every file still includes what it uses; this only saves time, and -DGLM_PRECOMPILE=OFF proves it.
option(GLM_PRECOMPILE "precompile the MLIR headers of the compile side" ON)
if(GLM_PRECOMPILE)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/cmake/MlirHeaders.cpp CONTENT "")
  add_library(GlmMlirHeaders STATIC ${CMAKE_BINARY_DIR}/cmake/MlirHeaders.cpp)
  target_precompile_headers(GlmMlirHeaders PRIVATE ${CMAKE_CURRENT_LIST_DIR}/MlirHeaders.h)
  # CMake's own spelling hides the file behind -Xclang, where ccache cannot see that it lies in the build folder.
  if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
    set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -include-pch <PCH_FILE>)
  endif()
  # A precompiled header names the build folder that it was made in, so it is never taken from ccache; what it contains
  # follows from the list of headers and their versions, and that is what ccache hashes in its place.
  set_target_properties(GlmMlirHeaders PROPERTIES CXX_COMPILER_LAUNCHER "")
  file(READ ${CMAKE_CURRENT_LIST_DIR}/MlirHeaders.h headers)
  string(SHA256 checksum "${headers} ${LLVM_PACKAGE_VERSION} ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} ${CMAKE_CXX_FLAGS}")
  foreach(suffix gch pch)
    file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/CMakeFiles/GlmMlirHeaders.dir/cmake_pch.hxx.${suffix}.sum CONTENT "${checksum}")
  endforeach()
endif()

# glm_use_mlir(TARGET): compiles and links a target against the shared MLIR and LLVM libraries. Their static twins would
# hold a second copy of every global, type ids included.
function(glm_use_mlir target)
  target_compile_definitions(${target} PRIVATE ${GLM_LLVM_DEFINITIONS})
  # Overridden hooks of patterns and passes rarely need all their parameters.
  target_compile_options(${target} PRIVATE -Wno-unused-parameter)
  # One flavour of position independence everywhere, executables included: a precompiled header fits no other.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC)
  target_link_libraries(${target} PUBLIC MLIR LLVM)
  if(GLM_PRECOMPILE AND NOT target STREQUAL GlmMlirHeaders)
    target_precompile_headers(${target} REUSE_FROM GlmMlirHeaders)
  endif()
endfunction()

if(GLM_PRECOMPILE)
  glm_use_mlir(GlmMlirHeaders)
endif()

# glm_mlir_library(NAME SOURCES... LIBRARIES... DEPENDS...): a compile-side room; DEPENDS names its tablegen targets, which
# the rooms that link it wait for as well.
function(glm_mlir_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES;DEPENDS" ${ARGN})
  glm_library(${name} SOURCES ${ARG_SOURCES} LIBRARIES ${ARG_LIBRARIES})
  glm_use_mlir(${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
endfunction()

# glm_mlir_executable(NAME SOURCES... LIBRARIES...): a program of the compile side.
function(glm_mlir_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES})
  glm_use_mlir(${name})
endfunction()

# glm_tablegen(NAME FILE.td OUTPUT FLAGS [OUTPUT FLAGS ...]): target NAME writes each OUTPUT beside the room in the build
# folder, so that it is included as "dialect/ModelOps.h.inc". FLAGS is one string, such as "-gen-dialect-decls -dialect=glm".
function(glm_tablegen name file)
  set(LLVM_TARGET_DEFINITIONS ${file})
  set(outputs)
  while(ARGN)
    list(POP_FRONT ARGN output flags)
    separate_arguments(flags NATIVE_COMMAND "${flags}")
    mlir_tablegen(${output} ${flags})
    list(APPEND outputs ${CMAKE_CURRENT_BINARY_DIR}/${output})
  endwhile()
  add_custom_target(${name} DEPENDS ${outputs})
endfunction()
