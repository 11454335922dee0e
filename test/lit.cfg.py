# How the .mlir and .test files run: our programs from the build folder, LLVM's test tools from Debian's prefix.
import os

import lit.formats

config.name = "glm"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = config.glm_test_output

# Names stay bare in RUN lines; the build's own folder comes first, so that no installed program is tested by mistake.
config.environment["PATH"] = os.pathsep.join([config.glm_bin, config.llvm_bin, os.environ["PATH"]])
config.substitutions.append(("%inputs", os.path.join(config.glm_source, "test", "Inputs")))
config.substitutions.append(("%python", "python3"))
# For tests that take PATH away.
config.substitutions.append(("%glm-compile", os.path.join(config.glm_bin, "glm-compile")))

# lit starts from an empty environment; the presets say here what the sanitizers have to know about LLVM.
for name, value in os.environ.items():
    if name.endswith("SAN_OPTIONS"):
        config.environment[name] = value
config.environment["FILECHECK_OPTS"] = "--enable-var-scope --dump-input-filter=error"
