"""How often a model finds a passkey again that prose hides, by the positions that its cache keeps.

Run by scripts/measure-passkeys. Each case is prose from WikiText-2 with a number of five digits somewhere
inside, and ends with the question which number it was (Mohtashami and Jaggi 2023, "Landmark attention",
section 4.2) and the space before the answer, behind which no word follows. A hit is an answer that begins
with it. The cases are the same for every policy; keys stand
evenly over the text, so that the newest positions hold some of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import pathlib
import random
import sys

from measurement import MODEL, ROOT, open_results, run

RESULTS = ROOT / "out" / "measure-passkeys"
ANSWER_TOKENS = 8


@dataclasses.dataclass(frozen=True)
class Case:
    """A prompt, and the number that is hidden in it at `depth` of 1."""

    prompt: str
    key: str
    depth: float


def read_prose(file: pathlib.Path) -> list[str]:
    """Paragraphs of WikiText-2, without headings."""
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("=")]


def make_case(prose: list[str], characters: int, depth: float, chance: random.Random) -> Case:
    """Prose from a place of its own on, cut after about so many characters at the end of a word."""
    first = chance.randrange(len(prose))
    text = ""
    while len(text) < characters:
        text += prose[first % len(prose)] + "\n"
        first += 1
    words = text[:characters].split(" ")[:-1]
    key = str(chance.randrange(10000, 100000))
    place = round(depth * len(words))
    hidden = f"\nThe pass key is {key}. Remember it. {key} is the pass key.\n"
    prompt = " ".join(words[:place]) + hidden + " ".join(words[place:])
    return Case(prompt + "\nWhat is the pass key? The pass key is ", key, depth)


def make_cases(prose: list[str], count: int, characters: int) -> list[Case]:
    chance = random.Random(17)
    return [make_case(prose, characters, (i + 0.5) / count, chance) for i in range(count)]


def list_policies(budget: int, recent: int, sinks: int) -> dict[str, str]:
    """Passes by the names of the policies."""
    common = f"budget={budget} table=false"
    newest = f" recent={recent}" if recent else ""
    return {
        "all positions": "",
        "window": f"evict-kv-cache{{policy=window {common}}}",
        "sinks": f"evict-kv-cache{{policy=sinks sinks={sinks} {common}}}",
        "h2o": f"evict-kv-cache{{policy=h2o sinks={sinks}{newest} {common}}}",
        "snapkv": f"evict-kv-cache{{policy=snapkv sinks={sinks} {common}}}",
        "pyramid": f"evict-kv-cache{{policy=pyramid sinks={sinks} {common}}}",
    }


def is_hit(artifact: pathlib.Path, case: Case) -> bool:
    written = run("llmc", "run", artifact, "--prompt", case.prompt, "--max-tokens", ANSWER_TOKENS)
    return written.removeprefix(case.prompt).strip().startswith(case.key)


def measure(passes: str, cases: list[Case], setting: str) -> list[bool]:
    """Hits of every case; what an interrupted run of the same compiler measured is used again."""
    name = "".join(c if c.isalnum() else "-" for c in f"{passes or 'all'} {setting}")
    known = RESULTS / f"{name}.json"
    hits = json.loads(known.read_text()) if known.exists() else []
    artifact = RESULTS / "program.llmc"
    if len(hits) < len(cases):
        run("llmc", "compile", MODEL, f"--passes={passes}", "-o", artifact)
    for case in cases[len(hits) :]:
        hits.append(is_hit(artifact, case))
        known.write_text(json.dumps(hits))
    artifact.unlink(missing_ok=True)
    return hits


def describe(cases: list[Case], hits: list[bool]) -> str:
    """Hits by the quarter of the text that hides the key."""
    quarters = [[hit for case, hit in zip(cases, hits) if int(case.depth * 4) == quarter] for quarter in range(4)]
    return "".join(f"{f'{sum(found)}/{len(found)}':>8}" for found in quarters)


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/measure-passkeys", description=__doc__)
    parser.add_argument("--cases", type=int, default=100, help="texts (default: 100)")
    parser.add_argument("--characters", type=int, default=4000, help="of a text, about 4 a token (default: 4000)")
    parser.add_argument("--budget", type=int, default=256, help="positions that are kept (default: 256)")
    parser.add_argument("--recent", type=int, default=0, help="of them the newest with h2o (default: half)")
    parser.add_argument("--sinks", type=int, default=4, help="of them the first, but for window (default: 4)")
    parser.add_argument("--only", default="", help="policies whose name holds this text")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs measured")
    options = parser.parse_args()
    text = pathlib.Path(os.environ.get("LLMC_TEST_DATA", "")) / "wikitext-2" / "wiki.test.raw"
    if not text.exists():
        sys.exit("measure-passkeys: LLMC_TEST_DATA: expected a folder that holds wikitext-2/wiki.test.raw")
    open_results(RESULTS, options.fresh)
    cases = make_cases(read_prose(text), options.cases, options.characters)
    print(f"{len(cases)} texts of about {options.characters} characters, a budget of {options.budget} positions\n")
    print(f"{'positions':16}{'hits':>8}{'1st':>8}{'2nd':>8}{'3rd':>8}{'4th':>8}  quarter of the text", flush=True)
    for name, passes in list_policies(options.budget, options.recent, options.sinks).items():
        if options.only not in name:
            continue
        hits = measure(passes, cases, f"{options.cases} {options.characters}")
        print(f"{name:16}{sum(hits):8}{describe(cases, hits)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
