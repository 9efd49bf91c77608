# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes first inputs for tokenizer_fuzzer to a folder: a tokenizer of each kind, with a text."""

import base64
import json
import pathlib
import struct
import sys

TEXT = "ab \u00e9<s> 12\n\u4e00\u30a2[A]<|x|>a\u0301##b"


def table():
    """A table for a Precompiled normalizer that replaces "a" by "b"."""
    units = [0] * 256
    units[ord("a")] = ord("a") | (ord("a") ^ 1) << 10 | 0x100
    units[1] = 1 << 31
    return base64.b64encode(struct.pack("<257I", 1024, *units) + b"b\0").decode()


def special(name, index):
    return {name: {"id": name, "ids": [index], "tokens": [name]}}


MODELS = {
    "bpe": {"type": "BPE", "unk_token": "u", "byte_fallback": True, "fuse_unk": True, "ignore_merges": True,
            "vocab": {"u": 0, "a": 1, "b": 2, "ab": 3, "<": 4, "|": 5, "<|x|>": 6, "<0x31>": 7}, "merges": ["a b"]},
    "affixes": {"type": "BPE", "unk_token": None, "continuing_subword_prefix": "##", "end_of_word_suffix": "|",
                "vocab": {"a": 0, "##b|": 1, "ab|": 2}, "merges": [["a", "##b|"]]},
    "unigram": {"type": "Unigram", "unk_id": 0, "byte_fallback": True,
                "vocab": [["u", 0], ["a", -1.5], ["b", -2], ["ab", -3], ["b\u2581", -1], ["<0xC3>", 0], ["<s>", 0]]},
    "wordpiece": {"type": "WordPiece", "unk_token": "u", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 9, "vocab": {"u": 0, "a": 1, "##b": 2, "[A]": 3}},
    "wordlevel": {"type": "WordLevel", "unk_token": "u", "vocab": {"u": 0, "ab": 1, "x": 2}},
}
NORMALIZERS = [
    {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
     "lowercase": True},
    {"type": "Precompiled", "precompiled_charsmap": table()}, {"type": "Nmt"}, {"type": "NFKD"}, {"type": "NFC"},
    {"type": "Lowercase"}, {"type": "StripAccents"}, {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Prepend", "prepend": "\u2581"}, {"type": "ByteLevel"},
    {"type": "Replace", "pattern": {"Regex": "a+|(?=b)"}, "content": "ab"}]
PRE_TOKENIZERS = [
    {"type": "BertPreTokenizer"}, {"type": "UnicodeScripts"}, {"type": "Whitespace"}, {"type": "WhitespaceSplit"},
    {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True},
    {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "Digits", "individual_digits": True},
    {"type": "CharDelimiterSplit", "delimiter": "a"}, {"type": "FixedLength", "length": 3},
    {"type": "Split", "pattern": {"Regex": "\\p{L}|[^a]"}, "behavior": "MergedWithNext", "invert": True},
    {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}]
DECODERS = [
    {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "BPEDecoder", "suffix": "|"},
    {"type": "CTC", "pad_token": "u", "word_delimiter_token": "|", "cleanup": True}, {"type": "ByteFallback"},
    {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"}, {"type": "ByteLevel"},
    {"type": "Replace", "pattern": {"String": "a"}, "content": "b"}, {"type": "Fuse"},
    {"type": "Strip", "content": " ", "start": 1, "stop": 1}]
POST_PROCESSORS = [
    {"type": "BertProcessing", "sep": ["u", 0], "cls": ["a", 1]},
    {"type": "RobertaProcessing", "sep": ["u", 0], "cls": ["a", 1], "trim_offsets": True, "add_prefix_space": False},
    {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "u", "type_id": 0}},
                                              {"Sequence": {"id": "A", "type_id": 0}}],
     "pair": [{"Sequence": {"id": "B", "type_id": 0}}], "special_tokens": special("u", 0)}]


def sequence(name, elements):
    return {"type": "Sequence", name: elements}


def files():
    for name, model in MODELS.items():
        size = len(model["vocab"])
        added = [{"id": size + i, "content": content, "single_word": i == 1, "lstrip": i == 0, "rstrip": i == 1,
                  "normalized": i == 1, "special": i == 0} for i, content in enumerate(("<|y|>", "12"))]
        file = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
                "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model}
        yield name, file
        for kind, elements, place in (("normalizers", NORMALIZERS, "normalizer"),
                                      ("pretokenizers", PRE_TOKENIZERS, "pre_tokenizer"),
                                      ("decoders", DECODERS, "decoder"),
                                      ("processors", POST_PROCESSORS, "post_processor")):
            yield f"{name}-{kind}", {**file, place: sequence(kind, elements)}
            if name == "unigram":
                for i, element in enumerate(elements):
                    yield f"{kind}-{i}", {**file, place: element}


def main():
    folder = pathlib.Path(sys.argv[1])
    for name, file in files():
        text = json.dumps(file, ensure_ascii=False).encode() + b"\0" + TEXT.encode()
        (folder / f"{name}.json").write_bytes(text)


if __name__ == "__main__":
    main()
