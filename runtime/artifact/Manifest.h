// manifest.json: everything that the runtime needs to know, written by codegen/emit, read by runtime/exec.
//
// The file is JSON with the field names of these structs in snake_case, readable with jq and diff. Numbers are bytes,
// tokens and rows. An artifact of another format version is refused, never interpreted.
#pragma once

#include "runtime/artifact/Result.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace glm {

struct JsonFile;

/// The version of everything that an artifact contains: this file and the kernel ABI.
inline constexpr int kFormatVersion = 6;

/// What a weight argument points to.
enum class WeightForm {
  Data,    ///< the bytes of one checkpoint tensor, where the file is mapped
  Table,   ///< `const void *[count]`: the bytes of each tensor of a pattern, in order
  Scalars, ///< `float[count]`: one-element tensors (0-d or [1]) gathered, `reciprocal` applied in float32
};

/// `name` with its `{}`, if it has one, replaced by `index`: one tensor of a pattern.
std::string expandPattern(const std::string &name, int64_t index);

/// Something constant that kernels read.
struct Weight {
  /// Checkpoint tensor, or a pattern in which `{}` stands for 0 .. count-1.
  std::string name;
  WeightForm form = WeightForm::Data;
  int64_t count = 1;
  /// Stored type as safetensors spells it (BF16, F16, F32, U8, F8_E4M3). A stored U8 is accepted for F8_E4M3: some
  /// exporters write block scales under that name.
  std::string dtype;
  /// Shape of each stored tensor; empty for scalars, which may be 0-d or [1] in the file.
  std::vector<int64_t> shape;
  /// Scalars only: compressed-tensors stores the inverse of the global scale.
  bool reciprocal = false;
  /// Data and tables only: not in the checkpoint, but memory of `shape` [bytes] for each, which Manifest::load fills.
  bool filled = false;
  bool operator==(const Weight &) const = default;
};

/// Where a buffer lives.
enum class BufferSpace {
  Arena,  ///< at `offset` in the arena of the rank; contents die with the step
  Cache,  ///< allocated on its own, zero at start, kept between steps
  Input,  ///< in the arena; the runtime writes it before each step
  Output, ///< in the arena; the runtime reads it after each step
};

/// A piece of memory. Inputs are named `tokens`, `positions`, `slots` (int32 [max_rows]), `page_table`
/// (int32 [max_sequences, pages_per_sequence]: the page of the pool that holds positions 64k .. 64k+63 of a slot, for
/// page_size 64) and `output_rows` (int32 [max_rows]: the rows whose logits are wanted). The output is `logits`
/// (float32 [max_rows, vocab_size], row i belongs to output_rows[i]).
struct Buffer {
  std::string name;
  BufferSpace space = BufferSpace::Arena;
  uint64_t offset = 0;
  uint64_t bytes = 0;
  bool operator==(const Buffer &) const = default;
};

/// One argument of a launch: written "w12" or "b3" in the file.
struct Argument {
  enum class Kind { Weight, Buffer } kind = Kind::Buffer;
  int64_t index = 0;
  bool operator==(const Argument &) const = default;
};

/// Which count of rows a launch gets.
enum class RowCount {
  Step,   ///< rows of the step
  Output, ///< entries of output_rows
};

/// What a launch leaves in a buffer for people and tests to look at (`glm-run run --trace`).
struct Tap {
  /// "index.6" (positions chosen by layer 6's indexer), "experts.3", "hidden.0" (residual stream after layer 0), ...
  std::string name;
  int64_t buffer = 0;
  std::string dtype; ///< I32, F32 or BF16
  int64_t width = 0; ///< elements of one row
  bool operator==(const Tap &) const = default;
};

struct Launch {
  int64_t kernel = 0; ///< index into Manifest::kernels
  std::vector<Argument> arguments;
  RowCount rows = RowCount::Step;
  std::vector<Tap> taps;
  int64_t blocks = 0; ///< of the grid of a GPU; 0 on a host
  bool operator==(const Launch &) const = default;
};

/// One function of the code: called by threads of the host, or launched as grids of a GPU.
struct Kernel {
  std::string name; ///< the symbol; carries types and shape
  /// On a host. False: one thread does it, the others need not be woken.
  bool parallel = true;
  /// Of a block of a GPU; 0 on a host.
  int64_t threads = 0;
  int64_t sharedBytes = 0;
  /// Of the cubin, as ptxas reports them; 0 without one.
  int64_t registers = 0;  ///< of a thread
  int64_t spillBytes = 0; ///< stored and loaded by a thread
  bool operator==(const Kernel &) const = default;
};

/// A file that holds all kernels: a shared library for the host, or a cubin, or PTX. One artifact may have several libraries, for
/// processors of one family: they are launched alike, but in bf16 their sums are not rounded alike.
struct Code {
  std::string file; ///< within the artifact: host.so, kernels.cubin, kernels.ptx
  uint64_t bytes = 0;
  uint64_t hash = 0; ///< FNV-1a 64 of the whole file
  /// Features of the processor that it uses, as LLVM spells them ("avx512bf16"), checked before it is loaded; of a GPU the PTX version.
  std::vector<std::string> features;
};

/// The launches of one step of at most `rows` rows. Programs are ordered by rows; a step runs the first that is large enough.
struct Program {
  std::string name;
  int64_t rows = 0;
  std::vector<Launch> launches;
  bool operator==(const Program &) const = default;
};

/// A checkpoint file, as it was when the artifact was made.
struct CheckpointFile {
  std::string name;    ///< relative to the checkpoint's folder
  uint64_t bytes = 0;  ///< size of the whole file
  uint64_t header = 0; ///< FNV-1a 64 of its first 8 + header-length bytes, so that an exchanged file is noticed
};

/// A row of the precision table (`--print-precision`).
struct PrecisionRow {
  std::string pattern;
  int64_t count = 0;
  std::string stored;
  std::string computed;
  uint64_t bytes = 0;
  std::string rule;
  std::string source;
};

struct Manifest {
  int format = kFormatVersion;
  std::string producer;    ///< "glm-compile 0.1.0, LLVM 22.1.8"
  std::string target;      ///< the chip's name, such as x86-64-v4
  std::vector<Code> code;  ///< best first: the first that the machine can run is loaded
  std::string activations; ///< bf16, f32 or nvfp4

  // the model, as far as the runtime asks
  int64_t layers = 0;
  int64_t vocabSize = 0;
  int64_t maxModelLen = 0;
  int64_t maxRows = 0;
  int64_t maxSequences = 0;
  int64_t pageSize = 0;
  int64_t pagesPerSequence = 0;
  int64_t pages = 0;   ///< in the pool, shared by all sequences
  int64_t experts = 0; ///< routed experts of a layer
  int64_t expertsPerToken = 0;
  std::vector<int64_t> eosTokenIds;
  double temperature = 1.0; ///< generation_config.json, for those who ask for its sampling
  double topP = 1.0;
  int64_t topK = 0;

  std::string checkpoint; ///< folder; a relative path starts at the artifact's folder
  std::vector<CheckpointFile> files;
  std::vector<PrecisionRow> precision;
  std::vector<Weight> weights;
  std::vector<Buffer> buffers;
  uint64_t arenaBytes = 0;
  std::vector<Kernel> kernels;
  /// Launched once, before the first step, to fill weights. Each is repeated for every tensor of its weights, which are as many: a table stands for
  /// the address of the tensor at hand. Tensors that no program uses need be there only while they are read.
  std::vector<Launch> load;
  std::vector<Program> programs;

  /// Whether the code is for a GPU.
  bool onGpu() const { return !kernels.empty() && kernels.front().threads > 0; }
};

/// Read and check `folder`/manifest.json: every key known and there, types, ranges, every index within its list, arena offsets
/// within the arena, and its seal: a hash of everything in it but the place of the checkpoint, which may be edited after a move. Spaces and
/// line breaks do not count. A file of another format version is refused with both numbers, before anything else in it is believed.
Result<Manifest> readManifest(const std::filesystem::path &folder);

/// The same for a file at hand, whose seal is not looked at.
Result<Manifest> parseManifest(const JsonFile &file);

/// What writeManifest writes. Refuses names that are not UTF-8.
Result<std::string> manifestText(const Manifest &manifest);

/// Write `folder`/manifest.json (the caller renames the folder when all of it is there).
Result<void> writeManifest(const std::filesystem::path &folder, const Manifest &manifest);

} // namespace glm
