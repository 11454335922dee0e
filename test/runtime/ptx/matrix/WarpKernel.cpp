#include "test/runtime/ptx/matrix/WarpKernel.h"

#include <fmt/format.h>

namespace glm::ptx::test {

namespace {

bool isWide(const std::string &type) { return type.ends_with("64"); }
std::string bitsType(const std::string &type) { return isWide(type) ? "b64" : type.ends_with("16") ? "b16" : "b32"; }

} // namespace

WarpKernel::WarpKernel(std::string_view chip, std::vector<std::string> inputTypes, std::vector<std::string> outputTypes,
                       std::string body)
    : chip(chip), inputTypes(std::move(inputTypes)), outputTypes(std::move(outputTypes)), body(std::move(body)) {}

std::string WarpKernel::text() const {
  // Every register of a set takes 32 places of 8 bytes.
  std::string text = ".visible .entry k(.param .u64 inputs, .param .u64 outputs)\n{\n"
                     ".reg .b64 %from, %to, %set;\n.reg .b32 %lane, %block;\n";
  for (size_t i = 0; i < inputTypes.size(); ++i)
    text += fmt::format(".reg .{} %in{};\n", inputTypes[i], i);
  for (size_t i = 0; i < outputTypes.size(); ++i)
    text += fmt::format(".reg .{} %out{};\n", outputTypes[i], i);
  text += fmt::format("ld.param.u64 %from, [inputs];\nld.param.u64 %to, [outputs];\nmov.u32 %lane, %tid.x;\n"
                      "mov.u32 %block, %ctaid.x;\nmul.wide.u32 %set, %block, {};\nadd.u64 %from, %from, %set;\n"
                      "mul.wide.u32 %set, %block, {};\nadd.u64 %to, %to, %set;\nmul.wide.u32 %set, %lane, 8;\n"
                      "add.u64 %from, %from, %set;\nadd.u64 %to, %to, %set;\n",
                      inputTypes.size() * 256, outputTypes.size() * 256);
  for (size_t i = 0; i < inputTypes.size(); ++i)
    text += fmt::format("ld.global.{} %in{}, [%from+{}];\n", bitsType(inputTypes[i]), i, i * 256);
  text += body + "\n";
  for (size_t i = 0; i < outputTypes.size(); ++i)
    text += fmt::format("st.global.{} [%to+{}], %out{};\n", bitsType(outputTypes[i]), i * 256, i);
  return text + "ret;\n}\n";
}

std::vector<RegisterSet> WarpKernel::run(const std::vector<RegisterSet> &sets) {
  std::vector<RegisterSet> results;
  TestModule module(text(), chip);
  if (!module)
    return results;
  std::vector<uint64_t> flat;
  for (const RegisterSet &set : sets)
    for (const Register &lanes : set)
      flat.insert(flat.end(), lanes.begin(), lanes.end());
  if (flat.empty())
    flat.resize(1);
  uint64_t from = module.upload(flat);
  uint64_t to = module.allocate(sets.size() * std::max<size_t>(outputTypes.size(), 1) * 256);
  std::memset(reinterpret_cast<void *>(to), 0, sets.size() * outputTypes.size() * 256);
  LaunchConfig config;
  config.grid = {static_cast<uint32_t>(sets.size()), 1, 1};
  config.block = {32, 1, 1};
  std::optional<LaunchFault> fault = module.launch("k", config, from, to);
  EXPECT_FALSE(fault) << fault->message << "\n" << text();
  std::vector<uint64_t> out = module.download<uint64_t>(to, sets.size() * outputTypes.size() * 32);
  results.resize(sets.size(), RegisterSet(outputTypes.size()));
  size_t next = 0;
  for (RegisterSet &set : results)
    for (Register &lanes : set)
      for (uint64_t &value : lanes)
        value = out[next++];
  return results;
}

std::string WarpKernel::failure(const RegisterSet &set) {
  std::string refused = refusal(moduleText(text(), chip), chip);
  if (!refused.empty())
    return refused;
  TestModule module(text(), chip);
  std::vector<uint64_t> flat(1);
  for (const Register &lanes : set)
    flat.insert(flat.end(), lanes.begin(), lanes.end());
  flat.erase(flat.begin());
  uint64_t from = module.upload(flat), to = module.allocate(std::max<size_t>(outputTypes.size(), 1) * 256);
  LaunchConfig config;
  config.block = {32, 1, 1};
  return module.faultOf("k", config, from, to);
}

std::string vectorOf(std::string_view name, int first, int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i)
    text += fmt::format("{}{}{}", i ? ", " : "", name, first + i);
  return text + "}";
}

} // namespace glm::ptx::test
