#!/usr/bin/env python3
"""How well a model calls functions: the single-turn categories of the Berkeley Function Calling Leaderboard
(the folder `bfcl` of ../shared/vectors/memory_bench), greedily, in three ways of asking:

  grammar  tools as they are: a call that the model begins, with the markup of its dialect or as bare JSON, is held
           to the tool's schema
  free     "strict": false: nothing holds the model, the parser alone reads its calls
  forced   as grammar, with tool_choice required

An item is right when its calls are those of an accepted answer: each function once, in any order, with every
argument among the values accepted for it; an argument that may be left out has "" among them. Texts are compared
without case, spaces and ,./-_*^ as the leaderboard does. irrelevance: right without a call; relevance: right with
one. Categories with several turns need the leaderboard's own simulated services and are not run.

  tests/quality/bfcl.py --hearth build/release/hearth --model MODEL.gguf --every 4
"""
import argparse
import contextlib
import json
import pathlib
import sys
import time
import urllib.error
import urllib.request

import tool_calls

CATEGORIES = ["simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_multiple", "live_parallel",
              "live_parallel_multiple", "irrelevance", "live_irrelevance", "live_relevance"]
WAYS = ["grammar", "free", "forced"]
TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": None}
DEFAULT = pathlib.Path(__file__).resolve().parents[3] / "shared/vectors/memory_bench/bfcl"


def schema_of(parameters):
    """The leaderboard writes Python's names of types and keywords of its own ("optional")."""
    out = {key: value for key, value in parameters.items() if key in ("description", "enum", "required")}
    kind = TYPES.get(parameters.get("type"), parameters.get("type"))
    if kind:
        out["type"] = kind
    if "properties" in parameters:
        out["properties"] = {name: schema_of(value) for name, value in parameters["properties"].items()}
    if isinstance(parameters.get("items"), dict):
        out["items"] = schema_of(parameters["items"])
    return out


def plain(value):
    if isinstance(value, str):
        return value.lower().replace("'", '"').translate(str.maketrans("", "", " ,./-_*^"))
    return value


def is_one_of(value, accepted):
    """`accepted`: the values that are right. Those of an object name the values of each of its members."""
    if isinstance(value, bool) or value is None:
        return any(value is one for one in accepted)
    if isinstance(value, dict):
        return any(isinstance(one, dict) and has_arguments(value, one) for one in accepted)
    if isinstance(value, list):
        return any(isinstance(one, list) and len(one) == len(value) and
                   all(is_one_of(part, [wanted]) for part, wanted in zip(value, one, strict=True)) for one in accepted)
    return any(not isinstance(one, bool) and plain(value) == plain(one) for one in accepted)


def has_arguments(arguments, accepted):
    if set(arguments) - set(accepted):
        return False
    return all(is_one_of(arguments[name], values) if name in arguments else "" in values for name, values in accepted.items())


def is_call(call, wanted):
    (name, accepted), = wanted.items()
    return call[0] == name and isinstance(call[1], dict) and has_arguments(call[1], accepted)


def are_calls(calls, wanted):
    """Each wanted call takes the first that fits."""
    left = list(calls)
    for one in wanted:
        found = next((i for i, call in enumerate(left) if is_call(call, one)), None)
        if found is None:
            return False
        del left[found]
    return not left


def judge(category, calls, wanted):
    if category.endswith("relevance"):
        return bool(calls) == (not category.endswith("irrelevance"))
    return are_calls(calls, wanted)


def ask(url, key, item, way):
    """The calls, as (name, arguments); None for arguments that are no JSON."""
    tools = [{"type": "function", "function": {"name": f["name"], "description": f["description"], "parameters": schema_of(f["parameters"])}}
             for f in item["function"]]
    if way == "free":
        for tool in tools:
            tool["function"]["strict"] = False
    body = {"model": "default", "messages": item["question"][0], "tools": tools, "temperature": 0, "max_tokens": 512,
            "tool_choice": "required" if way == "forced" else "auto"}
    request = urllib.request.Request(url + "/v1/chat/completions", json.dumps(body).encode(),
                                     {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as reply:
        message = json.load(reply)["choices"][0]["message"]
    out = []
    for call in message.get("tool_calls") or []:
        try:
            out.append((call["function"]["name"], json.loads(call["function"]["arguments"])))
        except ValueError:
            out.append((call["function"]["name"], None))
    return out


def read(folder, category):
    def lines(path):
        return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    answers = folder / "possible_answer" / f"BFCL_v4_{category}.jsonl"
    wanted = {row["id"]: row["ground_truth"] for row in lines(answers)} if answers.exists() else {}
    return [(item, wanted.get(item["id"])) for item in lines(folder / f"BFCL_v4_{category}.jsonl")]


def measure(items, category, way, url, key, verbose):
    right = 0
    for item, wanted in items:
        try:
            calls = ask(url, key, item, way)
            good = judge(category, calls, wanted)
        except urllib.error.HTTPError as error:  # a refused request is a wrong answer
            calls, good = error.read().decode(), False
        right += good
        if verbose and not good:
            print(f"{item['id']} {way}: {json.dumps(calls)}\n    wanted {json.dumps(wanted)}", flush=True)
    return right


def check_of_itself():
    """The judge, on what must be right and what must not."""
    wanted = [{"f": {"a": [1], "s": ["New York", "NY"], "o": [{"k": ["x"]}], "l": [[1, 2]], "opt": ["", 5]}}]
    good = {"a": 1, "s": "new-york", "o": {"k": "X"}, "l": [1, 2]}
    assert are_calls([("f", good)], wanted) and are_calls([("f", {**good, "opt": 5})], wanted)
    for bad in ({"a": 2}, {"a": "1"}, {"a": True}, {"s": "Boston"}, {"o": {"k": "y"}}, {"l": [2, 1]}, {"opt": 6}, {"more": 1}):
        assert not are_calls([("f", {**good, **bad})], wanted), bad
    assert not are_calls([("f", None)], wanted) and not are_calls([], wanted) and not are_calls([("f", good)] * 2, wanted)
    assert judge("irrelevance", [], None) and not judge("live_relevance", [], None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("categories", nargs="*", default=CATEGORIES, metavar="CATEGORY", help="of " + ", ".join(CATEGORIES) + " (default: all)")
    parser.add_argument("--data", type=pathlib.Path, default=DEFAULT, help="the folder with BFCL_v4_*.jsonl and possible_answer")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each Nth item")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key-file", default="~/.config/hearth/key")
    parser.add_argument("--hearth", help="start this binary")
    parser.add_argument("--model", help="with this GGUF file")
    parser.add_argument("--port", type=int, default=8189, help="of the started server")
    parser.add_argument("--verbose", action="store_true", help="print what was wrong")
    options = parser.parse_args()
    check_of_itself()
    if set(options.categories) - set(CATEGORIES) or bool(options.hearth) != bool(options.model) or options.every < 1:
        parser.error("a category is unknown, or --hearth and --model do not go together, or --every is below 1")
    if not options.data.is_dir():
        sys.exit(f"{options.data} is not there; name the data's folder with --data")
    if options.hearth:
        server = tool_calls.own_server(options.hearth, str(pathlib.Path(options.model).resolve()), options.port)
    else:
        server = contextlib.nullcontext((options.url, pathlib.Path(options.key_file).expanduser().read_text().strip()))
    totals, all_items, begin = dict.fromkeys(options.ways, 0), 0, time.monotonic()
    print(f"{'category':24}{'items':>6}" + "".join(f"{way:>9}" for way in options.ways), flush=True)
    with server as (url, key):
        for category in options.categories:
            items = read(options.data, category)[::options.every]
            right = {way: measure(items, category, way, url, key, options.verbose) for way in options.ways}
            all_items += len(items)
            for way in options.ways:
                totals[way] += right[way]
            print(f"{category:24}{len(items):6}" + "".join(f"{right[way]:9}" for way in options.ways), flush=True)
    print(f"{'all':24}{all_items:6}" + "".join(f"{totals[way]:9}" for way in options.ways))
    print(f"{'%':24}{'':6}" + "".join(f"{100 * totals[way] / max(all_items, 1):9.1f}" for way in options.ways) +
          f"   ({time.monotonic() - begin:.0f} s)")


if __name__ == "__main__":
    main()
