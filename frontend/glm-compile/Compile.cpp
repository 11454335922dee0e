#include "frontend/glm-compile/Compile.h"

#include "codegen/emit/ArtifactFolder.h"
#include "codegen/emit/Emit.h"
#include "codegen/nvptx/GpuCode.h"
#include "codegen/pipeline/Pipeline.h"
#include "codegen/target/Target.h"
#include "codegen/x86/HostLibrary.h"
#include "frontend/glm-compile/Inspect.h"
#include "frontend/glm-compile/Model.h"
#include "frontend/glm-compile/Phases.h"
#include "frontend/glm-compile/Progress.h"
#include "frontend/glm-compile/Version.h"
#include "frontend/import/Import.h"
#include "frontend/plan/CacheLayout.h"
#include "runtime/artifact/Message.h"
#include "runtime/artifact/Streams.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>
#include <thread>

using namespace mlir;

namespace glm {
namespace {

/// Activations in NVFP4: what the chip must have, and what the checkpoint.
Result<void> checkQuantizedInputs(const CompileOptions &options, const Model &model) {
  MLIRContext context;
  context.loadDialect<GlmDialect>();
  auto targets = makeTargets(&context, options.target);
  if (!targets)
    return targets.error();
  if (!hasBlockScaledMma(targets->back()))
    return Error{fmt::format("--activations: nvfp4 needs a chip whose mma.sync takes block scales ({}), but found {}",
                             chipsWithBlockScaledMma(), options.target)};
  int64_t packed = 0, scaled = 0;
  for (const StoredWeight &weight : model.stored.weights) {
    packed += isPacked(weight.format);
    scaled += weight.inputScaleBytes > 0;
  }
  if (scaled == 0)
    return Error{"--activations: nvfp4 needs packed weights with an input_scale, but found none in the checkpoint"};
  if (scaled < packed)
    printTalk("warning: {} of {} kinds of packed weights have no input_scale: their input stays bf16\n",
              packed - scaled, packed);
  return {};
}

Result<void> checkOptions(const CompileOptions &options, const Model &model) {
  if (options.activations == "nvfp4")
    if (auto checked = checkQuantizedInputs(options, model); !checked)
      return checked;
  std::string rows = options.activations == "f32" ? "f32" : "bf16";
  if (!options.kvCache.empty() && options.kvCache != rows)
    return Error{fmt::format("--kv-cache: type must be that of the activations, {}, in this version, but found {}",
                             rows, options.kvCache)};
  if (options.tensorParallel > 1)
    return Error{fmt::format("--tensor-parallel: an artifact must be for one device in this version, but found {} "
                             "(--plan counts for any number)",
                             options.tensorParallel)};
  return {};
}

Result<void> checkLength(const CompileOptions &options, const ModelConfig &config) {
  if (options.maxModelLen && *options.maxModelLen > config.maxPositions)
    return Error{fmt::format("--max-model-len: length must be at most max_position_embeddings {}, but found {}",
                             config.maxPositions, *options.maxModelLen)};
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
  import.sequences = options.maxSequences.value_or(kDefaultSequences);
  import.positions = options.maxModelLen.value_or(std::min(model.config.maxPositions, kDefaultPositions));
  import.pageSize = kPageSize;
  import.precision = precisionAttr(context, options, model.rules);
  import.quantizedInputs = options.activations == "nvfp4";
  return import;
}

/// What the plan does not know.
Manifest describe(const CompileOptions &options, const Model &model) {
  Manifest facts;
  facts.producer = producerText();
  facts.activations = options.activations;
  facts.layers = model.config.layers;
  facts.vocabSize = model.config.vocabSize;
  facts.experts = model.config.experts;
  facts.expertsPerToken = model.config.expertsPerToken;
  facts.eosTokenIds = model.config.eosTokenIds;
  facts.temperature = model.config.temperature;
  facts.topP = model.config.topP;
  facts.topK = model.config.topK;
  facts.checkpoint = std::filesystem::absolute(options.model).lexically_normal().string();
  for (const SafetensorsFile &file : model.checkpoint.files())
    facts.files.push_back({file.path().filename().string(), file.bytes(), file.headerHash()});
  facts.precision = model.precision.table;
  return facts;
}

/// What can be refused before anything large is read or made.
Result<void> checkFirst(const CompileOptions &options) {
  if (!options.writesArtifact())
    return {};
  return checkOutput(options.output);
}

std::string summary(const std::filesystem::path &artifact, const Model &model) {
  std::error_code ignored;
  uintmax_t bytes = 0;
  for (const auto &entry : std::filesystem::directory_iterator(artifact, ignored))
    bytes += entry.file_size(ignored);
  uintmax_t weights = 0;
  for (const SafetensorsFile &file : model.checkpoint.files())
    weights += file.bytes();
  return fmt::format("{}: {:.2f} MB, and {:.2f} MB of weights where they are, in {}", artifact.string(), bytes * 1e-6,
                     weights * 1e-6, model.checkpoint.files().front().path().parent_path().string());
}

/// Of the module in the kernel phase: a plan and lowered kernels for one target.
struct CodePlan {
  TargetAttr target;
  OwningOpRef<ModuleOp> module;
  std::filesystem::path dumpFolder;
};

/// The targets that libraries are made for, best first. Float32 arithmetic is the same on all of them: the plainest will do.
Result<std::vector<TargetAttr>> codeTargets(MLIRContext &context, const CompileOptions &options) {
  auto targets = makeTargets(&context, options.target);
  if (targets && options.activations == "f32")
    targets->erase(targets->begin(), targets->end() - 1);
  return targets;
}

/// One plan per target, or none where --stop-after ended the work. With several, the printed modules are separated as glm-opt --split-input-file
/// reads them.
Result<std::vector<CodePlan>> planCode(ModuleOp module, llvm::ArrayRef<TargetAttr> targets,
                                       const CompileOptions &options, const ErrorCollector &errors,
                                       Progress &progress) {
  std::vector<CodePlan> plans;
  for (TargetAttr target : targets) {
    StringRef variant = target.getChip();
    variant.consume_front(targets.back().getChip());
    CodePlan plan{target, OwningOpRef<ModuleOp>(module.clone()), {}};
    (*plan.module)->setAttr(kTargetAttr, target);
    PhaseRunner phases(*plan.module, options, errors, progress, variant.str());
    plan.dumpFolder = phases.dumpFolder();
    // What glm-opt needs to plan for this target.
    if (!variant.empty())
      if (auto written = phases.dump(programPhases().back().number, programPhases().back().name); !written)
        return written.error();
    if (auto result = phases.run(codePhases(options.kernels == "plain")); !result)
      return result.error();
    if (phases.stopped() && target != targets.back())
      llvm::outs() << "// -----\n";
    if (!phases.stopped())
      plans.push_back(std::move(plan));
  }
  return plans;
}

/// The code of one plan in the artifact's folder.
class CodeOfPlan {
public:
  CodeOfPlan(const CodePlan &plan, std::string ptxas, CodeOptions code)
      : plan(plan), ptxas(std::move(ptxas)), code(std::move(code)) {}

  Result<WrittenCode> write(const std::filesystem::path &folder, StringRef variant) const {
    return isGpu(plan.target) ? writeForGpu(folder) : writeForHost(folder, ("host" + variant + ".so").str());
  }

private:
  Result<WrittenCode> writeForHost(const std::filesystem::path &folder, const std::string &file) const {
    if (auto written = writeHostLibrary(*plan.module, plan.target, code, folder / file); !written)
      return written.error();
    return WrittenCode{{file}, {}};
  }

  Result<WrittenCode> writeForGpu(const std::filesystem::path &folder) const {
    std::filesystem::path ptx = folder / "kernels.ptx", cubin = folder / "kernels.cubin";
    if (auto written = writePtx(*plan.module, plan.target, code, ptx); !written)
      return written.error();
    WrittenCode result;
    if (!ptxas.empty()) {
      auto reports = writeCubin(ptxas, ptx, plan.target, cubin);
      if (!reports)
        return reports.error();
      for (const KernelReport &report : *reports)
        result.uses[report.name] = {report.registers, report.spillBytes};
      result.files.push_back(cubin.filename());
    }
    // Second choice: the driver of a later chip, or our own.
    result.files.push_back(ptx.filename());
    return result;
  }

  const CodePlan &plan;
  std::string ptxas; ///< empty: no cubin
  CodeOptions code;
};

Result<void> emit(std::vector<CodePlan> &plans, const Model &model, const CompileOptions &options, unsigned threads,
                  const std::string &ptxas) {
  SmallVector<ModuleOp> modules;
  for (CodePlan &plan : plans)
    modules.push_back(*plan.module);
  auto writeCode = [&](ModuleOp module, const std::filesystem::path &folder, StringRef variant) {
    const CodePlan &plan = *llvm::find_if(plans, [&](CodePlan &each) { return *each.module == module; });
    return CodeOfPlan(plan, ptxas, {threads, plan.dumpFolder, options.reproducer()}).write(folder, variant);
  };
  return emitArtifact(modules, describe(options, model), writeCode, options.output);
}

/// The assembler that the output will need, or none. Asked for before anything takes time.
Result<std::string> assemblerFor(TargetAttr target, const CompileOptions &options) {
  return isGpu(target) && options.cubin && options.writesArtifact() ? findPtxas() : std::string();
}

Result<void> compileModel(const CompileOptions &options, const Model &model, Progress &progress) {
  unsigned threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  DialectRegistry registry;
  registerAllDialects(registry);
  llvm::DefaultThreadPool pool(llvm::hardware_concurrency(threads)); // outlives the context
  // Phases run on this thread alone: a crash on another would end the process without a reproducer.
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  ErrorCollector errors(context);
  auto targets = codeTargets(context, options);
  if (!targets)
    return targets.error();
  auto ptxas = assemblerFor(targets->back(), options);
  if (!ptxas)
    return ptxas.error();
  if (auto enabled = enableRemarks(context, options, errors); !enabled)
    return enabled;
  ImportOptions import = importOptions(context, options, model);
  TimingScope importing = progress.begin("import");
  OwningOpRef<ModuleOp> module = importModel(context, model.config, model.stored, import);
  importing.stop();
  if (!module)
    return errors.first("importing the model");
  (*module)->setAttr(kTargetAttr, targets->back());
  progress.done("import");

  PhaseRunner phases(*module, options, errors, progress);
  if (auto written = phases.dump(0, "import"); !written)
    return written;
  if (auto result = phases.run(programPhases(options.kernels == "plain")); !result || phases.stopped())
    return result;
  auto plans = planCode(*module, *targets, options, errors, progress);
  if (!plans)
    return plans.error();
  if (plans->empty())
    return {};
  context.setThreadPool(pool);
  TimingScope coding = progress.begin("code");
  if (auto emitted = emit(*plans, model, options, threads, *ptxas); !emitted)
    return emitted;
  coding.stop();
  progress.done("code");
  progress.end(summary(options.output, model));
  return {};
}

} // namespace

Result<void> compile(const CompileOptions &options) {
  Progress progress(options.timing);
  Result<void> first = checkFirst(options);
  TimingScope reading = progress.begin("read");
  auto model = readModel(options);
  reading.stop();
  if (!first && !model) {
    Error both = first.error();
    both.add(model.error());
    return both;
  }
  if (!first)
    return first;
  if (!model)
    return model.error();
  for (const std::string &warning : model->warnings)
    printTalk("warning: {}\n", oneLine(warning));
  progress.done("read");
  if (auto checked = checkLength(options, model->config); !checked)
    return checked;
  if (!options.plan.empty())
    return printPlan(options, *model);
  if (!options.printPrecision.empty())
    return printPrecision(options, *model);
  if (model->precision.refusal)
    return *model->precision.refusal;
  if (auto checked = checkOptions(options, *model); !checked)
    return checked;
  return compileModel(options, *model, progress);
}

} // namespace glm
