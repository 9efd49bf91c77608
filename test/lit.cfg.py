# How lit runs the tests beside this file: .mlir files (and .test files) with RUN lines.
import os

import lit.formats

config.name = "llmc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unit", "integration", "fuzz", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.llmc_binary_dir, "test")

config.environment["PATH"] = os.pathsep.join(
    [config.llmc_tools_dir, config.llvm_tools_dir, os.environ.get("PATH", "")]
)
config.substitutions.append(("%python", config.python))
config.substitutions.append(("%source_dir", config.llmc_source_dir))

# Data that lies beside the project; tests that need it say `REQUIRES: test-data`.
data = os.environ.get("LLMC_TEST_DATA", "")
if data and os.path.isdir(data):
    config.available_features.add("test-data")
    config.substitutions.append(("%test_data", data))
