#!/usr/bin/env python3
"""The first question of a newcomer in many forms: which files are here, and what is the README about?

Makes a folder whose names and README differ from run to run, asks over POST /v0/dev/chat, and prints one line a
question and the rates. Right: at least one call was executed, the answer names two files of the folder or more and
none that is not there, and has a subject word of the README. Of no_tool: no call, and some answer.

  tuned      tests/data/tool_requests/paraphrases.jsonl: may be used to improve prompts
  held_out   paraphrases_held_out.jsonl: for measuring alone; only the verdict is printed, unless --verbose
  no_tool    no_tool.jsonl

  tests/quality/paraphrases.py --hearth build/release/hearth --model MODEL.gguf
"""
import argparse
import contextlib
import json
import pathlib
import random
import re
import sys
import tempfile

import tool_calls

SETS = {"tuned": "paraphrases", "held_out": "paraphrases_held_out", "no_tool": "no_tool"}

# What the README is about, in words that no file has in its name; and what else it says.
SUBJECTS = [
    (["beehives", "honey"], "keeps a diary of beehives and tells how much honey each of them gave.", "Weigh the frames on a dry day."),
    (["telescope", "planets"], "turns a small telescope to the planets and takes their pictures.", "Level the tripod before the first night."),
    (["recipes", "bread"], "collects recipes for bread and works out the flour for any number of guests.", "All weights are in grams."),
    (["trains", "timetable"], "prints the timetable of the trains that stop at one station.", "Times are those of the station's clock."),
    (["chess", "puzzles"], "sets chess puzzles and remembers which of them were solved.", "A puzzle that was missed comes back after a week."),
    (["weather", "rainfall"], "records the weather in a garden and draws the rainfall of each month.", "The gauge is emptied at eight in the morning."),
]
STEMS = ["alder", "basalt", "cobble", "dapple", "ember", "fathom", "gable", "hollow", "ingot", "juniper"]
ENDINGS = [".py", ".txt", ".json", ".cfg", ".csv", ".sh"]
FOLDERS = ["scripts", "assets", "samples", "reports"]
FILE_NAME = re.compile(r"(?<![\w/.])[\w-]+\.(?:py|txt|json|cfg|csv|sh|md|cpp|h|js|yaml|yml|toml|ini|html)\b")


def make_folder(folder, chance):
    """Fills it; gives the entries' names and the subject words."""
    subject, does, note = chance.choice(SUBJECTS)
    name = chance.choice(STEMS).capitalize() + str(chance.randint(2, 99))
    (folder / "README.md").write_text(f"# {name}\n\n{name} {does}\n\n## Notes\n\n{note}\n")
    for stem in chance.sample(STEMS, chance.randint(3, 5)):
        (folder / (stem + chance.choice(ENDINGS))).write_text("one\ntwo\n" * chance.randint(1, 30))
    for sub in chance.sample(FOLDERS, chance.randint(1, 2)):
        (folder / sub).mkdir()
        (folder / sub / "part.txt").write_text("part\n")
    return {path.name for path in folder.iterdir()}, subject


def faults_of(calls, answer, entries, subject):
    """What is wrong with the answer; empty when it is right."""
    said = answer.lower()
    faults = [] if calls else ["no call"]
    if sum(entry.lower() in said for entry in entries) < 2:
        faults.append("names fewer than two files")
    known = {entry.lower() for entry in entries} | {"part.txt"}
    if invented := sorted(set(FILE_NAME.findall(said)) - known):
        faults.append("invents " + ", ".join(invented))
    if not any(word in said for word in subject):
        faults.append("does not say what the README is about")
    return faults


@contextlib.contextmanager
def fresh_folder(chance):
    with tempfile.TemporaryDirectory(prefix="hearth-paraphrases-") as temporary:
        folder = pathlib.Path(temporary) / ("checkout" + str(chance.randint(10, 99)))
        folder.mkdir()
        for path in [pathlib.Path(temporary), folder]:
            path.chmod(0o755)
        yield folder, *make_folder(folder, chance)


def measure(kind, url, key, chance, verbose):
    lines = (tool_calls.DATA / (SETS[kind] + ".jsonl")).read_text().splitlines()
    requests = [json.loads(line)["request"] for line in lines if line.strip()]
    right = 0
    for request in requests:
        with fresh_folder(chance) as (folder, entries, subject):
            calls, answer, state = tool_calls.ask(url, key, folder, request, read_only=True)
        if kind == "no_tool":
            faults = (["a call"] if calls else []) + ([] if answer.strip() else ["no answer"])
        else:
            faults = faults_of(calls, answer, entries, subject)
        right += not faults
        shown = kind != "held_out" or verbose
        print(f"{kind:9} {'WRONG' if faults else 'right'}  " + (f"{request}  ({len(calls)} calls, {state}) {'; '.join(faults)}" if shown else ""), flush=True)
        if shown:
            print("          " + answer.replace("\n", "\n          "), flush=True)
    return right, len(requests)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=list(SETS), metavar="SET", help="of " + ", ".join(SETS) + " (default: all)")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key-file", default="~/.config/hearth/key")
    parser.add_argument("--hearth", help="start this binary")
    parser.add_argument("--model", help="with this GGUF file")
    parser.add_argument("--port", type=int, default=8189, help="of the started server")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30), help="of the folders' names (default: another one each time)")
    parser.add_argument("--verbose", action="store_true", help="print the held-out answers too")
    options = parser.parse_args()
    if set(options.sets) - set(SETS) or bool(options.hearth) != bool(options.model):
        parser.error("sets are " + ", ".join(SETS) + "; --hearth and --model go together")
    if options.hearth:
        server = tool_calls.own_server(options.hearth, str(pathlib.Path(options.model).resolve()), options.port)
    else:
        server = contextlib.nullcontext((options.url, pathlib.Path(options.key_file).expanduser().read_text().strip()))
    print(f"--seed {options.seed}")
    chance, rates = random.Random(options.seed), {}
    with server as (url, key):
        for kind in options.sets:
            rates[kind] = measure(kind, url, key, chance, options.verbose)
    print("\n" + "\n".join(f"{kind:9} {right:3} of {total:3}" for kind, (right, total) in rates.items()))
    sys.exit(0 if all(right == total for right, total in rates.values()) else 1)


if __name__ == "__main__":
    main()
