"""The documentation that TableGen and tables hold: every dialect, operation, pass and ONNX operator is
in build/docs. What docs/ says of the sources is there: files, folders and passes that it names."""

from __future__ import annotations

import re
import subprocess
import sys

from support import BUILD, SOURCE


def find_missing_names(passes: set[str]) -> list[str]:
    """Names in docs/ of files and folders of the sources, and of passes, that nothing has."""
    files = subprocess.run(["git", "-C", str(SOURCE), "ls-files"], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    missing = []
    for page in sorted((SOURCE / "docs").glob("*.md")):
        for name in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")):
            if re.fullmatch(r"[\w/]+\.(h|cpp|td)", name):
                known = any(f"/{file}".endswith(f"/{name}") for file in files)
            elif re.fullmatch(r"(include|lib|runtime|tools|test|scripts)(/[\w-]+)*", name):
                known = any(file.startswith(f"{name}/") or file == name for file in files)
            elif re.fullmatch(r"(convert|quantize|prune|outline|inline|raise|strip)-[\w-]+", name):
                known = name in passes
            else:
                continue
            if not known:
                missing.append(f"{page.name}: {name}")
    return missing


def main() -> int:
    subprocess.run(["cmake", "--build", str(BUILD), "--target", "mlir-doc"], check=True,
                   stdout=subprocess.DEVNULL)
    pages = "\n".join(page.read_text(encoding="utf-8") for page in (BUILD / "docs").glob("*.md"))
    headings = set(re.findall(r"^#+ .*", pages, re.MULTILINE))
    expected, known_passes = [], set()
    for definitions in (SOURCE / "include").rglob("*.td"):
        text = definitions.read_text(encoding="utf-8")
        dialect = re.search(r'^def \w+ : Dialect \{\s*let name = "(\w+)"', text, re.MULTILINE)
        if dialect:
            expected.append(f"# '{dialect[1]}' Dialect")
        if definitions.name == "Passes.td":
            passes = re.findall(r'^def \w+ : Pass<"([\w-]+)"', text, re.MULTILINE)
            assert passes, f"{definitions}: expected passes, found none"
            expected += [f"### `-{name}`" for name in passes]
            known_passes |= set(passes)
    operators = re.findall(r"^\| (\w+) \| \d", pages, re.MULTILINE)
    missing_operators = {"MatMul", "Attention", "GroupQueryAttention"} - set(operators)
    operations = re.findall(r"^### `(\w+\.\w+)`", pages, re.MULTILINE)
    missing = [heading for heading in expected if heading not in headings]
    print(f"{len(expected)} dialects and passes, {len(operations)} operations; missing: {missing or 'none'}")
    print(f"{len(operators)} ONNX operators; missing: {missing_operators or 'none'}")
    missing_names = find_missing_names(known_passes)
    print(f"names in docs/ that nothing has: {missing_names or 'none'}")
    return 1 if missing or missing_operators or missing_names or not operations else 0


if __name__ == "__main__":
    sys.exit(main())
