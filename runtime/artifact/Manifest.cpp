#include "runtime/artifact/Manifest.h"

#include "runtime/artifact/Hash.h"
#include "runtime/artifact/Json.h"
#include "runtime/artifact/ManifestWords.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <fstream>

namespace glm {
namespace {

using Json = nlohmann::ordered_json;

Json toJson(const Weight &weight) {
  Json json = {{"name", weight.name},
               {"form", kForms[static_cast<int>(weight.form)]},
               {"count", weight.count},
               {"dtype", weight.dtype},
               {"shape", weight.shape}};
  if (weight.reciprocal)
    json["reciprocal"] = true;
  if (weight.filled)
    json["filled"] = true;
  return json;
}

Json toJson(const Buffer &buffer) {
  return {{"name", buffer.name},
          {"space", kSpaces[static_cast<int>(buffer.space)]},
          {"offset", buffer.offset},
          {"bytes", buffer.bytes}};
}

Json toJson(const Kernel &kernel) {
  if (kernel.threads == 0)
    return {{"name", kernel.name}, {"parallel", kernel.parallel}};
  return {{"name", kernel.name},
          {"threads", kernel.threads},
          {"shared_bytes", kernel.sharedBytes},
          {"registers", kernel.registers},
          {"spill_bytes", kernel.spillBytes}};
}

Json toJson(const Code &code) {
  return {{"file", code.file},
          {"bytes", code.bytes},
          {"hash", fmt::format("{:016x}", code.hash)},
          {"features", code.features}};
}

Json toJson(const CheckpointFile &file) {
  return {{"name", file.name}, {"bytes", file.bytes}, {"header", fmt::format("{:016x}", file.header)}};
}

Json toJson(const PrecisionRow &row) {
  return {{"pattern", row.pattern}, {"count", row.count}, {"stored", row.stored}, {"computed", row.computed},
          {"bytes", row.bytes},     {"rule", row.rule},   {"source", row.source}};
}

Json toJson(const Launch &launch) {
  Json arguments = Json::array();
  for (const Argument &argument : launch.arguments)
    arguments.push_back(fmt::format("{}{}", argument.kind == Argument::Kind::Weight ? 'w' : 'b', argument.index));
  Json json = {{"kernel", launch.kernel}, {"arguments", arguments}};
  if (launch.blocks != 0)
    json["blocks"] = launch.blocks;
  if (launch.rows != RowCount::Step)
    json["rows"] = kRowCounts[static_cast<int>(launch.rows)];
  for (const Tap &tap : launch.taps)
    json["taps"].push_back({{"name", tap.name}, {"buffer", tap.buffer}, {"dtype", tap.dtype}, {"width", tap.width}});
  return json;
}

/// One element per line: the file can be read, searched by line and compared.
template <typename T>
std::string lines(const std::vector<T> &list, const char *indent) {
  std::string text = "[";
  for (size_t i = 0; i < list.size(); ++i)
    text += fmt::format("{}\n{}{}", i ? "," : "", indent, toJson(list[i]).dump());
  return text + "\n" + std::string(indent + 1) + "]";
}

std::string programText(const Program &program) {
  return fmt::format("{{\"name\": {}, \"rows\": {}, \"launches\": {}}}", Json(program.name).dump(), program.rows,
                     lines(program.launches, "   "));
}

/// All but the seal and the closing bracket.
std::string format(const Manifest &m) {
  std::string text = "{\n";
  auto scalar = [&](const char *key, const Json &value) { text += fmt::format(" \"{}\": {},\n", key, value.dump()); };
  auto list = [&](const char *key, const std::string &value) { text += fmt::format(" \"{}\": {},\n", key, value); };
  scalar("format", m.format);
  scalar("producer", m.producer);
  scalar("target", m.target);
  list("code", lines(m.code, "  "));
  scalar("activations", m.activations);
  scalar("layers", m.layers);
  scalar("vocab_size", m.vocabSize);
  scalar("max_model_len", m.maxModelLen);
  scalar("max_rows", m.maxRows);
  scalar("max_sequences", m.maxSequences);
  scalar("page_size", m.pageSize);
  scalar("pages_per_sequence", m.pagesPerSequence);
  scalar("pages", m.pages);
  scalar("experts", m.experts);
  scalar("experts_per_token", m.expertsPerToken);
  scalar("eos_token_ids", m.eosTokenIds);
  scalar("temperature", m.temperature);
  scalar("top_p", m.topP);
  scalar("top_k", m.topK);
  scalar("arena_bytes", m.arenaBytes);
  scalar("checkpoint", m.checkpoint);
  list("files", lines(m.files, "  "));
  list("precision", lines(m.precision, "  "));
  list("weights", lines(m.weights, "  "));
  list("buffers", lines(m.buffers, "  "));
  list("kernels", lines(m.kernels, "  "));
  list("load", lines(m.load, "  "));
  text += " \"programs\": [";
  for (size_t i = 0; i < m.programs.size(); ++i)
    text += fmt::format("{}\n  {}", i ? "," : "", programText(m.programs[i]));
  return text + "\n ],\n";
}

} // namespace

std::string expandPattern(const std::string &name, int64_t index) {
  size_t hole = name.find("{}");
  return hole == std::string::npos ? name : name.substr(0, hole) + std::to_string(index) + name.substr(hole + 2);
}

std::string manifestSeal(const Manifest &manifest) {
  Manifest rest = manifest;
  rest.checkpoint.clear();
  return fmt::format("{:016x}", fnv1a64(format(rest)));
}

Result<std::string> manifestText(const Manifest &manifest) {
  try {
    return fmt::format("{} \"{}\": \"{}\"\n}}\n", format(manifest), kSealKey, manifestSeal(manifest));
  } catch (const Json::type_error &) { // the only reason for which nlohmann refuses to print
    return Error{fmt::format("{}: names must be UTF-8, but found one that is not", kManifestFile)};
  }
}

Result<void> writeManifest(const std::filesystem::path &folder, const Manifest &manifest) {
  auto text = manifestText(manifest);
  if (!text)
    return text.error();
  std::ofstream stream(folder / kManifestFile, std::ios::binary);
  stream.write(text->data(), static_cast<std::streamsize>(text->size()));
  stream.close();
  if (!stream)
    return Error{fmt::format("{}: file must be writable, but found {}", (folder / kManifestFile).string(),
                             std::strerror(errno))};
  return {};
}

} // namespace glm
