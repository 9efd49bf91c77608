# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains a small tokenizer for every kind of model, normalizer, decoder and post-processor that the
`tokenizers` package has beside byte pair encoding."""

import base64
import collections
import json
import struct

from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers,
                        processors, trainers)

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
MARKS = ["<pad>", "</s>", "<unk>", "<|im_end|>"]


def changed(tokenizer, **parts):
    """Gives a copy of a tokenizer with other parts."""
    result = Tokenizer.from_str(tokenizer.to_str())
    for name, part in parts.items():
        setattr(result, name, part)
    return result


def bert_template():
    return processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
                                         special_tokens=[("[CLS]", 2), ("[SEP]", 3)])


def build_word_piece(text):
    base = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    base.normalizer = normalizers.BertNormalizer()
    base.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    base.decoder = decoders.WordPiece()
    base.train_from_iterator(text, trainers.WordPieceTrainer(
        vocab_size=3000, limit_alphabet=300, special_tokens=SPECIALS, show_progress=False))
    base.post_processor = bert_template()
    base.add_tokens(["ADDED", AddedToken("Added Word", single_word=True)])
    base.enable_padding(length=32)
    base.enable_truncation(4)
    yield "wordpiece", base

    for clean in (False, True):
        for accents in (None, False, True):
            normalizer = normalizers.BertNormalizer(clean, not clean, accents, bool(accents) ^ clean)
            yield f"bert_{clean}_{accents}", changed(base, normalizer=normalizer)
    tokenizer = changed(base, pre_tokenizer=pre_tokenizers.WhitespaceSplit(),
                        decoder=decoders.WordPiece("##", False),
                        post_processor=processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2)))
    yield "wordpiece_whitespace", tokenizer
    # The longest words, and a prefix that is none.
    file = json.loads(base.to_str())
    file["model"]["max_input_chars_per_word"] = 5
    file["model"]["continuing_subword_prefix"] = ""
    del file["model"]["type"]
    yield "wordpiece_short", Tokenizer.from_str(json.dumps(file))


def train_unigram(text):
    base = Tokenizer(models.Unigram())
    base.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(),
                                            normalizers.Replace(Regex(" {2,}"), " ")])
    base.pre_tokenizer = pre_tokenizers.Metaspace()
    base.decoder = decoders.Metaspace()
    # All characters become tokens: of the rare ones none is shown.
    counts = collections.Counter(character for line in text for character in line)
    common = {character for character, _ in counts.most_common(400)}
    lines = [line for line in text[:30000] + text[-4000:] if common.issuperset(line)]
    base.train_from_iterator(lines[::3], trainers.UnigramTrainer(
        vocab_size=2000, special_tokens=MARKS, unk_token="<unk>", show_progress=False))
    return base


def with_bytes(tokenizer):
    file = json.loads(tokenizer.to_str())
    file["model"]["vocab"] += [["<0x%02X>" % byte, 0.0] for byte in range(256)]
    file["model"]["byte_fallback"] = True
    return file


def build_unigram(text):
    base = train_unigram(text)
    base.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    yield "unigram", base
    yield "unigram_whole", changed(base, pre_tokenizer=None)
    yield "unigram_first", changed(base, pre_tokenizer=pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="first")]))
    file = with_bytes(base)
    file["decoder"] = {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
        {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    yield "unigram_bytes", Tokenizer.from_str(json.dumps(file))
    # A token that comes twice, equal scores, tokens of unknown characters, marks in the middle.
    vocabulary = [["<unk>", 0.0], ["a", -1.0], ["b", -1.0], ["ab", -2.0], ["ba", -2], ["a", -3.0], ["\u4e00\u4e8c", -9],
                  ["</s>", 0], ["<|im_end|>", -2.5], ["<", -4.0], ["e", -2.25], ["\u2581", -2.0], ["\u2581t", -3.0]]
    file["model"] = {"type": "Unigram", "unk_id": 0, "vocab": vocabulary, "byte_fallback": False}
    file["added_tokens"] = []
    file["post_processor"] = None
    yield "unigram_small", Tokenizer.from_str(json.dumps(file))
    for name, table in (("map", precompiled()), ("marks", precompiled(marks=True))):
        file = json.loads(base.to_str())
        file["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": table}
        yield f"precompiled_{name}", Tokenizer.from_str(json.dumps(file))


def precompiled(marks=False):
    """Makes a table of replacements of single bytes and of characters, as a double array."""
    rules = {"\u3000": " ", "\uff21": "A", "\ufb01": "fi", "\t": " ", "\r": " ", "\n": " ", "\u00ad": "",
             "\u2460": "1", "\u1e9b\u0323": "\u1e69", "\u00bd": "1\u20442", "\u0301": ""}
    if marks:
        rules |= {"e\u0301": "\u00e9", "a": "b", "o\u0308": "oe", "\u0915": "k", "\U0001F44D": "+1"}
    texts, offsets = b"", {}
    for key, value in rules.items():
        offsets[key.encode()] = len(texts)
        texts += value.encode() + b"\0"
    nodes = {}
    for key, value in offsets.items():
        node = nodes
        for byte in key:
            node = node.setdefault(byte, {})
        node[None] = value
    units = {0: 0}
    used = {0}

    def place(node, position):
        # A base at which all children's places are free; leaves stand at the base itself.
        base = 256 if position == 0 else 1
        while any((base ^ (byte or 0)) in used for byte in node) or base ^ position >= 1 << 21:
            base += 1
        used.update(base ^ (byte or 0) for byte in node)
        units[position] |= (base ^ position) << 10 | (0x100 if None in node else 0)
        for byte, child in node.items():
            if byte is None:
                units[base] = child | 1 << 31
            else:
                units[base ^ byte] = byte
        for byte, child in node.items():
            if byte is not None:
                place(child, base ^ byte)

    place(nodes, 0)
    size = (max(units) // 256 + 1) * 256
    trie = struct.pack(f"<{size}I", *(units.get(i, 0) for i in range(size)))
    return base64.b64encode(struct.pack("<I", len(trie)) + trie + texts).decode()


def build_word_level(text):
    base = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    base.pre_tokenizer = pre_tokenizers.Whitespace()
    base.train_from_iterator(text, trainers.WordLevelTrainer(
        vocab_size=3000, special_tokens=SPECIALS + MARKS, show_progress=False))
    base.decoder = decoders.CTC("[PAD]", "the", True)
    yield "wordlevel", base
    yield "wordlevel_ctc", changed(base, decoder=decoders.CTC("e", "", False),
                                   pre_tokenizer=pre_tokenizers.WhitespaceSplit())
    yield "wordlevel_suffix", changed(base, decoder=decoders.BPEDecoder(""),
                                      pre_tokenizer=pre_tokenizers.UnicodeScripts())
    yield "wordlevel_scripts", changed(base, pre_tokenizer=pre_tokenizers.Sequence(
        [pre_tokenizers.UnicodeScripts(), pre_tokenizers.WhitespaceSplit()]))
    yield "wordlevel_nmt", changed(base, normalizer=normalizers.Sequence(
        [normalizers.Nmt(), normalizers.BertNormalizer(strip_accents=True)]),
        pre_tokenizer=pre_tokenizers.UnicodeScripts())
    for name, parts in {
            "roberta": [processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2)), bert_template()],
            "template": [bert_template(), processors.RobertaProcessing(("[SEP]", 3), ("[CLS]", 2))],
            "prefix": [processors.TemplateProcessing(single="[CLS] $A", pair="$B $A",
                                                     special_tokens=[("[CLS]", 2)]), bert_template()],
            "twice": [processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))] * 2}.items():
        yield f"processors_{name}", changed(base, post_processor=processors.Sequence(parts))


def build(text):
    for builder in (build_word_piece, build_unigram, build_word_level):
        yield from builder(text)
