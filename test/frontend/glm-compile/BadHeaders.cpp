#include "test/frontend/glm-compile/BadInputs.h"

#include <cstring>

namespace glm::test {
namespace {

constexpr const char *kNorm = "model.norm.weight";

std::function<void(const Place &)> raw(const std::string &header) {
  return [=](const Place &place) { Place::rawHeader(place.model(kSingle), header); };
}

/// Edit the entry of the last norm.
std::function<void(const Place &)> entry(const std::function<void(Json &)> &edit) {
  return [=](const Place &place) { Place::header(place.model(kSingle), [&](Json &json) { edit(json[kNorm]); }); };
}

/// Write the length field alone.
std::function<void(const Place &)> length(uint64_t bytes) {
  return [=](const Place &place) {
    std::string content = Place::read(place.model(kSingle));
    std::memcpy(content.data(), &bytes, sizeof bytes);
    Place::write(place.model(kSingle), content);
  };
}

std::string repeated(const std::string &text, size_t count) {
  std::string result;
  result.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i)
    result += text;
  return result;
}

/// A header of 90 MB of small values.
void fill(const Place &place) {
  Place::rawHeader(place.model(kSingle), "{\"a\": [" + repeated("[],", 30'000'000) + "0]}");
}

} // namespace

Section badHeaders() {
  return {
      "headers of safetensors files",
      1,
      {
          {"longer than the file", Start::Wide, length(99'000'000),
           R"(model.safetensors: header must fit into the file's 1531496 bytes, but found 99000000)"},
          {"over 100 MB", Start::Wide, length(100'000'001),
           R"(model.safetensors: header must have at most 100000000 bytes, but found 100000001)"},
          {"of 2^64 - 1 bytes", Start::Wide, length(UINT64_MAX),
           R"(model.safetensors: header must have at most 100000000 bytes, but found 18446744073709551615)"},
          {"not JSON", Start::Wide, raw("not JSON"),
           R"(model.safetensors:1: text must be JSON, but found an error at byte 2)"},
          {"not an object", Start::Wide, raw("[1, 2]"),
           R"(model.safetensors: file must hold one object, but found array)"},
          {"nested 100,000 deep", Start::Wide, raw("{\"a\": " + repeated("[", 100'000) + repeated("]", 100'000) + "}"),
           R"(model.safetensors: nesting must be at most 64 deep, but found more)"},
          {"90 MB of small values", Start::Wide, fill,
           R"(model.safetensors: file must hold at most 4194304 values, but found more)"},
          {"a tensor twice", Start::Wide,
           [](auto &p) {
             Place::header(p.model(kSingle), [](Json &json) { json["model.norm.weighu"] = 1; });
             Place::text(p.model(kSingle), "model.norm.weighu", kNorm);
           },
           R"(model.safetensors: key model.norm.weight must occur once, but found it twice)"},
          {"a line break in a name", Start::Wide, raw(R"({"a\nb\u001b[31m": 1})"),
           R"(model.safetensors: a\x0ab\x1b[31m must have dtype, shape and data_offsets, but found 1)"},
          {"a key of an entry twice", Start::Wide, raw(R"({"a": {"dtype": "U8", "dtype": "F32"}})"),
           R"(model.safetensors: key dtype must occur once, but found it twice)"},
          {"an entry that is no object", Start::Wide, entry([](Json &json) { json = 3; }),
           R"(model.safetensors: model.norm.weight must have dtype, shape and data_offsets, but found 3)"},
          {"an entry without a shape", Start::Wide, entry([](Json &json) { json.erase("shape"); }),
           R"(model.safetensors: model.norm.weight must have dtype, shape and data_offsets, but found {"data_offsets":[1197920,1198112],"dtype":"BF16"})"},
          {"an unknown dtype", Start::Wide, entry([](Json &json) { json["dtype"] = "F6_E3M2"; }),
           R"(model.safetensors: model.norm.weight must have a known dtype, but found "F6_E3M2")"},
          {"a shape that disagrees with the bytes", Start::Wide, entry([](Json &json) { json["shape"] = {95}; }),
           R"(model.safetensors: model.norm.weight of BF16 [95] must have 190 bytes, but found 192)"},
          {"a negative shape", Start::Wide, entry([](Json &json) { json["shape"] = {-96}; }),
           R"(model.safetensors: model.norm.weight must have a shape of non-negative integers, but found [-96])"},
          {"a shape that overflows", Start::Wide,
           entry([](Json &json) { json["shape"] = {int64_t(1) << 32, int64_t(1) << 32}; }),
           R"(model.safetensors: model.norm.weight of BF16 [4294967296, 4294967296] must have less than 2^64 bytes, but found more)"},
          {"offsets that overlap", Start::Wide, entry([](Json &json) { json["data_offsets"] = {0, 192}; }),
           R"(model.safetensors: model.norm.weight must start at byte 16999 of the file, where the one before ends, but found 16983)"},
          {"offsets with a hole", Start::Wide,
           [](auto &p) { Place::header(p.model(kSingle), [](Json &json) { json.erase(kNorm); }); },
           R"(model.safetensors: lm_head.weight must start at byte 1214830 of the file, where the one before ends, but found 1215022)"},
          {"offsets beyond the file", Start::Wide,
           entry([](Json &json) { json["data_offsets"] = {900'000'000, 900'000'192}; }),
           R"(model.safetensors: lm_head.weight must start at byte 1214917 of the file, where the one before ends, but found 1215109)"},
          {"negative offsets", Start::Wide, entry([](Json &json) { json["data_offsets"] = {-192, 0}; }),
           R"(model.safetensors: model.norm.weight must have two ascending data_offsets, but found [-192,0])"},
          {"offsets of 2^63 and more", Start::Wide,
           entry([](Json &json) { json["data_offsets"] = {uint64_t(1) << 63, (uint64_t(1) << 63) + 192}; }),
           R"(model.safetensors: model.norm.weight must have two ascending data_offsets, but found [9223372036854775808,9223372036854776000])"},
          {"offsets beyond 2^64", Start::Wide,
           raw(R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [18446744073709551615, 18446744073709551616]}})"),
           R"(model.safetensors: a must have two ascending data_offsets, but found [18446744073709551615,1.8446744073709552e+19])"},
          {"offsets that descend", Start::Wide, entry([](Json &json) { json["data_offsets"] = {192, 0}; }),
           R"(model.safetensors: model.norm.weight must have two ascending data_offsets, but found [192,0])"},
          {"metadata that is no text", Start::Wide, raw(R"({"__metadata__": {"format": 3}})"),
           R"(model.safetensors: __metadata__ format must be a string, but found 3)"},
      },
  };
}

} // namespace glm::test
