#include "codegen/target/Target.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

#include <fmt/format.h>

using namespace mlir;

namespace glm {
namespace {

constexpr llvm::StringLiteral kTriple = "x86_64-unknown-linux-gnu";
constexpr llvm::StringLiteral kGpuTriple = "nvptx64-nvidia-cuda";

/// A GPU and the PTX version that its code is written in: the first that knows the chip (PTX ISA 9.0, chapter "Release Notes"), so
/// that the oldest driver that knows it can compile it too.
struct Gpu {
  llvm::StringLiteral chip;
  llvm::StringLiteral features;
  bool e2m1Conversion;
  bool blockScaledMma; ///< as mma.sync; sm_100 and sm_103 have it as tcgen05.mma alone
};
constexpr Gpu kGpus[] = {{"sm_90a", "+ptx80", false, false},
                         {"sm_100a", "+ptx86", true, false},
                         {"sm_103a", "+ptx88", true, false},
                         {"sm_120a", "+ptx87", true, true}};
/// The widest access of one lane.
constexpr int64_t kGpuVectorBits = 128;

/// Features that bodies ask for; a host target names those that it has, so that the runtime can check them.
constexpr llvm::StringLiteral kHostFeatures[] = {
    "avx",     "avx2",     "fma",      "f16c",     "bmi",      "bmi2",       "lzcnt",      "movbe",
    "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512bf16", "avx512vbmi", "avx512vnni"};

/// x86-64 psABI 1.0, table 3.1: microarchitecture levels.
constexpr llvm::StringLiteral kLevel3 = "+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe";
constexpr llvm::StringLiteral kLevel4 =
    "+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe,+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl";
/// Beyond level 4, in Cooper Lake, Sapphire Rapids, Zen 4 and later (LLVM's X86.td). The integer products of avx512vnni would
/// need activations in integers, which no rule asks for.
constexpr llvm::StringLiteral kBf16 = "+avx512bf16";

/// The machine's own features over the level that holds them: nothing is used that the list does not name.
Result<TargetAttr> hostTarget(MLIRContext *context) {
  llvm::StringMap<bool> present = llvm::sys::getHostCPUFeatures();
  if (!present.lookup("avx2") || !present.lookup("fma") || !present.lookup("f16c"))
    return Error{
        fmt::format("--target: host must have avx2, fma and f16c, but found {}", llvm::sys::getHostCPUName().str())};
  std::string features;
  for (llvm::StringRef name : kHostFeatures)
    if (present.lookup(name))
      features += fmt::format("{}+{}", features.empty() ? "" : ",", name.str());
  bool wide = present.lookup("avx512f") && present.lookup("avx512bw") && present.lookup("avx512dq") &&
              present.lookup("avx512vl");
  return TargetAttr::get(context, "host", kTriple, wide ? "x86-64-v4" : "x86-64-v3", features, wide ? 512 : 256);
}

} // namespace

const std::vector<Chip> &knownChips() {
  static const std::vector<Chip> chips = {
      {"host", "the x86-64 that this runs on"},
      {"x86-64-v3", "x86-64 with AVX2, FMA and F16C"},
      {"x86-64-v4", "x86-64 with AVX-512 F, BW, CD, DQ and VL; with BF16 where the processor has it"},
      {"sm_90a", "NVIDIA H100, H200"},
      {"sm_100a", "NVIDIA B200"},
      {"sm_103a", "NVIDIA B300"},
      {"sm_120a", "NVIDIA RTX PRO 6000 Blackwell, RTX 5090"},
  };
  return chips;
}

std::optional<std::string> explainUnknownChip(llvm::StringRef name) {
  const Chip *nearest = nullptr;
  unsigned best = ~0u;
  for (const Chip &chip : knownChips()) {
    if (chip.name == name)
      return std::nullopt;
    unsigned distance = name == "native" && chip.name == "host" ? 0 : name.edit_distance(chip.name);
    if (distance < best) {
      best = distance;
      nearest = &chip;
    }
  }
  return fmt::format("--target: chip must be one of --list-targets, but found {} (did you mean {}?)", name.str(),
                     nearest->name);
}

Result<std::vector<TargetAttr>> makeTargets(MLIRContext *context, llvm::StringRef chip) {
  if (std::optional<std::string> unknown = explainUnknownChip(chip))
    return Error{*unknown};
  if (chip == "host") {
    auto host = hostTarget(context);
    if (!host)
      return host.error();
    return std::vector{*host};
  }
  if (chip == "x86-64-v3")
    return std::vector{TargetAttr::get(context, chip, kTriple, chip, kLevel3, 256)};
  if (chip == "x86-64-v4") {
    std::string name = (chip + kBf16).str(), features = (kLevel4 + "," + kBf16).str();
    return std::vector{TargetAttr::get(context, name, kTriple, chip, features, 512),
                       TargetAttr::get(context, chip, kTriple, chip, kLevel4, 512)};
  }
  const Gpu *gpu = llvm::find_if(kGpus, [&](const Gpu &each) { return each.chip == chip; });
  return std::vector{TargetAttr::get(context, chip, kGpuTriple, chip, gpu->features, kGpuVectorBits)};
}

Result<TargetAttr> makeTarget(MLIRContext *context, llvm::StringRef name) {
  auto targets = makeTargets(context, name.split('+').first);
  if (!targets)
    return targets.error();
  for (TargetAttr target : *targets)
    if (target.getChip() == name)
      return target;
  return Error{fmt::format("--target: chip must be one of --list-targets, but found {}", name.str())};
}

bool isGpu(TargetAttr target) { return target.getTriple() == kGpuTriple; }

bool hasBlockScaledMma(TargetAttr target) {
  return llvm::any_of(kGpus, [&](const Gpu &gpu) { return gpu.chip == target.getChip() && gpu.blockScaledMma; });
}

bool hasE2m1Conversion(TargetAttr target) {
  return llvm::any_of(kGpus, [&](const Gpu &gpu) { return gpu.chip == target.getChip() && gpu.e2m1Conversion; });
}

std::string chipsWithBlockScaledMma() {
  std::string names;
  for (const Gpu &gpu : kGpus)
    if (gpu.blockScaledMma)
      names += (names.empty() ? "" : ", ") + gpu.chip.str();
  return names;
}

bool hasBf16Dot(TargetAttr target) {
  return target.has("avx512bf16") && target.has("avx512bw") && target.has("avx512vl");
}

int64_t vectorLanes(TargetAttr target) { return target.getVectorBits() / 32; }

} // namespace glm
