#include "runtime/artifact/Streams.h"
#include "runtime/device/CpuFeatures.h"
#include "runtime/device/CudaDevice.h"
#include "runtime/device/HostDevice.h"
#include "runtime/exec/Artifact.h"
#include "runtime/glm-run/Commands.h"
#include "runtime/glm-run/Load.h"
#include "runtime/glm-run/Report.h"
#include "runtime/memory/BlockScales.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <fstream>
#include <openssl/evp.h>

namespace glm {

/// The hash that model hubs publish for large files, so that a folder can be compared with where it came from.
static Result<std::string> sha256(const std::filesystem::path &path) {
  std::ifstream file(path, std::ios::binary);
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  std::vector<char> piece(1 << 20);
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())) || file.gcount() > 0)
    EVP_DigestUpdate(context.get(), piece.data(), file.gcount());
  if (!file.eof())
    return Error{
        fmt::format("{}: the file must be readable to its end, but found {}", path.string(), std::strerror(errno))};
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(context.get(), digest, &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i)
    text += fmt::format("{:02x}", digest[i]);
  return text;
}

/// One file a thread: hashing is bound by the processor.
static Result<std::vector<std::string>> hashFiles(const Artifact &artifact, ThreadPool &pool) {
  const std::vector<CheckpointFile> &files = artifact.manifest.files;
  std::vector<Result<std::string>> hashes(files.size(), std::string());
  std::atomic<size_t> next = 0;
  pool.run([&](int64_t, int64_t) {
    for (size_t i = next++; i < files.size(); i = next++)
      hashes[i] = sha256(artifact.checkpoint.folder() / files[i].name);
  });
  std::vector<std::string> all;
  for (Result<std::string> &hash : hashes) {
    if (!hash)
      return hash.error();
    all.push_back(*hash);
  }
  return all;
}

namespace {
/// What was looked at, for the report.
struct Findings {
  const Code *code = nullptr; ///< that this processor runs, or a GPU
  uint64_t fileBytes = 0;
  size_t tensors = 0;
  uint64_t scaleBytes = 0;
  std::vector<std::string> hashes; ///< one per file, empty if not asked
};
} // namespace

static nlohmann::json findingsJson(const Artifact &artifact, const Findings &findings) {
  nlohmann::json files = nlohmann::json::array();
  for (size_t i = 0; i < artifact.manifest.files.size(); ++i) {
    nlohmann::json file = {{"name", artifact.manifest.files[i].name}, {"bytes", artifact.manifest.files[i].bytes}};
    if (!findings.hashes.empty())
      file["sha256"] = findings.hashes[i];
    files.push_back(file);
  }
  nlohmann::json result = {{"ok", true},
                           {"format", artifact.manifest.format},
                           {"target", artifact.manifest.target},
                           {"files", files},
                           {"tensors", findings.tensors},
                           {"kernels", artifact.manifest.kernels.size()},
                           {"code", findings.code->file}};
  if (!findings.hashes.empty())
    result["block_scale_bytes"] = findings.scaleBytes;
  return result;
}

static void printFindings(const Artifact &artifact, const Findings &findings) {
  const Manifest &manifest = artifact.manifest;
  printResult("manifest.json: format {}, for {}, made by {}\n", manifest.format, manifest.target, manifest.producer);
  printResult("checkpoint: {} files, {}, sizes and headers as compiled against\n", manifest.files.size(),
              formatBytes(static_cast<double>(findings.fileBytes)));
  printResult("weights: {} tensors, types, shapes and scalars as compiled against\n", findings.tensors);
  for (const Code &code : manifest.code) {
    const char *who = manifest.onGpu() ? ", a GPU runs them" : ", this processor runs them";
    printResult("{}: {}{}\n", code.file,
                code.file.ends_with(".cubin") ? "as glm-compile wrote it"
                                              : fmt::format("{} kernels found", manifest.kernels.size()),
                &code == findings.code ? who : "");
  }
  if (findings.hashes.empty())
    return;
  printResult("block scales: {} read, none is NaN or negative\n",
              formatBytes(static_cast<double>(findings.scaleBytes)));
  for (size_t i = 0; i < findings.hashes.size(); ++i)
    printResult("sha256 {}  {}\n", findings.hashes[i], manifest.files[i].name);
}

/// Look every kernel up, which runs none of them: libraries for other processors, and PTX for a GPU that is not here, can be looked into as
/// well. Of a cubin the hash has to do.
static Result<const Code *> checkCode(const Artifact &artifact) {
  const Manifest &manifest = artifact.manifest;
  if (!manifest.onGpu()) {
    for (const Code &each : manifest.code)
      if (Result<void> loaded = HostDevice(1).loadKernels(artifact.folder / each.file, manifest.kernels); !loaded)
        return loaded.error();
    return chooseCode(manifest, cpuFlags());
  }
  Result<const Code *> ptx = chooseGpuCode(manifest, /*ptxOnly=*/true);
  if (!ptx)
    return ptx;
  setenv("GLM_PTX_CHIP", manifest.target.c_str(), /*overwrite=*/1);
  Result<std::unique_ptr<CudaDevice>> device = CudaDevice::open(interpreterLibrary());
  if (!device)
    return device.error();
  if (Result<void> loaded = (*device)->loadKernels(artifact.folder / (*ptx)->file, manifest.kernels); !loaded)
    return loaded.error();
  return chooseGpuCode(manifest, /*ptxOnly=*/false);
}

Result<void> verifyCommand(const VerifyOptions &options) {
  Result<std::unique_ptr<Artifact>> opened = openArtifact(options.artifact);
  if (!opened)
    return opened.error();
  const Artifact &artifact = **opened;
  Result<const Code *> code = checkCode(artifact);
  if (!code)
    return code.error();
  ThreadPool pool(options.threads);
  Findings findings;
  findings.code = *code;
  for (const CheckpointFile &file : artifact.manifest.files)
    findings.fileBytes += file.bytes;
  for (size_t i = 0; i < artifact.manifest.weights.size(); ++i)
    findings.tensors += artifact.weights.tensors(static_cast<int64_t>(i)).size();
  if (options.weights) {
    findings.scaleBytes = blockScaleBytes(artifact.manifest, artifact.weights);
    if (Result<void> scales = checkBlockScales(artifact.manifest, artifact.weights, pool); !scales)
      return scales;
    Result<std::vector<std::string>> hashes = hashFiles(artifact, pool);
    if (!hashes)
      return hashes.error();
    findings.hashes = std::move(*hashes);
  }
  if (options.json)
    printResult("{}\n", findingsJson(artifact, findings).dump(2));
  else
    printFindings(artifact, findings);
  return {};
}

} // namespace glm
