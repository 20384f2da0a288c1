"""What is written under the grammar of a JSON Schema is what `jsonschema` accepts, over every schema that has a grammar."""
import decimal
import glob
import json
import os
import pathlib
import random
import re
import subprocess

import jsonschema
import pytest
import referencing.exceptions
import support

SAMPLES = pathlib.Path(support.BINARY).parent.parent / "tests" / "schema_samples"
VECTORS = pathlib.Path(os.environ.get("HEARTH_VECTORS", support.ROOT / ".." / "shared" / "vectors")) / "json_schema"
decimal.getcontext().prec = 500  # of 1e99 modulo 0.01, too
DRAFT7 = "http://json-schema.org/draft-07/schema#"

# A schema for each way in which keywords are kept, and how the values it accepts may look: each must be met.
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "boolean"}, "c": {"type": "null"}}}
KINDS = {"type": "object", "properties": {"kind": {"enum": ["a", "b", "c"]}}, "required": ["kind"], "additionalProperties": False}
SCHEMAS = [
    ({"type": ["object", "array", "string", "number", "boolean", "null"]}, [type({}), type([]), str, decimal.Decimal, bool, type(None)]),
    ({**OBJECT, "minProperties": 2, "maxProperties": 2, "additionalProperties": False}, [{"a", "b"}, {"a", "c"}, {"b", "c"}]),
    ({**OBJECT, "minProperties": 2, "maxProperties": 3}, []),
    ({**OBJECT, "minProperties": 2, "additionalProperties": False}, [{"a", "b"}, {"a", "c"}, {"b", "c"}, {"a", "b", "c"}]),
    ({"type": "object", "patternProperties": {"^n": {"type": "integer"}, "d$": {"minimum": 5}}, "additionalProperties": False}, [set()]),
    ({"type": "object", "properties": {"nad": {}}, "patternProperties": {"^n": {"type": "integer"}, "d$": {"minimum": 5}}}, [set()]),
    ({"type": "object", "propertyNames": {"pattern": "^[a-c]+$", "maxLength": 3, "not": {"const": "ab"}}}, [set()]),
    ({"type": "integer", "multipleOf": 7, "minimum": -50, "maximum": 200}, []),
    ({"type": "number", "multipleOf": 0.25, "minimum": -3}, []),
    ({"type": "number", "multipleOf": 0.01, "maximum": 12}, []),
    ({"type": "integer", "allOf": [{"multipleOf": 6}, {"multipleOf": 4}]}, []),
    ({"type": "number", "not": {"type": "integer"}}, []),
    ({"type": "array", "contains": {"type": "integer"}, "minContains": 2, "items": {"type": ["integer", "null"]}}, []),
    ({"type": "array", "contains": {"const": 1}, "maxContains": 2, "items": {"enum": [1, 2]}, "maxItems": 6}, [[decimal.Decimal(1)]]),
    ({"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True}, [[], ["a"], ["c", "a"]]),
    ({"type": "array", "items": {"type": ["boolean", "null"]}, "uniqueItems": True, "minItems": 2}, [[True, None], [None, False]]),
    ({"type": "array", "items": {"enum": list(range(20))}, "uniqueItems": True}, [[]]),
    ({**OBJECT, "additionalProperties": False, "if": {"properties": {"b": {"const": True}}, "required": ["b"]}, "then": {"required": ["a"]}, "else": {"required": ["c"]}},
     [{"a", "b"}, {"b", "c"}, {"c"}]),
    ({**OBJECT, "additionalProperties": False, "dependentRequired": {"a": ["b", "c"]}}, [set(), {"b"}, {"a", "b", "c"}]),
    ({**OBJECT, "additionalProperties": False, "dependentSchemas": {"a": {"properties": {"c": False}}}}, [set(), {"a", "b"}, {"b", "c"}]),
    ({**KINDS, "not": {"properties": {"kind": {"const": "b"}}}}, [{"kind": "a"}, {"kind": "c"}]),
    ({"oneOf": [{"type": "string", "minLength": 2}, {"type": "string", "pattern": "^[ab]+$"}]}, []),
    ({"type": "string", "not": {"enum": ["ab", "aba"]}, "pattern": "^(ab|aba|name)$"}, ["name"]),
    ({"type": "string", "pattern": "a", "minLength": 2, "maxLength": 6}, []),
    ({"type": "string", "allOf": [{"pattern": "a"}, {"pattern": "x$"}, {"pattern": "\\b"}]}, []),
    ({"$defs": {"n": {"$anchor": "n", "type": "object", "properties": {"value": {}, "n": {"$ref": "#n"}}, "additionalProperties": False}}, "$ref": "#/$defs/n"}, [{"n"}, {"value"}]),
] + [({"type": "string", "format": f}, []) for f in ["date", "time", "date-time", "duration", "uuid", "ipv4", "ipv6", "hostname", "email", "uri", "json-pointer"]]


def samples(schemas, n):
    lines = "".join(json.dumps(s) + "\n" for s in schemas)
    done = subprocess.run([SAMPLES, str(n)], input=lines, capture_output=True, text=True, timeout=600, check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def exact(value):
    """Numbers as they are written: as doubles, 0.07 is no multiple of 0.01."""
    return json.loads(value if isinstance(value, str) else json.dumps(value), parse_float=decimal.Decimal, parse_int=decimal.Decimal)


def ascii_patterns(schema):
    """Patterns as ECMA-262 has them, whose \\w, \\d and \\b know ASCII alone."""
    if isinstance(schema, list):
        return [ascii_patterns(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key == "pattern" and isinstance(value, str):
            out[key] = f"(?a:{value})"
        elif key == "patternProperties" and isinstance(value, dict):
            out[key] = {f"(?a:{pattern})": ascii_patterns(s) for pattern, s in value.items()}
        else:
            out[key] = ascii_patterns(value)
    return out


def validator(schema, formats):
    old = isinstance(schema, dict) and schema.get("$schema") == DRAFT7
    kind = jsonschema.Draft7Validator if old else jsonschema.Draft202012Validator
    whole = kind.TYPE_CHECKER.redefine("integer", lambda checker, v: isinstance(v, decimal.Decimal) and v == v.to_integral_value())
    with_whole = jsonschema.validators.extend(kind, type_checker=whole.redefine("number", lambda checker, v: isinstance(v, decimal.Decimal)))
    return with_whole(exact(ascii_patterns(schema)), format_checker=kind.FORMAT_CHECKER if formats else None)


def judge(schemas, n, formats=False):
    """The documents of each schema, and how many schemas are refused; fails on a document that is not valid."""
    wrong, written, refused = [], [], 0
    for schema, out in zip(schemas, samples(schemas, n)):
        written.append([exact(text) for text in out.get("documents", [])])
        refused += "refused" in out
        if not written[-1]:
            continue
        judges = validator(schema, formats)
        for document in written[-1]:
            try:
                error = next(judges.iter_errors(document), None)
            except (referencing.exceptions.Unresolvable, re.error):  # a schema elsewhere, which nothing fetches; \\p{…}
                break
            if error:
                wrong.append((schema, document, error.message))
    wrong.sort(key=lambda one: len(str(one[0])))
    assert not wrong, f"{len(wrong)} documents are not valid, such as {wrong[:5]}"
    return written, refused


def looks(document, like):
    if isinstance(like, type):
        return type(document) is like
    if isinstance(like, set):
        return isinstance(document, dict) and set(document) == like
    return document == like


def test_documents_are_valid_and_every_way_is_met():
    written, refused = judge([schema for schema, _ in SCHEMAS], 400, formats=True)
    assert refused == 0
    few = [schema for (schema, _), documents in zip(SCHEMAS, written) if len(documents) < 300]
    missed = [(schema, way) for (schema, ways), documents in zip(SCHEMAS, written) for way in ways if not any(looks(d, way) for d in documents)]
    assert not few and not missed


def test_documents_under_the_schemas_of_the_vectors_are_valid():
    if not VECTORS.is_dir():
        pytest.skip("no vectors: set HEARTH_VECTORS")
    schemas = {}
    for line in open(VECTORS / "xgrammar_accept.jsonl", encoding="utf-8"):
        case = json.loads(line)
        if case["kind"] == "json_schema":
            schemas[json.dumps(case["grammar"])] = case["grammar"]
    for draft in "draft2020-12", "draft7":
        for file in sorted(glob.glob(str(VECTORS / "JSON-Schema-Test-Suite" / "tests" / draft / "*.json"))):
            for group in json.load(open(file, encoding="utf-8")):
                schema = group["schema"]
                if draft == "draft7" and isinstance(schema, dict):
                    schema = {**schema, "$schema": DRAFT7}
                schemas[json.dumps(schema)] = schema
    written, refused = judge(list(schemas.values()), 20)
    print(f"{len(schemas)} schemas, {refused} refused, {sum(map(len, written))} documents")
    assert sum(map(len, written)) > 5000


NAMES = ["a", "ab", "b", "name"]
VALUES = [1, 2, -3, 0.5, 12, "a", "ab", "name", "", True, False, None, [], {}, [1], {"a": 1}]
PATTERNS = ["a", "^a", "b$", "^[a-c]{1,3}$", "\\d", "^(name|ab)$", "\\bid\\b"]


def random_schema(r, depth):
    """Any keywords together; at the leaves only simple ones."""
    def inner():
        return random_schema(r, depth - 1)

    def some(make, most=2):
        return [make() for _ in range(r.randint(1, most))]

    schema = {}
    if r.random() < 0.7:
        schema["type"] = r.choice(["object", "object", "array", "string", "integer", "number", "boolean", "null", ["string", "null"], ["object", "integer"], ["array", "string"]])
    simple = {"enum": lambda: r.sample(VALUES, 3), "const": lambda: r.choice(VALUES), "minimum": lambda: r.randint(-5, 5), "exclusiveMaximum": lambda: r.choice([3, 7.5, 100]),
              "multipleOf": lambda: r.choice([1, 2, 3, 0.5, 0.25, 10]), "minLength": lambda: r.randint(0, 3), "maxLength": lambda: r.randint(1, 8), "pattern": lambda: r.choice(PATTERNS),
              "minItems": lambda: r.randint(0, 2), "maxItems": lambda: r.randint(1, 3), "minProperties": lambda: r.randint(0, 2), "maxProperties": lambda: r.randint(1, 3),
              "required": lambda: r.sample(NAMES, r.randint(1, 2)), "dependentRequired": lambda: {r.choice(NAMES): r.sample(NAMES, 1)}, "uniqueItems": lambda: r.random() < 0.5}
    deep = {"properties": lambda: {name: inner() for name in r.sample(NAMES, 2)}, "patternProperties": lambda: {p: inner() for p in r.sample(PATTERNS, 1)}, "additionalProperties": lambda: r.choice([True, False, inner()]),
            "propertyNames": lambda: {"pattern": r.choice(PATTERNS)}, "items": inner, "prefixItems": lambda: some(inner), "contains": inner, "not": inner, "allOf": lambda: some(inner), "anyOf": lambda: some(inner),
            "oneOf": lambda: some(inner), "dependentSchemas": lambda: {r.choice(NAMES): inner()}}
    for key in r.sample(list(simple), r.randint(0, 2)) + (r.sample(list(deep), r.randint(1, 2)) if depth else []):
        schema[key] = {**simple, **deep}[key]()
    if "contains" in schema and r.random() < 0.5:
        schema["minContains"], schema["maxContains"] = 0, r.randint(1, 2)
    if depth and r.random() < 0.2:
        schema.update({"if": inner(), r.choice(["then", "else"]): inner()})
    return schema


def test_documents_under_any_keywords_together_are_valid():
    r = random.Random(11)
    schemas = [random_schema(r, 2) for _ in range(2000)]
    written, refused = judge(schemas, 15)
    print(f"{refused} of {len(schemas)} refused, {sum(map(len, written))} documents")
    assert sum(map(len, written)) > 10000
