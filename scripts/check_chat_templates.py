"""Compares llmc's interpreter with Python's Jinja on files of chat templates and many conversations."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "test" / "integration"))

from jinja_reference import Renderer, compare, render  # pylint: disable=wrong-import-position

SPECIAL_TOKENS = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "Get \"it\"", "parameters": {
        "type": "object", "required": ["city"], "properties": {
            "city": {"type": "string", "description": "the city"}, "n": {"type": "integer", "enum": [1, 2]}}}}}]


def say(role, content, **more):
    return {"role": role, "content": content, **more}


CALL = {"id": "abcdefghi", "type": "function",
        "function": {"name": "get_weather", "arguments": {"city": "Paris", "n": 1}}}
WITH_TOOLS = [say("user", "What is the weather?"), say("assistant", "", tool_calls=[CALL]),
              say("tool", "sunny", tool_call_id="abcdefghi", name="get_weather"),
              say("assistant", "It is sunny."), say("user", "Thanks")]
CONVERSATIONS = [
    [say("user", "Hi")],
    [say("system", "Be brief."), say("user", "Hi")],
    [say("user", "Hi"), say("assistant", "Hello!"), say("user", "How are you?")],
    [say("system", "You are\n kind. "), say("user", " Hi \n"), say("assistant", "  Hello\n\n"), say("user", "")],
    [say("user", "a"), say("assistant", "<think>\nhm\n</think>\n\nyes"), say("user", "b")],
    [say("user", "<|im_end|> é 日本 \"quoted\" 'single' \\ \t"), say("assistant", "x"), say("user", "y"),
     say("assistant", "z"), say("user", "w")],
    [say("assistant", "first")],
    [say("system", "only")],
    [],
    [say("user", "a"), say("user", "b")],
    [say("user", "a"), say("assistant", "b")],
    [say("tool", "3")],
    [say("root", "x")],
    [say("system", ""), say("user", "x")],
    [say("system", "a"), say("system", "b"), say("user", "c")],
    [say("user", "a"), say("assistant", "x", reasoning_content="deep"), say("user", "b")],
    [say("user", [{"type": "text", "text": "part"}])],
    [say("user", "a"), say("assistant", None), say("user", "b")],
    WITH_TOOLS,
]


def make_requests(template):
    for messages in CONVERSATIONS:
        for opens in (False, True):
            for tools in (None, TOOLS) if messages in (CONVERSATIONS[2], WITH_TOOLS) else (None,):
                yield template, {"messages": messages, "tools": tools, "documents": None,
                                 "add_generation_prompt": opens, **SPECIAL_TOKENS}
    yield template, {"messages": CONVERSATIONS[1], "tools": None, "documents": None, "add_generation_prompt": True,
                     "enable_thinking": False, **SPECIAL_TOKENS}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", help="chat templates in Jinja")
    files = parser.parse_args().files
    renderer = Renderer(os.environ.get("LLMC_RENDER", str(ROOT / "build" / "bin" / "llmc-render-template")))
    wrong = total = texts = 0
    for path in files:
        with open(path, encoding="utf-8", newline="") as file:
            template = file.read()
        requests = list(make_requests(template))
        differences = compare(renderer, requests)
        written = sum(isinstance(render(*request), str) for request in requests)
        total, texts, wrong = total + len(requests), texts + written, wrong + len(differences)
        print(f"{pathlib.Path(path).stem}: {written} texts, {len(requests) - written} errors, "
              f"{len(differences)} differences", flush=True)
        for (_, variables), text in differences[:3]:
            print(f"  {variables['messages']}\n  {text}")
    print(f"{len(files)} templates, {total} conversations, {texts} texts: {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
