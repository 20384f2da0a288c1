"""Makes jinja.json: small templates with what Jinja2 makes of them under transformers' settings.

    python3 make.py > jinja.json      # needs the package jinja2

Each case has a template, its variables and `expected_python`: the text, or null where Jinja2 fails, then with the kind of error.
"""
import json

import jinja2
import jinja2.ext
import jinja2.sandbox

PEOPLE = [{"name": "Ann", "age": 30, "city": "Rome", "tags": ["a", "b"]}, {"name": "bob", "age": 25, "city": "oslo", "tags": []},
          {"name": "Cid", "age": 30, "city": "rome", "tags": ["c"]}, {"name": "dora", "age": 25, "city": "Oslo", "tags": ["d"]}]
TREE = [{"n": "a", "kids": [{"n": "b", "kids": []}, {"n": "c", "kids": [{"n": "d", "kids": []}]}]}, {"n": "e", "kids": []}]
TEXT = "The quick brown-fox jumps over the lazy dog, well-known for non-violent -- or so they say--behaviour."
CONTEXT = {
    "people": PEOPLE, "tree": TREE, "text": TEXT, "none": None, "empty": [], "numbers": [3, 1, 2, 10, 7], "reals": [0.5, 1.25, -2.0], "long": "abcdefghijklmnopqrstuvwxyz" * 3,
    "words": ["b", "A", "a", "C", "B"], "map": {"b": 2, "A": 3, "c": 1, "B": 0}, "html": "<a href=\"x\">Tom & 'Jerry'</a>", "lines": "one\n\n  two\nthree\n",
    "nested": [{"a": {"b": 1}}, {"a": {"b": 3}}, {"a": {}}], "pairs": [[1, "x"], [2, "y"], [1, "z"]], "unicode": "élan vital – ÅNGSTRÖM ß 日本",
}

TEMPLATES = {
    "groupby": [
        "{% for g, items in people|groupby('city') %}{{ g }}:{% for p in items %}{{ p.name }},{% endfor %};{% endfor %}",
        "{% for g in people|groupby('age') %}{{ g.grouper }}={{ g.list|length }};{% endfor %}",
        "{% for g in people|groupby('city', case_sensitive=true) %}{{ g[0] }}={{ g[1]|map(attribute='name')|join('+') }};{% endfor %}",
        "{% for g, items in nested|groupby('a.b', default=0) %}{{ g }}:{{ items|length }};{% endfor %}",
        "{% for g, items in pairs|groupby(0) %}{{ g }}:{{ items }};{% endfor %}",
        "{{ people|groupby('age')|list|length }}", "{{ [{'k': 1}]|groupby('k') }}", "{{ empty|groupby('k') }}", "{{ people|groupby('age')|map('first')|join(' ') }}",
        "{% set g = (people|groupby('age'))[0] %}{{ g.grouper }} {{ g['list'][0].name }} {{ g == (25, g.list) }}", "{{ nested|groupby('a.b') }}",
    ],
    "slice": [
        "{% for column in numbers|slice(2) %}{{ column|join(',') }}|{% endfor %}", "{% for column in numbers|slice(3, 'x') %}{{ column }}|{% endfor %}",
        "{{ range(10)|slice(4)|list }}", "{{ range(2)|slice(4)|list }}", "{{ range(2)|slice(4, 0)|list }}", "{{ 'abcdef'|slice(4)|list }}", "{{ empty|slice(3)|list }}",
        "{{ numbers|slice(0)|list }}", "{{ range(6)|slice(3, 'x')|list }}", "{{ numbers|slice(slices=2, fill_with=0)|list }}",
    ],
    "batch": [
        "{{ numbers|batch(2)|list }}", "{{ numbers|batch(3, '-')|list }}", "{{ range(6)|batch(3, 0)|list }}", "{{ empty|batch(3)|list }}", "{{ 'abcde'|batch(2, ' ')|list }}",
        "{% for row in numbers|batch(linecount=4, fill_with='.') %}{{ row|join }};{% endfor %}",
    ],
    "center": ["[{{ 'ab'|center(7) }}]", "[{{ 'abc'|center(8) }}]", "[{{ 'abc'|center(7) }}]", "[{{ 'ab'|center(1) }}]", "[{{ 'x'|center }}]", "[{{ 'é日'|center(7) }}]", "[{{ 42|center(6) }}]",
               "[{{ ''|center(3) }}]", "[{{ 'ab'.center(7) }}]", "[{{ 'ab'.center(7, '*') }}]", "[{{ 'ab'.ljust(5) }}][{{ 'ab'.rjust(5, '.') }}][{{ '-7'.zfill(5) }}][{{ '+x'.zfill(4) }}]"],
    "urlencode": ["{{ 'a b&c=d/e?f'|urlencode }}", "{{ unicode|urlencode }}", "{{ {'a b': 'c d', 'e/f': 1}|urlencode }}", "{{ [('k', 'v w'), ('x', none)]|urlencode }}", "{{ 42|urlencode }}",
                  "{{ none|urlencode }}", "{{ '~-._+%'|urlencode }}", "{{ ''|urlencode }}", "{{ {}|urlencode }}", "{{ [1]|urlencode }}"],
    "wordcount": ["{{ text|wordcount }}", "{{ 'a-b c_d e.f'|wordcount }}", "{{ unicode|wordcount }}", "{{ ''|wordcount }}", "{{ '  '|wordcount }}", "{{ \"it's\"|wordcount }}", "{{ 12|wordcount }}"],
    "wordwrap": [
        "{{ text|wordwrap(20) }}", "{{ text|wordwrap(10) }}", "{{ text|wordwrap(5) }}", "{{ text|wordwrap(1) }}", "{{ text|wordwrap }}", "{{ long|wordwrap(10) }}",
        "{{ long|wordwrap(10, break_long_words=false) }}", "{{ text|wordwrap(12, wrapstring='|') }}", "{{ text|wordwrap(12, true, '\n> ') }}", "{{ text|wordwrap(14, break_on_hyphens=false) }}",
        "{{ lines|wordwrap(4) }}", "{{ ''|wordwrap(4) }}", "{{ 'a  b   c'|wordwrap(3) }}", "{{ 'x-y-z well-to-do a-- b --c d--e'|wordwrap(4) }}", "{{ 'x-y-z well-to-do a-- b --c d--e'|wordwrap(7) }}",
        "{{ 'super-cali-fragilistic'|wordwrap(8) }}", "{{ '--------'|wordwrap(3) }}", "{{ unicode|wordwrap(6) }}", "{{ text|wordwrap(0) }}", "{{ 'one\r\ntwo three\x0cfour'|wordwrap(5, wrapstring='|') }}",
        "{{ 'é-à'|wordwrap(2) }}", "{{ 'aé-àb ab-cd ab-1d 1b-cd'|wordwrap(3, wrapstring='|') }}", "{{ 'a\tb c'|wordwrap(3, wrapstring='|') }}",
    ],
    "truncate": ["{{ text|truncate(20) }}", "{{ text|truncate(20, true) }}", "{{ text|truncate(20, false, '…') }}", "{{ 'short'|truncate(5) }}", "{{ 'shorter one'|truncate(8) }}", "{{ 'shorter one'|truncate(8, leeway=0) }}",
                 "{{ 'shorter one'|truncate(6, leeway=4) }}", "{{ long|truncate(9) }}", "{{ unicode|truncate(8, true, '..', 0) }}", "{{ text|truncate(2) }}", "{{ text|truncate(3) }}", "{{ text|truncate(length=12, end='') }}",
                 "{{ text|truncate(20, leeway=-1) }}"],
    "indent": ["{{ lines|indent }}", "{{ lines|indent(2) }}", "{{ lines|indent(2, true) }}", "{{ lines|indent(2, blank=true) }}", "{{ lines|indent(2, true, true) }}", "{{ lines|indent('> ') }}",
               "{{ lines|indent(width='--', first=true, blank=true) }}", "{{ ''|indent(2, true) }}", "{{ 'a'|indent(2, true) }}", "{{ 'a\r\nb\x0bc\u2028d'|indent(1) }}", "{{ '\n\na'|indent(3) }}", "{{ '\n'|indent(3, true, true) }}",
               "{{ 'a\nb'|indent(0) }}", "{{ 42|indent(2, true) }}"],
    "title": ["{{ 'hello world'|title }}", "{{ 'foo_bar baz-qux'|title }}", "{{ \"it's o'clock\"|title }}", "{{ 'a(b)[c]{d}<e>f'|title }}", "{{ '1st 2ND'|title }}", "{{ unicode|title }}", "{{ ''|title }}", "{{ ' x\ty\nz'|title }}",
              "{{ 'foo_bar'.title() }}", "{{ \"it's\".title() }}", "{{ 42|title }}", "{{ 'a.b,c:d/e'|title }}"],
    "round": ["{{ 42|round }}", "{{ 42.55|round }}", "{{ 42.55|round(1) }}", "{{ 42.55|round(1, 'floor') }}", "{{ 42.51|round(0, 'ceil') }}", "{{ 42|round(method='ceil') }}", "{{ 2.5|round }} {{ 3.5|round }} {{ -2.5|round }}",
              "{{ 2.675|round(2) }} {{ 1.005|round(2) }} {{ 0.285|round(2) }} {{ 5.015|round(2) }}", "{{ 1234.5|round(-2) }}", "{{ 1250|round(-2) }} {{ 1350|round(-2) }} {{ -1250|round(-2) }} {{ 7|round(-1) }}", "{{ 42|round(2) }}",
              "{{ true|round }}", "{{ 42|round(1, 'other') }}", "{{ 42.7|round|int }}", "{{ 1e300|round(300) }}", "{{ 0.1|round(400) }}", "{{ 123.456|round(2, 'ceil') }}", "{{ -1.5|round(0, 'floor') }}", "{{ 'x'|round }}",
              "{{ 1e22|round(2) }}", "{{ 15|round(-1) }} {{ 25|round(-1) }} {{ 14|round(-5) }}", "{{ 2.5|round(none) }} {{ 42.55|round(none) }}"],
    "sum": ["{{ numbers|sum }}", "{{ people|sum(attribute='age') }}", "{{ people|sum('age', 100) }}", "{{ empty|sum }}", "{{ reals|sum }}", "{{ nested[:2]|sum('a.b') }}", "{{ pairs|sum(0) }}", "{{ people|sum(start=1.5, attribute='age') }}",
            "{{ words|sum }}", "{{ [[1], [2]]|sum(start=[]) }}"],
    "min and max": ["{{ numbers|min }} {{ numbers|max }}", "{{ words|min }} {{ words|max }}", "{{ words|min(true) }} {{ words|max(case_sensitive=true) }}", "{{ (people|min(attribute='age')).name }} {{ (people|max(attribute='age')).name }}",
                    "{{ (people|max(attribute='name')).name }}", "{{ empty|min }}|{{ empty|max is defined }}", "{{ map|max }}", "{{ 'hello'|max }}"],
    "unique": ["{{ words|unique|list }}", "{{ words|unique(true)|list }}", "{{ people|unique(attribute='city')|map(attribute='name')|list }}", "{{ [1, 1.0, true, 2]|unique|list }}", "{{ 'aAbB'|unique|join }}", "{{ pairs|unique(attribute=0)|list }}"],
    "sort": ["{{ words|sort }}", "{{ words|sort(case_sensitive=true) }}", "{{ words|sort(true) }}", "{{ people|sort(attribute='age')|map(attribute='name')|list }}", "{{ people|sort(attribute='age,name')|map(attribute='name')|list }}",
             "{{ people|sort(attribute='city,age', reverse=true)|map(attribute='name')|list }}", "{{ pairs|sort(attribute='0,1', reverse=true) }}", "{{ [1, 'a']|sort }}", "{{ map|sort }}", "{{ 'hello'|sort|join }}"],
    "dictsort": ["{{ map|dictsort }}", "{{ map|dictsort(true) }}", "{{ map|dictsort(false, 'value') }}", "{{ map|dictsort(by='value', reverse=true) }}", "{{ map|dictsort(reverse=true) }}", "{{ map|dictsort(by='other') }}", "{{ words|dictsort }}",
                 "{{ {1: 'b', 2: 'A'}|dictsort(by='value') }}"],
    "tojson": ["{{ people[0]|tojson }}", "{{ map|tojson(sort_keys=true) }}", "{{ people[0]|tojson(indent=2) }}", "{{ map|tojson(indent=1, sort_keys=true) }}", "{{ unicode|tojson }}", "{{ unicode|tojson(ensure_ascii=true) }}",
               "{{ html|tojson }}", "{{ map|tojson(separators=(',', ':')) }}", "{{ map|tojson(indent=2, separators=(', ', ' = ')) }}", "{{ {'a': [], 'b': {}}|tojson(indent=2) }}", "{{ [1.0, 1e20, 0.1, none, true]|tojson }}",
               "{{ map|tojson(indent='\t') }}", "{{ {1: 2, none: 3, true: 4, 1.5: 5}|tojson }}", "{{ missing|tojson }}", "{{ (1, 2)|tojson }}", "{{ numbers|tojson(indent=0) }}"],
    "xmlattr": ["<a{{ {'class': 'x y', 'id': none, 'n': 3, 'm': missing}|xmlattr }}>", "<a{{ {'t': html}|xmlattr(false) }}>", "[{{ {}|xmlattr }}]", "{{ {'a b': 1}|xmlattr }}", "{{ {'a>': 1}|xmlattr }}", "{{ {'a\"': '1'}|xmlattr }}"],
    "escape": ["{{ html|escape }}", "{{ html|e|e }}", "{{ html|e|forceescape }}", "{{ html|forceescape }}", "{{ html|safe }}", "{{ html|safe|e }}", "{{ html|safe ~ '<' }}", "{{ (html|safe) + '<' }}", "{{ ('<'|e) + '<' }}",
               "{{ 42|e }}", "{{ ['<', '>']|map('e')|join('&') }}", "{{ html|safe is escaped }} {{ html is escaped }}", "{{ 42|forceescape }}", "{{ html|e|upper }}", "{{ (html|e)|length }}", "{{ ['<'|e, '<'] }}"],
    "cycler": ["{% set c = cycler('odd', 'even') %}{% for i in range(5) %}{{ c.next() }} {% endfor %}{{ c.current }}", "{% set c = cycler('a', 'b', 'c') %}{{ c.next() }}{{ c.next() }}{{ c.reset() }}{{ c.current }}{{ c.next() }}",
               "{{ cycler() }}", "{% set c = cycler(*numbers) %}{{ c.next() + c.next() }}{{ c.pos }}", "{% set c = cycler(1) %}{{ c.items }}"],
    "joiner": ["{% set j = joiner() %}{% for i in numbers %}{{ j() }}{{ i }}{% endfor %}", "{% set j = joiner(' | ') %}{% for i in numbers if i > 2 %}{{ j() }}{{ i }}{% endfor %}", "{% set a = joiner('-') %}{% set b = joiner('+') %}{{ a() }}1{{ a() }}2{{ b() }}3{{ b() }}4",
               "{% set j = joiner(sep='/') %}{{ j() }}{{ j() }}{{ j.sep }}"],
    "namespace": ["{% set ns = namespace(n=0) %}{% for i in numbers %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}", "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{{ ns.c is defined }}", "{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.b }}{{ ns['a'] }}",
                  "{% set d = {} %}{% set d.x = 1 %}", "{{ namespace(a=1)|attr('a') }}"],
    "loop": ["{% for i in numbers %}{{ loop.cycle('a', 'b', 'c') }}{% endfor %}", "{% for p in people %}{{ loop.changed(p.age) }},{% endfor %}", "{% for p in people %}{% if loop.changed(p.city|lower, p.age) %}{{ p.name }} {% endif %}{% endfor %}",
             "{% for i in numbers %}{{ loop.previtem|default('-') }}<{{ i }}<{{ loop.nextitem|default('-') }};{% endfor %}", "{% for i in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}",
             "{% for i in numbers if i > 2 %}{{ loop.index }}/{{ loop.length }}:{{ loop.nextitem }} {% else %}none{% endfor %}", "{% for n in tree recursive %}{{ '-' * loop.depth0 }}{{ n.n }}{{ loop.depth }}{{ loop(n.kids) }}{% endfor %}",
             "{% for n in tree recursive %}[{{ loop.index }}{{ n.n }}{% if n.kids %}:{{ loop(n.kids) }}{% endif %}{{ loop.last }}]{% endfor %}", "{% for n in tree recursive %}{{ n.n }}{% for k in n.kids %}{{ loop.index }}{% endfor %}{{ loop(n.kids) }}{% else %}.{% endfor %}",
             "{% for i in numbers %}{% for j in range(i) %}{{ loop.length }}{% endfor %}{{ loop.index }} {% endfor %}", "{% for i in numbers %}{% if i == 2 %}{% break %}{% endif %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
             "{% for i in numbers %}{{ loop.cycle() }}{% endfor %}", "{{ loop is defined }}", "{% for a, b in map|dictsort %}{{ a }}{{ b }}{% endfor %}", "{% for (a, b), c in [[[1, 2], 3]] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
             "{% for a, b in numbers %}{% endfor %}", "{% for i in 5 %}{% endfor %}", "{% for i in missing %}x{% else %}nothing{% endfor %}", "{% for i in none %}{% endfor %}"],
    "call blocks": ["{% macro box(t) %}[{{ t }}:{{ caller() }}]{% endmacro %}{% call box('x') %}in{% endcall %}", "{% macro each(xs) %}{% for x in xs %}{{ caller(x, loop.index) }};{% endfor %}{% endmacro %}{% call(v, i) each(words) %}{{ i }}{{ v }}{% endcall %}",
                    "{% macro m() %}{{ caller(b=2) }}{% endmacro %}{% call(a=1, b=0) m() %}{{ a }}{{ b }}{% endcall %}", "{% macro m() %}{{ caller is defined }}{{ caller is callable }}{% endmacro %}{{ m() }}{% call m() %}{% endcall %}",
                    "{% macro m() %}x{% endmacro %}{% call m() %}y{% endcall %}", "{% macro outer() %}<{{ caller() }}>{% endmacro %}{% macro inner() %}({{ caller() }}){% endmacro %}{% call outer() %}{% call inner() %}z{% endcall %}{% endcall %}",
                    "{% set q = 5 %}{% macro m(q) %}{{ caller() }}{% endmacro %}{% call m(7) %}{{ q }}{% endcall %}", "{% macro m(*args) %}{% endmacro %}", "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a) m() %}{{ a }}{% endcall %}"],
    "filter blocks": ["{% filter upper %}a{{ words[0] }}{% endfilter %}", "{% filter indent(2, true) %}a\nb{% endfilter %}", "{% filter replace('a', 'b')|upper %}banana{% endfilter %}", "{% filter trim %}  {% if true %}x{% endif %} {% endfilter %}!",
                      "{% filter title %}foo_bar baz{% endfilter %}", "{% filter nosuch %}x{% endfilter %}"],
    "set blocks": ["{% set x %}a{{ 1 + 1 }}{% endset %}{{ x }}{{ x|length }}", "{% set x | upper | trim %} ab {% endset %}[{{ x }}]", "{% set a, b = 1, 2 %}{{ b }}{{ a }}", "{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}",
                   "{% if true %}{% set x = 3 %}{% endif %}{{ x }}", "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a is defined }}", "{% set x %}{% set y = 1 %}{% endset %}{{ y is defined }}", "{% set x = 1, 2 %}{{ x }}"],
    "macros": ["{% macro m(a, b=2, *, c) %}{% endmacro %}", "{% macro m(a, b='d') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(b=3, a=4) }}{{ m() }}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a) %}{{ a }}{{ varargs|join }}{% endmacro %}{{ m(1, 2, 3) }}",
               "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, x=2) }}", "{% macro m(a) %}{{ a }}{{ kwargs.x }}{% endmacro %}{{ m(1, x=2) }}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1, a=2) }}",
               "{% macro m(a, b=a) %}{{ b }}{% endmacro %}{{ m(4) }}", "{% macro m(a, b=1) %}{% endmacro %}{{ m.name }} {{ m.arguments }} {{ m.catch_kwargs }} {{ m.catch_varargs }} {{ m.caller }}",
               "{% macro m() %}{{ kwargs }}{{ varargs }}{{ caller }}{% endmacro %}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}", "{% macro m(x) %}{% if x > 0 %}{{ x }}{{ m(x - 1) }}{% endif %}{% endmacro %}{{ m(3) }}",
               "{% macro m() %}{% macro n() %}{{ kwargs }}{% endmacro %}{{ n(a=1) }}{% endmacro %}{{ m() }}{{ m(b=2) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}", "{% macro m() %}<b>{% endmacro %}{{ m()|e }}", "{{ m() }}{% macro m() %}late{% endmacro %}",
               "{% macro m(xs=[]) %}{{ xs|length }}{% endmacro %}{{ m() }}{{ m(numbers) }}"],
    "other templates": ["{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}"],
    "numbers": ["{{ '42'|int }} {{ '4_2'|int }} {{ ' -7 '|int }} {{ '3.9'|int }} {{ '1e3'|int }} {{ 'x'|int }} {{ 'x'|int(5) }} {{ none|int }} {{ true|int }} {{ 3.9|int }}", "{{ '0x1F'|int(base=16) }} {{ '1f'|int(0, 16) }} {{ '0b11'|int(base=2) }} {{ '0x1f'|int }} {{ '777'|int(base=8) }} {{ '0o17'|int(base=0) }}",
                "{{ '1.5'|float }} {{ 'x'|float }} {{ 'x'|float(2.5) }} {{ '0x1f'|float }} {{ '1_0.5'|float }} {{ 3|float }} {{ none|float }} {{ 'inf'|float }} {{ 'nan'|float }}", "{{ -3|abs }} {{ (-2.5)|abs }} {{ true|abs }}",
                "{{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % -3 }} {{ 7 / 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }}", "{{ 1e16 }} {{ 1e15 }} {{ 0.0001 }} {{ 0.00001 }} {{ 1.0 }} {{ 1e-7 }}", "{{ 'inf'|int }}"],
    "whole numbers": ["{{ 0x1F }} {{ 0o17 }} {{ 0b101 }} {{ 0XfF }} {{ 0O7 }} {{ 0B1 }} {{ -0x10 }} {{ 0x10 + 1 }}", "{{ 1_000_000 }} {{ 0x_ff_FF }} {{ 0b1_0 }} {{ 0o_7_7 }} {{ 1_0.5_0 }} {{ 1e1_0 }}", "{{ 00 }} {{ 0_0 }} {{ 0 }}", "{{ 012 }}", "{{ 0_1 }}",
                      "{{ 0b2 }}", "{{ 0x }}", "{{ 0o8 }}", "{{ 1__0 }}", "{{ 1_ }}", "{{ pairs.0.1 }} {{ pairs[0x1][1] }} {{ pairs.0b10 .0 }}", "{{ 9223372036854775807 }} {{ 0x7fffffffffffffff }} {{ -9223372036854775807 }}",
                      "{% if false %}{{ 100000000000000000000 }}{{ 10 ** 20 }}{% endif %}ok", "{% if numbers %}ok{% else %}{{ 0xffffffffffffffffff }}{% endif %}"],
    "str.format": ["{{ '[{:>5}][{:<5}][{:^5}][{:5}]'.format('ab', 'ab', 'ab', 'ab') }}", "{{ '[{:*^7}][{:é>4}][{:05}][{:0>5}]'.format('ab', 'ab', 'ab', 'ab') }}", "{{ '[{:.2}][{:5.1}][{:.9}][{:.0}]'.format('élan', 'élan', 'élan', 'élan') }}", "{{ '[{:s}][{:>8s}]'.format(unicode[:4], unicode[:4]) }}",
                   "{{ '[{:5}][{:<5}][{:^5}][{:05}][{:=+6}]'.format(42, 42, 42, 42, 42) }}", "{{ '{:+} {:-} {: } {:+} {: }'.format(7, 7, 7, -7, -7) }}", "{{ '{:d} {:x} {:X} {:o} {:b} {:c} {:n}'.format(255, 255, 255, 255, 5, 233, 1234) }}", "{{ '{:#x} {:#X} {:#o} {:#b} {:#d} {:#010x} {:+#x} {:#x}'.format(255, 255, 8, 5, 9, 255, 255, -255) }}",
                   "{{ '{:,} {:,} {:,} {:_} {:_x} {:_b}'.format(999, 1000, -1234567, 1234567, 1048576, 255) }}", "{{ '[{:08,}][{:09,}][{:010,}][{:0=12,}][{:12,}][{:<12,}][{:+011,}]'.format(1234, 1234, 1234, 1234, 1234567, 1234567, 1234567) }}", "{{ '[{:*=8}][{:x=+8}][{:^07}][{:<05}]'.format(-42, 42, 42, 42) }}", "{{ '{:d} {:5} {} {:x} {:.1f}'.format(true, true, true, true, true) }}",
                   "{{ '{:.2f} {:.0f} {:f} {:8.3f} {:<8.1f}| {:08.2f} {:+.1f} {:,.2f}'.format(3.14159, 2.5, 1.5, 2.0, 2.25, -1.5, 1.25, 1234567.891) }}", "{{ '{:.3e} {:E} {:g} {:G} {:g} {:.3g} {:#.0f} {:.10g}'.format(12345.678, 0.00012, 1e20, 1e-10, 100000.0, 0.00001234, 2.0, 1.5) }}", "{{ '{:%} {:.1%} {:.0%} {:7.1%}|'.format(0.25, 0.1234, 1, 0.5) }}",
                   "{{ '{:5} {:.3} {:.4} {:.1} {:.6} {:.2} {:10.3}| {:.0} {:+} {:.17}'.format(1.5, 123.0, 123.0, 0.00001234, 1e5, 0.0001, 3.14159, 0.0, 2.0, 0.1) }}", "{{ '{:.2f} {:e} {:,} {:.1f} {:010,.1f} {:_.2f}'.format(7, 7, 1e16, 1e22, 1234.5, 9876543.21) }}", "{% set i = words[0]|replace('b', 'inf')|float %}{% set n, m = i - i, -i %}{{ '{:5} {:05} {:+} {:F} {:,} {:E} {:010,} {:.3} {:.1%}'.format(i, n, n, i, i, m, m, i, m) }}", "{{ '{:.1f} {:+.0f} {:g} {}'.format(-0.0, -0.4, -0.0, -0.0) }}",
                   "{{ '{0}{1}{0} {name} {{x}} {{{0}}}'.format('a', 'b', name='n') }}", "{{ '{} {} {}'.format('a', 1, none) }}", "{{ '{0[name]} {0.age:>4} {0[tags][1]!r} {1[0]} {p.name!r:>6}'.format(people[0], numbers, p=people[1]) }}", "{{ '[{:{}}][{:>{w}}][{:{f}^{w}.{p}}]'.format('a', 4, 'b', 'cde', w=5, f='*', p=2) }}", "{{ '[{:}][{!s:>4}][{!r}]'.format('a', 12, 'it') }}", "{{ '{:>5}'.format(missing) }}", "{{ '[{}]'.format(missing) }}",
                   "{{ '{:>5}'.format(none) }}", "{{ '{:>5}'.format([1]) }}", "{{ '{} {}'.format([1, 'a'], {'k': none}) }}", "{{ '{:d}'.format('a') }}", "{{ '{:s}'.format(1) }}", "{{ '{:d}'.format(1.5) }}", "{{ '{:.2d}'.format(1) }}", "{{ '{:.2}'.format(1) }}", "{{ '{:+}'.format('a') }}", "{{ '{:=5}'.format('a') }}", "{{ '{:,}'.format('a') }}", "{{ '{:,x}'.format(1) }}", "{{ '{:,_}'.format(1) }}", "{{ '{:#}'.format('a') }}",
                   "{{ '{:q}'.format(1) }}", "{{ '{:5dd}'.format(1) }}", "{{ '{:.}'.format(1.5) }}", "{{ '{:+c}'.format(65) }}", "{{ '{:c}'.format(-1) }}", "{{ '[{:5c}][{:<5c}][{:05c}]'.format(65, 66, 67) }}", "{{ '{'.format(1) }}", "{{ '}'.format(1) }}", "{{ '{0'.format(1) }}", "{{ '{:'.format(1) }}", "{{ '{:{}'.format(1, 2) }}", "{{ '{0!x}'.format(1) }}", "{{ '{0!'.format(1) }}", "{{ '{!r'.format(1) }}", "{{ '{0!rx}'.format(1) }}", "{{ '{a{b}}'.format(a=1) }}",
                   "{{ '{} {0}'.format(1, 2) }}", "{{ '{0} {}'.format(1, 2) }}", "{{ '{}{}'.format(1) }}", "{{ '{x}'.format(1) }}", "{{ '{0.}'.format(1) }}", "{{ '{0[]}'.format(1) }}", "{{ '{0[a}'.format(1) }}", "{{ '{0[0]x}'.format([1]) }}", "{{ '{:{:{}}}'.format(1, 2, 3) }}", "{{ '{0.nosuch}'.format(map) }}|{{ '{0[nosuch]:}'.format(map) }}", "{{ '{:>5}|{:<5}|'.format(*words) }}", "{{ '{A} {b:>3}'.format(**map) }}"],
    "range": ["{{ range(3) }} {{ range(1, 3) }} {{ range(0, 10, 2) }} {{ range(0) }} {{ range(5, 0, -1) }} {{ range(2, 2, 7) }}", "{{ [range(3), {'r': range(2)}] }} {{ range(3) ~ '' }} {{ range(3)|string }} {{ '%s' % range(3) }} {{ '{}'.format(range(3)) }}", "{{ range(3)|list }} {{ range(3)|join(',') }} {{ range(3)|length }} {{ range(3)|sum }} {{ range(4)|last }} {{ range(5)[2] }} {{ range(5)[-1] }}",
              "{{ range(10)[2:5] }} {{ range(10)[::-1] }} {{ range(0, 10, 3)[1:] }} {{ range(10)[5:2] }} {{ range(10)[-3:] }} {{ range(9, 0, -2)[1:3] }} {{ range(10)[1:8:3]|list }} {{ range(4)[:] }} {{ range(9, 0, -2)[::-1]|list }}", "{{ range(3) == range(3) }} {{ range(3) == [0, 1, 2] }} {{ range(0) == range(2, 2) }} {{ 2 in range(3) }} {{ range(3) is iterable }} {{ range(3) is sequence }} {{ range(3) is mapping }}{{ range(0) or 'none' }}",
              "{{ range(3)|tojson }}", "{{ range(3) + [1] }}", "{{ range(3) + range(3) }}", "{{ range(3) * 2 }}", "{{ 2 * range(3) }}", "{{ range(3) < range(4) }}", "{{ range(100001) }}", "{{ range(3)|pprint }} {{ [range(3), long, range(9, 1, -1)]|pprint }}", "{{ range(9223372036854775805, 9223372036854775807)|list }} {{ range(-9223372036854775807, 9223372036854775807, 9223372036854775807)|list }}", "{% set r = range(2) %}{{ r.count(1) }}{{ r.index(1) }}"],
    "paths": ["{{ people|map(attribute='tags.0', default='-')|join(',') }}", "{{ nested|map(attribute='a.b')|map('default', '?')|join(',') }}", "{{ pairs|map(attribute=1)|join }}", "{{ nested|map(attribute='x.y', default=7)|join(',') }}", "{{ nested|map(attribute='x.y')|list }}",
              "{{ people|selectattr('age', 'gt', 26)|map(attribute='name')|list }}", "{{ people|rejectattr('tags')|map(attribute='name')|list }}", "{{ people|selectattr('tags')|list|length }}", "{{ people|join(', ', attribute='name') }}", "{{ people|map('attr', 'name')|list }}", "{{ people[0]|attr('name') is defined }}",
              "{{ people|map(attribute='name')|map('upper')|list }}", "{{ numbers|select('divisibleby', 2)|list }} {{ numbers|reject('odd')|list }}", "{{ words|map('replace', 'a', 'z')|list }}", "{{ numbers|map('round', method='ceil')|list }}"],
    "replace": ["{{ 'aaa'|replace('a', 'b', 2) }}", "{{ 'aaa'|replace('a', '') }}", "{{ 'abc'|replace('', '-') }}", "{{ 'abc'|replace('', '-', 2) }}", "{{ 12321|replace('2', 'x') }}", "{{ 'x'|replace(old='x', new='y') }}"],
    "defaults": ["{{ missing|default('d') }}{{ none|default('d') }}{{ none|default('d', true) }}{{ ''|d('e', boolean=true) }}{{ 0|default(1) }}", "{{ missing|length }}{{ missing|list }}{{ missing|join }}", "{{ missing.x }}", "{{ missing|upper }}|{{ missing|trim }}|{{ missing|e }}|{{ missing|title }}|{{ missing|indent }}|{{ missing|truncate }}"],
    "letters": ["{{ ['ß', 'ßa b日cß'.title(), 'ßA'.capitalize(), 'ßa'|title, 'ßA'|capitalize] }}", "{{ ['a\u2028b', '\u00a0\u200b\ufeff', '\U000e0001é日', '\x7f\x1c\x00', 'it\\'s \"x\"'] }}",
                "{{ 'a\u2028b\x1cc\r\nd\n'.splitlines(true) }}", "{{ 'a\x85b\x0bc'.splitlines() }}", "{{ -0.4|round(0, 'ceil') }} {{ -0.4|round }}"],
    "str methods": ["{{ 'Straße ẞ ΑΣΣ ς µ ſ ı'.casefold() }} {{ 'STRASSE'.casefold() == 'straße'.casefold() }} {{ 'σ'.casefold() == 'ς'.casefold() }} {{ 'É'.casefold() }}{{ ''.casefold() }}", "{{ 'aBc Dé ÉZ ß 1_2 日'.swapcase() }}{{ ''.swapcase() }}", "{{ unicode.swapcase() }}|{{ unicode.casefold() }}",
                    "[{{ 'a\tb\tcde\tf'.expandtabs() }}][{{ 'a\tbcd\te'.expandtabs(4) }}][{{ '\t'.expandtabs(tabsize=2) }}]", "[{{ 'é\tb\nc\td\re\tf'.expandtabs(3) }}]", "[{{ 'a\tb'.expandtabs(0) }}][{{ 'a\tb'.expandtabs(-1) }}][{{ ''.expandtabs() }}][{{ 'a\t\tb'.expandtabs(1) }}]", "{{ 'a\tb'.expandtabs('x') }}"],
    "filesizeformat": ["{% for n in [0, 1, 2, 999, 1000, 1023, 1024, 1500, 999949, 999950, 1000000, 123456789, 1e9, 1e12, 1e15, 1e18, 1e21, 1e24, 1e27, 1e30] %}{{ n|filesizeformat }};{{ n|filesizeformat(true) }}|{% endfor %}",
                       "{{ 1.0|filesizeformat }} {{ 0.5|filesizeformat }} {{ 1.9|filesizeformat }} {{ -1|filesizeformat }} {{ -0.5|filesizeformat }} {{ -2e30|filesizeformat }}", "{{ '13000'|filesizeformat }} {{ ' 1_000 '|filesizeformat }} {{ 'inf'|filesizeformat }} {{ 'nan'|filesizeformat(binary=true) }}",
                       "{{ true|filesizeformat }} {{ false|filesizeformat }}", "{{ 'x'|filesizeformat }}", "{{ none|filesizeformat }}", "{{ []|filesizeformat }}", "{{ missing|filesizeformat }}"],
    "pprint": ["{{ people|pprint }}", "{{ people[0]|pprint }}", "{{ map|pprint }}", "{{ text|pprint }}", "{{ (text ~ ' ' ~ text)|pprint }}", "{{ long|pprint }}", "{{ (long ~ long)|pprint }}", "{{ lines|pprint }}", "{{ [lines * 5, long]|pprint }}", "{{ {'key': text ~ text, 'other': [text]}|pprint }}",
               "{{ tree|pprint }}", "{{ [tree, tree]|pprint }}", "{{ none|pprint }} {{ true|pprint }} {{ 1.5|pprint }} {{ ''|pprint }} {{ []|pprint }} {{ {}|pprint }} {{ ()|pprint }} {{ missing|pprint }}", "{{ (1,)|pprint }} {{ (long, long)|pprint }} {{ (long ~ long,)|pprint }}",
               "{{ {'b': {'d': 1, 'c': 2}, 'a': [3, {'z': 1, 'y': 2}]}|pprint }}", "{{ {1: 'a', 'b': 2, none: 3, 2.5: 4, true: 5}|pprint }}", "{{ range(40)|list|pprint }}", "{{ (html|safe)|pprint }}", "{{ [html|e, long ~ long, html]|pprint }}", "{{ (unicode ~ ' ' ~ unicode ~ ' ' ~ unicode ~ ' ' ~ unicode)|pprint }}",
               "{{ [[[[[[text]]]]]]|pprint }}", "{{ {'a' * 70: {'b' * 20: 'c d'}}|pprint }}", "{{ {'a' * 90: ''}|pprint }}", "{{ ['x\ny' * 30]|pprint }}", "{{ ('ab \n' * 30)|pprint }}", "{{ (' ' * 100 ~ 'x')|pprint }}", "{{ ('\u2028' * 30 ~ 'é' * 60)|pprint }}", "{{ people|groupby('age')|pprint }}"],
    "unknown": ["{{ 1|nosuch }}", "{{ 1 is nosuch }}", "{% nosuch %}", "{{ nosuch() }}", "{% if false %}{{ 1|nosuch }}{% endif %}ok"],
}


def environment():
    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    def raise_exception(message):
        raise jinja2.exceptions.TemplateError(message)

    out = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols])
    out.filters["tojson"] = tojson
    out.globals["raise_exception"] = raise_exception
    return out


def main():
    cases = []
    for name, templates in TEMPLATES.items():
        for template in templates:
            case = {"name": name, "template": template, "context": {key: value for key, value in CONTEXT.items() if key in template}, "expected_python": None}
            try:
                case["expected_python"] = environment().from_string(template).render(case["context"])
            except Exception as error:
                case["error"] = f"{type(error).__name__}: {error}"
            cases.append(case)
    print("[" + ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "]")


if __name__ == "__main__":
    main()
