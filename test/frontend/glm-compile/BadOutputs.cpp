#include "test/frontend/glm-compile/BadInputs.h"

#include <sys/stat.h>

namespace fs = std::filesystem;

namespace glm::test {

Section badOutputs() {
  return {
      "what glm-compile shall write",
      1,
      {
          {"the output is a file", Start::Wide, [](auto &p) { Place::write(p.root() / "out.glm", "mine"); },
           R"(out.glm: output must be a glm artifact or absent, but found a file)"},
          {"the output is a folder of something else", Start::Wide,
           [](auto &p) {
             fs::create_directory(p.root() / "out.glm");
             Place::write(p.root() / "out.glm" / "mine", "");
           },
           R"(out.glm: output must be a glm artifact or absent, but found a folder without manifest.json)"},
          {"the output's folder is absent",
           Start::Wide,
           [](auto &) {},
           R"(none/out.glm: output must lie in a folder that exists, but found no none)",
           {GLM_COMPILE, "model", "-o", "none/out.glm"}},
          {"the disk is full while kernels are written",
           Start::Wide,
           [](auto &) {},
           R"(out.glm.tmp-#-0/host.so.objects/0.o: file must be written whole, but found File too large)",
           {GLM_COMPILE, "model", "-o", "out.glm", "-j1"},
           {.fileBytes = 512}},
          {"the disk is full while the library is linked",
           Start::Wide,
           [](auto &) {},
           R"(out.glm.tmp-#-0/host.so: kernels must link, but found ld.lld: error: failed to open out.glm.tmp-#-0/host.so: File too large)",
           {GLM_COMPILE, "model", "-o", "out.glm", "-j1"},
           {.fileBytes = 30'000}},
          {"stdout is full: --print-precision",
           Start::Wide,
           [](auto &) {},
           R"(stdout: output must be written whole, but found No space left on device)",
           {GLM_COMPILE, "model", "--print-precision"},
           {.fullOutput = true}},
          {"stdout is full: --stop-after",
           Start::Wide,
           [](auto &) {},
           R"(stdout: output must be written whole, but found No space left on device)",
           {GLM_COMPILE, "model", "--stop-after=model"},
           {.fullOutput = true}},
          {"the output and the model at once", Start::Wide,
           [](auto &p) {
             Place::write(p.root() / "out.glm", "mine");
             p.config("hidden_act", "gelu");
           },
           R"(out.glm: output must be a glm artifact or absent, but found a file
config.json:9: hidden_act must be "silu", the only one implemented, but found "gelu")"},
          {"activations in NVFP4 without packed weights that say how",
           Start::Wide,
           [](auto &) {},
           R"(--activations: nvfp4 needs packed weights with an input_scale, but found none in the checkpoint)",
           {GLM_COMPILE, "model", "-o", "out.glm", "--target=sm_120a", "--activations=nvfp4"}},
          {"a longer context than config.json allows",
           Start::Wide,
           [](auto &) {},
           R"(--max-model-len: length must be at most max_position_embeddings 32768, but found 40000)",
           {GLM_COMPILE, "model", "-o", "out.glm", "--max-model-len=40000"}},
      },
  };
}

} // namespace glm::test
