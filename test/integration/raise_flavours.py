"""All exports of one model raise to the same module, whichever exporter wrote them.

--source tiny writes the embedded model anew in the flavours of scripts/models; smollm2 takes those
that scripts/get-smollm2 made; samples takes the families of exports by real exporters.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import tempfile
import time

from onnx_models import llama_flavours
from raised_module import Module, raise_model
from support import SOURCE, smollm2, test_data

HUGGINGFACE_NAMES = {
    "attention.norm": "input_layernorm",
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.output": "self_attn.o_proj",
    "mlp.norm": "post_attention_layernorm",
    "mlp.gate": "mlp.gate_proj",
    "mlp.up": "mlp.up_proj",
    "mlp.down": "mlp.down_proj",
}


def get_huggingface_name(name: str) -> str:
    """What Hugging Face calls a parameter."""
    if name.startswith("layers."):
        _, layer, place = name.split(".", 2)
        return f"model.layers.{layer}.{HUGGINGFACE_NAMES[place]}.weight"
    return {"embedding": "model.embed_tokens.weight", "final_norm": "model.norm.weight"}[name]


def write_tiny(work: pathlib.Path, context: str) -> list[pathlib.Path]:
    """The embedded model's file, and its weights in all flavours."""
    folder = SOURCE / "models" / "tiny"
    config = json.loads((folder / "config.json").read_text())
    raised = raise_model(folder / "model.onnx", work / "tiny.mlir", context)
    weights = {get_huggingface_name(name): array for name, array in raised.parameters.items()}
    return [folder / "model.onnx", *llama_flavours(config, weights, work)]


def compare(files: list[pathlib.Path], work: pathlib.Path, *arguments: str,
            seconds: float = 1e9) -> int:
    """Compares all files with the first; gives the number that differ."""
    first: Module | None = None
    wrong = 0
    for number, file in enumerate(files):
        start = time.monotonic()
        raised = raise_model(file, work / f"raised{number}.mlir", *arguments)
        taken = time.monotonic() - start
        difference = first.difference(raised) if first else ""
        first = first or raised
        if taken > seconds:
            difference = f"took {taken:.1f} s to import"
        print(f"{file}: {difference or 'ok'} ({taken:.1f} s)", flush=True)
        wrong += bool(difference)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=("tiny", "smollm2", "samples"), required=True)
    source = parser.parse_args().source
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        if source == "tiny":
            return min(1, compare(write_tiny(work, "--context=512"), work, "--context=512"))
        if source == "smollm2":
            flavours = [smollm2() / name / "model.onnx" for name in ("plain", "genai", "opset23")]
            # Issue a complaint about slowness only where it can't be the machine's load.
            return min(1, compare(flavours, work, seconds=20))
        wrong = 0
        for family in sorted((test_data() / "exporters").iterdir()):
            # Rounded to 4 bits, genai-int4 is another model.
            files = [file for file in sorted(family.glob("*/model.onnx"))
                     if file.parent.name != "genai-int4"]
            if files:
                wrong += compare(files, work, "--context=128")
        return min(1, wrong)


if __name__ == "__main__":
    sys.exit(main())
