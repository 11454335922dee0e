#include "frontend/glm-compile/Compile.h"

#include "codegen/emit/Emit.h"
#include "codegen/pipeline/Pipeline.h"
#include "codegen/target/Target.h"
#include "codegen/x86/HostLibrary.h"
#include "frontend/config/Precision.h"
#include "frontend/glm-compile/Phases.h"
#include "frontend/glm-compile/Version.h"
#include "frontend/import/Import.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>
#include <iostream>
#include <thread>

using namespace mlir;

namespace glm {
namespace {

/// Most positions that nobody asked for: caches of a longer default would surprise.
constexpr int64_t kDefaultPositions = 32768;
constexpr int64_t kPageSize = 64;

/// Everything that is known about a model folder before any IR exists.
struct Model {
  ModelConfig config;
  Checkpoint checkpoint;
  StoredTensors stored;
  std::vector<PrecisionRule> rules;
  std::vector<PrecisionRow> precision;
  std::vector<std::string> warnings;
};

Result<PrecisionRule> parseRule(const std::string &text) {
  size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    return Error{fmt::format("--set: rule must be PATTERN=TYPE, but found {}", text)};
  PrecisionRule rule;
  rule.pattern = text.substr(0, equals);
  rule.type = text.substr(equals + 1);
  rule.source = "--set";
  return rule;
}

Result<Model> readModel(const CompileOptions &options) {
  Model model;
  auto config = readModelConfig(options.model, model.warnings);
  if (!config)
    return config.error();
  model.config = std::move(*config);
  if (options.latentNormEps)
    model.config.latentNormEps = *options.latentNormEps;
  auto checkpoint = Checkpoint::open(options.model);
  if (!checkpoint)
    return checkpoint.error();
  model.checkpoint = std::move(*checkpoint);
  auto stored = readStoredTensors(model.config, model.checkpoint);
  if (!stored)
    return stored.error();
  model.stored = std::move(*stored);
  auto quantization = readQuantizationConfig(options.model);
  if (!quantization)
    return quantization.error();
  auto rules = policyRules(options.precision, model.config, *quantization);
  if (!rules)
    return rules.error();
  model.rules = std::move(*rules);
  for (const std::string &text : options.rules) {
    auto rule = parseRule(text);
    if (!rule)
      return rule.error();
    model.rules.push_back(std::move(*rule));
  }
  auto table = applyPrecision(model.stored, model.rules, *quantization, model.warnings);
  if (!table)
    return table.error();
  model.precision = std::move(*table);
  return model;
}

Result<void> checkOptions(const CompileOptions &options, const ModelConfig &config) {
  if (options.activations == "nvfp4")
    return Error{"--activations: nvfp4 needs a chip with block-scaled products, but found an x86-64 target"};
  if (!options.kvCache.empty() && options.kvCache != options.activations)
    return Error{fmt::format("--kv-cache: type must be that of the activations, {}, in this version, but found {}", options.activations, options.kvCache)};
  if (options.maxModelLen && *options.maxModelLen > config.maxPositions)
    return Error{fmt::format("--max-model-len: length must be at most max_position_embeddings {}, but found {}", config.maxPositions, *options.maxModelLen)};
  return {};
}

/// Buckets a factor of 8 apart: a chip that computes whole tiles wastes little, and there are few programs.
std::vector<int64_t> rowBuckets(int64_t most) {
  std::vector<int64_t> rows;
  for (int64_t bucket = 1; bucket < most; bucket *= 8)
    rows.push_back(bucket);
  rows.push_back(most);
  return rows;
}

ArrayAttr precisionAttr(MLIRContext &context, const CompileOptions &options, const std::vector<PrecisionRule> &rules) {
  SmallVector<Attribute> list;
  for (const PrecisionRule &rule : rules) {
    std::string pattern = rule.spelling == PrecisionRule::Spelling::Regex ? "re:" + rule.pattern : rule.pattern;
    list.push_back(RuleAttr::get(&context, RuleSubject::Weights, pattern, rule.type, rule.source));
  }
  list.push_back(RuleAttr::get(&context, RuleSubject::Activations, "*", options.activations, "--activations"));
  return ArrayAttr::get(&context, list);
}

ImportOptions importOptions(MLIRContext &context, const CompileOptions &options, const Model &model) {
  ImportOptions import;
  import.rows = rowBuckets(options.maxRows);
  import.sequences = options.maxSequences;
  import.positions = options.maxModelLen.value_or(std::min(model.config.maxPositions, kDefaultPositions));
  import.pageSize = kPageSize;
  import.precision = precisionAttr(context, options, model.rules);
  return import;
}

/// What the plan does not know.
Manifest describe(const CompileOptions &options, const Model &model) {
  Manifest facts;
  facts.producer = producerText();
  facts.activations = options.activations;
  facts.layers = model.config.layers;
  facts.vocab_size = model.config.vocabSize;
  facts.experts = model.config.experts;
  facts.experts_per_token = model.config.expertsPerToken;
  facts.eos_token_ids = model.config.eosTokenIds;
  facts.temperature = model.config.temperature;
  facts.top_p = model.config.topP;
  facts.top_k = model.config.topK;
  facts.checkpoint = std::filesystem::absolute(options.model).lexically_normal().string();
  for (const SafetensorsFile &file : model.checkpoint.files())
    facts.files.push_back({file.path().filename().string(), file.bytes(), file.headerHash()});
  facts.precision = model.precision;
  return facts;
}

void printPrecision(const CompileOptions &options, const Model &model) {
  std::cout << (options.printPrecision == "json" ? precisionJson(model.precision) : precisionText(model.precision));
}

Result<void> compileModel(const CompileOptions &options, const Model &model) {
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry);
  context.loadAllAvailableDialects();
  ErrorCollector errors(context);
  auto target = makeTarget(&context, options.target);
  if (!target)
    return target.error();
  ImportOptions import = importOptions(context, options, model);
  OwningOpRef<ModuleOp> module = importModel(context, model.config, model.stored, import);
  if (!module)
    return errors.first("importing the model");
  (*module)->setAttr(kTargetAttr, *target);
  PhaseRunner phases(*module, options, errors);
  if (auto result = phases.run(); !result || phases.stopped())
    return result;

  unsigned threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  auto writeLibrary = [&](const std::filesystem::path &path) { return writeHostLibrary(*module, *target, {threads, options.dump}, path); };
  return emitArtifact(*module, describe(options, model), writeLibrary, options.output);
}

} // namespace

Result<void> compile(const CompileOptions &options) {
  auto model = readModel(options);
  if (!model)
    return model.error();
  for (const std::string &warning : model->warnings)
    fmt::print(stderr, "warning: {}\n", warning);
  if (!options.printPrecision.empty()) {
    printPrecision(options, *model);
    return {};
  }
  if (auto checked = checkOptions(options, model->config); !checked)
    return checked;
  return compileModel(options, *model);
}

} // namespace glm
