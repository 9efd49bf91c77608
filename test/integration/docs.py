"""The documentation that TableGen and tables hold: every dialect, operation, pass and ONNX operator is
in build/docs."""

from __future__ import annotations

import re
import subprocess
import sys

from support import BUILD, SOURCE


def main() -> int:
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "mlir-doc"], check=True,
                   stdout=subprocess.DEVNULL)
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (BUILD / "docs").glob("*.md"))
    headings = set(re.findall(r"^#+ .*", pages, re.MULTILINE))
    expected = []
    for definitions in (SOURCE / "include").rglob("*.td"):
        text = definitions.read_text(encoding="utf-8")
        dialect = re.search(r'^def \w+ : Dialect \{\s*let name = "(\w+)"', text, re.MULTILINE)
        if dialect:
            expected.append(f"# '{dialect[1]}' Dialect")
        if definitions.name == "Passes.td":
            passes = re.findall(r'^def \w+ : Pass<"([\w-]+)"', text, re.MULTILINE)
            assert passes, f"{definitions}: expected passes, found none"
            expected += [f"### `-{name}`" for name in passes]
    operators = re.findall(r"^\| (\w+) \| \d", pages, re.MULTILINE)
    missing_operators = {"MatMul", "Attention", "GroupQueryAttention"} - set(operators)
    operations = re.findall(r"^### `(\w+\.\w+)`", pages, re.MULTILINE)
    missing = [heading for heading in expected if heading not in headings]
    print(f"{len(expected)} dialects and passes, {len(operations)} operations; missing: {missing or 'none'}")
    print(f"{len(operators)} ONNX operators; missing: {missing_operators or 'none'}")
    return 1 if missing or missing_operators or not operations else 0


if __name__ == "__main__":
    sys.exit(main())
