"""Replaces a word of a file by the contents of another: replace.py FILE WORD OTHER."""

import pathlib
import sys

path, word, other = sys.argv[1:]
text = pathlib.Path(path).read_text()
pathlib.Path(path).write_text(text.replace(word, pathlib.Path(other).read_text()))
