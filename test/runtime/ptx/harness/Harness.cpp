#include "test/runtime/ptx/harness/Harness.h"

#include "runtime/ptx/isa/Builder.h"
#include "runtime/ptx/text/Parser.h"
#include "test/runtime/ptx/harness/Coverage.h"

#include <bit>
#include <fmt/format.h>
#include <fstream>
#include <iostream>

namespace glm::ptx::test {
namespace {

constexpr std::string_view kPlace = "test.ptx";

Result<std::unique_ptr<Program>> decodeText(const std::string &text, std::string_view chipName,
                                            const FormTable &forms) {
  const Chip *chip = chipNamed(chipName);
  if (!chip)
    return Error{fmt::format("chip {} must exist, but found none", chipName)};
  Result<Module> module = parse(text, kPlace);
  if (!module)
    return module.error();
  return decode(std::move(*module), *chip, forms, kPlace);
}

/// The instructions that the newest launch's counters say were executed; a launch that was refused has none.
void recordCoverage(const Program &program, const Profile &profile) {
  nlohmann::json launches = profile.json()["launches"];
  if (launches.empty())
    return;
  const nlohmann::json &launch = launches.back();
  std::map<uint32_t, bool> executed;
  for (const nlohmann::json &line : launch["lines"])
    executed[line["line"].get<uint32_t>()] = true;
  for (const Function &function : program.module.functions)
    for (const Instruction &instruction : function.instructions)
      if (executed.contains(instruction.line))
        Coverage::instance().executed(instruction);
}

// Values of a LaneProgram enter and leave registers by instructions of the harness: input.TYPE r, port and output.TYPE port, r.
std::vector<std::vector<Value>> *portsOfInputs = nullptr, *portsOfOutputs = nullptr;

uint32_t threadOf(const Warp &warp, int lane) { return warp.index * kWarpSize + static_cast<uint32_t>(lane); }

Outcome inputPort(Warp &warp, const Op &op, LaneMask lanes) {
  const std::vector<Value> &values = (*portsOfInputs)[static_cast<size_t>(op.immediate)];
  for (; lanes; lanes &= lanes - 1) {
    int lane = std::countr_zero(lanes);
    Value value = values[threadOf(warp, lane) % values.size()];
    if (op.detail == 0)
      warp.setPredicate(op.slots[0], LaneMask{1} << lane, value.low ? ~0u : 0);
    else
      std::memcpy(warp.write<std::byte>(op.slots[0]) + size_t(lane) * op.detail, &value, op.detail);
  }
  return Outcome::Next;
}

Outcome outputPort(Warp &warp, const Op &op, LaneMask lanes) {
  std::vector<Value> &values = (*portsOfOutputs)[static_cast<size_t>(op.immediate)];
  for (; lanes; lanes &= lanes - 1) {
    int lane = std::countr_zero(lanes);
    Value &value = values[threadOf(warp, lane)];
    value = {};
    if (op.detail == 0)
      value.low = warp.predicate(op.slots[0]) >> lane & 1;
    else
      std::memcpy(&value, warp.read<std::byte>(op.slots[0]) + size_t(lane) * op.detail, op.detail);
  }
  return Outcome::Next;
}

template <bool isInput>
Result<void> buildPort(Builder &builder, const Match &match, Op &op) {
  Type type = match.type(0);
  Result<int64_t> port = builder.constant(isInput ? 1 : 0);
  if (!port)
    return port.error();
  Result<Slot> slot = isInput ? builder.destination(0, type, false) : builder.source(1, type, false);
  if (!slot)
    return slot.error();
  op.slots[0] = *slot;
  op.immediate = *port;
  op.detail = type == Type::Pred ? 0 : std::max(bitsOf(type), 16u) / 8;
  op.run = isInput ? inputPort : outputPort;
  return {};
}

const Form kPortForms[] = {
    {"input.(pred|b8|b16|b32|b64|b128)", Feature::Base, 10, OpClass::Other, buildPort<true>},
    {"output.(pred|b8|b16|b32|b64|b128)", Feature::Base, 10, OpClass::Other, buildPort<false>},
};

const FormTable &formsWithPorts() {
  static const FormTable table = [] {
    static std::vector<Form> all;
    for (const Form *form : instructionSet().all())
      all.push_back(*form);
    all.insert(all.end(), std::begin(kPortForms), std::end(kPortForms));
    static const std::array<std::span<const Form>, 1> tables = {all};
    return FormTable(tables);
  }();
  return table;
}

/// Registers of ports are untyped.
std::string_view portType(Type type) {
  switch (type == Type::Pred ? 1 : bitsOf(type)) {
  case 1:
    return "pred";
  case 8:
    return "b8";
  case 16:
    return "b16";
  case 32:
    return "b32";
  case 64:
    return "b64";
  default:
    return "b128";
  }
}

} // namespace

std::string moduleText(std::string_view text, std::string_view chip) {
  return fmt::format(".version 9.0\n.target {}\n.address_size 64\n{}", chip, text);
}

std::string refusal(const std::string &text, std::string_view chip) {
  Result<std::unique_ptr<Program>> program = decodeText(text, chip, instructionSet());
  return program ? "" : program.error().message;
}

TestModule::TestModule(std::string_view text, std::string_view chip) {
  Result<std::unique_ptr<Program>> program = decodeText(moduleText(text, chip), chip, instructionSet());
  if (!program) {
    ADD_FAILURE() << program.error().message;
    return;
  }
  Result<std::unique_ptr<LoadedModule>> module = LoadedModule::load(std::move(*program), *globals, 0);
  if (!module) {
    ADD_FAILURE() << module.error().message;
    return;
  }
  loaded = std::move(*module);
}

uint64_t TestModule::allocate(uint64_t bytes) {
  Result<uint64_t> address =
      globals->allocate(bytes, 256, Region::Kind::Device, 0, fmt::format("allocation of {} bytes", bytes));
  if (!address) {
    ADD_FAILURE() << address.error().message;
    return 0;
  }
  return *address;
}

std::optional<LaunchFault> TestModule::launchBytes(std::string_view kernel, LaunchConfig config,
                                                   const std::vector<std::vector<std::byte>> &arguments) {
  if (!loaded)
    return LaunchFault{LaunchFault::Kind::LaunchFailed, "module is not loaded"};
  std::optional<uint32_t> index = loaded->kernel(kernel);
  if (!index)
    return LaunchFault{LaunchFault::Kind::LaunchFailed, "no such kernel"};
  const Code &code = loaded->program().code[*index];
  const std::vector<Variable> &parameters = loaded->program().module.functions[*index].parameters;
  config.parameters.assign(code.parameterBytes, std::byte{0});
  for (size_t at = 0; at < arguments.size(); ++at) {
    if (at >= parameters.size() || arguments[at].size() != parameters[at].bytes)
      return LaunchFault{LaunchFault::Kind::LaunchFailed,
                         fmt::format("argument {} has another size than its parameter", at)};
    std::memcpy(config.parameters.data() + code.parameterOffset[at], arguments[at].data(), arguments[at].size());
  }
  std::optional<LaunchFault> fault = runLaunch(*loaded, *index, config, options, &profile);
  recordCoverage(loaded->program(), profile);
  return fault;
}

std::ostream &operator<<(std::ostream &out, const Value &value) {
  return out << (value.high ? fmt::format("{:#x}_{:016x}", value.high, value.low) : fmt::format("{:#x}", value.low));
}

void LaneProgram::input(Type type, std::vector<uint64_t> values) {
  std::vector<Value> wide;
  for (uint64_t value : values)
    wide.push_back({value, 0});
  input(type, std::move(wide));
}

void LaneProgram::input(Type type, std::vector<Value> values) { inputs.push_back({type, std::move(values)}); }

void LaneProgram::output(Type type, std::optional<uint64_t> initial) {
  outputs.push_back({type, {Value{initial.value_or(0), 0}}, initial.has_value()});
}

std::string LaneProgram::text(std::string_view body) const {
  std::string text = moduleScope + "\n.visible .entry lanes()\n{\n" + declarations + "\n";
  auto declare = [&](const char *kind, size_t index, Type type) {
    text += fmt::format(".reg .{} %{}{};\n", portType(type), kind, index);
  };
  for (size_t index = 0; index < inputs.size(); ++index) {
    declare("in", index, inputs[index].type);
    text += fmt::format("input.{} %in{}, {};\n", portType(inputs[index].type), index, index);
  }
  for (size_t index = 0; index < outputs.size(); ++index) {
    declare("out", index, outputs[index].type);
    if (outputs[index].initialized)
      text += fmt::format("input.{} %out{}, {};\n", portType(outputs[index].type), index, inputs.size() + index);
  }
  text += body;
  text += '\n';
  for (size_t index = 0; index < outputs.size(); ++index)
    text += fmt::format("output.{} {}, %out{};\n", portType(outputs[index].type), index, index);
  return moduleText(text + "exit;\n}\n", chip);
}

std::string LaneProgram::attempt(std::string_view body, Outputs &results) {
  // Also for text that is refused: tests look at lanes.
  results.assign(outputs.size(), std::vector<Value>(size_t{warps} * kWarpSize));
  Result<std::unique_ptr<Program>> program = decodeText(text(body), chip, formsWithPorts());
  if (!program)
    return program.error().message;
  GlobalMemory memory;
  Result<std::unique_ptr<LoadedModule>> module = LoadedModule::load(std::move(*program), memory, 0);
  if (!module)
    return module.error().message;
  std::vector<std::vector<Value>> given;
  for (const Port &port : inputs)
    given.push_back(port.values);
  for (const Port &port : outputs)
    given.push_back(port.values);
  portsOfInputs = &given;
  portsOfOutputs = &results;
  LaunchConfig config;
  config.block = {warps * kWarpSize, 1, 1};
  Profile profile;
  std::optional<LaunchFault> fault = runLaunch(**module, *(*module)->kernel("lanes"), config, options, &profile);
  recordCoverage((*module)->program(), profile);
  return fault ? fault->message : "";
}

Outputs LaneProgram::run(std::string_view body) {
  Outputs results;
  std::string message = attempt(body, results);
  EXPECT_EQ(message, "") << body;
  return results;
}

std::string LaneProgram::failure(std::string_view body) {
  Outputs results;
  return attempt(body, results);
}

int runTests(int argc, char **argv, std::span<const Form> forms) {
  std::string_view flag = "--coverage=", file;
  if (argc > 1 && std::string_view(argv[1]).starts_with(flag))
    file = std::string_view(argv[1]).substr(flag.size());
  ::testing::InitGoogleTest(&argc, argv);
  int status = RUN_ALL_TESTS();
  if (file.empty())
    return status;
  std::ofstream table{std::string(file)};
  for (const Form &form : forms) {
    const std::set<std::string> &tests = Coverage::instance().testsOf(form);
    table << form.pattern << '\t';
    for (const std::string &test : tests)
      table << ' ' << test;
    table << '\n';
    if (tests.empty()) {
      std::cerr << fmt::format("form {} must be executed by a test, but found none\n", form.pattern);
      status = 1;
    }
  }
  return status;
}

} // namespace glm::ptx::test
