"""Writes templates that a fuzzer of them begins with to the folder that it is given."""

from __future__ import annotations

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parent.parent / "integration"))

from jinja_corpus import TEMPLATES, read_expressions  # pylint: disable=wrong-import-position


def main() -> int:
    folder = pathlib.Path(sys.argv[1])
    expressions = ["{{ " + expression + " }}" for expression in read_expressions()]
    for i, template in enumerate(TEMPLATES + expressions):
        (folder / f"{i}.jinja").write_text(template, encoding="utf-8", newline="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
