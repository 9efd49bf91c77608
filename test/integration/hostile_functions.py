# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hostile opsets, operators, functions, branches and attributes."""

from __future__ import annotations

import sys

import numpy as np
from onnx import helper

from hostile_support import CASES, case, run_cases
from onnx_models import FLOAT, INT64, Graph, decoder


@case("expected the model to use an opset from 13 to 25 of the default domain, found 12")
def old_opset(folder):
    return decoder(opset=12)


@case("expected the model to use an opset from 13 to 25 of the default domain, found 26")
def new_opset(folder):
    return decoder(opset=26)


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
    other = helper.make_graph([helper.make_node("Relu", [value], ["y"])], "other", [],
                              [helper.make_tensor_value_info("y", FLOAT, None)])
    value = graph.op("If", graph.op("Less", first, graph.constant(4)), then_branch=body,
                     else_branch=other)
    graph.add_output(value, FLOAT, ["batch", "rows", 4])
    return graph.model()


def with_field(message, number: int, text: bytes):
    """Adds a field that came with a later release than the message's class may know."""
    message.MergeFromString(bytes([number << 3 | 2, len(text)]) + text)


@case("F0 (domain local, version 1), 1 node, e.g. 'F0_1': this operator is not known")
def overload_that_is_missing(folder):
    model = call_chain(1, 1)
    with_field(model.graph.node[-1], 8, b"o")
    return model


@case("expected one function 'local::F0:o', found a second")
def overload_twice(folder):
    model = call_chain(1, 1)
    with_field(model.functions[0], 13, b"o")
    model.functions.append(model.functions[0])
    return model


@case("function 'local::F0': expected types of values, found bytes that are no such message")
def odd_types(folder):
    model = call_chain(1, 1)
    with_field(model.functions[0], 12, b"\x0a\x03odd")
    whole = model.SerializeToString()
    assert whole.count(b"\x0a\x03odd") == 1
    return whole.replace(b"\x0a\x03odd", b"\x0a\xffodd")


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


@case("attribute 'odd' has a type that is not supported, number 12")
def odd_attribute(folder):
    model = decoder()
    model.graph.node[0].attribute.add(name="odd", type=12)
    return model



if __name__ == "__main__":
    sys.exit(run_cases())
