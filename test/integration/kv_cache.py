"""Caches in fewer bits: nearly the logits of fp32, the same bits in decode and prefill, with any
number of threads and in every variant of the code; as much less memory as their encodings say."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
import tempfile

import numpy as np

from support import (ALL_VARIANTS, TINY, compile_model, compute_logits, encode, llmc_json,
                     relative_difference, runnable_variants)

BASELINE = "x86-64"


@dataclasses.dataclass(frozen=True)
class Cache:
    """Options of quantize-kv-cache, the largest difference of logits from those with a cache in
    fp32, the bytes that a head of 64 elements takes for its key and its value, and of how many
    positions a step reads the newest and the first as f16."""

    options: str
    limit: float
    bytes: int
    recent: int = 0
    sinks: int = 0

    def count_bytes(self, context: int) -> int:
        """The bytes of a head of 64 elements, with what is kept exactly for steps of 128 rows."""
        round_up = lambda count: (count + 15) // 16 * 16
        sinks = round_up(self.sinks)
        exact = min(sinks + round_up(self.recent + 128), context) if self.recent else 0
        return self.bytes * context + 256 * exact


OFF = "residual=0 sinks=0"
CACHES = [Cache("{keys=f16 values=f16}", 2e-3, 128 + 128),
          Cache("{keys=bf16 values=bf16}", 5e-3, 128 + 128),
          Cache(f"{{keys=i8 values=i8 {OFF}}}", 1e-2, 66 + 66),
          Cache(f"{{keys=f16 values=i8 {OFF}}}", 1e-2, 128 + 66),
          Cache(f"{{values-group=64 {OFF}}}", 8e-2, 66 + 34),
          Cache(f"{{keys=i4 values=i4 keys-group=32 values-group=32 {OFF}}}", 1.5e-1, 36 + 36),
          Cache(f"{{keys=fp8 values=nf4 {OFF}}}", 1.5e-1, 66 + 34),
          Cache(f"{{keys=lloydmax4 values=i3 {OFF}}}", 3e-1, 34 + 28),
          Cache("", 8e-2, 66 + 34, 32, 4),
          Cache("{keys=i8 keys-along=positions residual=0 sinks=0}", 8e-2, 64 + 8 + 34, 1 + 31),
          Cache("{keys=i4 keys-along=positions values=i2 residual=64}", 2e-1, 32 + 8 + 20, 64 + 31, 4)]


def check(cache: Cache, plain: pathlib.Path, work: pathlib.Path) -> list[str]:
    """What is wrong with a cache."""
    tokens = encode(TINY, (TINY / "held-out.txt").read_text(encoding="utf-8"))[:160]
    artifact = compile_model(TINY / "model.onnx", work / "fewer.llmc", f"quantize-kv-cache{cache.options}",
                             ALL_VARIANTS)
    logits, problems = compute_logits(artifact, tokens), []
    difference = relative_difference(logits, compute_logits(plain, tokens))
    print(f"quantize-kv-cache{cache.options} differs from fp32 by {difference:.1e}", flush=True)
    if not 0 < difference < cache.limit:
        problems.append(f"expected a difference of at most {cache.limit}, and some")
    whole, less = (llmc_json("inspect", model) for model in (plain, artifact))
    heads, rest = divmod(whole["state_bytes"], 512 * whole["context"])
    expected = heads * cache.count_bytes(whole["context"])
    if rest != 0 or less["state_bytes"] != expected:
        problems.append(f"expected {expected} bytes of state, found {less['state_bytes']}")
    for options in (("--prefill", 7), ("--threads", 1), ("--threads", 3)):
        if not np.array_equal(compute_logits(artifact, tokens, *options), logits):
            problems.append(f"{' '.join(map(str, options))} gives other bits")
    for variant in runnable_variants(artifact):
        # The baseline has no fused multiplication and addition, and rounds twice.
        if variant != BASELINE and not np.array_equal(
                compute_logits(artifact, tokens, "--variant", variant), logits):
            problems.append(f"variant {variant} gives other bits")
    return [f"quantize-kv-cache{cache.options}: {problem}" for problem in problems]


def check_eviction(plain: pathlib.Path, work: pathlib.Path) -> list[str]:
    """What is wrong with caches that keep some positions: those of a text that fits give the bits of
    all, those of others the same bits in any pieces, and the state has no more room."""
    tokens, problems = encode(TINY, (TINY / "held-out.txt").read_text(encoding="utf-8"))[:160], []
    whole = compute_logits(plain, tokens)
    heads = llmc_json("inspect", plain)["state_bytes"] // (512 * llmc_json("inspect", plain)["context"])
    for budget, fits in ((160, True), (40, False)):
        artifact = compile_model(TINY / "model.onnx", work / "evicted.llmc", f"evict-kv-cache{{budget={budget}}}",
                                 "--max-rows=32")
        logits = compute_logits(artifact, tokens)
        if np.array_equal(logits, whole) != fits or not np.array_equal(logits[:budget], whole[:budget]):
            problems.append(f"budget={budget}: expected the bits of all positions as long as there are no others")
        if not np.array_equal(compute_logits(artifact, tokens, "--prefill", 7), logits):
            problems.append(f"budget={budget}: --prefill 7 gives other bits")
        # The first 4 stand in a block of 16.
        expected = heads * 512 * (16 + (budget - 4 + 32 + 15) // 16 * 16)
        if (found := llmc_json("inspect", artifact)["state_bytes"]) != expected:
            problems.append(f"budget={budget}: expected {expected} bytes of state, found {found}")
    return [f"evict-kv-cache: {problem}" for problem in problems]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        plain = compile_model(TINY / "model.onnx", work / "f32.llmc")
        problems = [problem for cache in CACHES for problem in check(cache, plain, work)]
        problems += check_eviction(plain, work)
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
