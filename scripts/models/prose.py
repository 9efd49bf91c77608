# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gets the public-domain English prose that the embedded model is trained on.

The text is a modern English Bible translation dedicated to the public domain. Debian ships it as
the package sword-text-web; it is downloaded and unpacked without root and read with pysword.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

PACKAGE = "sword-text-web"
MODULE = "engWEB2015eb"

# Typographic marks are spelled as they are typed, so that a prompt from a keyboard looks like the
# training text.
TYPED_MARKS = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "—": "-",
        "–": "-",
        "…": "...",
        "\u00a0": " ",
    }
)


class TextUnavailable(RuntimeError):
    """The package could not be downloaded or does not hold the expected module."""


def unpack_package(cache: Path, package: str) -> Path:
    """Returns the folder of an unpacked Debian package, downloading it on first use."""
    root = cache / package
    if root.is_dir():
        return root
    cache.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", "-q", package], cwd=cache, check=True)
        archives = sorted(cache.glob(f"{package}_*.deb"))
        if not archives:
            raise TextUnavailable(f"apt-get download left no {package}_*.deb in {cache}")
        partial = cache / f"{package}.partial"
        subprocess.run(["dpkg-deb", "-x", str(archives[-1]), str(partial)], check=True)
    except FileNotFoundError as error:
        raise TextUnavailable(f"{error.filename} is needed to fetch the text (Debian)") from error
    except subprocess.CalledProcessError as error:
        raise TextUnavailable(
            f"could not fetch the Debian package {package} (try 'apt-get update'): {error}"
        ) from error
    partial.rename(root)
    return root


def clean_chapter(markup: str) -> str:
    """Turns a chapter's OSIS markup into paragraphs, one a line."""
    text = re.sub(r"<(note|title)\b.*?</\1>", " ", markup, flags=re.S)
    text = re.sub(r"<(?:div|l|lg)\b[^>]*\bsID=[^>]*type=\"x-p\"[^>]*>", "\n", text)
    text = re.sub(r"<[^>]*>", "", text).translate(TYPED_MARKS)
    # References to verses of parallel versions stand in parentheses or brackets of their own.
    text = re.sub(r"[ \t]+", " ", text)
    text = re.sub(r" ?\n[ \n]*", "\n", text)
    return text.strip()


def read_chapters(cache: Path, package: str = PACKAGE, module: str = MODULE) -> list[str]:
    """Returns all chapters in order, each as paragraphs separated by newlines."""
    from pysword.modules import SwordModules

    modules = SwordModules(str(unpack_package(cache, package) / "usr" / "share" / "sword"))
    modules.parse_modules()
    bible = modules.get_bible_from_module(module)
    chapters = []
    for books in bible.get_structure().get_books().values():
        for book in books:
            for chapter in range(1, book.num_chapters + 1):
                markup = bible.get(books=[book.name], chapters=[chapter], clean=False, join=" ")
                text = clean_chapter(markup)
                if text:
                    chapters.append(text)
    if len(chapters) < 1000:
        raise TextUnavailable(f"expected over 1000 chapters in {module}, found {len(chapters)}")
    return chapters


def split_chapters(chapters: list[str], every: int = 25) -> tuple[list[str], list[str]]:
    """Splits into (training, held out): each `every`-th chapter is held out."""
    training = [text for index, text in enumerate(chapters) if index % every != every - 1]
    held_out = [text for index, text in enumerate(chapters) if index % every == every - 1]
    return training, held_out
