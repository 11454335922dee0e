find_package(GTest REQUIRED)
include(GoogleTest)

# glm_ptx_tests(NAME ROOM SOURCES...): the tests of a room of runtime/ptx, one by one, and once together with the demand that
# they execute every form of the room. One of the sources has a main that calls runTests of Harness.h.
function(glm_ptx_tests name room)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE GlmTestPtxHarness)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})
  gtest_discover_tests(${name} TEST_PREFIX "runtime/ptx/${room}/" DISCOVERY_MODE PRE_TEST)
  add_test(NAME runtime/ptx/${room}/coverage COMMAND ${name} --coverage=${CMAKE_CURRENT_BINARY_DIR}/forms.tsv)
endfunction()
