// Of Manifest.h: reading. An artifact may have been edited, cut short or made by another version: nothing in it is believed.
#include "runtime/artifact/Json.h"
#include "runtime/artifact/Manifest.h"
#include "runtime/artifact/ManifestWords.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

namespace glm {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMost = int64_t(1) << 56; ///< no size in bytes is larger; sums of two stay in range
// Far beyond what anybody computes, and such that products of two with a few bytes stay in range.
constexpr int64_t kMostPositions = int64_t(1) << 31; ///< positions and pages are int32
constexpr int64_t kMostIds = int64_t(1) << 24;       ///< ids of tokens
constexpr int64_t kMostThreads = 1024;               ///< of a block, shared memory and registers: more than any GPU has
constexpr int64_t kMostSharedBytes = 1 << 20;
constexpr int64_t kMostRegisters = 255;
constexpr int64_t kMostBlocks = (int64_t(1) << 31) - 1;
constexpr int64_t kMostRows = int64_t(1) << 20; ///< rows of a step, sequences, layers, experts

/// Takes fields out of objects; the first that is wrong becomes the message, and everything after it is a default value.
class Reader {
public:
  std::optional<Error> error;

  void fail(const std::string &text) {
    if (!error)
      error = Error{fmt::format("{}: {}", kManifestFile, text)};
  }

  /// The format version promises that every key is known: another one was written by hand.
  void only(const Json &object, const std::string &where, std::initializer_list<const char *> keys) {
    for (const auto &[key, value] : object.items())
      if (std::find(keys.begin(), keys.end(), key) == keys.end())
        fail(fmt::format("{}{} must be a key of format {}, but found that it is not", where, key, kFormatVersion));
  }

  const Json *field(const Json &object, const std::string &where, const char *key) {
    auto found = object.find(key);
    if (found == object.end()) {
      fail(fmt::format("{}{} must be there, but found none", where, key));
      return nullptr;
    }
    return &*found;
  }

  /// 16 hexadecimal digits.
  uint64_t hash(const Json &object, const std::string &where, const char *key) {
    std::string digits = text(object, where, key);
    uint64_t value = 0;
    auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 16 || code != std::errc() || end != digits.data() + digits.size())
      fail(fmt::format("{}{} must have 16 hexadecimal digits, but found \"{}\"", where, key, digits));
    return value;
  }

  int64_t integer(const Json &object, const std::string &where, const char *key, int64_t low, int64_t high) {
    const Json *value = field(object, where, key);
    if (!value)
      return low;
    bool large = value->is_number_unsigned() && value->get<uint64_t>() > uint64_t(INT64_MAX);
    if (!value->is_number_integer() || large || value->get<int64_t>() < low || value->get<int64_t>() > high) {
      fail(fmt::format("{}{} must be an integer in {} .. {}, but found {}", where, key, low, high, value->dump()));
      return low;
    }
    return value->get<int64_t>();
  }

  /// An index into a list of `size` entries named `list`.
  int64_t index(const Json &object, const std::string &where, const char *key, const char *list, size_t size) {
    int64_t value = integer(object, where, key, 0, kMost);
    if (!error && static_cast<size_t>(value) >= size)
      fail(fmt::format("{}{} must be less than the number of {}, {}, but found {}", where, key, list, size, value));
    return value;
  }

  double number(const Json &object, const std::string &where, const char *key, double low, double high) {
    const Json *value = field(object, where, key);
    if (value && value->is_number() && value->get<double>() >= low && value->get<double>() <= high)
      return value->get<double>();
    if (value)
      fail(fmt::format("{}{} must be a number in {} .. {}, but found {}", where, key, low, high, value->dump()));
    return low;
  }

  std::string text(const Json &object, const std::string &where, const char *key) {
    const Json *value = field(object, where, key);
    if (value && !value->is_string())
      fail(fmt::format("{}{} must be a string, but found {}", where, key, value->dump()));
    return value && value->is_string() ? value->get<std::string>() : std::string();
  }

  bool flag(const Json &object, const std::string &where, const char *key) {
    const Json *value = field(object, where, key);
    if (value && !value->is_boolean())
      fail(fmt::format("{}{} must be true or false, but found {}", where, key, value->dump()));
    return value && value->is_boolean() && value->get<bool>();
  }

  template <size_t N>
  int word(const Json &object, const std::string &where, const char *key, const char *const (&words)[N]) {
    std::string value = text(object, where, key);
    for (size_t i = 0; i < N; ++i)
      if (value == words[i])
        return static_cast<int>(i);
    fail(fmt::format("{}{} must be one of {}, but found {}", where, key, fmt::join(words, ", "), value));
    return 0;
  }

  const Json &list(const Json &object, const std::string &where, const char *key) {
    static const Json empty = Json::array();
    const Json *value = field(object, where, key);
    if (value && !value->is_array())
      fail(fmt::format("{}{} must be a list, but found {}", where, key, value->type_name()));
    return value && value->is_array() ? *value : empty;
  }

  std::vector<int64_t> integers(const Json &object, const std::string &where, const char *key) {
    std::vector<int64_t> result;
    for (const Json &item : list(object, where, key)) {
      if (!item.is_number_unsigned() || item.get<uint64_t>() > uint64_t(kMost))
        fail(fmt::format("{}{} must hold integers in 0 .. {}, but found {}", where, key, kMost, item.dump()));
      else
        result.push_back(item.get<int64_t>());
    }
    return result;
  }

  std::vector<std::string> strings(const Json &object, const std::string &where, const char *key) {
    std::vector<std::string> result;
    for (const Json &item : list(object, where, key)) {
      if (!item.is_string())
        fail(fmt::format("{}{} must hold strings, but found {}", where, key, item.dump()));
      else
        result.push_back(item.get<std::string>());
    }
    return result;
  }

  /// `read(item, where)` for each object of a list.
  template <typename T, typename Read>
  std::vector<T> objects(const Json &object, const std::string &where, const char *key, Read read) {
    std::vector<T> result;
    for (const Json &item : list(object, where, key)) {
      if (error)
        break;
      std::string place = fmt::format("{}{}[{}]", where, key, result.size());
      if (!item.is_object()) {
        fail(fmt::format("{} must be an object, but found {}", place, item.type_name()));
        break;
      }
      place += ".";
      result.push_back(read(item, place));
    }
    return result;
  }
};

/// What the form asks of the other fields.
void checkWeight(Reader &r, const Weight &weight, const std::string &where) {
  bool pattern = weight.name.find("{}") != std::string::npos;
  if (weight.form == WeightForm::Table && !pattern)
    r.fail(fmt::format("{}name of a table must hold {{}}, but found {}", where, weight.name));
  if (weight.form == WeightForm::Data && pattern)
    r.fail(fmt::format("{}name of data must be that of one tensor, but found {}", where, weight.name));
  if (weight.form == WeightForm::Data && weight.count != 1)
    r.fail(fmt::format("{}count of data must be 1, but found {}", where, weight.count));
  if (weight.form == WeightForm::Scalars && weight.count > 1 && !pattern)
    r.fail(fmt::format("{}name of {} scalars must hold {{}}, but found {}", where, weight.count, weight.name));
  if (weight.reciprocal && weight.form != WeightForm::Scalars)
    r.fail(fmt::format("{}reciprocal must be of scalars, but found it at {}", where,
                       kForms[static_cast<int>(weight.form)]));
  if (weight.filled && weight.form == WeightForm::Scalars)
    r.fail(fmt::format("{}filled must be of data or a table, but found it at scalars", where));
  if (weight.filled && (weight.shape.size() != 1 || weight.shape[0] > kMost / weight.count))
    r.fail(
        fmt::format("{}shape of what is filled must be a number of bytes, of all together at most {}, but found [{}]",
                    where, kMost, fmt::join(weight.shape, ", ")));
}

Weight readWeight(Reader &r, const Json &json, const std::string &where) {
  r.only(json, where, {"name", "form", "count", "dtype", "shape", "reciprocal", "filled"});
  Weight weight;
  weight.name = r.text(json, where, "name");
  weight.form = static_cast<WeightForm>(r.word(json, where, "form", kForms));
  weight.count = r.integer(json, where, "count", 1, 1 << 20);
  weight.dtype = r.text(json, where, "dtype");
  weight.shape = r.integers(json, where, "shape");
  weight.reciprocal = json.contains("reciprocal") && r.flag(json, where, "reciprocal");
  weight.filled = json.contains("filled") && r.flag(json, where, "filled");
  checkWeight(r, weight, where);
  return weight;
}

Buffer readBuffer(Reader &r, const Json &json, const std::string &where, uint64_t arena) {
  r.only(json, where, {"name", "space", "offset", "bytes"});
  Buffer buffer;
  buffer.name = r.text(json, where, "name");
  buffer.space = static_cast<BufferSpace>(r.word(json, where, "space", kSpaces));
  buffer.offset = r.integer(json, where, "offset", 0, kMost);
  buffer.bytes = r.integer(json, where, "bytes", 0, kMost);
  if (buffer.space != BufferSpace::Cache && buffer.offset + buffer.bytes > arena)
    r.fail(fmt::format("{}bytes must end within the arena's {}, but found {}", where, arena,
                       buffer.offset + buffer.bytes));
  return buffer;
}

/// A name without a folder, so that nothing outside is ever meant.
std::string readFileName(Reader &r, const Json &json, const std::string &where, const char *key, const char *folder) {
  std::string name = r.text(json, where, key);
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
    r.fail(fmt::format("{}{} must be a file of the {} folder, but found \"{}\"", where, key, folder, name));
  return name;
}

CheckpointFile readFile(Reader &r, const Json &json, const std::string &where) {
  r.only(json, where, {"name", "bytes", "header"});
  CheckpointFile file;
  file.name = readFileName(r, json, where, "name", "checkpoint's");
  file.bytes = r.integer(json, where, "bytes", 0, kMost);
  file.header = r.hash(json, where, "header");
  return file;
}

Code readCode(Reader &r, const Json &json, const std::string &where) {
  r.only(json, where, {"file", "bytes", "hash", "features"});
  Code code;
  code.file = readFileName(r, json, where, "file", "artifact's");
  code.bytes = r.integer(json, where, "bytes", 0, kMost);
  code.hash = r.hash(json, where, "hash");
  code.features = r.strings(json, where, "features");
  return code;
}

PrecisionRow readPrecision(Reader &r, const Json &json, const std::string &where) {
  r.only(json, where, {"pattern", "count", "stored", "computed", "bytes", "rule", "source"});
  PrecisionRow row;
  row.pattern = r.text(json, where, "pattern");
  row.count = r.integer(json, where, "count", 0, kMost);
  row.stored = r.text(json, where, "stored");
  row.computed = r.text(json, where, "computed");
  row.bytes = r.integer(json, where, "bytes", 0, kMost);
  row.rule = r.text(json, where, "rule");
  row.source = r.text(json, where, "source");
  return row;
}

/// "w12" or "b3".
Argument readArgument(Reader &r, const Json &json, const std::string &where, const Manifest &m) {
  Argument argument;
  std::string text = json.is_string() ? json.get<std::string>() : std::string();
  bool weight = text.starts_with('w');
  argument.kind = weight ? Argument::Kind::Weight : Argument::Kind::Buffer;
  size_t size = weight ? m.weights.size() : m.buffers.size();
  uint64_t index = 0;
  const char *begin = text.data() + 1, *last = text.data() + text.size();
  bool shaped = text.size() > 1 && (weight || text.starts_with('b'));
  if (shaped) {
    auto [end, code] = std::from_chars(begin, last, index);
    shaped = code == std::errc() && end == last;
  }
  if (!shaped || index >= size)
    r.fail(fmt::format(
        "{}arguments must name one of {} weights, such as w0, or one of {} buffers, such as b0, but found {}", where,
        m.weights.size(), m.buffers.size(), json.dump()));
  argument.index = static_cast<int64_t>(index);
  return argument;
}

Tap readTap(Reader &r, const Json &json, const std::string &where, const Manifest &m) {
  constexpr const char *dtypes[] = {"I32", "F32", "BF16"};
  r.only(json, where, {"name", "buffer", "dtype", "width"});
  Tap tap;
  tap.name = r.text(json, where, "name");
  tap.buffer = r.index(json, where, "buffer", "buffers", m.buffers.size());
  tap.dtype = dtypes[r.word(json, where, "dtype", dtypes)];
  tap.width = r.integer(json, where, "width", 1, kMostPositions);
  return tap;
}

Launch readLaunch(Reader &r, const Json &json, const std::string &where, const Manifest &m) {
  r.only(json, where, {"kernel", "arguments", "blocks", "rows", "taps"});
  Launch launch;
  launch.kernel = r.index(json, where, "kernel", "kernels", m.kernels.size());
  for (const Json &item : r.list(json, where, "arguments"))
    launch.arguments.push_back(readArgument(r, item, where, m));
  if (json.contains("blocks"))
    launch.blocks = r.integer(json, where, "blocks", 1, kMostBlocks);
  if (json.contains("rows"))
    launch.rows = static_cast<RowCount>(r.word(json, where, "rows", kRowCounts));
  if (json.contains("taps"))
    launch.taps =
        r.objects<Tap>(json, where, "taps", [&](auto &item, auto &place) { return readTap(r, item, place, m); });
  return launch;
}

void readModel(Reader &r, const Json &json, Manifest &m) {
  m.producer = r.text(json, "", "producer");
  m.target = r.text(json, "", "target");
  m.activations = r.text(json, "", "activations");
  m.layers = r.integer(json, "", "layers", 1, kMostRows);
  m.vocabSize = r.integer(json, "", "vocab_size", 1, kMostIds);
  m.maxModelLen = r.integer(json, "", "max_model_len", 1, kMostPositions);
  m.maxRows = r.integer(json, "", "max_rows", 1, kMostRows);
  m.maxSequences = r.integer(json, "", "max_sequences", 1, kMostRows);
  m.pageSize = r.integer(json, "", "page_size", 1, 1 << 20);
  m.pagesPerSequence = r.integer(json, "", "pages_per_sequence", 1, kMostPositions);
  m.pages = r.integer(json, "", "pages", 1, kMostPositions);
  m.experts = r.integer(json, "", "experts", 0, kMostRows);
  m.expertsPerToken = r.integer(json, "", "experts_per_token", 0, m.experts);
  m.eosTokenIds = r.integers(json, "", "eos_token_ids");
  m.temperature = r.number(json, "", "temperature", 0, 1e6);
  m.topP = r.number(json, "", "top_p", 0, 1);
  m.topK = r.integer(json, "", "top_k", 0, kMostIds);
  m.arenaBytes = r.integer(json, "", "arena_bytes", 0, kMost);
  m.checkpoint = r.text(json, "", "checkpoint");
  if (!r.error && m.pagesPerSequence * m.pageSize < m.maxModelLen)
    r.fail(fmt::format("pages_per_sequence must hold max_model_len {} in pages of {}, but found {}", m.maxModelLen,
                       m.pageSize, m.pagesPerSequence));
}

/// Weights of one launch, tensor by tensor.
void checkLoad(Reader &r, const Launch &launch, const std::string &where, const Manifest &m) {
  int64_t count = 0;
  for (const Argument &argument : launch.arguments) {
    if (argument.kind != Argument::Kind::Weight)
      return r.fail(fmt::format("{}arguments must be weights, but found b{}", where, argument.index));
    int64_t own = m.weights[argument.index].count;
    if (count != 0 && own != count)
      return r.fail(fmt::format("{}arguments must be weights of {} tensors, as the first, but found {} at w{}", where,
                                count, own, argument.index));
    count = own;
  }
  if (count == 0)
    r.fail(fmt::format("{}arguments must name a weight, but found none", where));
}

void readLoad(Reader &r, const Json &json, Manifest &m) {
  std::vector<bool> filled(m.weights.size(), false);
  m.load = r.objects<Launch>(json, "", "load", [&](auto &item, auto &where) {
    Launch launch = readLaunch(r, item, where, m);
    if (!r.error)
      checkLoad(r, launch, where, m);
    for (const Argument &argument : launch.arguments)
      if (!r.error)
        filled[argument.index] = true;
    return launch;
  });
  for (size_t i = 0; i < m.weights.size() && !r.error; ++i)
    if (m.weights[i].filled && !filled[i])
      r.fail(fmt::format("weights[{}] must be filled by a launch of load, but found none", i));
}

void readPrograms(Reader &r, const Json &json, Manifest &m) {
  m.programs = r.objects<Program>(json, "", "programs", [&](auto &item, auto &where) {
    r.only(item, where, {"name", "rows", "launches"});
    Program program;
    program.name = r.text(item, where, "name");
    program.rows = r.integer(item, where, "rows", 1, m.maxRows);
    program.launches = r.objects<Launch>(item, where, "launches",
                                         [&](auto &launch, auto &place) { return readLaunch(r, launch, place, m); });
    return program;
  });
  for (size_t i = 1; i < m.programs.size(); ++i)
    if (m.programs[i].rows <= m.programs[i - 1].rows)
      r.fail(fmt::format("programs[{}].rows must be more than {}, but found {}", i, m.programs[i - 1].rows,
                         m.programs[i].rows));
  if (m.programs.empty() || m.programs.back().rows != m.maxRows)
    r.fail(fmt::format("programs must end with one of {} rows, but found {}", m.maxRows,
                       m.programs.empty() ? "none" : std::to_string(m.programs.back().rows)));
}

Kernel readKernel(Reader &r, const Json &json, const std::string &where) {
  Kernel kernel;
  kernel.name = r.text(json, where, "name");
  if (json.contains("parallel")) {
    r.only(json, where, {"name", "parallel"});
    kernel.parallel = r.flag(json, where, "parallel");
    return kernel;
  }
  r.only(json, where, {"name", "threads", "shared_bytes", "registers", "spill_bytes"});
  kernel.threads = r.integer(json, where, "threads", 1, kMostThreads);
  kernel.sharedBytes = r.integer(json, where, "shared_bytes", 0, kMostSharedBytes);
  kernel.registers = r.integer(json, where, "registers", 0, kMostRegisters);
  kernel.spillBytes = r.integer(json, where, "spill_bytes", 0, kMost);
  return kernel;
}

/// Kernels of one artifact run on one kind of machine, and launches say what that asks for.
void checkMachine(Reader &r, const Manifest &m) {
  bool gpu = m.onGpu();
  for (size_t i = 0; i < m.kernels.size(); ++i)
    if ((m.kernels[i].threads > 0) != gpu)
      r.fail(fmt::format("kernels[{}] must be for {}, as the first, but found the other", i, gpu ? "a GPU" : "a host"));
  auto check = [&](const std::vector<Launch> &launches, const std::string &where) {
    for (size_t i = 0; i < launches.size(); ++i)
      if ((launches[i].blocks > 0) != gpu)
        r.fail(fmt::format("{}[{}].blocks must be {}, but found {}", where, i,
                           gpu ? "more than 0 on a GPU" : "0 on a host", launches[i].blocks));
  };
  check(m.load, "load");
  for (size_t p = 0; p < m.programs.size(); ++p)
    check(m.programs[p].launches, fmt::format("programs[{}].launches", p));
}

} // namespace

Result<Manifest> readManifest(const std::filesystem::path &folder) {
  std::error_code failure;
  if (!std::filesystem::is_directory(folder, failure))
    return Error{fmt::format("{}: the artifact must be a folder, but found {}", folder.string(),
                             std::filesystem::exists(folder, failure) ? "something else" : "none")};
  auto file = readJson(folder / kManifestFile);
  if (!file)
    return file.error();
  auto manifest = parseManifest(*file);
  if (!manifest)
    return manifest;
  std::string written = file->value[kSealKey].get<std::string>(), found = manifestSeal(*manifest);
  if (written != found)
    return Error{
        fmt::format("{}: contents must be as glm-compile wrote them (seal {}), but found an edit ({}): compile "
                    "the artifact again",
                    kManifestFile, written, found)};
  return manifest;
}

Result<Manifest> parseManifest(const JsonFile &file) {
  const Json &json = file.value;
  Reader r;
  Manifest m;
  m.format = static_cast<int>(r.integer(json, "", "format", 0, INT32_MAX));
  if (!r.error && m.format != kFormatVersion)
    return Error{
        fmt::format("{}: format must be {}, the one of this version of glm, but found {}: compile the artifact again",
                    kManifestFile, kFormatVersion, m.format)};
  readModel(r, json, m);
  m.code = r.objects<Code>(json, "", "code", [&](auto &item, auto &where) { return readCode(r, item, where); });
  if (m.code.empty())
    r.fail("code must name a library, but found none");
  m.files =
      r.objects<CheckpointFile>(json, "", "files", [&](auto &item, auto &where) { return readFile(r, item, where); });
  m.precision = r.objects<PrecisionRow>(json, "", "precision",
                                        [&](auto &item, auto &where) { return readPrecision(r, item, where); });
  m.weights =
      r.objects<Weight>(json, "", "weights", [&](auto &item, auto &where) { return readWeight(r, item, where); });
  m.buffers = r.objects<Buffer>(json, "", "buffers",
                                [&](auto &item, auto &where) { return readBuffer(r, item, where, m.arenaBytes); });
  m.kernels =
      r.objects<Kernel>(json, "", "kernels", [&](auto &item, auto &where) { return readKernel(r, item, where); });
  readLoad(r, json, m);
  readPrograms(r, json, m);
  checkMachine(r, m);
  r.hash(json, "", kSealKey);
  r.only(json, "", {"format",        "producer",      "target",
                    "code",          "activations",   "layers",
                    "vocab_size",    "max_model_len", "max_rows",
                    "max_sequences", "page_size",     "pages_per_sequence",
                    "pages",         "experts",       "experts_per_token",
                    "eos_token_ids", "temperature",   "top_p",
                    "top_k",         "arena_bytes",   "checkpoint",
                    "files",         "precision",     "weights",
                    "buffers",       "kernels",       "load",
                    "programs",      kSealKey});
  if (r.error)
    return *r.error;
  return m;
}

} // namespace glm
