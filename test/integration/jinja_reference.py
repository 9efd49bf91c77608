"""What Python's Jinja makes of chat templates, set up as transformers sets it up."""

from __future__ import annotations

import copy
import datetime
import functools
import json
import subprocess

from jinja2 import TemplateError, ext, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

# What the clock is said to show: a day with one digit, in the middle of it.
NOW = datetime.datetime(2025, 3, 7, 12, 34, 56)


class Generation(ext.Extension):
    """The tag {% generation %}, which marks the assistant's text for training."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("_support"), [], [], body).set_lineno(line)

    def _support(self, caller):
        return caller()


def make_environment():
    def raise_exception(message):
        raise TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                extensions=[Generation, ext.loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = raise_exception
    environment.globals["strftime_now"] = lambda format: NOW.strftime(format)
    return environment


ENVIRONMENT = make_environment()


@functools.lru_cache(maxsize=16)
def compile_template(template):
    return ENVIRONMENT.from_string(template)


def render(template, variables):
    """The text, or the exception that ended it."""
    try:
        # Some filters change the lists that they are given.
        return compile_template(template).render(**copy.deepcopy(variables))
    except Exception as error:  # pylint: disable=broad-except
        return error


class Renderer:
    """Runs llmc's interpreter on many templates."""

    def __init__(self, tool):
        self.tool = tool

    def render(self, requests):
        """For each (template, variables) a dictionary with its text and marks, or its error."""
        lines = "".join(json.dumps({"template": template, "variables": variables, "now": int(NOW.timestamp())}) + "\n"
                        for template, variables in requests)
        done = subprocess.run([self.tool], input=lines.encode(), capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{self.tool}: status {done.returncode}: {done.stderr.decode()}")
        return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def compare(renderer, requests):
    """Pairs of a request and a description of how it differs."""
    differences = []
    for (template, variables), found in zip(requests, renderer.render(requests)):
        expected = render(template, variables)
        if isinstance(expected, Exception):
            # A message of the template itself is kept word for word.
            raised = type(expected) is TemplateError  # pylint: disable=unidiomatic-typecheck
            same = "error" in found and (not raised or str(expected) in found["error"])
        elif " object at 0x" in expected:
            # Python writes the place of an object, which llmc refuses to.
            same = "error" in found
        else:
            same = found.get("text") == expected
        if not same:
            differences.append(((template, variables), f"expected {expected!r}\nfound    {found!r}"))
    return differences
