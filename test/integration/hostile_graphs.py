# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hostile tensors and graphs: absurd shapes, cycles, what is missing or there twice, endless work."""

from __future__ import annotations

import functools
import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from hostile_support import case, run_cases
from onnx_models import FLOAT, INT64, Graph, decoder, set_external


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


@case("tensor 'odd': expected as many strings as elements, found 1")
def strings(folder):
    model = decoder()
    model.graph.initializer.append(helper.make_tensor("odd", TensorProto.STRING, [1], [b"a"]))
    model.graph.initializer[-1].dims[0] = 2
    return model


@case("cannot read initializer 'odd'")
def strings_as_numbers(folder):
    model = decoder()
    model.graph.initializer.append(helper.make_tensor("odd", TensorProto.STRING, [1], [b"a"]))
    model.graph.node.add(op_type="Identity", input=["odd"], output=["odder"])
    return model


@case("tensor 'odd': expected numbers, booleans or strings, found data type 99")
def unknown_type(folder):
    return with_dims(4, kind=99)


def with_sparse(dims, values, indices, kind=INT64):
    model = decoder()
    tensor = model.graph.sparse_initializer.add(dims=dims)
    tensor.values.CopyFrom(helper.make_tensor("odd", FLOAT, [len(values)], values))
    shape = [len(indices)] if np.ndim(indices) == 1 else np.shape(indices)
    tensor.indices.CopyFrom(helper.make_tensor("", kind, shape, np.ravel(indices)))
    return model


@case("tensor 'odd': expected one index of 64 bits for each of 2 values, or 1, found 'tensor<1xi64>'")
def sparse_without_indices(folder):
    return with_sparse([4], [1.0, 2.0], [0])


@case("tensor 'odd': expected one index of 64 bits for each of 1 values, or 1, found 'tensor<1xi32>'")
def sparse_of_narrow_indices(folder):
    return with_sparse([4], [1.0], [0], TensorProto.INT32)


@case("tensor 'odd': expected indices inside its dimensions, found another for value 1")
def sparse_outside(folder):
    return with_sparse([4], [1.0, 2.0], [0, 4])


@case("tensor 'odd': expected indices inside its dimensions, found another for value 0")
def sparse_pair_outside(folder):
    return with_sparse([4, 3], [1.0], [[1, -1]])


@case("tensor 'odd': expected dimensions of at most 2147483648 bytes, found dimensions")
def sparse_too_large(folder):
    return with_sparse([1 << 40, 4], [1.0], [0])


@case("expected nodes without a cycle, found that 'first' (Relu) reads 'second' (Relu) reads 'first' (Relu)")
def cycle(folder):
    model = decoder()
    model.graph.node.append(helper.make_node("Relu", ["b"], ["a"], "first"))
    model.graph.node.append(helper.make_node("Relu", ["a"], ["b"], "second"))
    return model


@case("expected nodes without a cycle, found that 'self' (Relu) reads 'self' (Relu)")
def own_input(folder):
    model = decoder()
    model.graph.node.append(helper.make_node("Relu", ["a"], ["a"], "self"))
    return model


@case("uses 'embedding', which no input, initializer or node defines")
def missing_initializer(folder):
    model = decoder()
    kept = [t for t in model.graph.initializer if t.name != "embedding"]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    return model


@case("uses 'input_ids', which no input, initializer or node defines")
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


@case("expected one initializer 'embedding', found two that differ")
def two_initializers(folder):
    model = decoder()
    tensor = next(t for t in model.graph.initializer if t.name == "embedding")
    model.graph.initializer.append(numpy_helper.from_array(numpy_helper.to_array(tensor) * 2,
                                                           "embedding"))
    return model


@case("expected one definition of value 'embedding', found a second")
def node_beside_initializer(folder):
    model = decoder()
    model.graph.node.append(helper.make_node("Identity", ["input_ids"], ["embedding"], "again"))
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


@case("the graph computes with more columns than any model needs")
def many_columns(folder):
    """Rows of a million columns, all of them kept to the end."""
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    with (folder / "weights").open("wb") as file:
        file.truncate(1 << 23)
    tables = [f"table{index}" for index in range(40)]
    for name in tables:
        tensor = TensorProto(name=name, data_type=FLOAT, dims=[2, 1 << 20])
        set_external(tensor, "weights", 0, 1 << 23)
        graph.initializers.append(tensor)
    rows = [graph.op("Gather", table, "input_ids") for table in tables]
    graph.add_output(functools.reduce(lambda sum, row: graph.op("Add", sum, row), rows), FLOAT, [1])
    return graph.model()


@case("expected one output of logits beside the cache, found 2: 'v1', 'v2'")
def two_results(folder):
    """Outputs of which none is named logits."""
    graph = Graph()
    graph.add_input("input_ids", INT64, ["batch", "rows"])
    table = graph.weight("table", np.ones((8, 4), np.float32))
    for _ in range(2):
        graph.add_output(graph.op("Gather", table, "input_ids"), FLOAT, [1])
    return graph.model()


if __name__ == "__main__":
    sys.exit(run_cases())
