# Part of llmc, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs what README.md and docs/embedding.md say, in order, in a clean copy; --help of every script helps.

Blocks without a language are commands, CMake's are an application's CMakeLists.txt, C's its app.c or
a line to replace in it. Two things are not as written: commands in HELP_ONLY, which install, download
or run these tests, are run with --help; PREFIX is a folder here.
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from support import BUILD, SOURCE

HELP_ONLY = {"scripts/demo --model tiny", "scripts/demo", "scripts/test", "scripts/get-smollm2"}


def run(command: str, folder: pathlib.Path, environment: dict[str, str]) -> str:
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=folder, env=environment,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, f"{command}\nexit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def parse_blocks(path: pathlib.Path) -> list[tuple[str, str]]:
    """The fenced blocks of a page: language and contents."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def split_commands(block: str) -> list[str]:
    """The commands of a block, without comments; a backslash goes on in the next line."""
    lines = [re.sub(r"\s+#\s.*$", "", line) for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.strip() and not line.startswith("#")]


def copy_source(clean: pathlib.Path) -> None:
    """The files of the project, with what scripts/setup and scripts/build have made."""
    listed = subprocess.run(["git", "-C", str(SOURCE), "ls-files", "-z"], capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
    for name in listed.stdout.split("\0"):
        if name and (SOURCE / name).exists():
            (clean / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(SOURCE / name, clean / name)
    (clean / "out").mkdir()
    (clean / "build").symlink_to(BUILD)
    for name in ("venv", "smollm2"):
        if (SOURCE / "out" / name).exists():
            (clean / "out" / name).symlink_to(SOURCE / "out" / name)


def is_diagram(block: str) -> bool:
    return "─▶" in block


class Page:
    """Runs a page's blocks."""

    def __init__(self, clean: pathlib.Path, prefix: pathlib.Path):
        self.clean, self.prefix = clean, prefix
        self.environment = {**os.environ, "CMAKE_PREFIX_PATH": str(prefix), "PATH":
                            f"{prefix}/bin:{os.environ['PATH']}"}
        self.commands = 0

    def run_commands(self, block: str, folder: pathlib.Path) -> None:
        for command in split_commands(block):
            if command.startswith("export "):
                name, value = command.removeprefix("export ").split("=", 1)
                value = run(f'printf %s "{value}"', folder, self.environment)
                self.environment[name] = value
                continue
            if "smollm2" in command and command not in HELP_ONLY and not (SOURCE / "out/smollm2").exists():
                print(f"not run, there is no SmolLM2: {command}")
                continue
            if command in HELP_ONLY:
                command = command.split()[0] + " --help"
            command = command.replace("PREFIX", str(self.prefix))
            run(command, folder, self.environment)
            self.commands += 1

    def build_application(self, name: str, lists: str, program: str) -> None:
        """An application of a page, in a folder of its own beside the tiny model."""
        folder = self.clean.parent / name
        folder.mkdir()
        shutil.copy(self.clean / "models/tiny/model.onnx", folder / "model.onnx")
        (folder / "CMakeLists.txt").write_text(lists, encoding="utf-8")
        source = re.search(r"add_executable\(app (\S+)\)", lists)[1]
        (folder / source).write_text(program, encoding="utf-8")
        run("cmake -S . -B build -G Ninja && cmake --build build", folder, self.environment)
        # The one program says where its weights are, the other has them inside.
        run("build/app build/model.llmc/model.weights", folder, self.environment)


def check_pages(work: pathlib.Path) -> int:
    clean, prefix = work / "llmc", work / "prefix"
    clean.mkdir()
    copy_source(clean)
    run(f"cmake --install {BUILD} --prefix {prefix}", clean, dict(os.environ))
    page = Page(clean, prefix)
    readme, embedding = (parse_blocks(clean / name) for name in ("README.md", "docs/embedding.md"))
    program, load_embedded = (text for language, text in embedding if language == "c")
    for language, text in readme:
        if language == "cmake":
            page.build_application("readme", text, program)
        elif not language and not is_diagram(text):
            page.run_commands(text, clean)
    beside = work / "application"
    beside.mkdir()
    shutil.copy(clean / "models/tiny/model.onnx", beside)
    (beside / "app.c").write_text(program, encoding="utf-8")
    for language, text in embedding:
        if language == "cmake":
            page.build_application("embedding", text, program)
            embedded = re.sub(r"^ *llmc_status status = .*\n", load_embedded, program, flags=re.MULTILINE)
            page.build_application("embedded", text.replace("PASSES", "EMBED_WEIGHTS PASSES"), embedded)
        elif not language:
            page.run_commands(text, clean if "-S ." in text else beside)
    libraries = re.search(r"`(-lllmc_tokenizer [^`]*)`", (clean / "docs/embedding.md").read_text(encoding="utf-8"))[1]
    (beside / "text.c").write_text('#include "llmc/tokenizer.h"\nint main(void) { llmc_tokenizer_release(0); }\n')
    run(f"cc -I{prefix}/include text.c -L{prefix}/lib {libraries} -lpthread -o text && ./text", beside,
        page.environment)
    return page.commands


def check_scripts() -> int:
    """With --help each prints what it begins with, and does nothing else."""
    listed = subprocess.run(["git", "-C", str(SOURCE), "ls-files", "scripts", "bench", "test/fuzz"],
                            capture_output=True, text=True, check=True).stdout.split()
    scripts = [name for name in listed if (SOURCE / name).open("rb").read(3) == b"#!/"]
    assert len(scripts) > 12, scripts
    with tempfile.TemporaryDirectory() as folder:
        for name in scripts:
            # Nothing can be installed, built or downloaded with this.
            path = pathlib.Path(folder)
            for tool in ("bash", "sed", "dirname", "env"):
                if not (path / tool).exists():
                    (path / tool).symlink_to(shutil.which(tool))
            done = subprocess.run([str(SOURCE / name), "--help"], cwd=folder, capture_output=True, text=True,
                                  env={"PATH": folder})
            assert done.returncode == 0, f"{name} --help: exit {done.returncode}: {done.stderr}"
            assert name in done.stdout and not done.stderr, f"{name} --help: {done.stdout}{done.stderr}"
            assert sorted(os.listdir(folder)) == ["bash", "dirname", "env", "sed"]
    return len(scripts)


def main() -> int:
    scripts = check_scripts()
    with tempfile.TemporaryDirectory() as folder:
        commands = check_pages(pathlib.Path(folder))
    print(f"{commands} commands of the pages, {scripts} scripts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
