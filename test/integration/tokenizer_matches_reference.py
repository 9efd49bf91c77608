# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares llmc-tokenize with the `tokenizers` package: ids and decoded text must be equal.

Trains one small tokenizer for each way in which models split and merge text, and takes varied strings
through both. Files given with --tokenizer are compared as well. For a thorough comparison give
--count 10000 --variation-count 2000, which takes minutes.
"""

import argparse
import glob
import json
import os
import random
import re
import subprocess
import sys
import sysconfig
import tempfile
import unicodedata

SKIPPED = 77

try:
    from tokenizers import (AddedToken, Regex, Tokenizer, decoders, models, normalizers,
                            pre_tokenizers, processors, trainers)
except ImportError:
    print("skipped: the Python package 'tokenizers' is not installed")
    sys.exit(SKIPPED)

import tokenizer_kinds
from support import smollm2

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<s>", "</s>"]

# Scripts and symbols, as ranges of code points.
SCRIPTS = {
    "latin": (0x41, 0x24F), "ipa": (0x250, 0x2AF), "modifier": (0x2B0, 0x2FF),
    "combining": (0x300, 0x36F), "greek": (0x370, 0x3FF), "cyrillic": (0x400, 0x52F),
    "armenian": (0x531, 0x58F), "hebrew": (0x591, 0x5F4), "arabic": (0x600, 0x6FF),
    "devanagari": (0x900, 0x97F), "bengali": (0x980, 0x9FE), "tamil": (0xB82, 0xBFA),
    "thai": (0xE01, 0xE5B), "tibetan": (0xF00, 0xFDA), "georgian": (0x10A0, 0x10FF),
    "hangul_jamo": (0x1100, 0x11FF), "ethiopic": (0x1200, 0x139F), "khmer": (0x1780, 0x17F9),
    "mongolian": (0x1800, 0x18AA), "phonetic": (0x1D00, 0x1DBF), "latin_more": (0x1E00, 0x1EFF),
    "greek_more": (0x1F00, 0x1FFE), "punctuation": (0x2000, 0x206F), "super": (0x2070, 0x209C),
    "currency": (0x20A0, 0x20BF), "letterlike": (0x2100, 0x214F), "numbers": (0x2150, 0x218B),
    "arrows": (0x2190, 0x21FF), "math": (0x2200, 0x22FF), "enclosed": (0x2460, 0x24FF),
    "box": (0x2500, 0x257F), "dingbats": (0x2700, 0x27BF), "cjk_marks": (0x3000, 0x303F),
    "hiragana": (0x3041, 0x309F), "katakana": (0x30A0, 0x30FF), "cjk": (0x4E00, 0x9FA5),
    "hangul": (0xAC00, 0xD7A3), "private": (0xE000, 0xE0FF), "cjk_compat": (0xF900, 0xFAD9),
    "presentation": (0xFB00, 0xFDFD), "half_width": (0xFF01, 0xFFEE), "gothic": (0x10330, 0x1034A),
    "music": (0x1D100, 0x1D172), "math_letters": (0x1D400, 0x1D7FF), "emoji": (0x1F300, 0x1F64F),
    "emoji_more": (0x1F900, 0x1F9FF), "cjk_more": (0x20000, 0x2A6D6), "tags": (0xE0020, 0xE007F),
}
WHITESPACE = [" ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", " \n", "\n ", "\u00a0", "\u2003", "\u3000",
              "\u200b", "\u2028", "\x0b", "\x0c", "\x85", "\u180e", "\ufeff", "\x1c"]
CONTRACTIONS = ["I'm", "don't", "we'LL", "they're", "it'S", "you've", "he'd", "'tis", "rock'n'roll",
                "it'\u017f", "o'clock", "it\u2019s", "DON'T", "'s", "''", "'"]
EMOJI = ["\U0001F44D\U0001F3FD", "\U0001F468\u200d\U0001F469\u200d\U0001F467", "\u2764\ufe0f",
         "\U0001F1E9\U0001F1EA", "1\ufe0f\u20e3", "\U0001F600", "\u263a"]


def training_text():
    """Gives text that every machine with Python has: its library's sources."""
    files = sorted(glob.glob(os.path.join(sysconfig.get_paths()["stdlib"], "*.py")))[:60]
    lines = []
    for file in files:
        with open(file, encoding="utf-8", errors="ignore") as stream:
            lines += stream.read().split("\n")
    rng = random.Random(7)
    for _ in range(4000):
        lines.append(" ".join(word_of_script(rng) for _ in range(8)))
    return [line for line in lines if line]


def character(rng, script):
    while True:
        code = rng.randint(*SCRIPTS[script])
        if unicodedata.category(chr(code)) not in ("Cn", "Cs"):
            return chr(code)


def word_of_script(rng):
    script = rng.choice(list(SCRIPTS))
    return "".join(character(rng, script) for _ in range(rng.randint(1, 7)))


def piece(rng, words):
    kind = rng.randint(0, 15)
    if kind <= 3:
        return rng.choice(words)
    if kind == 4:
        return word_of_script(rng)
    if kind == 5:
        return rng.choice(WHITESPACE) * rng.choice([1, 1, 2, 3, 9])
    if kind == 6:
        return str(rng.randint(0, 10 ** rng.randint(1, 12)))
    if kind == 7:
        return rng.choice(CONTRACTIONS)
    if kind == 8:
        return rng.choice(EMOJI)
    if kind == 9:
        return "".join(rng.choice("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") for _ in range(rng.randint(1, 6)))
    if kind == 10:
        return rng.choice(SPECIALS + ["<ADDED>", "added", "Added Word", "<|im_start", "<pad>", "\u2581",
                                      "<0x41>", "[CLS]", "</w>", "##ing"])
    if kind == 11:
        return "".join(chr(rng.choice([0, 1, 7, 8, 0x1b, 0x7f, 0x80, 0x9f, 0xad])) for _ in range(2))
    if kind == 12:
        return rng.choice("aeiouAEIOUnc") + "".join(character(rng, "combining")
                                                    for _ in range(rng.randint(1, 4)))
    if kind == 13:
        return rng.choice(["for (int i = 0; i < n; ++i) {\n\treturn x[i] += 0x1F;\n}",
                           "def f(x, *, y=None):\n    return x ** 2  # ok\n", "<a href=\"x\">&amp;</a>",
                           "SELECT * FROM t WHERE a='b';", "http://example.org/a?b=c&d=%20",
                           "user.name@example.com", "3.14e-10", "C:\\path\\file", "__init__", "$x_1$"])
    if kind == 14:
        return chr(rng.choice([0x130, 0x1E9E, 0xDF, 0xFB01, 0x212A, 0x17F, 0x2126, 0x345, 0x1C5, 0x3A3]))
    return rng.choice(words).capitalize()


def test_strings(count, words):
    rng = random.Random(20)
    strings = ["", " ", "\n", "a", "\u2581", "  a", "a  ", "<s>", "<s><s>", " <s> ", "\u0301", "\x00"]
    while len(strings) < count:
        pieces = [piece(rng, words) for _ in range(rng.randint(1, 12))]
        strings.append(rng.choice(["", " ", " "]).join(pieces))
    return strings[:count]


def train(text, pre_tokenizer, normalizer=None, size=3000, byte_level=True, **model):
    trained = model.pop("trained_with", pre_tokenizer)
    special = model.pop("special", SPECIALS)
    tokenizer = Tokenizer(models.BPE(**model))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = trained
    options = {"vocab_size": size, "special_tokens": special, "show_progress": False}
    if byte_level:
        options["initial_alphabet"] = pre_tokenizers.ByteLevel.alphabet()
    else:
        options["limit_alphabet"] = 300
    if model.get("continuing_subword_prefix"):
        options["continuing_subword_prefix"] = model["continuing_subword_prefix"]
    if model.get("end_of_word_suffix"):
        options["end_of_word_suffix"] = model["end_of_word_suffix"]
    tokenizer.train_from_iterator(text, trainers.BpeTrainer(**options))
    tokenizer.pre_tokenizer = pre_tokenizer
    return tokenizer


BYTES = ["<0x%02X>" % byte for byte in range(256)]

# The expressions of models in wide use.
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
HAN = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"
       r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
            r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"
CLIP = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
MANY = (r"\bthe\b|\w+|\d{2}|[[:alpha:]]+|[[:punct:]]|\p{Greek}+|\h{4}|(?<=a)b|(?i:ab|c)|^\s+|[^\W\d_]+|\W{2,}?"
        r"|[a-f[x-z]]++|\R")


def byte_level(use_regex=True, add_prefix_space=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space, use_regex=use_regex)


def split_bytes(*patterns):
    steps = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    return pre_tokenizers.Sequence(steps + [byte_level(use_regex=False)])


def template(single):
    return processors.TemplateProcessing(single=single, pair="$A $B",
                                         special_tokens=[("<s>", 3), ("</s>", 4)])


def build_byte_level(text):
    """Yields tokenizers that turn text into bytes."""
    base = train(text, byte_level())
    base.decoder = decoders.ByteLevel()
    yield "gpt2", base

    tokenizer = train(text, byte_level(add_prefix_space=True), size=1500)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 4), ("<s>", 3))
    yield "roberta", tokenizer

    tokenizer = train(text, split_bytes(LLAMA3), ignore_merges=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False),
                                                    template("<s> $A")])
    yield "llama3", tokenizer

    tokenizer = train(text, split_bytes(QWEN2), normalizers.NFC(), size=2000)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<pad>"])
    tokenizer.add_tokens(["<ADDED>", AddedToken("Added Word", single_word=True)])
    yield "qwen2", tokenizer

    tokenizer = train(text, pre_tokenizers.Sequence([pre_tokenizers.Digits(True), byte_level()]))
    tokenizer.decoder = decoders.ByteLevel()
    yield "smollm2", tokenizer

    for name, patterns in {"o200k": [O200K], "han": [HAN], "bloom": [BLOOM], "many": [MANY],
                           "deepseek": [r"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+", DEEPSEEK]}.items():
        tokenizer = Tokenizer.from_str(base.to_str())
        tokenizer.pre_tokenizer = split_bytes(*patterns)
        yield name, tokenizer

    tokenizer = Tokenizer.from_str(base.to_str())
    tokenizer.add_tokens([AddedToken("added", lstrip=True, normalized=False),
                          AddedToken("<ADDED>", rstrip=True), AddedToken("<pad>", lstrip=True, rstrip=True),
                          AddedToken("Added", single_word=True, normalized=False),
                          AddedToken("[CLS]", special=True, lstrip=True, normalized=True)])
    yield "strips", tokenizer

    tokenizer = train(text, pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(CLIP), "removed", invert=True), byte_level()]),
        normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "),
                              normalizers.Lowercase()]),
        unk_token="<|endoftext|>", end_of_word_suffix="</w>", size=1500)
    tokenizer.post_processor = template("<s> $A </s> $A")
    tokenizer.decoder = decoders.Sequence([decoders.ByteLevel(),
                                           decoders.Replace(Regex("</w>"), " ")])
    tokenizer.add_tokens(["Added Word", "\u00c9"])
    yield "clip", tokenizer

    tokenizer = train(text, pre_tokenizers.Split(Regex(QWEN2), "isolated"),
                      normalizers.Sequence([normalizers.NFKC(), normalizers.ByteLevel()]), size=1000)
    tokenizer.decoder = decoders.ByteLevel()
    yield "byte_normalizer", tokenizer


def build_sentence_piece(text):
    """Yields tokenizers that mark spaces and fall back to byte tokens."""
    special = ["<unk>"] + SPECIALS + BYTES
    fallback = {"byte_level": False, "byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>",
                "special": special}
    metaspace = pre_tokenizers.Metaspace()
    llama = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(),
                               decoders.Fuse(), decoders.Strip(" ", 1, 0)])

    tokenizer = train(text, None, trained_with=metaspace, **fallback)
    base = tokenizer.to_str()
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"),
                                                 normalizers.Replace(" ", "\u2581")])
    tokenizer.decoder = llama
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 4)])
    tokenizer.add_tokens(["added", "<ADDED>", AddedToken("Added Word", normalized=True)])
    yield "llama2", tokenizer

    for scheme in ("always", "first", "never"):
        for split in (True, False):
            tokenizer = Tokenizer.from_str(base)
            tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=split)
            tokenizer.decoder = decoders.Metaspace(prepend_scheme=scheme)
            if scheme == "first":
                tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(True, False), normalizers.NFKD()])
            yield f"metaspace_{scheme}_{split}", tokenizer

    tokenizer = Tokenizer.from_str(base)
    tokenizer.normalizer = normalizers.Replace(" ", "\u2581")
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(),
                                           decoders.Fuse()])
    yield "gemma", tokenizer

    tokenizer = Tokenizer.from_str(base)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"),
                                                       pre_tokenizers.Metaspace(prepend_scheme="first")])
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.decoder = decoders.Sequence([decoders.Strip("e", 0, 1), decoders.Fuse(), decoders.Replace("\u2581\u2581", "__"),
                                           decoders.Replace(Regex("e+"), "E"), decoders.Strip("_", 2, 0)])
    yield "fused", tokenizer


def build_words(text):
    """Yields tokenizers with an alphabet of characters, and every kind of splitting."""
    plain = {"byte_level": False, "unk_token": "<unk>", "special": ["<unk>"] + SPECIALS}
    tokenizer = train(text, pre_tokenizers.BertPreTokenizer(),
                      normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase(),
                                            normalizers.StripAccents(), normalizers.Strip()]),
                      continuing_subword_prefix="##", size=2000, **plain)
    tokenizer.post_processor = processors.BertProcessing(("</s>", 5), ("<s>", 4))
    tokenizer.decoder = None
    yield "bert", tokenizer

    tokenizer = train(text, pre_tokenizers.WhitespaceSplit(), end_of_word_suffix="</w>", fuse_unk=True,
                      **plain)
    tokenizer.decoder = decoders.BPEDecoder()
    yield "suffix", tokenizer

    base = train(text, pre_tokenizers.Whitespace(), size=2000, **plain).to_str()
    kinds = {"whitespace": pre_tokenizers.Whitespace(), "digits": pre_tokenizers.Digits(False),
             "delimiter": pre_tokenizers.CharDelimiterSplit("e"), "none": None,
             "fixed": pre_tokenizers.FixedLength(3)}
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        kinds["punctuation_" + behavior] = pre_tokenizers.Punctuation(behavior)
        for invert in (False, True):
            kinds[f"split_{behavior}_{invert}"] = pre_tokenizers.Split(Regex(r"\s|e|(?=t)"), behavior, invert)
    kinds["split_text"] = pre_tokenizers.Split("in", "merged_with_next")
    for name, pre_tokenizer in kinds.items():
        tokenizer = Tokenizer.from_str(base)
        tokenizer.pre_tokenizer = pre_tokenizer
        yield name, tokenizer


class Comparison:
    def __init__(self, tool, folder, strings):
        self.tool = tool
        self.path = os.path.join(folder, "tokenizer.json")
        self.strings = strings
        self.failures = 0

    def run(self, arguments, data):
        result = subprocess.run([self.tool, self.path, *arguments], input=data, capture_output=True,
                                check=False)
        if result.returncode != 0:
            raise RuntimeError(result.stderr.decode())
        return [json.loads(line) for line in result.stdout.decode().split("\n")[:-1]]

    def report(self, name, what, inputs, expected, found):
        wrong = [i for i, (a, b) in enumerate(zip(expected, found)) if a != b]
        missing = len(expected) != len(found)
        if not wrong and not missing:
            return
        self.failures += 1
        print(f"FAIL {name}: {what}: {len(wrong)} of {len(expected)} differ, found {len(found)}")
        for i in wrong[:3]:
            print(f"  input    {inputs[i]!r}\n  expected {expected[i]!r}\n  found    {found[i]!r}")

    def compare(self, name, tokenizer, strings):
        tokenizer.save(self.path)
        # As it is read from the file: the scores of a trained one are others in their last bits.
        tokenizer = Tokenizer.from_file(self.path)
        # Both are about texts in batches, and no part of a single one.
        tokenizer.no_padding()
        tokenizer.no_truncation()
        plain = without_control(tokenizer)
        strings = readable(plain, readable(tokenizer, strings))
        data = b"".join(b"%d\n%s" % (len(s.encode()), s.encode()) for s in strings)
        all_ids = None
        for arguments, special, reference in (([], False, tokenizer), (["--add-special"], True, tokenizer),
                                              (["--plain-text"], False, plain)):
            expected = [e.ids for e in reference.encode_batch(strings, add_special_tokens=special)]
            found = self.run(arguments, data)
            self.report(name, " ".join(["encode"] + arguments), strings, expected, found)
            all_ids = all_ids or expected
        # Random ids, too: a model may write what no text gives.
        rng = random.Random(3)
        size = tokenizer.get_vocab_size()
        ids = all_ids + [[rng.randrange(size) for _ in range(rng.randint(1, 20))] for _ in range(1000)]
        # The reference fails on an empty sequence with some decoders.
        ids = [i for i in ids if i]
        for arguments, skip in (([], False), (["--skip-special"], True)):
            used = [i for i in ids if not skip or keeps(tokenizer, i)]
            expected = [tokenizer.decode(i, skip_special_tokens=skip) for i in used]
            lines = "".join(json.dumps(i) + "\n" for i in used).encode()
            found = self.run(["--decode"] + arguments, lines)
            self.report(name, " ".join(["decode"] + arguments), used, expected, found)
            if skip:
                continue
            streamed = self.run(["--decode", "--stream"], lines)
            # A stream gives out whole characters of byte tokens at once: see the header.
            known = [i for i in range(len(used)) if "\ufffd" not in expected[i]]
            self.report(name, "stream", [used[i] for i in known], [expected[i] for i in known],
                        [streamed[i] for i in known])
        print(f"{name}: {len(strings)} strings, {sum(map(len, all_ids))} tokens, {len(ids)} decoded", flush=True)


def readable(tokenizer, strings):
    """Gives strings that the reference reads: without an unknown token it fails on some, of which the
    small letters are left."""
    try:
        tokenizer.encode_batch(strings)
        return strings
    except Exception:
        pass

    def reads(string):
        try:
            tokenizer.encode(string)
            return True
        except Exception:
            return False
    strings = [s if reads(s) else re.sub("[^a-z ]", "", s.lower()) for s in strings]
    return [string for string in strings if reads(string)]


def without_control(tokenizer):
    """Gives a tokenizer that has no control tokens, and all others as they are: what reads plain text."""
    file = json.loads(tokenizer.to_str())
    added, model = file["added_tokens"], file["model"]
    control = {token["content"] for token in added
               if token["special"] or token["content"].replace("\u2581", "").strip()}
    file["added_tokens"] = [token for token in added if token["content"] not in control]
    # The bytes of unknown characters are text.
    control -= set(BYTES)
    listed = model["type"] == "Unigram"
    tokens = [token for token, _ in model["vocab"]] if listed else list(model["vocab"])
    control |= {token for token in tokens if token.startswith("<|") and token.endswith("|>")}
    # A name that no text has.
    rename = {token: f"\U000F0000{i}" for i, token in enumerate(sorted(control))}
    if listed:
        model["vocab"] = [[rename.get(token, token), score] for token, score in model["vocab"]]
    else:
        model["vocab"] = {rename.get(token, token): index for token, index in model["vocab"].items()}
    if model.get("unk_token"):
        model["unk_token"] = rename.get(model["unk_token"], model["unk_token"])
    if "merges" in model:
        joined = len(model.get("continuing_subword_prefix") or "")
        model["merges"] = [pair for pair in model["merges"]
                           if not control & {*pair, pair[0] + pair[1][joined:]}]
    return Tokenizer.from_str(json.dumps(file))


def keeps(tokenizer, ids):
    """Says whether something is left without special tokens."""
    added = tokenizer.get_added_tokens_decoder()
    return any(i not in added or not added[i].special for i in ids)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", required=True, help="path of llmc-tokenize")
    parser.add_argument("--count", type=int, default=2000, help="number of strings")
    parser.add_argument("--variation-count", type=int, default=500,
                        help="number of strings for a tokenizer that differs from another in one step")
    parser.add_argument("--tokenizer", action="append", default=[], help="another tokenizer.json")
    parser.add_argument("--given-only", action="store_true", help="compare only those given")
    parser.add_argument("--smollm2", action="store_true", help="compare SmolLM2's tokenizer only")
    parser.add_argument("--only", help="compare only tokenizers with this in their name")
    arguments = parser.parse_args()
    given = [smollm2() / "plain" / "tokenizer.json"] if arguments.smollm2 else arguments.tokenizer

    text = training_text()
    words = sorted({word for line in text[:20000] for word in line.split()})
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(arguments.tool, folder, None)
        strings = test_strings(arguments.count, words)
        for path in given:
            comparison.compare(path, Tokenizer.from_file(str(path)), strings)
        builders = (build_byte_level, build_sentence_piece, build_words, tokenizer_kinds.build)
        for build in () if arguments.smollm2 or arguments.given_only else builders:
            for name, tokenizer in build(text):
                # The variations on one tokenizer differ in one step: fewer strings show it.
                is_variation = "_" in name
                if not arguments.only or arguments.only in name:
                    comparison.compare(name, tokenizer, strings[:arguments.variation_count if is_variation else None])
    if comparison.failures:
        print(f"{comparison.failures} comparisons failed")
    return 1 if comparison.failures else 0


if __name__ == "__main__":
    sys.exit(main())
