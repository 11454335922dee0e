#include "runtime/artifact/Streams.h"
#include "runtime/ptx/glm-ptx/Commands.h"
#include "runtime/ptx/glm-ptx/Text.h"
#include "runtime/ptx/instructions/InstructionSet.h"
#include "runtime/ptx/isa/Program.h"
#include "runtime/ptx/text/Parser.h"

#include <nlohmann/json.hpp>

namespace glm::ptx {
namespace {

nlohmann::ordered_json describe(const Program &program, uint32_t index) {
  const Code &code = program.code[index];
  const Function &function = *code.function;
  nlohmann::ordered_json kernel;
  kernel["kernel"] = function.name;
  kernel["parameters"] = function.parameters.size();
  kernel["parameter_bytes"] = code.parameterBytes;
  kernel["shared_bytes"] = sharedLayout(program, index).bytes;
  kernel["local_bytes"] = code.localBytes;
  kernel["registers"] = function.registers.size();
  kernel["instructions"] = function.instructions.size();
  if (function.requiredThreads[0])
    kernel["required_threads"] = function.requiredThreads;
  if (function.maxThreads[0])
    kernel["max_threads"] = function.maxThreads;
  if (function.requiredCluster[0])
    kernel["required_cluster"] = function.requiredCluster;
  return kernel;
}

void print(const nlohmann::ordered_json &report) {
  printResult("{}: PTX {} for {}, loads on {}\n", report["file"].get<std::string>(),
              report["ptx_version"].get<std::string>(), report["target"].get<std::string>(),
              report["chip"].get<std::string>());
  if (report["kernels"].empty())
    return;
  printResult("{:>10} {:>8} {:>8} {:>9} {:>12}  {}\n", "parameters", "shared", "local", "registers", "instructions",
              "kernel");
  for (const nlohmann::ordered_json &kernel : report["kernels"])
    printResult("{:>10} {:>8} {:>8} {:>9} {:>12}  {}\n", kernel["parameters"].get<uint64_t>(),
                kernel["shared_bytes"].get<uint64_t>(), kernel["local_bytes"].get<uint64_t>(),
                kernel["registers"].get<uint64_t>(), kernel["instructions"].get<uint64_t>(),
                kernel["kernel"].get<std::string>());
}

} // namespace

Result<void> checkCommand(const CheckOptions &options) {
  Result<std::string> text = readText(options.file);
  if (!text)
    return text.error();
  std::string place = options.file.string();
  Result<Module> module = parse(std::move(*text), place);
  if (!module)
    return module.error();
  Result<const Chip *> chip = chooseChip(options.chip, module->target);
  if (!chip)
    return chip.error();
  Result<std::unique_ptr<Program>> program = decode(std::move(*module), **chip, instructionSet(), place);
  if (!program)
    return program.error();
  const Module &decoded = (*program)->module;
  nlohmann::ordered_json report = {{"file", place},
                                   {"ptx_version", fmt::format("{}.{}", decoded.versionMajor, decoded.versionMinor)},
                                   {"target", decoded.target},
                                   {"chip", (*chip)->name},
                                   {"kernels", nlohmann::ordered_json::array()}};
  for (uint32_t index = 0; index < decoded.functions.size(); ++index)
    if (decoded.functions[index].isEntry && decoded.functions[index].isDefined)
      report["kernels"].push_back(describe(**program, index));
  if (options.json)
    printResult("{}\n", report.dump(2));
  else
    print(report);
  return {};
}

} // namespace glm::ptx
