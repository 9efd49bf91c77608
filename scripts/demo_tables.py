"""The tables of the demonstration: which programs stand side by side in each."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Program:
    """One row of a table: a name, and the options of `llmc compile` that make it.

    CALIBRATION in them stands for what a model is calibrated on, LAYERS, in the name too, for how many
    layers it can do without.
    """

    name: str
    file: str
    options: tuple[str, ...] = ()


def passes(name: str, file: str, pipeline: str) -> Program:
    return Program(name, file, (f"--passes={pipeline}",))


def recipe(name: str) -> Program:
    return Program(f"`{name}`", f"recipe-{name}", (f"--recipe={name}",))


REFERENCE = Program("fp32", "fp32")
GROUPED = "group-size=128 symmetric=false table=false"
RTN3 = f"quantize-rtn{{bits=3 {GROUPED}}}"
GPTQ4 = f"quantize-gptq{{bits=4 {GROUPED} CALIBRATION}}"

TABLES = {
    "roundings": [
        passes("8 bits, groups of 128, RTN", "q8", f"quantize-rtn{{bits=8 {GROUPED}}}"),
        passes(
            "4 bits, groups of 32, RTN",
            "q4",
            "quantize-rtn{bits=4 group-size=32 symmetric=false zero=float table=false}",
        ),
        passes("4 bits, groups of 128, RTN", "rtn4", f"quantize-rtn{{bits=4 {GROUPED}}}"),
        passes("4 bits, groups of 128, GPTQ", "gptq4", GPTQ4),
        passes("3 bits, groups of 128, RTN", "rtn3", RTN3),
        passes("3 bits, groups of 128, GPTQ", "gptq3", f"quantize-gptq{{bits=3 {GROUPED} CALIBRATION}}"),
    ],
    "recipes": [recipe(name) for name in ("exact8", "balanced", "fast", "small", "smallest")],
    "pruning": [
        passes("4 bits, GPTQ", "gptq4", GPTQ4),
        passes(
            "50 %, 4 bits",
            "masked4",
            f"prune-sparsegpt{{sparsity=0.5 format=int bits=4 {GROUPED} CALIBRATION}}",
        ),
        passes(
            "2:4, 4 bits",
            "sparse4",
            f"prune-sparsegpt{{pattern=2:4 format=int bits=4 {GROUPED} CALIBRATION}}",
        ),
        passes(
            "20 % of channels, 4 bits",
            "channels4",
            f"prune-channels{{ratio=0.2 table=false CALIBRATION}},{GPTQ4}",
        ),
        passes("layers dropped (LAYERS), 4 bits", "layers4", f"drop-layers{{count=LAYERS table=false CALIBRATION}},{GPTQ4}"),
        passes("3 bits, RTN", "rtn3", RTN3),
        passes(
            "3 bits, RTN, EoRA in 4 bits",
            "eora3",
            f"{RTN3},repair-eora{{rank=32 table=false CALIBRATION}},quantize-rtn{{bits=4 only=repair table=false}}",
        ),
    ],
    "caches": [
        passes("f16", "cache-f16", "quantize-kv-cache{keys=f16 values=f16}"),
        passes("8-bit keys, 4-bit values", "cache-default", "quantize-kv-cache"),
        passes("the same, rotated", "cache-rotated", "rotate{where=keys,values},quantize-kv-cache"),
        passes(
            "4 bits, rotated",
            "cache-i4",
            "rotate{where=keys,values},quantize-kv-cache{keys=i4 values=i4 keys-group=64 values-group=64}",
        ),
        passes(
            "4 bits, keys along positions",
            "cache-kivi4",
            "quantize-kv-cache{keys=i4 keys-along=positions values=i4 values-group=32}",
        ),
    ],
}
