"""Templates and expressions for each construct of Jinja that chat templates use."""

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": " Hi \n"},
        {"role": "assistant", "content": "Hello"}, {"role": "user", "content": "Über 'x' \"y\" 日本\t"}]
VARIABLES = {"messages": CHAT, "bos_token": "<s>", "none_value": None, "yes": True, "no": False, "i": 7, "n": -3,
             "x": 2.5, "big": 2**40, "empty": "", "word": "héllo wörld", "lines": "a\n  b\r\n\nc", "numbers": [3, 1, 2],
             "nested": {"b": {"c": [1, {"d": "deep"}]}, "A": None, "items": "shadow"}, "pairs": [["k", 1], ["l", 2]],
             "tools": [{"name": "f", "parameters": {"type": "object", "required": ["a"], "n": 1.0}}]}

# Statements and whitespace.
TEMPLATES = [
    "{% for m in messages %}{{ m.role }}: {{ m['content'] | trim }}\n{% endfor %}",
    "{%- for m in messages -%}\n  {{- m.role -}}  \n{%- endfor -%}\n",
    "a\n  {% if yes %}\n  b\n  {% endif %}\n c {% if no %} d {% endif %}\ne\n",
    "a\n  {%+ if yes %}\n b\n{% endif +%}\n c\n",
    "  {# one #}\n  two {# three\nfour #}\n  five\n{#- six -#}\n  seven\n\n",
    "a\r\nb\rc\n{{ 'x\r\ny' }}\n",
    "{% raw %}\n {{ x }} {% if %}\n  {% endraw %}\n  end",
    "a  {%- raw -%}  {{ y }}  {%- endraw -%}  b",
    "{% if i < 3 %}a{% elif i == 7 %}b{% elif boom() %}c{% else %}d{% endif %}",
    "{% for k, v in nested.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in nested | items %}{{ k }};{% endfor %}{% for a, b in pairs %}{{ a ~ b }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for i in [] %}x{% else %}none{{ i }}{% endfor %}{{ i }}",
    "{% for c in 'añ日' %}[{{ c }}{{ loop.index }}/{{ loop.length }}]{% endfor %}",
    "{% for x in numbers if x > 1 %}{{ loop.index0 }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}"
    "{{ loop.revindex0 }}{{ loop.previtem }}{{ loop.nextitem }}|{% endfor %}",
    "{% for x in numbers %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% if loop.index > 1 %}{% break %}"
    "{% endif %}{% endfor %}",
    "{% for x in numbers %}{{ loop.cycle('odd', 'even') }}{{ loop.changed(x > 1) }}{% endfor %}",
    "{% for a in numbers %}{% set o = loop %}{% for b in numbers %}{{ o.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% set a = 1 %}{% for x in numbers %}{{ a }}{% set a = x %}{{ a }}{% endfor %}{{ a }}",
    "{% set a, b = 1, 'two' %}{{ a }}{{ b }}{% set c = 1, 2 %}{{ c }}{% set d = (3,) %}{{ d }}",
    "{% set ns = namespace(n=0, seen=false) %}{% for x in numbers %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}"
    "{{ ns.seen }}{{ ns.missing }}{{ ns }}",
    "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns['b'] }}{% set ns.a, c = 5, 6 %}{{ ns.a }}{{ c }}",
    "{% set block %}\n  some {{ i }}\n{% endset %}[{{ block }}]{% set up | upper | trim %} up {% endset %}[{{ up }}]",
    "{% macro f(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }};{% endmacro %}{{ f(1) }}{{ f(1, c=4) }}{{ f(b=3, a=9) }}{{ f() }}",
    "{% macro f(a) %}{{ a }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, 3, x=4) }}{{ f(*[1, 2], **{'y': 5}) }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(b=2) }}",
    "{% macro outer(n) %}{% if n > 0 %}{{ n }}{{ outer(n - 1) }}{% endif %}{% endmacro %}{{ outer(5) }}",
    "{% macro f() %}{{ later }}{% endmacro %}{% set later = 3 %}{{ f() }}{{ f.name }}",
    "{% for x in numbers %}{% macro g() %}{{ x }}{% endmacro %}{{ g() }}{% endfor %}",
    "{% macro list(items) %}<{{ caller(items | length) }}>{% endmacro %}{% call(n) list(numbers) %}n={{ n }}{% endcall %}",
    "{% macro quiet() %}{{ caller() if caller }}{% endmacro %}{{ quiet() }}",
    "{% filter upper %}abc {{ word }}{% endfilter %}{% filter replace('a', 'b') | trim %} a {% endfilter %}",
    "{% with a = 1, b = i %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% generation %}{% set q = 1 %}{{ word }}{% endgeneration %}{{ q }}",
    "{% if messages[0]['role'] == 'system' %}{% set rest = messages[1:] %}{% else %}{% set rest = messages %}{% endif %}"
    "{{ rest | length }}",
    "{% for m in messages[1:] %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Roles must alternate') }}{% endif %}{% endfor %}ok",
    "{{ raise_exception('Only ' ~ i ~ ' — not more') }}",
    "{{ strftime_now('%d %b %Y|%-d|%H:%M:%S|%%') }}",
    "{%- if tools is none or not tools %}no{% else %}{% for t in tools %}{{ t | tojson }}{{ t | tojson(indent=4) }}"
    "{{ t | tojson(indent=2, separators=(',', ' : '), sort_keys=true) }}{% endfor %}{% endif %}",
    "{{ undefined_function('x') }}", "{{ missing.attribute }}", "{{ nested.b.nothing.more }}", "{{ nested.b.nothing }}",
    "{% for x in missing %}x{% endfor %}{{ missing }}{{ missing | default('d') }}{{ missing is defined }}",
    "{% for x in 5 %}{% endfor %}", "{% for x in none %}{% endfor %}", "{% for a, b in numbers %}{% endfor %}",
    "{% set x.y = 1 %}", "{{ numbers.append(4) }}", "{{ nested.update({}) }}", "{{ numbers.append is defined }}",
    "{{ ''.__class__ }}{{ x.__class__.__mro__ }}", "{{ range(200000) }}", "{{ range(3) }}{{ range(1, 9, 3) | list }}",
    "{{ dict(a=1, b='x') }}{{ dict([('k', 1)]) }}{{ dict(nested).keys() | list }}",
    "{{ '<b>' | safe }}{{ ('<b>' | safe) + '&' }}{{ '<b>' | escape }}{{ ('a' | safe) ~ '<' }}",
    "{{ '%s is %d or %05.1f%%' | format('x', 3, 2.25) }}{{ '%s-%s' % ('a', none) }}{{ '%(k)s' % {'k': 1} }}",
    "{{ '{} {} {{}}'.format(1, 'b') }}{{ '{0}{1}{0}{k.b.c[0]}'.format('a', 2, k=nested) }}",
    "{{ nested['items'] }}{{ nested.items() | list | length }}",
    # Errors of syntax.
    "{% if yes %}", "{{ 1 + }}", "{{ 'abc }}", "{% endif %}", "{% bogus %}", "{# open", "{{ (1, 2 }}", "{% raw %}x",
    "{% for %}{% endfor %}", "{% set 1 = 2 %}", "{{ a b }}", "{% macro f(a=1, b) %}{% endmacro %}", "{{ f(a=1, 2) }}", "}}{{",
]

# Expressions, each written out.
EXPRESSIONS = """
1 + 2 * 3 - 4 / 2 | 7 // 2 | -7 // 2 | 7 % 3 | -7 % 3 | 7 % -3 | 2 ** 10 | 2 ** -1 | -2 ** 2 | 2 ** 3 ** 2 | 7.5 // 2 | -7.5 % 2
1 / 3 | 1e20 | 1e16 | 123456789.125 | 1e-5 | 0.0001 | 1.0 | -0.0 | 100000000000000000000.0 | 3.0 * 2 | 1_000 | 0x1f | 0b101 | 0o17
1 < 2 < 3 | 1 < 3 < 2 | 1 == 1.0 | 'a' == 'a' | 1 == '1' | 'a' < 'b' | [1, 2] < [1, 3] | 1 < 'a' | none < 1 | true + 1 | true == 1
'a' in 'abc' | 'd' not in 'abc' | 1 in numbers | 'b' in nested | 1 in 'abc' | none in [none] | 2 in range(3) | 'x' in missing
not yes | yes and i | no or 'd' | empty or none_value or 'z' | yes and no or 4 | not empty and not none_value | 1 if yes | 1 if no
'a' if no else 'b' if no else 'c' | 'x' ~ 1 ~ none ~ 2.0 | 'a' 'b' | 'a' + 'b' | 'a' * 3 | [1] + [2] | (1,) + (2, 3) | 2 * [0] | 'a' + 1
[1, 'a', none, true, 2.5, [], {}] | {'a': 1, 2: 'b', none: [1]} | (1, 2) | () | (1,) | {'a': 1}['a'] | {'a': 1}.a | {1: 2, 1.0: 3}
numbers[0] | numbers[-1] | numbers[9] | numbers['x'] | word[1] | word[-2:] | word[::-1] | word[1:8:2] | numbers[1:] | numbers[:-1]
numbers[5:] | numbers[::-2] | word[:100] | word[3:1] | numbers[none:2] | nested['b']['c'][1]['d'] | nested.b.c.0 | nested.b.c[5] | i[0]
i.x | word.nothing | none_value.x | none_value['x'] | missing['x'] | nested['A'] | nested.zz is defined | nested.b is mapping
i is number | x is float | yes is boolean | yes is number | yes is integer | word is string | none_value is none | missing is undefined
numbers is iterable | word is iterable | i is iterable | nested is sequence | numbers is sequence | i is sequence | nested is mapping
i is odd | i is even | i is divisibleby 7 | i is divisibleby(2) | i is gt 3 | i is eq(7) | i is in [7] | 'abc' is lower | 'ABC' is upper
i is not none | not i is none | yes is true | no is false | 1 is true | numbers is callable | range is callable | 'trim' is filter | i is sameas 7
i is bogus | i is equalto 7 and yes | yes is sameas true | none_value is sameas none | 'eq' is test | x is lessthan 3
word | upper ;; word | title ;; word | capitalize ;; 'ǆ ß ﬁ ŉ' | upper ;; 'ΑΣ ΣΑΣ.' | lower ;; 'hello-world (foo) [bar' | title ;; 'İ' | lower
' a ' | trim ;; 'xxaxx' | trim('x') ;; '\\u00a0\\x1fa\\x85' | trim ;; word | length ;; numbers | length ;; i | length ;; nested | count ;; missing | length
word | replace('l', 'L') ;; word | replace('l', 'L', 1) ;; 'ab' | replace('', '-') ;; 123 | replace(2, 'x') ;; word | list ;; 'a,b' | join('-')
numbers | join(', ') ;; messages | join('|', attribute='role') ;; messages | map(attribute='role') | list ;; numbers | map('string') | join
messages | selectattr('role', 'equalto', 'user') | map(attribute='content') | list ;; messages | rejectattr('role', 'in', ['user']) | list | length
numbers | select('gt', 1) | list ;; numbers | reject('odd') | list ;; [0, 1, '', 'a'] | select | list ;; numbers | sort ;; numbers | sort(reverse=true)
['b', 'A', 'c'] | sort ;; ['b', 'A', 'c'] | sort(case_sensitive=true) ;; messages | sort(attribute='role') | map(attribute='role') | list ;; [1, 'a'] | sort
nested | dictsort ;; nested | dictsort(true) ;; {'a': 2, 'b': 1} | dictsort(by='value') ;; {'a': 2, 'b': 1} | dictsort(reverse=true)
numbers | first ;; numbers | last ;; [] | first ;; word | first ;; word | last ;; missing | first ;; numbers | reverse | list ;; word | reverse
numbers | sum ;; numbers | min ;; numbers | max ;; ['b', 'A'] | min ;; [1, 1.0, 'a', 'A', 2] | unique | list ;; [] | max
'42' | int ;; ' -4_2 ' | int ;; '4.9' | int ;; 'x' | int ;; 'x' | int(5) ;; 2.9 | int ;; -2.9 | int ;; none_value | int ;; '0x1f' | int(0, 16) ;; 'ff' | int(base=16)
'1.5' | float ;; 'x' | float ;; '1e3' | float ;; 'inf' | float ;; 3 | float ;; 2.5 | round ;; 3.5 | round ;; 2.675 | round(2) ;; 2.1 | round(0, 'ceil') ;; 7 | round
-5 | abs ;; -2.5 | abs ;; 'a' | abs ;; word | string ;; numbers | string ;; 1.0 | string ;; none_value | string ;; empty | default('d') ;; empty | default('d', true)
lines | indent ;; lines | indent(2, true) ;; lines | indent(2, blank=true) ;; lines | indent('> ') ;; 'a' | center(5) ;; word | attr('upper') is defined
nested | tojson ;; [1.0, 1e20, none, true, 'é"\\\\/\\n\\x01<>&'] | tojson ;; {'é': 1} | tojson(ensure_ascii=true) ;; '😀' | tojson(true) ;; missing | tojson
{1: 2, none: 3, true: 4, 1.5: 5} | tojson ;; [] | tojson(indent=2) ;; [{}, [[]]] | tojson(indent=2) ;; numbers | tojson(indent='--') ;; range | tojson
'a b  c '.split() | 'a b  c '.split(' ') | 'a,b,c'.split(',', 1) | ' a b  c '.split(none, 1) | 'a,b,c'.rsplit(',', 1) | ' a b  c '.rsplit(none, 1) | ''.split()
''.split(',') | 'abc'.split('') | lines.splitlines() | lines.splitlines(true) | 'a=b=c'.partition('=') | 'a=b=c'.rpartition('=') | 'abc'.partition('x')
'  x '.strip() | '  x '.lstrip() | '  x '.rstrip() | 'éxé'.strip('é') | 'abcabc'.strip('ca') | word.upper() | word.title() | word.capitalize() | 'aB'.swapcase()
word.startswith('h') | word.startswith(('x', 'hé')) | word.endswith('ld') | word.startswith('l', 2) | word.endswith('l', 0, 4) | word.find('ö') | word.find('zz')
word.rfind('l') | word.index('w') | word.index('zz') | word.count('l') | 'aaa'.count('aa') | ''.count('') | word.replace('l', '') | word.replace('l', 'L', 1)
', '.join(['a', 'b']) | ','.join(numbers) | 'abc'.removeprefix('a') | 'abc'.removesuffix('bc') | 'ab'.ljust(4, '.') | 'ab'.rjust(4) | 'ab'.center(5, '*') | '-7'.zfill(4)
'abc'.isalpha() | '12'.isdigit() | '²'.isdigit() | '²'.isdecimal() | 'a1'.isalnum() | ' '.isspace() | 'AB'.isupper() | 'aB'.islower() | ''.isalpha() | 'aé'.isascii()
nested.get('A', 5) | nested.get('zz', 5) | nested.get('zz') | nested.keys() | nested.values() | {'a': 1}.items() | numbers.index(1) | numbers.count(3) | numbers.index(9)
nested.keys() | list ;; nested.values() | length ;; nested.copy() == nested ;; 'a' in nested.keys() ;; numbers == [3, 1, 2] ;; nested == {} ;; numbers.pop()
'%5.2f|%-4s|%+d|%x|%05d|%e|%g|%r' % (3.14159, 'ab', 5, 255, 42, 12345.678, 0.0001, 'q') | '%d' % 3.9 | '%s' % [1] | '%s %s' % (1,) | 'x' % 1 | '%%' % ()
1 // 0 | 1 % 0 | 1.0 / 0 | - 'a' | - true | + 'a' | -i | +x | none + 1 | missing + 1 | 'a' + missing | missing ~ 'a' | [missing] | missing == missing | missing == none
"a\\tb\\x41\\u00e9\\101\\q\\'" | 'é\\é' | 'a\\
b' | '\\0' | word is string and word | length > 3 ;; (yes and no) is false ;; 1 if yes is defined else 2 ;; i == 7 and word[0] == 'h'
range(3) | list ;; range(5, 0, -2) | list ;; range(0) | list ;; range(3)[1] ;; range(3)[-1] ;; range(2, 10, 3) | length ;; range(3) == range(0, 3) ;; range('a')
"""


def read_expressions():
    """The expressions, which ' | ' or, where filters stand in them, ' ;; ' separates."""
    for line in EXPRESSIONS.strip().replace("\\\n", "\\\x00").split("\n"):
        separator = " ;; " if " ;; " in line else " | "
        for expression in line.split(separator):
            yield expression.replace("\x00", "\n").strip()
