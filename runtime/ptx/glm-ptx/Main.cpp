// glm-ptx: the command line. Exit 0 done, 1 refused or failed, 2 usage.
#include "runtime/artifact/Streams.h"
#include "runtime/ptx/glm-ptx/Commands.h"

#include <CLI/CLI.hpp>

using namespace glm;
using namespace glm::ptx;

namespace {

constexpr uint32_t kMost = 1u << 31;

/// What the subcommands are asked; only one of them runs.
struct CommandLine {
  CheckOptions check;
  RunOptions run;
  ProfileOptions profile;
  FormsOptions forms;
};

void addFile(CLI::App &command, std::filesystem::path &file, const char *what, const char *name) {
  command.add_option("file", file, what)->required()->type_name(name);
}

void addChip(CLI::App &command, std::string &chip) {
  command.add_option("--chip", chip, "sm_90a, sm_100a, ... (default: GLM_PTX_CHIP, else what .target names)")
      ->type_name("NAME");
}

void addCheck(CLI::App &app, CheckOptions &check) {
  CLI::App &command = *app.add_subcommand("check", "load PTX text and say what is in it, or what is wrong with it");
  addFile(command, check.file, "PTX text", "FILE.ptx");
  addChip(command, check.chip);
  command.add_flag("--json", check.json, "one JSON object instead of text");
}

void addShape(CLI::App &command, const char *name, std::vector<uint32_t> &sizes, const char *help) {
  command.add_option(name, sizes, help)
      ->delimiter(',')
      ->expected(1, 3)
      ->allow_extra_args(false)
      ->check(CLI::Range(1u, kMost))
      ->type_name("X[,Y[,Z]]");
}

void addRun(CLI::App &app, RunOptions &run) {
  CLI::App &command = *app.add_subcommand("run", "run one kernel on the interpreter");
  addFile(command, run.file, "PTX text", "FILE.ptx");
  addChip(command, run.chip);
  command.add_option("-k,--kernel", run.kernel, "name of the entry")->required()->type_name("NAME");
  addShape(command, "-g,--grid", run.grid, "blocks (default 1)");
  addShape(command, "-b,--block", run.block, "threads of a block (default 1)");
  addShape(command, "--cluster", run.cluster, "blocks of a cluster (default: what the kernel says)");
  command.add_option("--dynamic-shared", run.dynamicShared, "bytes of dynamic shared memory (default 0)")
      ->type_name("N");
  command.add_flag("--cooperative", run.cooperative, "all blocks are resident together");
  command
      .add_option("-a,--arg", run.arguments,
                  "once per parameter, in order: TYPE:VALUE (s32:-1, f32:0.5, b64:0xff), in:FILE.npy[:OUT.npy] or "
                  "out:TYPE:SHAPE:OUT.npy (out:f32:64x128:c.npy)")
      ->allow_extra_args(false)
      ->type_name("ARG");
  command.add_flag("--no-checks", run.noChecks, "bounds and alignment only: faster");
  command.add_option("-t,--threads", run.threads, "host threads (default: online processors)")
      ->check(CLI::Range(1u, 4096u))
      ->type_name("N");
  command.add_option("--step-limit", run.stepLimit, "most warp instructions (default: no limit)")->type_name("N");
  command.add_option("--profile", run.profile, "write what it cost, for glm-ptx profile")->type_name("FILE.json");
}

void addProfile(CLI::App &app, ProfileOptions &profile) {
  CLI::App &command = *app.add_subcommand("profile", "print what launches cost, by launch and by line");
  addFile(command, profile.file, "what --profile or GLM_PTX_PROFILE named", "FILE.json");
  command.add_option("-k,--kernel", profile.kernel, "only launches of this one")->type_name("NAME");
  command.add_option("-n,--lines", profile.lines, "of each launch, those that ran most (default 16)")->type_name("N");
}

void addForms(CLI::App &app, FormsOptions &forms) {
  CLI::App &command = *app.add_subcommand("forms", "list the instruction forms: class, PTX version, chips, spelling");
  command.add_option("prefix", forms.prefix, "only forms that begin so")->type_name("PREFIX");
  command.add_flag("--json", forms.json, "one JSON array instead of text");
}

Result<void> dispatch(const CLI::App &app, const CommandLine &line) {
  if (app.got_subcommand("check"))
    return checkCommand(line.check);
  if (app.got_subcommand("run"))
    return runCommand(line.run);
  if (app.got_subcommand("profile"))
    return profileCommand(line.profile);
  return formsCommand(line.forms);
}

} // namespace

int main(int argc, char **argv) {
  occupyStandardStreams();
  CommandLine line;
  CLI::App app("Checks, runs and measures PTX on the CPU, for chips that need not be there.", "glm-ptx");
  app.set_version_flag("--version", "glm-ptx " GLM_VERSION);
  app.require_subcommand(1);
  addCheck(app, line.check);
  addRun(app, line.run);
  addProfile(app, line.profile);
  addForms(app, line.forms);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &wanted) {
    app.exit(wanted); // --help, --version
    return finishProgram({});
  } catch (const CLI::ParseError &error) {
    printTalk("error: glm-ptx: {}\nRun with --help for more information.\n", error.what());
    return 2;
  }
  return finishProgram(dispatch(app, line));
}
