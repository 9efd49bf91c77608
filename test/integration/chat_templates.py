"""Chat templates give what Python's Jinja gives: a corpus for each construct, and random expressions."""

from __future__ import annotations

import argparse
import random
import sys
import unittest

from jinja_corpus import TEMPLATES, VARIABLES, read_expressions
from support import skip

try:
    from jinja_reference import Renderer, compare
except ImportError:
    skip("the Python package 'jinja2' is not installed")

class Grammar:
    """Random expressions, most of which have a value."""

    ATOMS = ["1", "0", "-2", "2.5", "'a'", "'b c'", "''", "none", "true", "false", "[]", "numbers", "nested", "word", "missing",
             "messages", "i", "x", "[1, 'a']", "{'k': 2}", "(1, 2)", "' é\\n'", "'<&>'", "range(3)"]
    FILTERS = ["upper", "lower", "trim", "length", "list", "first", "last", "string", "int", "float", "tojson", "title",
               "capitalize", "reverse", "sort", "join('-')", "default('d')", "default('d', true)", "abs", "replace('a', 'bb')",
               "map('string')|list", "select|list", "unique|list", "sum", "round", "indent(2)", "items|list", "dictsort",
               "tojson(indent=2)", "map(attribute='role')|list", "selectattr('role')|list", "min", "max"]
    TESTS = ["defined", "none", "string", "number", "mapping", "iterable", "sequence", "odd", "eq(1)", "in([1, 'a'])", "true",
             "integer", "lower", "callable", "float", "boolean"]
    METHODS = [".upper()", ".strip()", ".split()", ".split('a')", ".items()", ".get('k')", ".keys()", ".startswith('a')", ".title()",
               "[0]", "[-1]", "['k']", ".k", ".splitlines()", ".count('a')", ".find(' ')", ".replace('a', '')"]
    SLICED = ["word", "numbers", "messages", "nested", "i", "missing"]
    SLICES = ["1:", ":-1", "::-1", "1:3", "-2:", "none:2", "x:", "::2"]
    OPERATORS = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">=", "in", "not in", "and", "or"]

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def expression(self, depth):
        choose = self.rng.choice
        kind = self.rng.randrange(9) if depth else 0
        if kind <= 1:
            return choose(self.ATOMS)
        inner = self.expression(depth - 1)
        if kind == 2:
            return f"({inner})|{choose(self.FILTERS)}"
        if kind == 3:
            return f"({inner}) is {choose(['', 'not '])}{choose(self.TESTS)}"
        if kind == 4:
            return f"({inner}){choose(self.METHODS)}"
        if kind == 5:
            # Jinja folds slices of constants by a rule of their own.
            return choose([f"(not {inner})", f"{choose(self.SLICED)}[{choose(self.SLICES)}]"])
        other = self.expression(depth - 1)
        if kind == 6:
            return f"({inner} if {other} else {self.expression(depth - 1)})"
        return f"({inner} {choose(self.OPERATORS)} {other})"


class Templates(unittest.TestCase):
    def check(self, requests):
        differences = compare(renderer, requests)
        for (template, _), text in differences[:10]:
            print(f"{template!r}\n{text}", file=sys.stderr)
        self.assertEqual(len(differences), 0, f"of {len(requests)}")

    def test_statements(self):
        self.check([(template, VARIABLES) for template in TEMPLATES])

    def test_expressions(self):
        expressions = list(read_expressions())
        self.assertGreater(len(expressions), 300)
        self.check([("{{ " + expression + " }}", VARIABLES) for expression in expressions])

    def test_random_expressions(self):
        grammar = Grammar(seed=5)
        self.check([("{{ " + grammar.expression(3) + " }}", VARIABLES) for _ in range(count)])

    def test_what_comes_from_messages_is_marked(self):
        """The messages are of capital letters that no template writes."""
        messages = [{"role": "user", "content": text} for text in ("  ABC DEF\n", "A,B;C", "", "É<Ü>\"Ö\"", "ABABAB")]
        templates = [
            "{{ messages[0].content | trim }}", "{% for m in messages %}<{{ m.content.strip() }}>{% endfor %}",
            "{{ messages[1].content.split(',')[1] + 'x' }}", "{{ messages[4].content | replace('AB', 'x') }}",
            "{{ 'xyx' | replace('y', messages[1].content) }}", "{{ messages | map(attribute='content') | join('+') }}",
            "{{ messages | tojson }}", "{{ messages[3].content | tojson(indent=2) }}", "{{ messages }}",
            "{{ '%s: %5s' % (messages[1].content, 'q') }}", "{{ '{} {}'.format('q', messages[1].content) }}",
            "{{ messages[0].content[3:5] ~ messages[0].content[-2] }}", "{{ messages[1].content | list | reverse | join('-') }}",
            "{{ messages[0].content | indent(3, true) }}", "{% set x %}<{{ messages[1].content }}>{% endset %}{{ x[1:3] }}",
            "{% macro f(a) %}[{{ a }}]{% endmacro %}{{ f(messages[1].content) }}", "{{ messages[1].content * 2 }}",
            "{% filter replace('x', 'y') %}x{{ messages[0].content }}x{% endfilter %}", "{{ messages[3].content | e }}",
            "{% for c in messages[1].content %}{{ loop.index ~ c }}{% endfor %}", "{{ messages[1].content.partition(',') }}",
            "{{ messages[4].content.removeprefix('AB') }}", "{{ messages[0].content.center(20, '.') }}",
            "{{ {messages[1].content: 1} | items | first | first }}", "{{ [messages[1].content] | sort | first }}",
        ]
        requests = [(template, {"messages": messages}) for template in templates]
        self.check(requests)
        for (template, _), found in zip(requests, renderer.render(requests)):
            data = found["text"].encode()
            marked = {i for begin, end in found["marks"] for i in range(begin, end)}
            for i, byte in enumerate(data):
                if chr(byte).isupper() and chr(byte) in "ABCDEFÉÜÖ" or byte >= 0x80:
                    self.assertIn(i, marked, template)
                if chr(byte).islower() and not (0 < i and data[i - 1:i] == b"\\") or chr(byte) in "[]{}+":
                    if "| e " not in template and "messages }}" not in template and "tojson }}" not in template:
                        self.assertNotIn(i, marked, template)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", required=True, help="path of llmc-render-template")
    parser.add_argument("--count", type=int, default=2000, help="number of random expressions")
    arguments, rest = parser.parse_known_args()
    renderer, count = Renderer(arguments.tool), arguments.count
    unittest.main(argv=[sys.argv[0], *rest])
