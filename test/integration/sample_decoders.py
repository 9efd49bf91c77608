# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The decoders that tests of changed models start from: one for each way in which exporters write."""

from __future__ import annotations

from typing import Any

DECODERS: dict[str, dict[str, Any]] = {
    "plain": {},
    "learned": dict(norm="layer power", positions="learned", activation="gelu tanh", gated=False,
                    linear="gemm", bias=True, mask="add", attention="div"),
    "operators": dict(opset=23, norm="operator", positions="operator", attention="operator",
                      angles="range"),
    "causal": dict(opset=23, norm="operator", attention="operator", mask="causal", cache=False,
                   positions="mul", angles="range"),
    "fused": dict(norm="simplified", attention="fused", positions="fused"),
    "contrib": dict(positions="contrib", linear="packed", bias=True, activation="FastGelu"),
    "nbits": dict(linear="nbits", mask="trilu", tied=True, cache=False, angles="range"),
    "isnan": dict(mask="isnan", attention="root scale", positions="split", angles="cumsum", opset=18),
}
