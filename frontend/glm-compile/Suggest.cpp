#include "frontend/glm-compile/Suggest.h"

#include "llvm/ADT/StringRef.h"

#include <fmt/format.h>
#include <optional>

namespace glm {
namespace {

/// A flag that other programs have.
struct PeerFlag {
  llvm::StringLiteral name; ///< without dashes, with - for _
  llvm::StringLiteral ours;
};

constexpr llvm::StringLiteral kStored = "no flag: the stored type is read per tensor";
constexpr llvm::StringLiteral kOneDevice = "no flag: an artifact is for one device in this version";

constexpr PeerFlag kPeerFlags[] = {
    // vLLM, SGLang, TensorRT-LLM
    {"quantization", kStored},
    {"load-format", kStored},
    {"trust-remote-code", "no flag: nothing from the folder is ever run"},
    {"tensor-parallel-size", "--tensor-parallel"},
    {"tp-size", "--tensor-parallel"},
    {"tp", "--tensor-parallel"},
    {"pipeline-parallel-size", kOneDevice},
    {"decode-context-parallel-size", kOneDevice},
    {"max-num-seqs", "--max-sequences"},
    {"max-running-requests", "--max-sequences"},
    {"max-batch-size", "--max-sequences"},
    {"max-num-batched-tokens", "--max-rows"},
    {"chunked-prefill-size", "--max-rows"},
    {"max-num-tokens", "--max-rows"},
    {"max-seq-len", "--max-model-len"},
    {"context-length", "--max-model-len"},
    {"kv-cache-dtype", "--kv-cache"},
    {"dtype", "--activations"},
    {"model-path", "MODEL_DIR"},
    {"model", "MODEL_DIR"},
    // llama.cpp
    {"ctx-size", "--max-model-len"},
    {"parallel", "--max-sequences"},
    {"ubatch-size", "--max-rows"},
    {"batch-size", "--max-rows"},
    {"cache-type-k", "--kv-cache"},
    {"cache-type-v", "--kv-cache"},
    // clang, IREE
    {"march", "--target"},
    {"mcpu", "--target"},
    {"offload-arch", "--target"},
    {"iree-cuda-target", "--target"},
    {"print-supported-cpus", "--list-targets"},
    {"compile-to", "--stop-after"},
    {"save-temps", "--dump"},
    {"Rpass-missed", "--remarks-missed"},
};

std::optional<llvm::StringRef> findPeer(llvm::StringRef flag) {
  std::string name = flag.ltrim('-').str();
  for (char &letter : name)
    letter = letter == '_' ? '-' : letter;
  for (const PeerFlag &peer : kPeerFlags)
    if (peer.name == name)
      return peer.ours;
  return std::nullopt;
}

/// Empty if more than a third of the letters would change.
std::string nearest(llvm::StringRef flag, const std::vector<std::string> &flags) {
  std::string found;
  unsigned fewest = flag.size() / 3 + 1;
  for (const std::string &candidate : flags)
    if (unsigned distance = flag.edit_distance(candidate); distance < fewest) {
      fewest = distance;
      found = candidate;
    }
  return found;
}

} // namespace

std::string explainUnknownFlag(const std::string &word, const std::vector<std::string> &flags) {
  llvm::StringRef flag = llvm::StringRef(word).split('=').first;
  if (auto ours = findPeer(flag))
    return fmt::format("{}: flag must be one of glm-compile's, but found another program's (here: {})", flag.str(),
                       ours->str());
  std::string near = nearest(flag, flags);
  return fmt::format("{}: flag must be one that --help lists, but found {}", flag.str(),
                     near.empty() ? "none like it" : fmt::format("none of that name (did you mean {}?)", near));
}

} // namespace glm
