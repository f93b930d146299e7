# The lit suite: every .mlir and .test file below test/, except the inputs.
#
# Tools come from the build's bin/ and from LLVM's own directory and nowhere
# else first, so that a test never runs an installed takt-opt by mistake.
#
# Substitutions: %python (the Python with Debian's modules), %cc and %cxx (the
# build's compilers), %models and %data (test/models and test/data).

import os

import lit.formats

config.name = "takt"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unit", "models", "data", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.takt_build_dir, "test", "lit")

config.environment["PATH"] = os.pathsep.join(
    [config.takt_tools_dir, config.llvm_tools_dir, config.environment["PATH"]]
)
# Sanitizers report through the exit code; let `not` tell a crash from an error.
for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

config.substitutions.append(("%python", config.python))
config.substitutions.append((r"%cc\b", config.cc))
config.substitutions.append((r"%cxx\b", config.cxx))
config.substitutions.append(
    ("%models", os.path.join(config.test_source_root, "models"))
)
config.substitutions.append(("%data", os.path.join(config.test_source_root, "data")))
