#include "test/frontend/glm-compile/BadInputs.h"

#include <sys/stat.h>

namespace fs = std::filesystem;

namespace glm::test {
namespace {

using Edit = std::function<void(const Place &)>;

const std::vector<std::string> kVerify = {GLM_RUN, "verify", "model.glm"};

Edit manifest(const std::function<void(Json &)> &edit) {
  return [=](const Place &place) { Place::json(place.artifact("manifest.json"), edit); };
}

Edit nothing() {
  return [](const Place &) {};
}

/// A byte of the first block scales of the experts.
Edit blockScale(char byte) {
  return [=](const Place &place) {
    Place::tensor(place.model(kSingle), "model.layers.2.mlp.experts.1.up_proj.weight_scale", 7, std::string(1, byte));
  };
}

/// As many tokens as an artifact of the default length takes, one more to come.
std::string longPrompt() {
  std::string text = "1";
  for (int i = 1; i < 32768; ++i)
    text += ",1";
  return text + "\n";
}

BadInput run(const std::string &what, const std::vector<std::string> &flags, const std::string &said,
             const Limits &limits = {}) {
  std::vector<std::string> words = {GLM_RUN, "run", "model.glm", "--max-new-tokens=1"};
  words.insert(words.end(), flags.begin(), flags.end());
  return {what, Start::Artifact, nothing(), said, words, limits};
}

} // namespace

Section badArtifacts() {
  return {
      "artifacts and their checkpoints",
      1,
      {
          {"no artifact", Start::Wide, nothing(), R"(model.glm: the artifact must be a folder, but found none)",
           kVerify},
          {"no artifact (info)",
           Start::Wide,
           nothing(),
           R"(model.glm: the artifact must be a folder, but found none)",
           {GLM_RUN, "info", "model.glm"}},
          {"a checkpoint where the artifact should be",
           Start::Wide,
           nothing(),
           R"(model: manifest.json must be a file, but found none)",
           {GLM_RUN, "verify", "model"}},
          {"no manifest", Start::Artifact, [](auto &p) { fs::remove(p.artifact("manifest.json")); },
           R"(model.glm: manifest.json must be a file, but found none)", kVerify},
          {"a manifest that is cut short", Start::Artifact,
           [](auto &p) { Place::resize(p.artifact("manifest.json"), -1000); },
           R"(manifest.json:#: text must be JSON, but found an error at byte #)", kVerify},
          {"an artifact of another version", Start::Artifact, manifest([](Json &json) { json["format"] = 1; }),
           R"(manifest.json: format must be #, the one of this version of glm, but found 1: compile the artifact again)",
           kVerify},
          {"a manifest with another number", Start::Artifact, manifest([](Json &json) { json["max_model_len"] = 64; }),
           R"(manifest.json: contents must be as glm-compile wrote them (seal #), but found an edit (#): compile the artifact again)",
           kVerify},
          {"a manifest with another order of arguments", Start::Artifact, manifest([](Json &json) {
             Json &arguments = json["programs"][0]["launches"][3]["arguments"];
             std::swap(arguments[0], arguments[1]);
           }),
           R"(manifest.json: contents must be as glm-compile wrote them (seal #), but found an edit (#): compile the artifact again)",
           kVerify},
          {"a manifest with a key too many", Start::Artifact, manifest([](Json &json) { json["note"] = "mine"; }),
           R"(manifest.json: note must be a key of format #, but found that it is not)", kVerify},
          {"no library", Start::Artifact, [](auto &p) { fs::remove(p.artifact("host.so")); },
           R"(model.glm: host.so must be a file, but found none)", kVerify},
          {"a library that is cut short", Start::Artifact, [](auto &p) { Place::resize(p.artifact("host.so"), -4096); },
           R"(host.so: file must have # bytes as glm-compile wrote it, but found #)", kVerify},
          {"a library with another byte", Start::Artifact,
           [](auto &p) {
             std::string content = Place::read(p.artifact("host.so"));
             content[content.size() / 2] ^= 1;
             Place::write(p.artifact("host.so"), content);
           },
           R"(host.so: file must be as glm-compile wrote it (hash #), but found #)", kVerify},
          {"a library outside of the artifact", Start::Artifact,
           manifest([](Json &json) { json["code"][0]["file"] = "../host.so"; }),
           R"(manifest.json: code[0].file must be a file of the artifact's folder, but found "../host.so")", kVerify},
          {"the checkpoint has moved", Start::Artifact, [](auto &p) { fs::rename(p.model(), p.root() / "elsewhere"); },
           R"(PLACE/model: the checkpoint's folder must exist, but found none (checkpoint of manifest.json says where it is, and may be edited))",
           kVerify},
          {"a file of the checkpoint is gone", Start::Artifact, [](auto &p) { fs::remove(p.model(kSingle)); },
           R"(model.safetensors: the checkpoint file must exist in PLACE/model, but found No such file or directory)",
           kVerify},
          {"a file of the checkpoint is cut short", Start::Artifact,
           [](auto &p) { Place::resize(p.model(kSingle), -9); },
           R"(model.safetensors: the checkpoint file must have 699020 bytes, but found 699011 (9 missing))", kVerify},
          {"a file of the checkpoint is a FIFO", Start::Artifact,
           [](auto &p) {
             fs::remove(p.model(kSingle));
             mkfifo(p.model(kSingle).c_str(), 0600);
           },
           R"(model.safetensors: the checkpoint file must be a regular file, but found another kind)", kVerify},
          {"another checkpoint of the same size", Start::Artifact,
           [](auto &p) { Place::text(p.model(kSingle), "experts.0.up_proj", "experts.9.up_proj"); },
           R"(model.safetensors: the header must be the one that was compiled against (hash #), but found #)", kVerify},
          {"a global scale of 0 since", Start::Artifact,
           [](auto &p) {
             Place::tensor(p.model(kSingle), "model.layers.2.mlp.experts.1.up_proj.weight_scale_2", 0,
                           std::string(4, '\0'));
           },
           R"(model.layers.2.mlp.experts.1.up_proj.weight_scale_2: the scale must be finite and greater than 0, but found 0)",
           kVerify},
          {"a block scale that is NaN (verify --weights)",
           Start::Artifact,
           blockScale('\x7f'),
           R"(model.layers.2.mlp.experts.1.up_proj.weight_scale: block scales must be e4m3 numbers of at least 0, but found 0x7f (nan) at [1, 1])",
           {GLM_RUN, "verify", "model.glm", "--weights"}},
          {"a block scale that is NaN (run)",
           Start::Artifact,
           blockScale('\x7f'),
           R"(model.layers.2.mlp.experts.1.up_proj.weight_scale: block scales must be e4m3 numbers of at least 0, but found 0x7f (nan) at [1, 1])",
           {GLM_RUN, "run", "model.glm", "--tokens=1"}},
          {"a negative block scale (run)",
           Start::Artifact,
           blockScale('\xb8'),
           R"(model.layers.2.mlp.experts.1.up_proj.weight_scale: block scales must be e4m3 numbers of at least 0, but found 0xb8 (negative) at [1, 1])",
           {GLM_RUN, "run", "model.glm", "--tokens=1"}},
          {"kernels for a device that the artifact is not for",
           Start::Artifact,
           nothing(),
           R"(model.glm: --device=cuda needs an artifact for a GPU, but found one for the host (host, host.so))",
           {GLM_RUN, "run", "model.glm", "--tokens=1", "--device=cuda"}},
      },
  };
}

Section badRuns() {
  return {
      "what glm-run is asked",
      1,
      {
          run("a token id beyond the vocabulary", {"--tokens=1,40"},
              R"(sequence 0: token ids must be in [0, 40), but found 40 at position 1)"),
          run("a context beyond the artifact", {"--tokens-file=-"},
              R"(sequence 0: prompt and new tokens must be at most 32768 together (max_model_len of the artifact), but found 32768 and 1)",
              {.input = longPrompt()}),
          run("more rows in a step than the artifact has", {"--tokens=1,2", "--chunk=3"},
              R"(--chunk: rows must be at most 2 (max_rows of the artifact), but found 3)"),
          run("no file of tokens", {"--tokens-file=none"},
              R"(none: the file must be readable, but found No such file or directory)"),
          run("an empty file of tokens", {"--tokens-file=-"},
              R"(stdin: the file must have a line of token ids per sequence, but found no line)"),
          run("a line of tokens that is none", {"--tokens-file=-"},
              R"(stdin:2: token ids must be numbers from 0 separated by commas, but found 'x')",
              {.input = "1,2\n3,x\n"}),
          run("logits into a folder that is absent", {"--tokens=1", "--logits=none/l.safetensors"},
              R"(none/l.safetensors: the folder of an output must be writable, but found No such file or directory)"),
          run("logits onto a device", {"--tokens=1", "--logits=/dev/null"},
              R"(/dev/null: output must be absent or a file, but found a device or a FIFO)"),
          run("logits onto a folder", {"--tokens=1", "--logits=model"},
              R"(model: output must be absent or a file, but found a folder)"),
          run("the disk is full while logits are written", {"--tokens=1,2", "--logits=l.safetensors"},
              R"(l.safetensors: file must be writable, but found File too large)", {.fileBytes = 100}),
          run("stdout is full", {"--tokens=1,2"},
              R"(stdout: output must be written whole, but found No space left on device)", {.fullOutput = true}),
          {"stdout is full (info)",
           Start::Artifact,
           nothing(),
           R"(stdout: output must be written whole, but found No space left on device)",
           {GLM_RUN, "info", "model.glm", "--json"},
           {.fullOutput = true}},
      },
  };
}

} // namespace glm::test
