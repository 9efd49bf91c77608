"""Hostile ONNX files: each is refused with its message, in seconds and in bounded memory.

Every case makes a model, imports it with llmc-translate, and checks exit code 1, the message, and
that nothing was written. A few that are merely odd have to pass.
"""

from __future__ import annotations

import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time
from typing import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper

from onnx_models import FLOAT, INT64, Graph, decoder, externalize, save, set_external
from support import BUILD

SECONDS = 20
MEMORY = 2 << 30

CASES: list[tuple[str, Callable, str]] = []


def case(message: str):
    """Registers a function that makes a model (or bytes) which is refused with a message."""

    def register(make: Callable) -> Callable:
        CASES.append((make.__name__, make, message))
        return make

    return register


# A process of its own, because a child is charged with what its parent had when it was born.
MEASURE = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))
sys.exit(code if code >= 0 else 128 - code)
"""
peak = 0


def run_import(path: pathlib.Path, output: pathlib.Path) -> tuple[subprocess.CompletedProcess, float]:
    """Imports a file; gives how it ended and after how many seconds."""
    global peak
    with tempfile.NamedTemporaryFile() as memory:
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-c", MEASURE, memory.name,
                               str(BUILD / "bin" / "llmc-translate"), "--import-onnx", str(path),
                               "-o", str(output)], capture_output=True, timeout=SECONDS * 4)
        peak = max(peak, int(pathlib.Path(memory.name).read_text()))
        return done, time.monotonic() - start


def check(name: str, make: Callable, message: str) -> str:
    """Runs one case; gives what is wrong with it."""
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work) / "in"
        folder.mkdir()
        made = make(folder)
        path = folder / "model.onnx"
        if isinstance(made, onnx.ModelProto):
            made = made.SerializeToString()
        if made is not None:
            path.write_bytes(made)
        before = sorted(folder.iterdir())
        output = pathlib.Path(work) / "out"
        output.mkdir()
        done, seconds = run_import(path, output / "model.mlir")
        text = done.stderr.decode("utf-8", "replace")
        left = sorted(output.iterdir())
        if sorted(folder.iterdir()) != before:
            return "files appeared beside the model"
        if seconds > SECONDS:
            return f"took {seconds:.1f} s"
        if not message:
            return "" if done.returncode == 0 and left else f"exit {done.returncode}: {text}"
        if done.returncode != 1:
            return f"expected exit code 1, found {done.returncode}: {text[:2000]}"
        if left:
            return f"left {left}"
        if message not in text:
            return f"expected '{message}', found: {text[:2000]}"
        return ""


# External data ----------------------------------------------------------------------------------


def with_weight(location: str, offset: int | str = 0, length: int | None = None):
    """A decoder whose embedding lies at a place that hostile files name."""
    model = decoder()
    tensor = next(t for t in model.graph.initializer if t.name == "embedding")
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    set_external(tensor, location, 0, size if length is None else length)
    tensor.external_data[1].value = str(offset)
    return model


@case("tensor 'embedding': expected external data inside the model's folder, found location "
      "'/etc/passwd'")
def absolute_path(folder):
    return with_weight("/etc/passwd")


@case("expected external data inside the model's folder, found location '../secret'")
def parent_path(folder):
    (folder.parent / "secret").write_bytes(bytes(10000))
    return with_weight("../secret")


@case("expected external data inside the model's folder, found location 'sub/../../secret'")
def nested_parent_path(folder):
    (folder / "sub").mkdir()
    (folder.parent / "secret").write_bytes(bytes(10000))
    return with_weight("sub/../../secret")


@case("that links outside")
def link_outside(folder):
    (folder.parent / "secret").write_bytes(bytes(10000))
    (folder / "weights").symlink_to(folder.parent / "secret")
    return with_weight("weights")


@case("that links outside")
def linked_folder(folder):
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "secret").write_bytes(bytes(10000))
    (folder / "sub").symlink_to(folder.parent / "other")
    return with_weight("sub/secret")


@case("")
def link_inside(folder):
    (folder / "real").write_bytes(bytes(10000))
    (folder / "weights").symlink_to("real")
    return with_weight("weights")


@case("")
def linked_model(folder):
    """A cache of downloads: model and data both link to one folder elsewhere."""
    blobs = folder.parent / "blobs"
    blobs.mkdir()
    (blobs / "data").write_bytes(bytes(10000))
    (folder / "weights").symlink_to(blobs / "data")
    save(with_weight("weights"), blobs / "model")
    (folder / "model.onnx").symlink_to(blobs / "model")


@case("cannot read its external data")
def missing_file(folder):
    return with_weight("weights")


@case("to be a regular file")
def folder_as_data(folder):
    (folder / "weights").mkdir()
    return with_weight("weights")


@case("to be a regular file")
def pipe_as_data(folder):
    os.mkfifo(folder / "weights")
    return with_weight("weights")


@case("expected 5120 bytes at offset 0")
def short_data(folder):
    (folder / "weights").write_bytes(bytes(100))
    return with_weight("weights")


@case("expected 5120 bytes at offset 9223372036854775807")
def far_offset(folder):
    (folder / "weights").write_bytes(bytes(10000))
    return with_weight("weights", offset=2**63 - 1)


@case("expected an offset of 0 or more, found '-1'")
def negative_offset(folder):
    (folder / "weights").write_bytes(bytes(10000))
    return with_weight("weights", offset=-1)


@case("expected an offset of 0 or more, found '0x10'")
def odd_offset(folder):
    (folder / "weights").write_bytes(bytes(10000))
    return with_weight("weights", offset="0x10")


@case("expected external data of 5120 bytes, found a length of '5119'")
def wrong_length(folder):
    (folder / "weights").write_bytes(bytes(10000))
    return with_weight("weights", length=5119)


@case("expected a location of its external data")
def no_location(folder):
    return with_weight("")


# Tensors ----------------------------------------------------------------------------------------


def with_dims(*dims: int, raw: bytes = bytes(16), kind: int = FLOAT):
    model = decoder()
    model.graph.initializer.append(TensorProto(name="odd", data_type=kind, dims=dims, raw_data=raw))
    return model


@case("tensor 'odd': expected dimensions of 0 or more, found -4")
def negative_dimension(folder):
    return with_dims(-4)


@case("expected a size that fits 60 bits, found dimensions 4611686018427387904")
def huge_dimension(folder):
    return with_dims(2**62)


@case("expected a size that fits 60 bits")
def overflowing_dimensions(folder):
    return with_dims(2**33, 2**33)


@case("expected a size that fits 60 bits")
def overflow_before_zero(folder):
    return with_dims(2**62, 2**62, 0, raw=b"")


@case("expected at most 64 dimensions, found 1000000")
def many_dimensions(folder):
    return with_dims(*[1] * 1000000, raw=bytes(4))


@case("expected 16 bytes for 4 elements, found 12")
def wrong_byte_count(folder):
    return with_dims(4, raw=bytes(12))


@case("expected 4194304 bytes for 1048576 elements, found 16")
def fewer_bytes_than_claimed(folder):
    return with_dims(1024, 1024)


@case("expected 2 bytes for 3 elements, found 3")
def wrong_nibbles(folder):
    return with_dims(3, raw=bytes(3), kind=22)


@case("tensor 'odd': expected numbers or booleans, found strings")
def strings(folder):
    model = decoder()
    model.graph.initializer.append(helper.make_tensor("odd", TensorProto.STRING, [1], [b"a"]))
    return model


@case("tensor 'odd': expected numbers or booleans, found data type 99")
def unknown_type(folder):
    return with_dims(4, kind=99)


@case("expected dense initializers, found 1 sparse one")
def sparse(folder):
    model = decoder()
    tensor = model.graph.sparse_initializer.add(dims=[4])
    tensor.values.CopyFrom(TensorProto(name="odd", data_type=FLOAT, dims=[0]))
    return model


# Graphs -----------------------------------------------------------------------------------------


@case("uses 'b', which only a later node defines")
def cycle(folder):
    model = decoder()
    model.graph.node.append(helper.make_node("Relu", ["b"], ["a"], "first"))
    model.graph.node.append(helper.make_node("Relu", ["a"], ["b"], "second"))
    return model


@case("uses 'a', which only a later node defines")
def own_input(folder):
    model = decoder()
    model.graph.node.append(helper.make_node("Relu", ["a"], ["a"], "self"))
    return model


@case("uses 'embedding', which no input, initializer or earlier node defines")
def missing_initializer(folder):
    model = decoder()
    kept = [t for t in model.graph.initializer if t.name != "embedding"]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


@case("uses 'input_ids', which no input, initializer or earlier node defines")
def missing_input(folder):
    model = decoder()
    kept = [v for v in model.graph.input if v.name != "input_ids"]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model


@case("the graph's list of outputs uses 'nothing'")
def missing_output(folder):
    model = decoder()
    model.graph.output[0].name = "nothing"
    return model


@case("expected one definition of value 'embedding', found a second")
def duplicate_initializers(folder):
    model = decoder()
    model.graph.initializer.append(model.graph.initializer[0])
    return model


@case("expected one definition of value 'input_ids', found a second")
def duplicate_inputs(folder):
    model = decoder()
    model.graph.input.append(model.graph.input[0])
    return model


@case("expected one definition of value")
def duplicate_outputs(folder):
    model = decoder()
    model.graph.node.append(model.graph.node[0])
    return model


@case("expected one attribute 'axis', found two")
def duplicate_attributes(folder):
    model = decoder()
    node = next(n for n in model.graph.node if n.op_type == "Concat")
    node.attribute.append(node.attribute[0])
    return model


@case("expected an output of logits, found none")
def no_outputs(folder):
    model = decoder()
    del model.graph.output[:]
    return model


@case("expected one input of tokens, a matrix of integers, found 0")
def empty_graph(folder):
    return Graph().model()


@case("expected at most 262144 nodes, found 1000000")
def million_nodes(folder):
    return long_chain(10**6 - 1)


@case("")
def many_nodes(folder):
    return long_chain(200000)


def long_chain(count: int) -> bytes:
    """A decoder of one embedding with many identities after it."""
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    value = graph.op("Gather", graph.weight("table", np.ones((8, 4), np.float32)), "input_ids")
    for _ in range(count):
        value = graph.op("Identity", value)
    graph.add_output(value, FLOAT, ["batch", "rows", 4])
    return graph.model()


@case("the graph computes with more numbers than any model needs")
def endless_work(folder):
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    value = graph.op("ConstantOfShape", graph.constant([1 << 24]))
    for _ in range(2000):
        value = graph.op("Neg", value)
    graph.add_output(value, FLOAT, [1])
    return graph.model()


@case("expected a smaller product of matrices")
def large_product(folder):
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    wide = graph.op("ConstantOfShape", graph.constant([4096, 4096]))
    for _ in range(100):
        wide = graph.op("MatMul", wide, wide)
    graph.add_output(wide, FLOAT, [1])
    return graph.model()


@case("expected a smaller result, found 4611686018427387904 elements")
def huge_result(folder):
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    value = graph.op("ConstantOfShape", graph.constant([2**62]))
    graph.add_output(value, FLOAT, [1])
    return graph.model()


@case("expected a result of at most")
def huge_shape(folder):
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    value = graph.op("Gather", graph.weight("table", np.ones((8, 4), np.float32)), "input_ids")
    value = graph.op("Expand", value, graph.constant([2**40, 2**20, 1, 1]))
    graph.add_output(value, FLOAT, [1])
    return graph.model()


# Opsets, operators, functions -------------------------------------------------------------------


@case("expected the model to use an opset from 13 to 23 of the default domain, found 12")
def old_opset(folder):
    return decoder(opset=12)


@case("expected the model to use an opset from 13 to 23 of the default domain, found 24")
def new_opset(folder):
    return decoder(opset=24)


@case("expected the model to use an opset of the default domain, found none")
def no_opset(folder):
    model = decoder()
    del model.opset_import[:]
    return model


@case("expected the model to use one version of domain 'ai.onnx', found 17 and 18")
def two_opsets(folder):
    model = decoder()
    model.opset_import.append(helper.make_opsetid("ai.onnx", 18))
    return model


@case("Frobnicate (domain com.example, version 1), 2 nodes, e.g. 'Frobnicate_2': this operator is "
      "not known")
def unknown_operators(folder):
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    value = graph.op("Gather", graph.weight("table", np.ones((8, 4), np.float32)), "input_ids")
    graph.op("Conv", value, value)
    graph.op("Frobnicate", value, domain="com.example")
    graph.op("Frobnicate", value, domain="com.example")
    graph.add_output(value, FLOAT, ["batch", "rows", 4])
    return graph.model()


CASES.append(("unknown_operators_at_once", unknown_operators,
              "Conv (domain ai.onnx, version 17), 1 node, e.g. 'Conv_1': this operator is not known"))


def call_chain(count: int, width: int, recursive: bool = False):
    """Functions that call the next one `width` times each."""
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    value = graph.op("Gather", graph.weight("table", np.ones((8, 4), np.float32)), "input_ids")
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    for i in range(count):
        following = "Relu" if i + 1 == count else f"F{i + 1}"
        if recursive:
            following = f"F{(i + 1) % count}"
        domain = "" if following == "Relu" else "local"
        names = [f"x{j}" for j in range(width + 1)]
        nodes = [helper.make_node(following, [a], [b], domain=domain)
                 for a, b in zip(names, names[1:])]
        graph.functions.append(helper.make_function("local", f"F{i}", [names[0]], [names[-1]],
                                                    nodes, opsets))
    graph.add_output(graph.op("F0", value, domain="local"), FLOAT, ["batch", "rows", 4])
    return graph.model()


@case("found more at 'local::F0' (does it call itself?)")
def recursive_function(folder):
    return call_chain(1, 1, recursive=True)


@case("expected functions that call each other at most 32 deep")
def mutually_recursive_functions(folder):
    return call_chain(3, 1, recursive=True)


@case("expected functions that make at most 262144 nodes")
def exponential_functions(folder):
    return call_chain(20, 10)


@case("")
def nested_functions(folder):
    model = call_chain(10, 1)
    model.functions[-1].node[0].op_type = "Identity"
    return model


@case("expected one function 'local::F0', found a second")
def duplicate_functions(folder):
    model = call_chain(2, 1)
    model.functions.append(model.functions[0])
    return model


def nested_branches(depth: int):
    """Branches inside branches."""
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    value = graph.op("Gather", graph.weight("table", np.ones((8, 4), np.float32)), "input_ids")
    yes = graph.constant(True, bool)
    inner = helper.make_node("Identity", [value], ["y0"])
    for i in range(depth):
        body = helper.make_graph([inner], "body", [],
                                 [helper.make_tensor_value_info(f"y{i}", FLOAT, None)])
        inner = helper.make_node("If", [yes], [f"y{i + 1}"], then_branch=body, else_branch=body) \
            if i < 3 else helper.make_node("If", [yes], [f"y{i + 1}"], then_branch=body)
    graph.nodes.append(inner)
    graph.add_output(f"y{depth}", FLOAT, ["batch", "rows", 4])
    return graph.model()


@case("")
def nested_ifs(folder):
    return nested_branches(8)


@case("expected an ONNX model, found bytes that are no such protobuf message")
def deep_ifs(folder):
    """Deeper than protobuf reads; the onnx package can't write it either, so by hand."""
    def field(number: int, contents: bytes) -> bytes:
        size, length = len(contents), b""
        while size >= 128:
            length += bytes([size & 127 | 128])
            size >>= 7
        return bytes([number << 3 | 2]) + length + bytes([size]) + contents

    graph = b""
    for _ in range(2000):
        graph = field(1, field(4, b"If") + field(5, field(6, graph)))
    return field(7, graph)


@case("its condition depends on values that are not known")
def branch_on_tokens(folder):
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    value = graph.op("Gather", graph.weight("table", np.ones((8, 4), np.float32)), "input_ids")
    first = graph.op("Gather", graph.op("Reshape", "input_ids", graph.constant([-1])),
                     graph.constant(0))
    body = helper.make_graph([helper.make_node("Identity", [value], ["y"])], "body", [],
                             [helper.make_tensor_value_info("y", FLOAT, None)])
    value = graph.op("If", graph.op("Less", first, graph.constant(4)), then_branch=body,
                     else_branch=body)
    graph.add_output(value, FLOAT, ["batch", "rows", 4])
    return graph.model()


def with_field(message, number: int, text: bytes):
    """Adds a field that came with a later release than the message's class may know."""
    message.MergeFromString(bytes([number << 3 | 2, len(text)]) + text)


@case("calls overload 'o' of a function, which is not supported")
def overloaded_call(folder):
    model = call_chain(1, 1)
    with_field(model.graph.node[-2], 8, b"o")
    return model


@case("function 'local::F0' is overload 'o', which is not supported")
def overloaded_function(folder):
    model = call_chain(1, 1)
    with_field(model.functions[0], 13, b"o")
    return model


@case("function 'local::F0': expected a named attribute as default, found something else")
def nameless_default(folder):
    model = call_chain(1, 1)
    with_field(model.functions[0], 11, b"")
    return model


@case("")
def attribute_default(folder):
    """The order in which a function transposes is a default, given by the function."""
    model = call_chain(1, 1)
    function = model.functions[0]
    function.node[0].op_type = "Transpose"
    function.node[0].attribute.add(name="perm", ref_attr_name="order", type=7)
    function.attribute_proto.append(helper.make_attribute("order", [0, 1, 2]))
    return model


@case("expected attributes with a name")
def nameless_attribute(folder):
    model = decoder()
    model.graph.node[0].attribute.add(type=2, i=1)
    return model


@case("attribute 'odd' has a type that is not supported, number 11")
def odd_attribute(folder):
    model = decoder()
    model.graph.node[0].attribute.add(name="odd", type=11)
    return model


@case("the graph computes with more columns than any model needs")
def many_columns(folder):
    """Rows of a million columns, all of them kept to the end."""
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    with (folder / "weights").open("wb") as file:
        file.truncate(1 << 23)
    tensor = TensorProto(name="table", data_type=FLOAT, dims=[2, 1 << 20])
    set_external(tensor, "weights", 0, 1 << 23)
    graph.initializers.append(tensor)
    for _ in range(40):
        graph.add_output(graph.op("Gather", "table", "input_ids"), FLOAT, [1])
    return graph.model()


# Bytes ------------------------------------------------------------------------------------------


@case("expected an ONNX model, found an empty file")
def empty_file(folder):
    return b""


@case("expected an ONNX model")
def random_bytes(folder):
    return random.Random(1).randbytes(100000)


@case("expected an ONNX model with a graph, found none")
def no_graph(folder):
    model = decoder()
    model.ClearField("graph")
    return model


@case("cannot read")
def absent_file(folder):
    return None


@case("")
def plain_decoder(folder):
    model = decoder()
    externalize(model, folder, least=1000)
    return model


def check_truncations() -> list[str]:
    """Every cut of a model is refused, whatever it says, without a signal."""
    bytes_ = decoder().SerializeToString()
    problems = []
    points = sorted({len(bytes_) * i // 40 for i in range(40)} | set(range(len(bytes_) - 12,
                                                                          len(bytes_))))
    for point in points:
        wrong = check(f"cut at {point}", lambda folder: bytes_[:point], "error: ")
        if wrong:
            problems.append(f"cut at {point}: {wrong}")
    return problems


def check_damage() -> list[str]:
    """Damaged bytes import or are refused; nothing ends by a signal."""
    bytes_ = decoder(opset=23, norm="operator", attention="operator").SerializeToString()
    generator = random.Random(2)
    problems = []
    for number in range(40):
        damaged = bytearray(bytes_)
        for _ in range(generator.randrange(1, 6)):
            damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        with tempfile.TemporaryDirectory() as work:
            path = pathlib.Path(work) / "model.onnx"
            path.write_bytes(damaged)
            done, seconds = run_import(path, pathlib.Path(work) / "model.mlir")
            if done.returncode not in (0, 1) or seconds > SECONDS or \
                    (done.returncode == 1 and not done.stderr):
                problems.append(f"damage {number}: exit {done.returncode} in {seconds:.1f} s")
    return problems


def check_pipe() -> list[str]:
    """A model from a pipe has no folder for external data; with all its data inside it imports."""
    command = [str(BUILD / "bin" / "llmc-translate"), "--import-onnx", "-"]
    inside = subprocess.run(command, input=decoder().SerializeToString(), capture_output=True)
    beside = subprocess.run(command, input=with_weight("weights").SerializeToString(),
                            capture_output=True)
    problems = []
    if inside.returncode != 0 or b"func.func @step" not in inside.stdout:
        problems.append(f"exit {inside.returncode}: {inside.stderr.decode()}")
    if beside.returncode != 1 or b"with its external data beside it, found it in a pipe" \
            not in beside.stderr:
        problems.append(f"exit {beside.returncode}: {beside.stderr.decode()}")
    return problems


def check_large_file() -> list[str]:
    """Beyond 2 GiB protobuf can't read a file; it is refused before it is tried."""
    with tempfile.TemporaryDirectory() as work:
        path = pathlib.Path(work) / "model.onnx"
        with path.open("wb") as file:
            file.truncate(3 << 30)
        done, seconds = run_import(path, pathlib.Path(work) / "model.mlir")
        message = b"expected a file below 2 GiB (with its tensors as external data)"
        if done.returncode != 1 or message not in done.stderr or seconds > SECONDS:
            return [f"exit {done.returncode} in {seconds:.1f} s: {done.stderr.decode()[:1000]}"]
    return []


def main() -> int:
    problems = []
    for name, make, message in CASES:
        start = time.monotonic()
        wrong = check(name, make, message)
        print(f"{name}: {wrong or 'ok'} ({time.monotonic() - start:.1f} s)", flush=True)
        if wrong:
            problems.append(name)
    for group in (check_truncations, check_damage, check_pipe, check_large_file):
        found = group()
        print(f"{group.__name__}: {'; '.join(found) or 'ok'}", flush=True)
        problems += found
    print(f"peak memory of an import: {peak >> 20} MiB")
    if peak > MEMORY:
        problems.append("memory")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
