#include "runtime/ptx/arithmetic/Forms.h"
#include "test/runtime/ptx/harness/Harness.h"

int main(int argc, char **argv) { return glm::ptx::test::runTests(argc, argv, glm::ptx::arithmeticForms()); }
