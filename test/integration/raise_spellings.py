"""However an exporter spells a model, it raises to the same module: function and parameters."""

from __future__ import annotations

import pathlib
import sys
import tempfile

from onnx_models import decoder, externalize, save
from raised_module import raise_model

# Choices that all say the same as the first of their family.
FAMILIES = {
    "rms norm and rotation": [
        {},
        *({"norm": norm} for norm in ("power", "reciprocal", "one over", "mul square",
                                      "simplified")),
        {"norm": "operator", "opset": 23},
        *({"linear": linear} for linear in ("transposed", "gemm", "packed", "grouped")),
        *({"positions": positions} for positions in ("mul", "split", "contrib", "whole")),
        {"positions": "operator", "opset": 23},
        *({"angles": angles} for angles in ("range", "cumsum")),
        *({"mask": mask} for mask in ("greater", "add", "trilu", "isnan")),
        *({"attention": attention} for attention in ("div", "root scale")),
        {"attention": "operator", "opset": 23},
        {"attention": "fused", "positions": "fused"},
        {"attention": "fused", "positions": "contrib"},
        {"activation": "silu", "constants": "initializers"},
        *({"opset": opset} for opset in (13, 14, 15, 16, 18, 19, 20, 21, 22, 23)),
        {"opset": 18, "linear": "gemm", "positions": "split", "mask": "isnan", "norm": "power",
         "attention": "root scale", "angles": "cumsum"},
    ],
    "without a cache": [
        {"cache": False},
        {"cache": False, "mask": "trilu", "angles": "range"},
        {"cache": False, "mask": "causal", "attention": "operator", "opset": 23,
         "positions": "operator"},
    ],
    "layer norm and learned positions": [
        {"norm": "layer power", "positions": "learned", "activation": "gelu tanh", "gated": False,
         "bias": True},
        {"norm": "layer mul", "positions": "learned", "activation": "FastGelu", "gated": False,
         "bias": True, "linear": "gemm", "angles": "range"},
        {"norm": "layer operator", "positions": "learned", "activation": "operator tanh",
         "gated": False, "bias": True, "opset": 20, "linear": "packed", "mask": "add"},
        {"norm": "layer centered", "positions": "learned", "activation": "operator tanh",
         "gated": False, "bias": True, "opset": 23},
    ],
    "gelu": [{"activation": "gelu"}, {"activation": "Gelu"}, {"activation": "operator",
                                                             "opset": 20}],
    "quick gelu": [{"activation": "gelu quick"}, {"activation": "QuickGelu"}],
    "quick gelu by another number": [{"activation": "gelu quick", "sharpness": 1.5},
                                     {"activation": "QuickGelu", "sharpness": 1.5}],
    "square of relu": [{"activation": "relu power", "gated": False},
                       {"activation": "relu square", "gated": False}],
    "sinks": [{"attention": "fused", "positions": "fused", "sinks": "learned"},
              {"attention": "fused", "positions": "contrib", "sinks": "learned"}],
    "scaled": [{"scale": 12.5}, *({"scale": 12.5, "norm": norm} for norm in
                                  ("power", "mul square", "reciprocal", "simplified"))],
    "norms of rotated heads": [{"head_norm": True}, {"head_norm": True, "norm": "mul square"},
                               {"head_norm": True, "norm": "power", "positions": "split"},
                               {"head_norm": True, "norm": "operator", "opset": 23,
                                "positions": "operator"}],
    "slopes": [{"positions": "slopes"}, {"positions": "slopes", "angles": "range"},
               {"positions": "slopes", "mask": "add"}],
    "capped": [{"cap": "div"}, {"cap": "mul", "attention": "div"}],
    "window": [{"mask": "window"}, {"mask": "window", "attention": "operator", "opset": 23}],
    "tied head": [{"tied": True}, {"tied": True, "linear": "transposed"}],
    "half": [{"data": "float16"}, {"data": "float16", "linear": "transposed"},
             {"data": "float16", "linear": "gemm"}, {"data": "float16", "linear": "grouped"}],
    "brain": [{"data": "bfloat16"}, {"data": "bfloat16", "norm": "simplified"}],
}


def main() -> int:
    problems = 0
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        for family, spellings in FAMILIES.items():
            first = None
            for number, choices in enumerate(spellings):
                model = decoder(layers=2, **choices)
                # Some with their weights in the file, some beside it.
                if number % 2:
                    externalize(model, work, "weights")
                try:
                    raised = raise_model(save(model, work / "model.onnx"), work / "model.mlir",
                                         "--context=64")
                    first = first or raised
                    wrong = first.difference(raised)
                except AssertionError as error:
                    wrong = str(error)
                print(f"{family}: {choices}: {wrong or 'ok'}")
                problems += bool(wrong)
    print(f"{problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
