# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The embedded model's tokenizer, and texts as rows and windows of tokens."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END_OF_TEXT = "<|endoftext|>"


def train_tokenizer(chapters: list[str], vocab_size: int) -> Tokenizer:
    """Learns a byte-level BPE with one special token, the end of a text, as number 0."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(chapters, trainer)
    if tokenizer.get_vocab_size() != vocab_size:
        found = tokenizer.get_vocab_size()
        raise ValueError(f"expected {vocab_size} tokens, the text gave {found}")
    return tokenizer


def end_of_text(tokenizer: Tokenizer) -> int:
    """Returns the number of the end-of-text token."""
    number = tokenizer.token_to_id(END_OF_TEXT)
    if number is None:
        raise ValueError(f"the tokenizer lacks {END_OF_TEXT}")
    return number


def encode_chapters(tokenizer: Tokenizer, chapters: list[str]) -> np.ndarray:
    """Returns all chapters as one row of tokens, each after an end-of-text token."""
    end = end_of_text(tokenizer)
    row: list[int] = []
    for text in chapters:
        row.append(end)
        row.extend(tokenizer.encode(text).ids)
    return np.array(row, np.int32)


def validation_windows(row: np.ndarray, length: int) -> np.ndarray:
    """Cuts a row of tokens into non-overlapping windows; the rest is dropped."""
    count = len(row) // length
    return row[: count * length].reshape(count, length)
