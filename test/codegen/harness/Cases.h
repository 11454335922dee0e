// Cases of every kernel op: shapes and types are parameters, numbers are random with a fixed seed, the expectation is the
// formula of dialect/*.td in double. A family's tests call them with the shapes that are odd for its tile.
#pragma once

#include "test/codegen/harness/Case.h"

namespace glm::test {

/// Types by name: activations f32 or bf16; weights f32, bf16, f16 or nvfp4.
using TypeName = std::string;

Case embedCase(TypeName table, TypeName output, int64_t rows, int64_t vocabulary, int64_t width);
/// Rows of tokens and rows of what was sampled before, by turns.
Case embedSampledCase(TypeName table, TypeName output, int64_t rows, int64_t vocabulary, int64_t width);
Case gatherRowsCase(TypeName input, TypeName output, int64_t rows, int64_t width);
Case addCase(TypeName activation, int64_t rows, int64_t width);
/// One launch of several weights with one output each; outputs[i] x width.
Case gemmCase(TypeName activation, TypeName output, TypeName weight, int64_t rows, std::vector<int64_t> outputs,
              int64_t width);
Case gatedGemmCase(TypeName activation, TypeName weight, int64_t rows, int64_t output, int64_t width);

struct HeadShape {
  int64_t heads, headRows, rowBegin, rowCount, columns;
  int64_t inputPerHead; ///< columns of a head of the input, at least as many as take part
};
Case headGemmCase(TypeName activation, TypeName weight, int64_t rows, HeadShape shape, bool transposed);

struct NormShape {
  std::string kind = "rms"; ///< rms or layer
  int64_t width = 0;        ///< of a row
  int64_t normalised = 0;   ///< first columns that take part
  bool delta = false;
};
Case normCase(TypeName activation, TypeName weight, int64_t rows, NormShape shape);
Case ropeAnglesCase(int64_t rows, int64_t pairs, int64_t positions);
Case ropeCase(TypeName activation, int64_t rows, int64_t heads, int64_t headWidth, int64_t offset, int64_t width);

struct CacheShape {
  std::string norm; ///< none, rms or layer
  int64_t width = 0, normalised = 0;
  int64_t ropeOffset = 0, ropeWidth = 0; ///< no rope if 0
  int64_t rounded = 0; ///< first columns that are rounded to NVFP4; bf16 numbers must come out of norm and rope exactly
  int64_t sequences = 3, positions = 40, pageSize = 8;
};
Case cacheWriteCase(TypeName activation, TypeName cache, int64_t rows, CacheShape shape);
Case indexScoreCase(TypeName activation, int64_t rows, int64_t heads, int64_t width, int64_t positions,
                    int64_t pageSize);
/// Scores are multiples of 1/4 with many equals and zeros of both signs.
Case topKCase(int64_t rows, int64_t positions, int64_t topK);
struct AttentionShape {
  int64_t heads, rank, ropeWidth, queryWidth, topK, positions, pageSize;
  int64_t partSize = 0; ///< none if 0
};
Case sparseMlaCase(TypeName activation, int64_t rows, AttentionShape shape);
/// Of the same numbers as the whole, up to where the outputs are.
Case sparseMlaPartCase(TypeName activation, int64_t rows, AttentionShape shape);
/// Every row has one part with positions more than the row before it, as long as there are so many.
Case sparseMlaJoinCase(TypeName output, int64_t rows, int64_t heads, int64_t rank, int64_t parts);

struct RouteShape {
  int64_t experts, topK, groups = 1, keptGroups = 1;
  bool normalize = true;
  bool equals = false; ///< logits and biases that are often equal
};
Case routeCase(TypeName bias, int64_t rows, RouteShape shape);
Case groupRowsCase(int64_t rows, int64_t experts, int64_t topK);
Case moeGateUpCase(TypeName activation, TypeName weight, int64_t rows, int64_t experts, int64_t topK, int64_t output,
                   int64_t width);
Case moeDownCase(TypeName activation, TypeName weight, int64_t rows, int64_t experts, int64_t topK, int64_t output,
                 int64_t width);
Case moeCombineCase(TypeName activation, int64_t rows, int64_t topK, int64_t width, bool shared);

} // namespace glm::test
