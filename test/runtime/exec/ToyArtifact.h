// Writes an artifact of the toy model, checkpoint included, into a folder of its own.
#pragma once

#include "runtime/artifact/Manifest.h"
#include "test/runtime/exec/ToyModel.h"

#include <filesystem>
#include <functional>
#include <vector>

namespace glm::toy {

/// Sizes that tests vary.
struct Options {
  int64_t maxRows = 6;
  int64_t maxSequences = 3;
  int64_t maxModelLen = 40;
  int64_t pages = 16;
  std::vector<int64_t> programRows = {1, 6};
  std::vector<int64_t> stopIds = {};
  bool spoiled = false;                      ///< one logit becomes NaN
  bool samples = false;                      ///< the device chooses tokens
  uint8_t blockScale = 0x38;                 ///< one byte of the block scales
  float scale3 = 1.0f;                       ///< scalar of expert 3, as the reference has it
  std::function<void(Manifest &)> edit = {}; ///< last word on the manifest
};

/// Write `folder`/toy.glm and `folder`/checkpoint/model.safetensors; gives the path of the artifact.
std::filesystem::path writeArtifact(const std::filesystem::path &folder, const Options &options = {});

/// The tensors of the checkpoint.
std::vector<float> embedding();           ///< [kVocab, kWidth]
std::vector<float> expert(int64_t index); ///< [kWidth]

/// What the model's formula gives after each token, written without pages, slots, steps or threads: [tokens.size(), kVocab].
std::vector<float> referenceLogits(const std::vector<int32_t> &tokens);

} // namespace glm::toy
