"""What an assistant must show before it is trusted, each by a scripted model and by one that runs here; docs/operations.md, "Trying it",
has the commands. Beside it: kill_test, resume_test (kills), stop_two_test, stopping_test (stops), rule_test (a person's word in the
terminal), threads_test (two people), roster_test (broken streams), tests/kill (effects that happen at most once, over thousands of kills).
"""
import contextlib
import json
import os
import random
import re
import signal
import subprocess
import time

import pytest
import support
import tiny_model
from conftest import running
from roster_test import Rostered
from rule_test import in_force, rule
from scripted_upstream import replies_since, upstream
from support import BINARY, MODELS, Hearth, call, check_trace, said, user
from threads_test import another_person

TALK = "An answer of some seconds. " * 12
SCRIPT = [
    {"when": "[From the thread", "text": "Together that is all."},
    {"when": "divide it", "tool_calls": [call("spawn_thread", task="count the apples")]},
    {"when": "divide it", "text": "I wait."},
    {"when": "apples", "delay_ms": 300, "text": "There are 3 apples.", "word_delay_ms": 30},
    {"when": "dates.txt", "tool_calls": [call("bash", command="date >> dates.txt")]},
    {"when": "marks", "tool_calls": [call("bash", command="echo begun >> marks; sleep 25; echo ended >> marks")]},
    {"when": "what each is about", "tool_calls": [call("read_file", path=name) for name in ("cart.py", "ledger.py", "mailer.py", "clock.py", "parser.py")]},
    {"when": "what each is about", "text": "They are about five things."},
    {"when": "story", "text": TALK, "word_delay_ms": 50},
    {"when": "", "text": "All is well."},
]
FILES = ["cart.py", "ledger.py", "mailer.py", "clock.py", "parser.py"]
REVIEW = "Review cart.py, ledger.py, mailer.py, clock.py and parser.py."
# The commands of docs/operations.md, "Trying it", in their order; tests/e2e/readme_test.py looks that none is missing here.
TRYING = [line.split("  #")[0].strip() for line in (support.ROOT / "docs/operations.md").read_text().split("## Trying it\n")[1].split("\n## ")[0].splitlines() if line.startswith("    ")]
PATIENCE = {"scripted": 10, "tiny": 20, "default": 240}  # seconds: the default model may share two cores


@pytest.fixture(scope="module")
def house():
    with contextlib.closing(support.State("must-show")) as state:
        yield state


def tiny_file(house):
    file = house.folder / "tiny.gguf"
    return file, tiny_model.make(MODELS / "llama_tied.gguf", file)


@pytest.fixture(scope="module")
def server(request, house):
    """One after the other: two at once would take over each other's runs."""
    kind = request.param
    if kind == "scripted":
        made = Hearth(house, "must_show_scripted", SCRIPT, {"agents.discipline": "free"})
    elif kind == "tiny":
        file, tokens = tiny_file(house)
        made = Hearth(house, "must_show_tiny", settings={"model.path": file, "model.profile": "exact"})
        # Random weights would close no string by themselves; or never come to an end, where they must not.
        made.ends = {str(tokens.index(text)): bias for text, bias in [('"', 8), ("}", 4), ("<|im_end|>", 4)]}
        made.goes_on = {str(tokens.index(text)): -100 for text in ("<|eos|>", "<|im_end|>")}
    elif not os.environ.get("HEARTH_MODEL"):
        pytest.skip("HEARTH_MODEL names no default model")
    else:
        made = Hearth(house, "must_show_default", settings={"model.path": os.environ["HEARTH_MODEL"]})
    made.kind, made.patience = kind, PATIENCE[kind]
    yield from running(made)


def on(*kinds):
    return pytest.mark.parametrize("server", kinds, indirect=True)


@pytest.fixture
def folder(house, request):
    path = house.folder / "work" / "".join(c if c.isalnum() else "_" for c in request.node.name)
    path.mkdir(parents=True)
    return path


def ended(hearth, run_id):
    return support.ended(hearth, run_id, hearth.patience)


def begin(hearth, text, folder, key=None):
    answer = hearth.call("POST", "/v1/runs", {"agent": "hearth/dev", "input": text, "workspace": str(folder)}, key=key)
    assert answer.status == 202, answer.data
    return answer.json


def killed_and_back(hearth):
    hearth.stop(signal.SIGKILL)
    hearth.start()


def source(name, lines):
    """A file of that many lines, each of them once in the world."""
    return "".join(f"def {name.removesuffix('.py')}_{n:04}(x): return x * {n * n} + {n * 7919 % 9973}\n" for n in range(lines))


def write_sources(folder, lines):
    texts = {name: source(name, lines) for name in FILES}
    for name, text in texts.items():
        (folder / name).write_text(text)
    return texts


def reviewer(answer, breaks_off=False):
    """Looks, reads five files in three replies, and answers."""
    calls = [[call("list_dir", path="."), call("read_file", path=FILES[0])], [call("read_file", path=name) for name in FILES[1:3]], [call("read_file", path=name) for name in FILES[3:]]]
    return lambda body: {"tool_calls": calls[replies_since(body)]} if replies_since(body) < len(calls) else {"text": answer, "breaks_off": breaks_off}


def in_front(url):
    """Settings by which an upstream answers before the model that runs here."""
    return f"""upstreams:
  reviewer: {{url: "http://127.0.0.1:{url.server_port}/v1", model: reviewer}}
roster:
  default: {{chain: [reviewer]}}
"""


def read_by(messages, texts):
    heard = "\n".join(str(message["content"]) for message in messages if message["role"] == "tool")
    return {name: all(line in heard for line in text.splitlines()) for name, text in texts.items()}


def test_five_files_are_reviewed_in_one_long_answer(house, folder):
    texts = write_sources(folder, 320)
    assert sum(map(len, texts.values())) > 65_000
    answer = "".join(f"{n}. It holds. " for n in range(2000))[:21_934]
    with upstream(reviewer(answer)) as provider:
        for hearth in running(Rostered(house, "must_show_review", in_front(provider), script=[], settings={"agents.discipline": "free"})):
            stream = hearth.stream("/v0/dev/chat", {"messages": [user(REVIEW)], "workspace": str(folder)})
            events = list(stream)
            done = events[-1][1]
            assert events[-1][0] == "done" and done["state"] == "answered" and done["tools_used"] == 6, done
            assert "".join(data["text"] for name, data in events if name == "text") == answer == done["response"]
            assert read_by(provider.bodies[-1]["messages"], texts) == dict.fromkeys(FILES, True)
            run = hearth.run(done["run_id"])
            check_trace(run)
            assert said(run) == [("user", REVIEW), ("assistant", answer)]


def test_a_review_that_breaks_off_is_ended_by_the_model_here(house, folder):
    """Five files again, short ones: the model that runs here has read them too, and goes on in the middle of the answer."""
    texts, begun = write_sources(folder, 4), "All five hold, and the fir"
    file, tokens = tiny_file(house)
    settings = {"agents.discipline": "free", "model.path": file, "model.profile": "exact"}
    with upstream(reviewer(begun, breaks_off=True)) as provider:
        roster = in_front(provider).replace("model: reviewer", "model: reviewer, continues: true")
        for hearth in running(Rostered(house, "must_show_broken", roster, settings=settings)):
            bias = {str(tokens.index("<|im_end|>")): 6}
            stream = hearth.stream("/v1/chat/completions", {"model": "hearth/dev", "messages": [user(REVIEW)], "workspace": str(folder), "logit_bias": bias, "max_tokens": 400})
            run_id = stream.headers["X-Hearth-Run"]
            chunks = [chunk for _, chunk in stream if chunk != "[DONE]"]
            assert not [chunk for chunk in chunks if "error" in chunk], chunks[-1]
            heard = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk.get("choices"))
            run = hearth.run(run_id)
            check_trace(run)
            assert heard.startswith(begun) and len(heard) > len(begun) and heard.count(begun) == 1
            assert said(run) == [("user", REVIEW), ("assistant", heard)], "the transcript holds what was read"
            models = [span for span in run["spans"] if span["kind"] == "model"]
            last = models[-1]
            assert last["attributes"]["backend"] == "embedded" and "reviewer" in json.dumps(last["attributes"])
            sent = [message for span in models for message in span["body"]["sent"]["messages"]]  # each span has what is new
            assert read_by(sent, texts) == dict.fromkeys(FILES, True)
            assert last["attributes"]["usage"]["prompt_tokens"] > sum(map(len, texts.values())) / 8


class Newcomer:
    """Somebody with a terminal who types what the page says."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        (folder / "bin").mkdir()
        (folder / "bin/hearth").symlink_to(BINARY)
        (folder / ".config/hearth").mkdir(parents=True)
        (folder / ".config/hearth/key").write_text(server.key)
        self.left = list(TRYING)

    def types(self, begins, **placeholders):
        """The page's next command, which begins so."""
        command = self.left.pop(0)
        assert command.startswith(begins), command
        for name, value in {":8080": f":{self.server.port}", **placeholders}.items():
            command = command.replace(name, value)
        env = dict(self.server.env, HOME=str(self.folder), PATH=f"{self.folder}/bin:{os.environ['PATH']}")
        done = subprocess.run(["bash", "-c", command], env=env, cwd=self.folder, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def skips(self, begins):
        command = self.left.pop(0)
        assert command.startswith(begins), command


def test_the_pages_broken_upstream_can_be_tried(house, folder):
    command = [one for one in TRYING if one.startswith("python3")][0]
    with subprocess.Popen(command.replace("9009", "0").split(), cwd=support.ROOT, stdout=subprocess.PIPE, text=True) as breaks:
        try:
            settings = "".join(breaks.stdout.readline() for _ in range(4))
            for server in running(Rostered(house, "must_show_page", settings, settings={"model.path": tiny_file(house)[0], "model.profile": "exact"})):
                me = Newcomer(server, folder)
                me.left = [one for one in TRYING if one.startswith("curl -N")]
                chunks = [json.loads(line[6:]) for line in me.types("curl -N").splitlines() if line.startswith("data: {")]
                assert not [chunk for chunk in chunks if "error" in chunk], chunks[-1]
                heard = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk.get("choices"))
                assert heard.startswith("The capital of France is") and len(heard) > 30
                assert server.call("GET", "/v1/usage?calls=1").json["calls"][0]["backend"] == "embedded"
        finally:
            breaks.terminate()


@on("default")
def test_the_default_model_reads_the_five_files_that_it_is_named(server, folder):
    write_sources(folder, 4)
    answer = server.dev(f"Read {', '.join(FILES[:4])} and {FILES[4]} and tell me what each is about.", workspace=str(folder))
    run = ended(server, answer["run_id"])
    read = [step["input"]["path"] for step in run["steps"] if step["name"] == "read_file"]
    assert set(read) == set(FILES), read
    assert all(name in answer["response"] for name in FILES), answer["response"]


@on("scripted", "default")
def test_killed_in_the_middle_of_a_program_it_is_said_and_not_repeated(server, folder):
    run = begin(server, "Use bash to run: echo begun >> marks; sleep 25; echo ended >> marks", folder)
    server.wait_for((folder / "marks").exists, "the program's start", server.patience)
    killed_and_back(server)
    done = ended(server, run["id"])
    assert done["status"] == "unknown_effect" and (folder / "marks").read_text() == "begun\n"
    assert [step["state"] for step in done["steps"] if step["name"] == "bash"] == ["unknown"]
    (_, asked), (_, answered) = said(done)
    assert "It is not known whether this took effect, and it was not repeated: bash" in answered


@on("scripted")
def test_killed_while_a_message_is_on_its_way_it_arrives_once(server, folder):
    """What a child tells the run that spawned it."""
    for _ in range(3):
        run = begin(server, "divide it", folder)
        server.wait_for(lambda: server.call("GET", f"/v1/threads/{run['conversation_id']}").json["children"], "the child")
        time.sleep(random.uniform(0.2, 0.6))
        killed_and_back(server)
        done = ended(server, run["id"])
        assert done["status"] == "answered" and done["answer"] == "Together that is all.", done["error"]
        told = [text for _, text in said(done) if "[From the thread" in text]
        assert len(told) == 1 and told[0].count("There are 3 apples.") == 1
        assert [(one["text"].count("3 apples"), one["read"]) for one in done["inputs"]] == [(1, True)]


def story(server, tokens):
    """A long answer that has begun: its run and its events. The tiny model would go on beyond so many tokens."""
    body = {"model": "hearth", "messages": [user("Good evening! Tell me a story.")]}
    if server.kind == "tiny":
        body.update(logit_bias=server.goes_on, max_tokens=tokens)
    stream = server.stream("/v1/chat/completions", body, timeout=server.patience)
    return stream.headers["X-Hearth-Run"], iter(stream)


@on("scripted", "tiny", "default")
def test_killed_in_the_middle_of_an_answer_it_is_given_once(server):
    run_id, events = story(server, 600)
    for _ in range(4):
        next(events)
    killed_and_back(server)
    done = ended(server, run_id)
    assert done["status"] == ("partial" if server.kind == "tiny" else "answered")
    (_, _), (role, answered) = said(done)
    assert role == "assistant" and answered.strip()
    assert server.kind != "scripted" or answered == TALK


@on("scripted", "tiny", "default")
def test_a_stop_from_a_second_client_ends_the_answer(server):
    run_id, events = story(server, 15000)
    next(events), next(events)
    second = server.call("POST", "/v1/keys", {"scopes": ["chat"]}).json["secret"]
    assert server.call("POST", f"/v1/runs/{run_id}/stop", key=second).json["stopping"] is True
    heard = "".join(chunk["choices"][0]["delta"].get("content") or "" for _, chunk in events if chunk != "[DONE]" and chunk.get("choices"))
    done = ended(server, run_id)
    assert done["status"] == "cancelled"
    (_, _), (_, answered) = said(done)
    assert answered.strip().endswith(heard.strip()), "what was read before is kept"
    if server.kind != "scripted":
        server.wait_for(lambda: server.facts()["running"] == 0, "the engine's rest", 3)


def asked_about(server, folder):
    """A run of this server that waits for the person's word."""
    for n in range(8):
        body = {"model": "hearth/dev", "messages": [user("Use bash to run: date >> dates.txt" + "!" * n)], "workspace": str(folder)}
        if server.kind == "tiny":
            body.update(logit_bias=server.ends, max_tokens=400)
        answer = server.call("POST", "/v1/chat/completions", body, timeout=server.patience)
        run = server.run(answer.headers["X-Hearth-Run"])
        if run["status"] == "waiting_person":
            return run
    raise AssertionError(f"no call came to policy: {run['status']}")


def granted(server, run_id):
    """Gives the word from the command line, as often as it is asked for; how often."""
    for times in range(10):
        run = server.wait_for(lambda: (run := server.run(run_id))["status"] not in ("queued", "running", "interrupted") and run, "rest or end", server.patience)
        if run["status"] != "waiting_person":
            return times
        done = subprocess.run([BINARY, "approval", "grant", run["approval"]["id"]], env=server.env, cwd="/", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        server.wait_for(lambda: (server.run(run_id)["approval"] or {}).get("id") != run["approval"]["id"], "its going on")
    raise AssertionError("it is asked about without an end")


@on("scripted", "tiny", "default")
def test_a_word_that_arrives_after_a_restart_lets_it_happen_once(server, folder):
    rule(server, "set", "ask_before_anything", "ask")
    in_force(server, 1)
    try:
        run = asked_about(server, folder)
        assert not (folder / "dates.txt").exists() and not [step for step in run["steps"] if step["kind"] == "tool"]
        killed_and_back(server)
        assert [one["run_id"] for one in server.call("GET", "/v1/approvals").json["data"]] == [run["id"]]
        times = granted(server, run["id"])
        done = ended(server, run["id"])
        assert times >= 1 and len([step for step in done["steps"] if step["kind"] == "tool"]) == times, "each word lets one call happen"
        if server.kind != "tiny":
            assert done["status"] == "answered" and len((folder / "dates.txt").read_text().splitlines()) == 1
    finally:
        rule(server, "rm", "ask_before_anything")
        in_force(server, 0)


@on("scripted", "tiny", "default")
def test_two_people_in_two_threads_never_see_each_others(server, folder):
    keys = [server.key, another_person(server)]
    secrets = ["My first secret is the blue door.", "Her other secret is the red kite."]
    ask = lambda key, text: server.call("POST", "/v1/chat/completions", {"model": "hearth", "messages": [user(text)], "max_tokens": 40}, key=key, timeout=server.patience)
    runs = [ask(key, secret).headers["X-Hearth-Run"] for key, secret in zip(keys, secrets)]
    for me, she in ((0, 1), (1, 0)):
        mine, theirs = server.call("GET", f"/v1/runs/{runs[me]}", key=keys[me]), runs[she]
        assert secrets[me].encode() in mine.data and secrets[she].encode() not in mine.data
        everything = b"".join(server.call("GET", path, key=keys[me]).data for path in ("/v1/runs?limit=500", "/v1/threads?limit=500", "/v1/usage?calls=50", "/v1/approvals"))
        assert theirs.encode() not in everything and secrets[she].encode() not in everything
        for method, path in [("GET", ""), ("GET", "/events"), ("POST", "/stop")]:
            assert server.call(method, f"/v1/runs/{theirs}{path}", key=keys[me]).status == 404
    if server.kind == "scripted":
        return
    # Nor can one of them tell by the cache what the other has asked: the same words are computed anew.
    words = [user(f"What one person asks, {server.kind}, is not another one's to find. " * 8)]
    cached = lambda key: server.chat("default", words, max_tokens=1).json["usage"]["prompt_tokens_details"]["cached_tokens"] if key is None else server.call(
        "POST", "/v1/chat/completions", {"model": "default", "messages": words, "max_tokens": 1}, key=key, timeout=server.patience).json["usage"]["prompt_tokens_details"]["cached_tokens"]
    assert cached(None) < 64 <= cached(None)
    assert cached(keys[1]) < 64


def id_in(text):
    return re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", text)[0]


@on("scripted")
def test_the_page_can_be_followed(server, folder):
    write_sources(folder, 2)
    me = Newcomer(server, folder)
    assert "They are about five things." in me.types("hearth chat \"Read")
    begun = json.JSONDecoder().raw_decode(me.types("curl -d"))[0]
    server.wait_for((folder / "marks").exists, "the program's start")
    me.skips("kill -9")  # of this server alone
    killed_and_back(server)
    ended(server, begun["id"])
    shown = me.types("hearth trace show")
    assert "unknown_effect" in shown and "in doubt: bash" in shown and (folder / "marks").read_text() == "begun\n"
    stream = server.stream("/v0/dev/chat", {"messages": [user("Tell me a long story.")]})
    started = stream.next("run_started")
    stream.next("text")
    assert f"{started['conversation_id']}  running" in me.types("hearth thread list")
    assert "is cancelled" in me.types("hearth thread stop", ID=started["conversation_id"])
    assert stream.next("done")["state"] == "cancelled"
    assert "set ask_before_programs" in me.types("hearth rule set")
    in_force(server, 1)
    assert "hearth approval grant" in me.types("hearth chat \"Use bash to run: date")
    killed_and_back(server)
    listed = me.types("hearth approval list")
    assert "date >> dates.txt" in listed and not (folder / "dates.txt").exists()
    assert "is granted" in me.types("hearth approval grant", ID=id_in(listed))
    run = ended(server, server.call("GET", "/v1/runs?limit=1").json["data"][0]["id"])
    assert len((folder / "dates.txt").read_text().splitlines()) == 1
    rule(server, "rm", "ask_before_programs")
    in_force(server, 0)
    assert "Clara" in me.types("hearth person add")
    hers = re.search(r"hk_\S+", me.types("hearth key new"))[0]
    assert '"code":"not_found"' in me.types("curl -H", hk_HERS=hers, ID=run["id"]).replace(" ", "")
    for command in ("python3 tests/e2e/scripted_upstream.py", "curl -N"):
        me.skips(command)  # below
    assert me.left == []
