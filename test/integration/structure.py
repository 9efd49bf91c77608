"""What the analysis of structure finds in exports by real exporters is what their families are.

The whole text of --print-structure is compared with one that is made from a family's sizes, for the
samples that lie beside the project and for the embedded model.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
import subprocess
import sys
import tempfile

from raised_module import raise_model
from support import TINY, test_data, tool


@dataclasses.dataclass(frozen=True)
class Family:
    """A model of blocks with attention and an MLP, each behind a norm."""

    width: int
    heads: int
    kv_heads: int
    head_size: int
    hidden: int
    gated: bool
    tied: bool
    blocks: int = 2
    layer_norm: bool = False  # and learned positions, and biases of all linears
    qkv_bias: bool = False


SAMPLES = {
    "llama": Family(64, 4, 2, 16, 128, gated=True, tied=False),
    "qwen2": Family(96, 6, 2, 16, 128, gated=True, tied=True, qkv_bias=True),
    "gpt2": Family(64, 4, 4, 16, 256, gated=False, tied=True, layer_norm=True, qkv_bias=True),
}


class Expected:
    """Writes what is expected of a family."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.head = "embedding" if family.tied else "head"

    @staticmethod
    def name(block: int, role: str) -> str:
        """A role and its parameter."""
        kind, _, rest = role.partition(".")
        short = f"{kind}_norm" if rest == "norm" else rest
        return f"{short} @layers.{block}.{role}"

    def readers(self, block: int, part: str) -> str:
        """What reads the norm of a part of a block."""
        names = ["query", "key", "value"] if part == "attention" else (
            ["gate", "up"] if self.family.gated else ["up"])
        return ", ".join(self.name(block, f"{part}.{name}") for name in names)

    def roles(self) -> list[str]:
        """One line for each weight."""
        family, lines = self.family, ["embedding @embedding"]
        if family.layer_norm:
            lines.append("position_embedding @position_embedding")
        for block in range(family.blocks):
            roles = ["attention.norm", "attention.query", "attention.key", "attention.value",
                     "attention.output", "mlp.norm", *(["mlp.gate"] if family.gated else []),
                     "mlp.up", "mlp.down"]
            lines += [f"{self.name(block, role)} in block {block}" for role in roles]
        return [*lines, "final_norm @final_norm", f"head @{self.head}"]

    def stream(self) -> list[str]:
        """What writes and reads the residual stream."""
        family = self.family
        writes = ["embedding @embedding",
                  *(["position_embedding @position_embedding"] if family.layer_norm else [])]
        reads = []
        for block in range(family.blocks):
            for part, last in (("attention", "output"), ("mlp", "down")):
                writes.append(self.name(block, f"{part}.{last}"))
                reads.append(f"{self.name(block, f'{part}.norm')} for {self.readers(block, part)}")
        reads.append(f"final_norm @final_norm for head @{self.head}")
        return [f"written by {write}" for write in writes] + [f"read by {read}" for read in reads]

    def channels(self) -> list[str]:
        """The groups."""
        family = self.family
        residual = ["columns of @embedding"]
        if family.layer_norm:
            residual.append("columns of @position_embedding")

        def norm(name: str) -> list[str]:
            return [f"@{name}", *([f"@{name}_bias"] if family.layer_norm else [])]

        def rows(name: str, bias: bool, by: str = "") -> list[str]:
            return [f"rows of @{name}{by}", *([f"@{name}_bias{by}"] if bias else [])]

        heads, hidden = [], []
        for block in range(family.blocks):
            at = f"layers.{block}."
            inputs = ["gate", "up"] if family.gated else ["up"]
            residual += norm(f"{at}attention.norm")
            residual += [f"columns of @{at}attention.{name}" for name in ("query", "key", "value")]
            residual += rows(f"{at}attention.output", family.layer_norm)
            residual += norm(f"{at}mlp.norm")
            residual += [f"columns of @{at}mlp.{name}" for name in inputs]
            residual += rows(f"{at}mlp.down", family.layer_norm)
            whole = f" by {family.heads // family.kv_heads * family.head_size}"
            group = rows(f"{at}attention.query", family.qkv_bias, whole)
            for name in ("key", "value"):
                group += rows(f"{at}attention.{name}", family.qkv_bias, f" by {family.head_size}")
            group.append(f"columns of @{at}attention.output{whole}")
            heads.append(f"heads × {family.kv_heads}: {', '.join(group)}")
            middle = [part for name in inputs for part in rows(f"{at}mlp.{name}", family.layer_norm)]
            hidden.append(f"hidden × {family.hidden}: "
                          f"{', '.join([*middle, f'columns of @{at}mlp.down'])}")
        residual += norm("final_norm") + ([] if family.tied else ["columns of @head"])
        return [f"residual × {family.width}: {', '.join(residual)}", *heads, *hidden]

    def scales(self) -> list[str]:
        """What scales can be folded into."""
        family, lines = self.family, []
        sharing = family.heads // family.kv_heads
        for block in range(family.blocks):
            lines.append(f"{self.name(block, 'attention.norm')} → {self.readers(block, 'attention')}: "
                         f"{family.width} factors")
            lines.append(f"{self.name(block, 'attention.value')} → "
                         f"{self.name(block, 'attention.output')}: "
                         f"{family.kv_heads * family.head_size} factors"
                         f"{f', each of {sharing} inputs' if sharing > 1 else ''}")
            lines.append(f"{self.name(block, 'mlp.norm')} → {self.readers(block, 'mlp')}: "
                         f"{family.width} factors")
            down = self.name(block, "mlp.down")
            lines.append(f"{self.name(block, 'mlp.up')} → {down}: {family.hidden} factors"
                         if family.gated else
                         f"none → {down}: a scale does not pass through 'gelu_tanh'")
        lines.append("none → head @embedding: @embedding is used elsewhere too" if family.tied else
                     f"final_norm @final_norm → head @head: {family.width} factors")
        return lines

    def text(self) -> str:
        """All of it."""
        family = self.family
        parts = {"roles": self.roles(),
                 f"residual stream of {2 * family.blocks + 2} values": self.stream(),
                 "channels": self.channels(), "scales": self.scales()}
        lines = [f"structure of @step: {family.blocks} blocks"]
        for title, facts in parts.items():
            lines += ["", title, *(f"  {fact}" for fact in facts)]
        return "\n".join(lines) + "\n"


def check(model: pathlib.Path, family: Family, work: pathlib.Path) -> str:
    """How a model's structure differs from its family's; empty where it does not."""
    raise_model(model, work / "model.mlir")
    done = subprocess.run([tool("llmc-opt"), "--print-structure", str(work / "model.mlir")],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        return f"exit {done.returncode}: {done.stderr[:1000]}"
    expected, found = Expected(family).text().splitlines(), done.stderr.splitlines()
    for a, b in zip(expected, found):
        if a != b:
            return f"expected '{a}', found '{b}'"
    return "" if len(expected) == len(found) else (
        f"expected {len(expected)} lines, found {len(found)}: {found[len(expected):][:3]}")


def get_embedded() -> Family:
    """What models/tiny is by its own configuration."""
    config = json.loads((TINY / "config.json").read_text())
    return Family(config["hidden_size"], config["num_attention_heads"],
                  config["num_key_value_heads"], config["head_dim"], config["intermediate_size"],
                  gated=True, tied=config["tie_word_embeddings"],
                  blocks=config["num_hidden_layers"])


def check_all(models: list[tuple[pathlib.Path, Family]]) -> int:
    """Checks models; gives the number that differ."""
    wrong = 0
    for model, family in models:
        with tempfile.TemporaryDirectory() as work:
            difference = check(model, family, pathlib.Path(work))
        print(f"{model.parent.parent.name}/{model.parent.name}: {difference or 'ok'}", flush=True)
        wrong += bool(difference)
    return wrong


def main() -> int:
    if check_all([(TINY / "model.onnx", get_embedded())]):
        return 1
    models = []
    for name, family in SAMPLES.items():
        samples = sorted((test_data() / "exporters" / name).glob("*/model.onnx"))
        assert samples, f"no samples of {name}"
        for sample in samples:
            # The builder of 4-bit models rounds a tied head, and with it unties it.
            own_head = sample.parent.name == "genai-int4"
            models.append((sample, dataclasses.replace(family, tied=family.tied and not own_head)))
    return 1 if check_all(models) else 0


if __name__ == "__main__":
    sys.exit(main())
