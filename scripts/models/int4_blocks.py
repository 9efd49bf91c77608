# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rounds fp32 weights to the blockwise 4-bit layout of ONNX Runtime's MatMulNBits."""

from __future__ import annotations

import numpy as np

BLOCK = 32


def quantize_blocks(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds to nearest, symmetric around the implied zero point 8, one fp32 scale a block.

    `weight` is [out, in], with `in` a multiple of the block size 32. Returns the packed values
    [out, in / 32, 16], uint8 with the earlier value in the low nibble, and scales [out, in / 32].
    The value of largest magnitude of a block, whatever its sign, becomes -8 exactly.
    """
    rows, columns = weight.shape
    if columns % BLOCK:
        raise ValueError(f"expected rows of a multiple of {BLOCK} values, found {columns}")
    blocks = weight.reshape(rows, columns // BLOCK, BLOCK)
    places = np.argmax(np.abs(blocks), axis=-1)[..., None]
    scales = np.take_along_axis(blocks, places, axis=-1) / np.float32(-8)
    inverse = np.divide(1.0, scales, out=np.zeros_like(scales), where=scales != 0)
    values = np.clip(np.rint(blocks * inverse) + 8, 0, 15).astype(np.uint8)
    return values[..., 0::2] | values[..., 1::2] << 4, scales[..., 0].astype(np.float32)
