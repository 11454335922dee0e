#include "frontend/glm-compile/CommandLine.h"

#include "codegen/target/Target.h"
#include "frontend/glm-compile/Version.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <iostream>

namespace glm {
namespace {

std::string listChips() {
  std::string text;
  for (const Chip &chip : knownChips())
    text += fmt::format("{:<12}{}{}\n", chip.name, chip.description, chip.compiles ? "" : " (not in this version)");
  return text;
}

/// CLI11 calls a check with the text and takes a message, or nothing for a good one.
std::string checkChip(const std::string &name) { return explainUnknownChip(name).value_or(""); }

void addModelFlags(CLI::App &app, CompileOptions &options) {
  app.add_option("--target", options.target, "chip to compile for; --list-targets names them")->check(checkChip)->type_name("CHIP");
  app.add_option("--activations", options.activations, "bf16, f32 (exact: float32 throughout) or nvfp4")
      ->check(CLI::IsMember({"bf16", "f32", "nvfp4"}));
  app.add_option("--precision", options.precision, "checkpoint (what is stored), card, nvidia, or a file of rules")->type_name("POLICY");
  app.add_option("--set", options.rules, "one more rule, PATTERN=TYPE; repeat it, later wins")->type_name("RULE");
  app.add_option("--latent-norm-eps", options.latentNormEps, "eps of q_a_layernorm and kv_a_layernorm (default: rms_norm_eps; transformers: 1e-6)")
      ->check(CLI::PositiveNumber);
  app.add_option("--max-model-len", options.maxModelLen, "longest sequence (default: what the config allows, at most 32768)")
      ->check(CLI::Range(int64_t(1), int64_t(1) << 24));
  app.add_option("--max-rows", options.maxRows, "most rows in one step")->check(CLI::Range(int64_t(1), int64_t(4096)));
  app.add_option("--max-sequences", options.maxSequences, "most sequences at once")->check(CLI::Range(int64_t(1), int64_t(4096)));
  app.add_option("--kv-cache", options.kvCache, "bf16 (f32 under --activations=f32) or fp8")->check(CLI::IsMember({"bf16", "f32", "fp8"}));
}

void addOutputFlags(CLI::App &app, CompileOptions &options) {
  app.add_option("-o,--output", options.output, "artifact to write")->type_name("NAME.glm");
  app.add_option("--print-precision", options.printPrecision, "print the table of stored and computed types (text or json), write nothing")
      ->expected(0, 1)
      ->default_str("text")
      ->check(CLI::IsMember({"text", "json"}));
  app.add_option("--stop-after", options.stopAfter, "print the IR after a phase, write nothing")->check(CLI::IsMember({"model", "kernel", "plan"}));
  app.add_option("--dump", options.dump, "folder for one numbered file per phase, and LLVM IR and assembly per kernel")->type_name("DIR");
  app.add_option("--kernels", options.kernels, "fast, or plain: the meaning of each kernel, to compare with")->check(CLI::IsMember({"fast", "plain"}));
  app.add_option("-j,--threads", options.threads, "kernels compiled at once (default: processors)")->check(CLI::Range(int64_t(1), int64_t(1024)));
  app.add_option("--remarks-missed", options.remarks, "print remarks of fusions that did not happen whose category matches this expression (default: all)")
      ->expected(0, 1)
      ->default_str(".*")
      ->type_name("REGEX");
}

} // namespace

CommandLine parseCommandLine(int argc, char **argv) {
  CommandLine line;
  CLI::App app("Compile a GLM-5.2 checkpoint ahead of time.", "glm-compile");
  app.set_version_flag("--version", versionText());
  bool listTargets = false;
  app.add_option("MODEL_DIR", line.options.model, "Hugging Face folder: config.json and safetensors");
  app.add_flag("--list-targets", listTargets, "print the chips and stop");
  addModelFlags(app, line.options);
  addOutputFlags(app, line.options);
  try {
    app.parse(argc, argv);
    bool writes = line.options.printPrecision.empty() && line.options.stopAfter.empty() && !listTargets;
    if (line.options.model.empty() && !listTargets)
      throw CLI::RequiredError("MODEL_DIR");
    if (writes && line.options.output.empty())
      throw CLI::RequiredError("-o NAME.glm");
  } catch (const CLI::ParseError &error) {
    // CLI11 numbers its errors; scripts are promised 2 for usage.
    line.exitCode = app.exit(error) == 0 ? 0 : 2;
    return line;
  }
  if (listTargets) {
    std::cout << listChips();
    line.exitCode = 0;
  }
  return line;
}

} // namespace glm
