#include "runtime/ptx/machine/Profile.h"

#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <map>

namespace glm::ptx {
namespace {

using Json = nlohmann::json;

std::string spelling(const Instruction &instruction) {
  std::string text(instruction.mnemonic);
  for (std::string_view modifier : instruction.modifiers) {
    text += '.';
    text += modifier;
  }
  return text;
}

Json counts(const LineCounters &line) {
  return {{"warp_instructions", line.executed},
          {"lane_instructions", line.lanes},
          {"global_bytes_read", line.bytesRead},
          {"global_bytes_written", line.bytesWritten},
          {"global_sectors_read", line.sectorsRead},
          {"global_sectors_written", line.sectorsWritten},
          {"shared_bytes", line.sharedBytes},
          {"shared_wavefronts", line.wavefronts},
          {"shared_wavefronts_ideal", line.idealWavefronts},
          {"waits", line.waits}};
}

} // namespace

std::string_view nameOf(OpClass opClass) {
  switch (opClass) {
  case OpClass::Integer:
    return "integer";
  case OpClass::Float:
    return "float";
  case OpClass::Convert:
    return "convert";
  case OpClass::Move:
    return "move";
  case OpClass::Load:
    return "load";
  case OpClass::Store:
    return "store";
  case OpClass::Atomic:
    return "atomic";
  case OpClass::Matrix:
    return "matrix";
  case OpClass::Async:
    return "async";
  case OpClass::Barrier:
    return "barrier";
  case OpClass::Collective:
    return "collective";
  case OpClass::Control:
    return "control";
  case OpClass::Other:
    return "other";
  }
  return "other";
}

void Profile::add(const LoadedModule &module, uint32_t kernel, const LaunchConfig &config,
                  const LaunchCounters &counters) {
  const Program &program = module.program();
  LineCounters total;
  std::map<std::string, uint64_t> classes, matrix;
  Json lines = Json::array();
  uint64_t barrierWaits = 0;
  for (size_t function = 0; function < program.code.size(); ++function) {
    const Code &code = program.code[function];
    // An instruction may be several ops: what was executed is that of one of them, the rest adds up.
    for (size_t first = 0; first < code.ops.size();) {
      const Op &op = code.ops[first];
      LineCounters line = counters.lines[function][first];
      size_t next = first + 1;
      OpClass opClass = op.opClass;
      for (; next < code.ops.size() && code.ops[next].instruction == op.instruction; ++next) {
        LineCounters more = counters.lines[function][next];
        more.executed = 0;
        more.lanes = 0;
        line.add(more);
        opClass = code.ops[next].opClass;
      }
      first = next;
      if (!line.executed || op.instruction >= code.function->instructions.size())
        continue;
      total.add(line);
      const Instruction &instruction = code.function->instructions[op.instruction];
      classes[std::string(nameOf(opClass))] += line.executed;
      if (opClass == OpClass::Matrix)
        matrix[spelling(instruction)] += line.executed;
      if (opClass == OpClass::Barrier)
        barrierWaits += line.waits;
      Json entry = counts(line);
      entry["line"] = op.line;
      entry["function"] = code.function->name;
      entry["instruction"] = spelling(instruction);
      entry["class"] = nameOf(opClass);
      if (instruction.sourceFile) {
        entry["source_file"] = program.module.files[instruction.sourceFile - 1];
        entry["source_line"] = instruction.sourceLine;
      }
      lines.push_back(std::move(entry));
    }
  }
  Json launch = counts(total);
  launch["kernel"] = program.module.functions[kernel].name;
  launch["module"] = program.place;
  launch["grid"] = config.grid;
  launch["block"] = config.block;
  launch["cluster"] = config.cluster;
  launch["dynamic_shared_bytes"] = config.dynamicShared;
  launch["blocks"] = counters.blocks;
  launch["global_unique_bytes_read"] = counters.sectorsRead.count() * kSectorBytes;
  launch["global_unique_bytes_written"] = counters.sectorsWritten.count() * kSectorBytes;
  launch["classes"] = classes;
  launch["matrix"] = matrix;
  launch["barrier_waits"] = barrierWaits;
  launch["lines"] = std::move(lines);
  std::lock_guard lock(mutex);
  launches.push_back(std::move(launch));
}

nlohmann::json Profile::json() const {
  std::lock_guard lock(mutex);
  return {{"version", 1}, {"launches", launches}};
}

Result<void> Profile::write(const std::string &path) const {
  std::ofstream file(path);
  file << json().dump(1) << '\n';
  file.close();
  if (!file)
    return Error{fmt::format("{}: profile must be writable, but found {}", path, std::strerror(errno))};
  return {};
}

} // namespace glm::ptx
