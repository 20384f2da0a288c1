#!/usr/bin/env python3
"""How well a model uses the tools of hearth/dev: asks the requests of tests/data/tool_requests, each
in a fresh copy of the workspace, and prints one line a request and the rates. Where the first call decides, the run
is stopped after it, unless --verbose.

  tuned, held_out  right: the first executed call succeeded and its result holds what was asked for.
                   tuned may be used to improve prompts; held_out is for measuring alone.
  other            requests of other shapes in another folder: `yields` as above (one text of a list is
                   enough), `leaves`: the first call leaves these files, holding the text; "tools": false: as no_tool.
  no_tool          right: no call was executed and something was answered.
  paraphrases      right: a call was executed, and the answer names two entries of the folder and two
                   words of its README's first lines that the request does not have. --workspace DIR asks them of DIR.

With --hearth FILE --model FILE it starts a server of its own on a fresh state folder, and stops it;
otherwise it uses the one at --url with the key in --key-file. Exit status 0 when tuned and held_out
both reach --bar.

  tests/quality/tool_calls.py --hearth build/release/hearth --model MODEL.gguf
"""
import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

DATA = pathlib.Path(__file__).resolve().parent.parent / "data" / "tool_requests"
SETS = ["tuned", "held_out", "other", "no_tool", "paraphrases"]


def events(url, key, body):
    """The server-sent events of one turn, as (event, data)."""
    request = urllib.request.Request(url + "/v0/dev/chat", json.dumps(body).encode(),
                                     {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=600) as reply:
        name = ""
        for line in reply:
            line = line.decode().rstrip("\n")
            if line.startswith("event:"):
                name = line[6:].strip()
            elif line.startswith("data:") and line[5:].strip() != "[DONE]":
                yield name, json.loads(line[5:])


def stop(url, key, run):
    request = urllib.request.Request(f"{url}/v1/runs/{run}/stop", b"{}",
                                     {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).close()


def ask(url, key, workspace, request, read_only=False, first_only=False):
    """calls: (name, arguments, ok, result) of the executed ones, in order; and the answer. first_only: the
    run is stopped at the first result."""
    body = {"messages": [{"role": "user", "content": request}], "workspace": str(workspace), "stream": True,
            "read_only": read_only}
    pending, calls, answer, state, run = {}, [], "", "", ""
    for name, data in events(url, key, body):
        run = data.get("run_id", run)
        if name == "tool_call":
            pending[data["id"]] = data
        elif name == "tool_result":
            call = pending[data["id"]]
            calls.append((call["name"], call["arguments"], data["ok"], data.get("text", "")))
            if first_only:
                stop(url, key, run)
        elif name == "done":
            answer, state = data.get("response", ""), data.get("state", "")
    return calls, answer, state


def holds(text, wanted):
    return re.search(r"(?<!\w)" + re.escape(wanted) + r"(?!\w)", text, re.IGNORECASE) is not None


def words_of_readme(workspace):
    """The words that say what it is about: five letters and more, of the first paragraphs."""
    text = "\n".join((workspace / "README.md").read_text(errors="replace").splitlines()[:12])
    return {word.lower() for word in re.findall(r"[A-Za-z]{5,}", text)} - {"which", "their", "there", "these", "where", "about"}


def did_what_was_asked(item, result, workspace):
    if "leaves" in item:
        left = {name: workspace / name for name in item["leaves"]}
        return all(path.is_file() and item["leaves"][name] in path.read_text() for name, path in left.items())
    wanted, result = item["yields"], re.sub(r"\[exit code [^\]]*\]\s*$", "", result)
    return any(holds(result, one) for one in ([wanted] if isinstance(wanted, str) else wanted))


def wants_a_call(item):
    return "yields" in item or "leaves" in item


def judge(kind, item, calls, answer, workspace):
    if wants_a_call(item):
        return bool(calls) and calls[0][2] and did_what_was_asked(item, calls[0][3], workspace)
    if kind != "paraphrases":
        return not calls and bool(answer.strip())
    said = answer.lower()
    named = [entry for entry in os.listdir(workspace) if entry.lower() in said]
    fresh = {word for word in words_of_readme(workspace) if word in said and word not in item["request"].lower()}
    return bool(calls) and len(named) >= 2 and len(fresh) >= 2


@contextlib.contextmanager
def fresh_copy(folder):
    with tempfile.TemporaryDirectory(prefix="hearth-quality-") as temporary:
        copy = pathlib.Path(temporary) / "work"
        shutil.copytree(folder, copy)
        for path in [pathlib.Path(temporary), copy]:
            path.chmod(0o755)
        yield copy


@contextlib.contextmanager
def own_server(hearth, model, port):
    with tempfile.TemporaryDirectory(prefix="hearth-state-") as state:
        os.chmod(state, 0o711)
        env = dict(os.environ, HEARTH_STATE_FOLDER=state, HEARTH_SERVER_PORT=str(port), HEARTH_MODEL_PATH=model)
        hearth = str(pathlib.Path(hearth).resolve())
        for step in (["db", "start"], ["db", "migrate"]):
            subprocess.run([hearth, *step], env=env, check=True, stdout=subprocess.DEVNULL)
        made = subprocess.run([hearth, "key", "new", "--scopes", "chat,dev,admin", "--quiet"], env=env, check=True,
                              stdout=subprocess.PIPE, text=True)
        url = f"http://127.0.0.1:{port}"
        with open(os.path.join(state, "serve.out"), "wb") as log:
            server = subprocess.Popen([hearth, "serve"], env=env, stdout=log, stderr=log)
        try:
            wait_ready(url, server)
            yield url, made.stdout.strip()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)
            subprocess.run([hearth, "db", "stop"], env=env, stdout=subprocess.DEVNULL)


def wait_ready(url, server):
    for _ in range(1200):
        if server.poll() is not None:
            sys.exit(f"hearth serve ended with status {server.returncode}")
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url + "/health", timeout=5)
            return
        time.sleep(0.1)
    sys.exit(f"{url}/health did not answer 200 in two minutes")


def measure(kind, url, key, workspace, verbose):
    items = [json.loads(line) for line in (DATA / (kind + ".jsonl")).read_text().splitlines() if line.strip()]
    right = 0
    for item in items:
        # A folder given by hand is somebody's own: asked about read-only, never copied.
        given = kind == "paraphrases" and workspace is not None
        with contextlib.nullcontext(pathlib.Path(workspace)) if given else fresh_copy(DATA / item.get("workspace", "workspace")) as folder:
            first_only = wants_a_call(item) and not verbose
            calls, answer, state = ask(url, key, folder, item["request"], read_only=given, first_only=first_only)
            good = judge(kind, item, calls, answer, folder)
        right += good
        first = f"{calls[0][0]} {json.dumps(calls[0][1])}" if calls else "no call"
        # Of the held-out half only the verdict is printed, so that nobody tunes on it by reading.
        hidden = kind == "held_out" and not verbose
        print(f"{kind:11} {'right' if good else 'WRONG'}  " + ("" if hidden else f"{item['request'][:70]:70}  {first}  ({len(calls)} calls, {state})"), flush=True)
        if verbose or (kind == "paraphrases"):
            print("            " + answer.replace("\n", "\n            "), flush=True)
    print(f"{kind}: {right} of {len(items)} right ({100 * right / len(items):.0f} %)", flush=True)
    return right, len(items)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", default=SETS, metavar="SET", help="of " + ", ".join(SETS) + " (default: all)")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key-file", default="~/.config/hearth/key")
    parser.add_argument("--hearth", help="start this binary")
    parser.add_argument("--model", help="with this GGUF file")
    parser.add_argument("--port", type=int, default=8189, help="of the started server")
    parser.add_argument("--workspace", help="the folder of the paraphrases")
    parser.add_argument("--bar", type=float, default=0.8)
    parser.add_argument("--verbose", action="store_true", help="print all answers")
    options = parser.parse_args()
    unknown = set(options.sets) - set(SETS)
    if unknown or bool(options.hearth) != bool(options.model):
        parser.error(f"unknown set {', '.join(sorted(unknown))}" if unknown else "--hearth and --model go together")
    if options.hearth:
        server = own_server(options.hearth, str(pathlib.Path(options.model).resolve()), options.port)
    else:
        key = pathlib.Path(options.key_file).expanduser().read_text().strip()
        server = contextlib.nullcontext((options.url, key))
    rates = {}
    with server as (url, key):
        for kind in options.sets:
            rates[kind] = measure(kind, url, key, options.workspace, options.verbose)
    print("\n" + "\n".join(f"{kind:11} {right:3} of {total:3}" for kind, (right, total) in rates.items()))
    short = [kind for kind in ("tuned", "held_out") if kind in rates and rates[kind][0] < options.bar * rates[kind][1]]
    if short:
        sys.exit(f"below the bar of {options.bar:.0%}: {', '.join(short)}")


if __name__ == "__main__":
    main()
