# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The exporters that turn a model's folder into ONNX: exporters.py NAME MODEL-FOLDER OUTPUT-FOLDER.

Each is a function of the family's name, its folder and the folder for model.onnx. Those named
optimum want other versions of packages than the others, so every export is a process of its own.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable

import models

Exporter = Callable[[str, pathlib.Path, pathlib.Path], None]


def torch_exporter(opset: int, dynamo: bool) -> Exporter:
    """torch.onnx.export of tokens and a mask to logits, without a cache."""

    def export(family: str, folder: pathlib.Path, output: pathlib.Path) -> None:
        import torch

        class Logits(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.model = models.make_model(family)

            def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
                return self.model(input_ids=input_ids, attention_mask=attention_mask,
                                  use_cache=False).logits

        tokens = torch.randint(3, models.VOCABULARY, (1, 24))
        inputs = (tokens, torch.ones_like(tokens))
        names = {"input_names": ["input_ids", "attention_mask"], "output_names": ["logits"]}
        path = str(output / "model.onnx")
        if not dynamo:
            axes = {name: {0: "batch", 1: "rows"} for name in ("input_ids", "attention_mask", "logits")}
            torch.onnx.export(Logits(), inputs, path, dynamic_axes=axes, opset_version=opset,
                              dynamo=False, **names)
            return
        rows = torch.export.Dim("rows", min=2, max=models.CONTEXT)
        torch.onnx.export(Logits(), inputs, path, opset_version=opset, dynamo=True,
                          dynamic_shapes={"input_ids": {1: rows}, "attention_mask": {1: rows}},
                          external_data=False, verbose=False, **names)

    return export


def transformers_exporter(fusions: str | None) -> Exporter:
    """transformers' own, with a cache."""

    def export(family: str, folder: pathlib.Path, output: pathlib.Path) -> None:
        import torch
        from transformers import DynamicCache
        from transformers.exporters.exporter_onnx import OnnxConfig, OnnxExporter

        model = models.make_model(family)
        cache = DynamicCache(config=model.config)
        tokens = torch.randint(3, models.VOCABULARY, (1, 5))
        with torch.no_grad():
            model(input_ids=tokens, past_key_values=cache, use_cache=True)
        inputs = {"input_ids": tokens[:, :3], "past_key_values": cache,
                  "attention_mask": torch.ones(1, 8, dtype=torch.int64),
                  "position_ids": torch.arange(5, 8)[None]}
        exported = OnnxExporter().export(model, inputs,
                                         config=OnnxConfig(dynamic=True, ort_fusions=fusions))
        exported.save_pretrained(str(output))

    return export


def genai_exporter(precision: str, provider: str = "cpu") -> Exporter:
    """The model builder of onnxruntime-genai."""

    def export(family: str, folder: pathlib.Path, output: pathlib.Path) -> None:
        import runpy

        sys.argv = ["builder", "-i", str(folder), "-o", str(output), "-p", precision, "-e", provider,
                    "-c", str(output / "cache")]
        runpy.run_module("onnxruntime_genai.models.builder", run_name="__main__")

    return export


def optimum_exporter(optimize: str | None) -> Exporter:
    """optimum's, with a cache, optimized by ONNX Runtime's tools where a level is given."""

    def export(family: str, folder: pathlib.Path, output: pathlib.Path) -> None:
        from optimum.exporters.onnx import main_export

        main_export(str(folder), output, task="text-generation-with-past", optimize=optimize,
                    do_validation=False)

    return export


EXPORTERS: dict[str, Exporter] = {
    "torchscript-14": torch_exporter(14, dynamo=False),
    "torchscript-17": torch_exporter(17, dynamo=False),
    "dynamo-18": torch_exporter(18, dynamo=True),
    "dynamo-23": torch_exporter(23, dynamo=True),
    "dynamo-24": torch_exporter(24, dynamo=True),
    "transformers": transformers_exporter(None),
    "transformers-fused": transformers_exporter("cpu"),
    "genai-fp32": genai_exporter("fp32"),
    "genai-fp16": genai_exporter("fp16", "cuda"),  # it has none for CPUs
    "genai-int4": genai_exporter("int4"),
    "genai-int8": genai_exporter("int8"),
    "optimum": optimum_exporter(None),
    "optimum-O2": optimum_exporter("O2"),
}


def main() -> int:
    name, folder, output = sys.argv[1:]
    path = pathlib.Path(folder)
    EXPORTERS[name](path.name, path, pathlib.Path(output))
    return 0


if __name__ == "__main__":
    sys.exit(main())
