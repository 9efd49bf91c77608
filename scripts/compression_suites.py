"""What scripts/measure-compression makes, and what it claims of it.

CALIBRATED in passes stands for options of calibration: 128 samples of 512 tokens of WikiText-2's
validation part, and a seed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Program:
    """Passes, and how many ways to make them: with several seeds, or one. `caches` as `llmc compile` has
    it; None: what it does by default."""

    name: str
    passes: str
    seeded: bool = False
    caches: str | None = "keep"


@dataclasses.dataclass(frozen=True)
class Found:
    """What was measured of a program; the means over its seeds."""

    name: str
    fp32: float  # perplexity of the model as it was
    perplexity: float
    divergences: list[float]  # mean KL from the model as it was, of each seed
    bytes: int  # of the whole file
    seconds: float  # to make it

    @property
    def delta(self) -> float:
        return self.perplexity - self.fp32

    @property
    def change(self) -> float:
        return self.delta / self.fp32

    @property
    def kl(self) -> float:
        return sum(self.divergences) / len(self.divergences)


Figures = dict[str, Found]


@dataclasses.dataclass(frozen=True)
class Claim:
    """A number made of what was found, and what it should be at most."""

    text: str
    value: Callable[[Figures], float]
    bound: float


@dataclasses.dataclass(frozen=True)
class Suite:
    title: str
    programs: list[Program]
    claims: list[Claim]


def kl_ratio(one: str, *others: str) -> Callable[[Figures], float]:
    """The divergence of one program over the least of others'."""
    return lambda found: found[one].kl / min(found[other].kl for other in others)


def delta_ratio(one: str, other: str) -> Callable[[Figures], float]:
    """The change of perplexity of one program over another's."""
    return lambda found: found[one].delta / found[other].delta


def kl(name: str) -> Callable[[Figures], float]:
    return lambda found: found[name].kl


def change(name: str) -> Callable[[Figures], float]:
    return lambda found: found[name].change


WEIGHTS_ALONE = "head-format=none activation=none table=false"
ASYM_128 = "bits=4 group-size=128 symmetric=false"
ROTATE = "rotate{where=residual,values,down}"


def rtn(options: str, rest: str = WEIGHTS_ALONE) -> str:
    return f"quantize-rtn{{{options} {rest}}}"


def gptq(options: str, rest: str = WEIGHTS_ALONE) -> str:
    return f"quantize-gptq{{{options} {rest} CALIBRATED}}"


AWQ = f"scale-awq{{{ASYM_128} table=false CALIBRATED}}"
FOUR_BITS = "bits=4 group-size=channel head-format=none activation=i4 table=false"
EIGHT_BITS = "bits=8 group-size=channel head-format=none table=false"
DYNAMIC = f"quantize-rtn{{{EIGHT_BITS} activation=i8 activation-group=0}}"
STATIC = f"quantize-gptq{{{EIGHT_BITS} activation=i8-static CALIBRATED}}"

# Ways to spell weights, and the largest ratio of divergences, GPTQ's to RTN's.
CELLS = {
    "4-asym-128": (ASYM_128, 0.80),
    "4-sym-32": ("bits=4 group-size=32", 0.80),
    "4-sym-128": ("bits=4 group-size=128", 0.87),
    "4-sym-channel": ("bits=4 group-size=channel", 0.90),
    "3-asym-128": ("bits=3 group-size=128 symmetric=false", 0.80),
    "3-sym-64": ("bits=3 group-size=64", 0.70),
}
OWN_TEXT = "calibration=self samples=128 sequence-length=512"


def list_cell(name: str, options: str) -> list[Program]:
    """A cell rounded to nearest, and by GPTQ on text of the test's kind and on what the model writes."""
    common = f"{options} mse=false {WEIGHTS_ALONE}"
    return [
        Program(f"rtn-{name}", f"quantize-rtn{{{common}}}"),
        Program(f"gptq-{name}", f"quantize-gptq{{{common} CALIBRATED}}", seeded=name.endswith("asym-128")),
        Program(f"gptq-self-{name}", f"quantize-gptq{{{common} {OWN_TEXT}}}"),
    ]


SUITES = {
    "gptq": Suite(
        "what calibration buys, without the search",
        [program for name, (options, _) in CELLS.items() for program in list_cell(name, options)],
        [
            Claim(f"KL of gptq-{name} / rtn-{name}", kl_ratio(f"gptq-{name}", f"rtn-{name}"), bound)
            for name, (_, bound) in CELLS.items()
        ],
    ),
    "awq": Suite(
        "4 bits in groups of 128 with a zero point",
        [
            Program("rtn", rtn(f"{ASYM_128} mse=false")),
            Program("awq-rtn", f"{AWQ},{rtn(f'{ASYM_128} mse=inputs CALIBRATED')}"),
            Program("gptq", gptq(ASYM_128), seeded=True),
            Program("awq-gptq", f"{AWQ},{gptq(ASYM_128)}", seeded=True),
        ],
        [
            Claim("change of awq-rtn / rtn", delta_ratio("awq-rtn", "rtn"), 0.70),
            Claim("KL of awq-rtn / rtn", kl_ratio("awq-rtn", "rtn"), 0.5),
            Claim("KL of awq-gptq / the better alone", kl_ratio("awq-gptq", "awq-rtn", "gptq"), 0.9),
        ],
    ),
    "rotate": Suite(
        "4 bits a channel, and rotations before it",
        [
            Program("gptq-channel", gptq("bits=4 group-size=channel")),
            Program("rotate-gptq-channel", f"{ROTATE},{gptq('bits=4 group-size=channel')}"),
            Program("w4a4", f"quantize-gptq{{{FOUR_BITS} CALIBRATED}}"),
            Program("rotate-w4a4", f"{ROTATE},quantize-gptq{{{FOUR_BITS} CALIBRATED}}"),
        ],
        [
            Claim("KL of rotate-gptq-channel / gptq-channel", kl_ratio("rotate-gptq-channel", "gptq-channel"), 0.7),
            Claim("KL of rotate-w4a4 / w4a4", kl_ratio("rotate-w4a4", "w4a4"), 0.5),
        ],
    ),
    "smoothquant": Suite(
        "8 bits a channel, inputs in 8 bits a token or in a range",
        [
            Program("w8a8", DYNAMIC),
            Program("smooth-w8a8", f"scale-smoothquant{{alpha=0.5 table=false CALIBRATED}},{DYNAMIC}"),
            Program("w8a8-static", STATIC),
            Program("smooth-w8a8-static", f"scale-smoothquant{{alpha=search table=false CALIBRATED}},{STATIC}"),
        ],
        [
            Claim("change of smooth-w8a8 / w8a8", delta_ratio("smooth-w8a8", "w8a8"), 0.6),
            Claim("change of smooth-w8a8-static", change("smooth-w8a8-static"), 0.01),
        ],
    ),
    "formats": Suite(
        "no data, and numbers that are learned",
        [
            Program("rtn-64", rtn("bits=4 group-size=64 symmetric=false mse=false")),
            Program("hqq-64", "quantize-hqq{bits=4 group-size=64 head-format=none activation=none table=false}"),
            Program("gptq-channel", gptq("bits=4 group-size=channel")),
            Program("codebook-4", f"quantize-codebook{{bits=4 {WEIGHTS_ALONE} CALIBRATED}}"),
        ],
        [
            Claim("KL of hqq-64 / rtn-64", kl_ratio("hqq-64", "rtn-64"), 0.8),
            Claim("KL of codebook-4 / gptq-channel", kl_ratio("codebook-4", "gptq-channel"), 1),
        ],
    ),
    "trellis": Suite(
        "trellises in a rotated basis, without scales of groups",
        [
            Program("trellis-4", f"{ROTATE},{gptq('format=trellis bits=4')}", seeded=True),
            Program("trellis-3", f"{ROTATE},{gptq('format=trellis bits=3')}", seeded=True),
            Program("trellis-2", f"{ROTATE},{gptq('format=trellis bits=2')}"),
        ],
        [
            Claim("KL of trellis-4", kl("trellis-4"), 0.095),
            Claim("KL of trellis-3", kl("trellis-3"), 0.34),
            Claim("perplexity of trellis-2 / fp32", lambda found: 1 + found["trellis-2"].change, 4),
        ],
    ),
    "spqr": Suite(
        "outliers beside integers whose scales are integers",
        [
            Program("gptq-3", gptq("bits=3 group-size=128 symmetric=false")),
            Program("spqr-3", f"quantize-spqr{{bits=3 {WEIGHTS_ALONE} CALIBRATED}}"),
        ],
        [Claim("KL of spqr-3 / gptq-3", kl_ratio("spqr-3", "gptq-3"), 0.5)],
    ),
    "pruning": Suite(
        "half of the weights, freely or of each few",
        [
            Program("magnitude-50", "prune-magnitude{sparsity=0.5 table=false}"),
            Program("wanda-50", "prune-wanda{sparsity=0.5 table=false CALIBRATED}"),
            Program("sparsegpt-50", "prune-sparsegpt{sparsity=0.5 table=false CALIBRATED}"),
            Program("sparsegpt-4-8", "prune-sparsegpt{pattern=4:8 table=false CALIBRATED}"),
            Program("sparsegpt-2-4", "prune-sparsegpt{pattern=2:4 table=false CALIBRATED}"),
            Program("sparsegpt-25", "prune-sparsegpt{sparsity=0.25 table=false CALIBRATED}"),
            Program("sparsegpt-50-joint", f"prune-sparsegpt{{sparsity=0.5 format=int {ASYM_128} {WEIGHTS_ALONE} CALIBRATED}}"),
            Program("sparsegpt-50-rtn", f"prune-sparsegpt{{sparsity=0.5 table=false CALIBRATED}},{rtn(f'{ASYM_128} mse=false')}"),
        ],
        [
            Claim("perplexity of sparsegpt-50 / wanda-50", lambda found: found["sparsegpt-50"].perplexity / found["wanda-50"].perplexity, 1),
            Claim("perplexity of wanda-50 / magnitude-50", lambda found: found["wanda-50"].perplexity / found["magnitude-50"].perplexity, 1),
            Claim("perplexity of sparsegpt-50 / magnitude-50", lambda found: found["sparsegpt-50"].perplexity / found["magnitude-50"].perplexity, 1 / 3),
            Claim("change of sparsegpt-50 / wanda-50", delta_ratio("sparsegpt-50", "wanda-50"), 0.85),
            Claim("KL of sparsegpt-50 / sparsegpt-4-8", kl_ratio("sparsegpt-50", "sparsegpt-4-8"), 1),
            Claim("KL of sparsegpt-4-8 / sparsegpt-2-4", kl_ratio("sparsegpt-4-8", "sparsegpt-2-4"), 1),
            Claim("change of sparsegpt-25", change("sparsegpt-25"), 0.15),
            Claim("KL of sparsegpt-50-joint / sparsegpt-50-rtn", kl_ratio("sparsegpt-50-joint", "sparsegpt-50-rtn"), 0.88),
        ],
    ),
    "caches": Suite(
        "keys and values in fewer bits, weights in fp32",
        [
            Program("f16", "quantize-kv-cache{keys=f16 values=f16 residual=0 sinks=0 table=false}"),
            Program("i8", "quantize-kv-cache{keys=i8 values=i8 residual=0 sinks=0 table=false}"),
            Program("i4-positions", "quantize-kv-cache{keys=i4 keys-along=positions values=i4 values-group=32 table=false}"),
            Program("rotate-i4", "rotate{where=keys,values},quantize-kv-cache{keys=i4 values=i4 keys-group=64 values-group=64 table=false}"),
            Program("rotate-i8-i4", "rotate{where=keys,values},quantize-kv-cache{table=false}"),
        ],
        [
            Claim("change of f16", change("f16"), 0.0001),
            Claim("change of i8", change("i8"), 0.001),
            Claim("change of i4-positions", change("i4-positions"), 0.006),
            Claim("change of rotate-i4", change("rotate-i4"), 0.007),
            Claim("change of rotate-i8-i4", change("rotate-i8-i4"), 0.001),
        ],
    ),
}
