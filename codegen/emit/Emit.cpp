#include "codegen/emit/Emit.h"

#include "codegen/emit/ArtifactFolder.h"
#include "runtime/artifact/Library.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace glm {
namespace {

// The enums of the dialect mirror those of the manifest.
static_assert(static_cast<int>(Space::Arena) == static_cast<int>(BufferSpace::Arena) &&
              static_cast<int>(Space::Cache) == static_cast<int>(BufferSpace::Cache) &&
              static_cast<int>(Space::Input) == static_cast<int>(BufferSpace::Input) &&
              static_cast<int>(Space::Output) == static_cast<int>(BufferSpace::Output));
static_assert(static_cast<int>(Form::Data) == static_cast<int>(WeightForm::Data) &&
              static_cast<int>(Form::Table) == static_cast<int>(WeightForm::Table) &&
              static_cast<int>(Form::Scalars) == static_cast<int>(WeightForm::Scalars));

/// Appends plan ops to the lists of a manifest. What launches refer to by symbol becomes an index into these lists.
class ManifestBuilder {
public:
  explicit ManifestBuilder(Manifest &manifest) : manifest(manifest) {}

  void add(PlanWeightOp op) {
    arguments[op.getSymName()] = {Argument::Kind::Weight, static_cast<int64_t>(manifest.weights.size())};
    manifest.weights.push_back({.name = op.getCheckpointName().str(),
                                .form = static_cast<WeightForm>(op.getForm()),
                                .count = static_cast<int64_t>(op.getCount()),
                                .dtype = op.getDtype().str(),
                                .shape = op.getShape().vec(),
                                .reciprocal = op.getReciprocal(),
                                .filled = op.getFilled()});
  }

  void add(PlanBufferOp op) {
    arguments[op.getSymName()] = {Argument::Kind::Buffer, static_cast<int64_t>(manifest.buffers.size())};
    manifest.buffers.push_back(
        {op.getSymName().str(), static_cast<BufferSpace>(op.getSpace()), op.getOffset(), op.getBytes()});
  }

  void add(ModuleOp kernel) {
    kernels[*kernel.getSymName()] = manifest.kernels.size();
    Kernel &entry = manifest.kernels.emplace_back();
    entry.name = kernel.getSymName()->str();
    entry.parallel = kernel->hasAttr(kParallelAttr);
    if (auto threads = kernel->getAttrOfType<IntegerAttr>(kThreadsAttr)) {
      entry.threads = threads.getInt();
      entry.sharedBytes = kernel->getAttrOfType<IntegerAttr>(kSharedBytesAttr).getInt();
    }
  }

  void add(PlanProgramOp op) {
    manifest.programs.push_back({op.getSymName().str(), static_cast<int64_t>(op.getRows()), toLaunches(op.getBody())});
  }

  void add(PlanLoadOp op) { manifest.load = toLaunches(op.getBody()); }

private:
  std::vector<Launch> toLaunches(Region &body) const {
    std::vector<Launch> launches;
    for (auto launch : body.getOps<PlanLaunchOp>())
      launches.push_back(toLaunch(launch));
    return launches;
  }

  Launch toLaunch(PlanLaunchOp op) const {
    Launch launch;
    launch.kernel = kernels.at(op.getKernel());
    launch.blocks = op.getBlocks().value_or(0);
    for (auto argument : op.getArguments().getAsRange<FlatSymbolRefAttr>())
      launch.arguments.push_back(arguments.at(argument.getValue()));
    launch.rows = op.getOutputRows() ? RowCount::Output : RowCount::Step;
    if (op.getTap())
      launch.taps.push_back({op.getTap()->str(), arguments.at(*op.getTapped()).index, op.getTapType()->str(),
                             static_cast<int64_t>(*op.getTapWidth())});
    return launch;
  }

  Manifest &manifest;
  llvm::StringMap<Argument> arguments; ///< weights and buffers by symbol
  llvm::StringMap<int64_t> kernels;    ///< by symbol
};

void addLimits(LimitsAttr limits, Manifest &manifest) {
  manifest.maxRows = limits.getMaxRows();
  manifest.maxSequences = limits.getSequences();
  manifest.maxModelLen = limits.getPositions();
  manifest.pageSize = limits.getPageSize();
  manifest.pagesPerSequence = limits.getPagesPerSequence();
  manifest.pages = limits.getPages();
}

TargetAttr targetOf(ModuleOp plan) { return plan->getAttrOfType<TargetAttr>(kTargetAttr); }

std::vector<std::string> featuresOf(TargetAttr target) {
  std::vector<std::string> features;
  for (StringRef feature : llvm::split(target.getFeatures(), ','))
    if (feature.consume_front("+"))
      features.push_back(feature.str());
  return features;
}

/// What the runtime replays must not depend on which library it took.
Result<void> checkAlike(const Manifest &manifest, const Manifest &other, TargetAttr target) {
  auto spell = [](const Manifest &m) {
    return std::tie(m.weights, m.buffers, m.kernels, m.load, m.programs, m.arenaBytes);
  };
  if (spell(manifest) == spell(other))
    return {};
  return Error{"plan: libraries of one artifact must be launched alike, but found another plan for " +
               target.getChip().str()};
}

void addUses(const llvm::StringMap<KernelUse> &uses, Manifest &manifest) {
  for (Kernel &kernel : manifest.kernels) {
    auto use = uses.find(kernel.name);
    if (use == uses.end())
      continue;
    kernel.registers = use->second.registers;
    kernel.spillBytes = use->second.spillBytes;
  }
}

} // namespace

Manifest toManifest(ModuleOp plan, Manifest facts) {
  Manifest manifest = std::move(facts);
  addLimits(plan->getAttrOfType<LimitsAttr>(kLimitsAttr), manifest);
  manifest.target = targetOf(plan).getChip().str();
  manifest.arenaBytes = plan->getAttrOfType<IntegerAttr>(kArenaBytesAttr).getInt();
  ManifestBuilder builder(manifest);
  // Programs last: what they launch may be declared behind them.
  for (auto weight : plan.getOps<PlanWeightOp>())
    builder.add(weight);
  for (auto buffer : plan.getOps<PlanBufferOp>())
    builder.add(buffer);
  for (auto kernel : plan.getOps<ModuleOp>())
    builder.add(kernel);
  for (auto program : plan.getOps<PlanProgramOp>())
    builder.add(program);
  for (auto load : plan.getOps<PlanLoadOp>())
    builder.add(load);
  return manifest;
}

Result<void> emitArtifact(ArrayRef<ModuleOp> plans, Manifest facts, CodeWriter writeCode,
                          const std::filesystem::path &output) {
  Result<ArtifactFolder> folder = ArtifactFolder::create(output);
  if (!folder)
    return folder.error();
  StringRef base = targetOf(plans.back()).getChip();
  Manifest manifest = toManifest(plans.back(), std::move(facts));
  for (ModuleOp plan : plans) {
    if (Result<void> alike = checkAlike(manifest, toManifest(plan, {}), targetOf(plan)); !alike)
      return alike;
    StringRef variant = targetOf(plan).getChip();
    variant.consume_front(base);
    Result<WrittenCode> written = writeCode(plan, folder->path(), variant);
    if (!written)
      return written.error();
    for (const std::string &file : written->files) {
      Result<Code> code = describeLibrary(folder->path() / file, featuresOf(targetOf(plan)));
      if (!code)
        return code.error();
      manifest.code.push_back(std::move(*code));
    }
    addUses(written->uses, manifest);
  }
  if (Result<void> written = writeManifest(folder->path(), manifest); !written)
    return written;
  return folder->publish();
}

} // namespace glm
