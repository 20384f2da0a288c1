"""What agents are told is changed by version: saved, compared, released, rolled back; the next run reads it."""
import json
import subprocess

import pytest

SCRIPT = [{"when": "", "text": "Understood."}]


def prompt(hearth, *words, stdin=None):
    return subprocess.run([hearth.state.binary, "prompt", *words], env=hearth.env, input=stdin, capture_output=True, text=True, timeout=60)


def told(hearth):
    """The system message of a new run, and the versions that its trace names."""
    run = hearth.run(hearth.dev("hello")["run_id"])
    model = next(span for span in run["spans"] if span["kind"] == "model")
    root = next(span for span in run["spans"] if span["parent"] is None)
    return model["body"]["sent"]["messages"][0]["content"], root["attributes"]["prompts"]["dev_system"]


def test_a_change_is_live_when_it_is_released_and_gone_when_it_is_rolled_back(hearth):
    shipped = prompt(hearth, "show", "dev_system").stdout
    before, version = told(hearth)
    assert "Speak like a pirate" not in before and version == 1
    saved = prompt(hearth, "save", "dev_system", "-", stdin="Speak like a pirate.\n" + shipped)
    assert saved.returncode == 0 and "version 2, a draft" in saved.stdout, saved.stderr
    assert told(hearth)[1] == 1
    changed = prompt(hearth, "diff", "dev_system").stdout
    assert changed.startswith("dev_system 1 → 2\n+ Speak like a pirate.\n  "), changed
    assert prompt(hearth, "release", "dev_system", "2", "--override", "for fun").returncode == 0
    after, version = told(hearth)
    assert "\nSpeak like a pirate.\n" in after and version == 2
    versions = json.loads(prompt(hearth, "versions", "dev_system", "--json").stdout)
    assert versions[0]["labels"] == ["draft", "live"] and versions[0]["released"] == "override: for fun"
    assert prompt(hearth, "rollback", "dev_system").returncode == 0
    assert told(hearth) == (before, 1)
    assert prompt(hearth, "show", "dev_system").stdout == shipped
    listed = {one["name"]: one for one in json.loads(prompt(hearth, "list", "--json").stdout)}
    assert listed["dev_system"] == {"name": "dev_system", "live": 1, "newest": 2, "shipped": 1}


@pytest.mark.parametrize("words, stdin, said", [
    (["show", "dev_sytem"], None, "there is no prompt 'dev_sytem'"),
    (["show", "dev_system", "99"], None, "no version '99'"),
    (["save", "dev_system", "no/such/file"], None, "cannot be read"),
    (["save", "dev_system", "-"], "Today is {{dat}}.", "{{dat}}"),
    (["save", "dev_system", "-"], "", "empty"),
    (["save", "--new", "dev_system", "-"], "Mine.", "there is a prompt 'dev_system' already"),
    (["save", "--new", "Dev system", "-"], "Mine.", "cannot be a prompt's name"),
    (["save", "--new", "mine", "-"], "It is {{tomorrow}}.", "{{tomorrow}}"),
    (["release", "dev_system", "1", "--override", "again"], None, "live already"),
    (["release", "dev_system", "99", "--override", "why not"], None, "no version 99"),
    (["release", "dev_system", "1"], None, "live already"),
    (["release", "dev_system", "1", "--override", ""], None, "an override needs a reason"),
    (["rollback", "retrieve"], None, "was live before"),
])
def test_a_mistake_is_named_and_changes_nothing(hearth, words, stdin, said):
    before = prompt(hearth, "list").stdout
    ran = prompt(hearth, *words, stdin=stdin)
    assert ran.returncode in (1, 2) and said in ran.stderr, (ran.returncode, ran.stdout, ran.stderr)
    assert prompt(hearth, "list").stdout == before
