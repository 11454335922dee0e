#include "frontend/glm-compile/CommandLine.h"

#include "codegen/target/Target.h"
#include "frontend/glm-compile/Suggest.h"
#include "frontend/glm-compile/Version.h"
#include "runtime/artifact/Streams.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Regex.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace glm {
namespace {

std::string listChips() {
  std::string text;
  for (const Chip &chip : knownChips())
    text += fmt::format("{:<12}{}\n", chip.name, chip.description);
  return text;
}

// CLI11 calls a check with the text and takes a message, or nothing for a good one; it puts `--flag: ` in front.

std::string checkChip(const std::string &name) {
  std::string message = explainUnknownChip(name).value_or("");
  llvm::StringRef rest = message;
  rest.consume_front("--target: ");
  return rest.str();
}

std::string checkExpression(const std::string &text) {
  std::string reason;
  bool valid = llvm::Regex(text).isValid(reason);
  return valid ? "" : fmt::format("value must be a regular expression, but found {} ({})", text, reason);
}

CLI::Validator oneOf(std::vector<std::string> words) {
  std::string list = fmt::format("{}", fmt::join(words, ", "));
  auto check = [words, list](std::string &text) {
    return llvm::is_contained(words, text) ? "" : fmt::format("value must be one of {}, but found {}", list, text);
  };
  return CLI::Validator(check, "");
}

CLI::Validator integer(int64_t least, int64_t most) {
  auto check = [least, most](std::string &text) {
    int64_t value;
    bool fits = llvm::to_integer(text, value, 10) && value >= least && value <= most;
    return fits ? "" : fmt::format("value must be an integer from {} to {}, but found {}", least, most, text);
  };
  return CLI::Validator(check, "");
}

/// "96GiB", "80GB", "1.5TiB": bytes, or nothing if it is no size.
std::optional<uint64_t> parseSize(llvm::StringRef text) {
  constexpr std::pair<llvm::StringLiteral, double> units[] = {{"MiB", 0x1p20}, {"MB", 1e6},     {"GiB", 0x1p30},
                                                              {"GB", 1e9},     {"TiB", 0x1p40}, {"TB", 1e12}};
  for (const auto &[unit, bytes] : units) {
    double number = 0;
    llvm::StringRef digits = text;
    if (digits.consume_back(unit) && llvm::to_float(digits, number) && number * bytes >= 1 && number * bytes < 0x1p60)
      return static_cast<uint64_t>(number * bytes);
  }
  return std::nullopt;
}

std::string checkSize(const std::string &text) {
  return parseSize(text) ? ""
                         : fmt::format("value must be a number of MiB, MB, GiB, GB, TiB or TB, but found {}", text);
}

std::string checkEpsilon(const std::string &text) {
  double value = 0;
  bool fits = llvm::to_float(text, value) && value > 0 && value < 1;
  return fits ? "" : fmt::format("value must be a number above 0 and below 1, but found {}", text);
}

void addModelFlags(CLI::App &app, CompileOptions &options) {
  app.add_option("--target", options.target, "chip to compile for (default: host); --list-targets names them")
      ->check(checkChip)
      ->type_name("CHIP");
  app.add_option("--activations", options.activations, "bf16 (default), f32 (exact: float32 throughout), nvfp4 (W4A4)")
      ->check(oneOf({"bf16", "f32", "nvfp4"}))
      ->type_name("TYPE");
  app.add_option("--precision", options.precision,
                 "checkpoint (default: what is stored), card, nvidia, or a file of rules")
      ->type_name("POLICY");
  app.add_option("--set", options.rules, "one more precision rule, PATTERN=TYPE; repeat it, later wins")
      ->allow_extra_args(false)
      ->type_name("RULE");
  app.add_option("--latent-norm-eps", options.latentNormEps,
                 "eps of q_a_layernorm and kv_a_layernorm (default: rms_norm_eps; transformers: 1e-6)")
      ->check(checkEpsilon)
      ->type_name("X");
  app.add_option("--max-model-len", options.maxModelLen,
                 "longest sequence (default: what the config allows, at most 32768)")
      ->check(integer(1, int64_t(1) << 24))
      ->type_name("N");
  app.add_option("--max-rows", options.maxRows, "most rows in one step (default: 64)")
      ->check(integer(1, 4096))
      ->type_name("N");
  app.add_option("--max-sequences", options.maxSequences, "most sequences at once (default: 8)")
      ->check(integer(1, 4096))
      ->type_name("N");
  app.add_option("--tensor-parallel", options.tensorParallel,
                 "ranks that share the weights (default: 1; more for --plan)")
      ->check(integer(1, 1024))
      ->type_name("N");
  app.add_option("--kv-cache", options.kvCache, "bf16, f32, fp8 (default: the type of the activations)")
      ->check(oneOf({"bf16", "f32", "fp8"}))
      ->type_name("TYPE");
}

void addOutputFlags(CLI::App &app, CompileOptions &options) {
  app.add_option("-o,--output", options.output, "artifact to write")->type_name("NAME.glm");
  app.add_option("--plan", options.plan, "print sizes and what fits (text or json), from headers alone; write nothing")
      ->check(oneOf({"text", "json"}))
      ->type_name("[=FORM]");
  app.add_option_function<std::string>(
         "--memory", [&options](const std::string &text) { options.memory = parseSize(text); },
         "of each device, for --plan: finds the largest context (96GiB, 80GB)")
      ->check(checkSize)
      ->type_name("SIZE");
  app.add_option("--print-precision", options.printPrecision,
                 "print the table of stored and computed types (text or json), write nothing")
      ->check(oneOf({"text", "json"}))
      ->type_name("[=FORM]");
  app.add_option("--stop-after", options.stopAfter, "print the IR after a phase: model, kernel, plan; write nothing")
      ->check(oneOf({"model", "kernel", "plan"}))
      ->type_name("PHASE");
  app.add_option("--dump", options.dump, "folder for one numbered file per phase, and LLVM IR and assembly per kernel")
      ->type_name("DIR");
  app.add_option("--kernels", options.kernels, "fast (default), or plain: the meaning of each kernel, to compare with")
      ->check(oneOf({"fast", "plain"}))
      ->type_name("KIND");
  app.add_flag("!--no-cubin", options.cubin,
               "for a GPU: PTX alone, which the driver compiles when it loads; needs no ptxas");
  app.add_option("-j,--threads", options.threads, "kernels compiled at once (default: processors)")
      ->check(integer(1, 1024))
      ->type_name("N");
  app.add_flag("--mlir-timing", options.timing, "report where time and memory went, by phase and pass, on stderr");
  app.add_option("--remarks-missed", options.remarks,
                 "print why fusions did not happen, for passes that match an expression (default: all)")
      ->check(checkExpression)
      ->type_name("[=REGEX]");
}

/// The words of the command line, last first as CLI11 takes them. A flag whose value may be left out takes it behind `=` only:
/// in `--print-precision MODEL_DIR` the folder is no value.
std::vector<std::string> readWords(int argc, char **argv) {
  std::vector<std::string> words;
  for (const char *word : llvm::reverse(llvm::ArrayRef(argv, argc).drop_front(argc > 0))) {
    words.emplace_back(word);
    if (words.back() == "--print-precision" || words.back() == "--plan")
      words.back() += "=text";
    else if (words.back() == "--remarks-missed")
      words.back() += "=.*";
  }
  return words;
}

/// What CLI11 says about values is ours already; its own sentences follow the grammar of all messages.
std::string explain(const CLI::App &app, const CLI::ParseError &error) {
  if (dynamic_cast<const CLI::ValidationError *>(&error))
    return error.what();
  if (!dynamic_cast<const CLI::ExtrasError *>(&error))
    return fmt::format("glm-compile: {}", error.what());
  std::vector<std::string> flags;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      flags.push_back("--" + name);
  std::vector<std::string> unknown = app.remaining();
  for (const std::string &word : unknown)
    if (word.starts_with("-"))
      return explainUnknownFlag(word, flags);
  return fmt::format("glm-compile: there must be one MODEL_DIR, but found {} too", fmt::join(unknown, " "));
}

/// What must be there, but depends on other flags.
void checkPresence(const CompileOptions &options) {
  if (options.model.empty())
    throw CLI::RequiredError("MODEL_DIR");
  if (options.writesArtifact() && options.output.empty())
    throw CLI::RequiredError("-o NAME.glm");
  if (!options.plan.empty() + !options.printPrecision.empty() + !options.stopAfter.empty() > 1)
    throw CLI::ValidationError("glm-compile",
                               "there must be one of --plan, --print-precision and --stop-after, but found more");
  if (options.memory && options.plan.empty())
    throw CLI::ValidationError("--memory", "flag must stand beside --plan, but found it without");
}

} // namespace

CommandLine parseCommandLine(int argc, char **argv) {
  CommandLine line;
  CLI::App app("Compile a GLM-5.2 checkpoint ahead of time.", "glm-compile");
  app.set_version_flag("--version", versionText());
  bool listTargets = false;
  app.add_option("MODEL_DIR", line.options.model, "Hugging Face folder: config.json and safetensors")->type_name(" ");
  app.add_flag("--list-targets", listTargets, "print the chips and stop");
  addModelFlags(app, line.options);
  addOutputFlags(app, line.options);
  try {
    app.parse(readWords(argc, argv));
    if (!listTargets)
      checkPresence(line.options);
  } catch (const CLI::Success &wanted) {
    line.exitCode = app.exit(wanted); // --help, --version
    return line;
  } catch (const CLI::ParseError &error) {
    // CLI11 numbers its errors; scripts are promised 2 for usage.
    printTalk("error: {}\n", explain(app, error));
    line.exitCode = 2;
    return line;
  }
  if (listTargets) {
    writeResult(listChips());
    line.exitCode = 0;
  }
  return line;
}

} // namespace glm
