#include "test/runtime/ptx/async/Kernel.h"

#include "runtime/ptx/async/Forms.h"
#include "runtime/ptx/instructions/InstructionSet.h"
#include "runtime/ptx/text/Parser.h"

#include <cstring>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>

namespace glm::ptx::test {

namespace {

GlobalMemory &memory() {
  static GlobalMemory all;
  return all;
}

std::set<const Form *> &formsThatRan() {
  static std::set<const Form *> forms;
  return forms;
}

std::string moduleText(std::string_view body, std::string_view target, std::string_view version) {
  return fmt::format(R"(.version {}
.target {}
.address_size 64
.visible .entry k(.param .u64 a0, .param .u64 a1, .param .u64 a2, .param .u64 a3,
                  .param .align 64 .b8 m0[128], .param .align 64 .b8 m1[128])
{{
  .reg .pred %p<8>;
  .reg .b16 %h<8>;
  .reg .b32 %r<64>;
  .reg .b64 %d<64>;
  .reg .f32 %f<8>;
  .reg .b128 %q<4>;
  .shared .align 1024 .b8 smem[16384];
  .shared .align 8 .b64 bars[8];
  ld.param.u64 %d0, [a0];
  ld.param.u64 %d1, [a1];
  ld.param.u64 %d2, [a2];
  ld.param.u64 %d3, [a3];
  mov.b64 %d4, m0;
  cvta.param.u64 %d4, %d4;
  mov.b64 %d5, m1;
  cvta.param.u64 %d5, %d5;
  mov.u32 %r0, %tid.x;
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %cluster_ctarank;
  mov.u32 %r3, smem;
  mov.u32 %r4, bars;
{}
  ret;
}}
)",
                     version, target, body);
}

Result<std::unique_ptr<Program>> load(std::string_view body, std::string_view target, std::string_view version) {
  Result<Module> module = parse(moduleText(body, target, version), "test.ptx");
  if (!module)
    return module.error();
  return decode(std::move(*module), *chipNamed(target), instructionSet(), "test.ptx");
}

/// The row of this room's table that each instruction has; those of other rooms are not counted.
void noteForms(const Module &module) {
  for (const Function &function : module.functions)
    for (const Instruction &instruction : function.instructions)
      for (const Form &form : asyncForms())
        if (matchPattern(form.pattern, instruction)) {
          formsThatRan().insert(&form);
          break;
        }
}

/// A run of the whole executable has run every row of the table.
class Coverage : public ::testing::Environment {
public:
  void TearDown() override {
    if (::testing::GTEST_FLAG(filter) != "*")
      return;
    for (const Form &form : asyncForms())
      EXPECT_TRUE(formsThatRan().contains(&form)) << "no test ran the form " << form.pattern;
  }
};
const auto *const kCoverage = ::testing::AddGlobalTestEnvironment(new Coverage);

} // namespace

Memory::Memory(uint64_t size) : bytes(size) {
  Result<uint64_t> allocated = memory().allocate(size, 256, Region::Kind::Device, 0, fmt::format("{} bytes", size));
  EXPECT_TRUE(allocated);
  start = *allocated;
}

Memory::~Memory() { memory().release(start); }

std::string run(std::string_view body, const Shape &shape, const Arguments &arguments, std::string_view target) {
  Result<std::unique_ptr<Program>> program = load(body, target, "9.0");
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return program.error().message;
  }
  noteForms((*program)->module);
  Result<std::unique_ptr<LoadedModule>> module =
      LoadedModule::load(std::shared_ptr<const Program>(std::move(*program)), memory(), 0);
  if (!module) {
    ADD_FAILURE() << module.error().message;
    return module.error().message;
  }
  LaunchConfig config;
  config.grid = {shape.grid, 1, 1};
  config.block = {shape.block, 1, 1};
  config.cluster = {shape.cluster, 1, 1};
  const Code &code = (*module)->program().code[*(*module)->kernel("k")];
  config.parameters.resize(code.parameterBytes);
  for (size_t i = 0; i < 4; ++i)
    std::memcpy(config.parameters.data() + code.parameterOffset[i], &arguments.values[i], 8);
  for (size_t i = 0; i < 2; ++i)
    std::memcpy(config.parameters.data() + code.parameterOffset[4 + i], arguments.maps[i].data(), kTensorMapBytes);
  Options options;
  options.checks = shape.checks;
  options.threads = shape.threads;
  options.stepLimit = 50'000'000;
  std::optional<LaunchFault> fault = runLaunch(**module, *(*module)->kernel("k"), config, options, nullptr);
  return fault ? fault->message : "";
}

std::string refusal(std::string_view body, std::string_view target, std::string_view version) {
  Result<std::unique_ptr<Program>> program = load(body, target, version);
  return program ? "" : program.error().message;
}

std::array<std::byte, kTensorMapBytes> encoded(const TensorMap &map) {
  std::array<std::byte, kTensorMapBytes> bytes{};
  TiledArguments arguments{static_cast<uint32_t>(map.type),    map.rank,
                           map.globalAddress,                  map.dims.data(),
                           map.strides.data(),                 map.box.data(),
                           map.elementStrides.data(),          0,
                           static_cast<uint32_t>(map.swizzle), map.l2Promotion,
                           map.fillNan ? 1u : 0u};
  Result<void> result = encodeTiled(arguments, bytes);
  EXPECT_TRUE(result) << result.error().message;
  return bytes;
}

std::string waitFor(std::string_view barrier, std::string_view parity, std::string_view name) {
  return fmt::format(R"(
wait_{0}:
  mbarrier.try_wait.parity.shared::cta.b64 %p7, [{1}], {2};
  @!%p7 bra wait_{0};
)",
                     name, barrier, parity);
}

} // namespace glm::ptx::test
