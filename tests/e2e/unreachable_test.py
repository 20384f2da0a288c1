"""A server that runs as the user hearth, and root who asks in a folder which that user cannot reach by its path."""
import contextlib
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

import pytest
import support
from conftest import running
from support import call

USER = "hearth"
SCRIPT = [
    {"when": "look around", "tool_calls": [
        call("list_dir", path="."), call("read_file", path="README.md"), call("grep_files", pattern="kettle"), call("glob_files", pattern="**/*.md"),
        call("bash", command="pwd; ls *.md; cat README.md; cat /proc/self/status | grep CapEff")]},
    {"when": "look around", "text": "I looked."},
    {"when": "write all", "tool_calls": [
        call("write_file", path="open/a.txt", content="one\n"), call("bash", command="echo two > open/b.txt; cat open/*.txt"),
        call("bash", command="echo evil > .bashrc; echo evil > .git/hooks/pre-commit; echo evil >> .git/config; ls /root"),
        call("write_file", path="shut/a.txt", content="one\n"), call("read_file", path="private.txt"), call("bash", command="cat private.txt; echo x > shut/a.txt")]},
    {"when": "write all", "text": "I wrote."},
]


@pytest.fixture(scope="module")
def hearth():
    if os.geteuid() != 0:
        pytest.skip("only root can start a server as another user")
    try:
        pwd.getpwnam(USER)
    except KeyError:
        pytest.skip(f"there is no user {USER}")
    with contextlib.closing(support.State("unreachable", run_as=USER)) as state:
        yield from running(support.Hearth(state, "unreachable_test", SCRIPT))


@pytest.fixture
def folder():
    """A repository below a folder of mode 0700."""
    private = pathlib.Path(tempfile.mkdtemp(prefix="e2e-private-"))
    work = private / "work"
    for name, mode in {"": 0o777, "open": 0o777, "shut": 0o755, ".git": 0o777, ".git/hooks": 0o777}.items():
        (work / name).mkdir()
        (work / name).chmod(mode)
    for name, text, mode in [("README.md", "Buy a blue kettle.\n", 0o644), ("private.txt", "canary\n", 0o600), (".git/config", "[core]\n", 0o666)]:
        (work / name).write_text(text)
        (work / name).chmod(mode)
    yield work
    shutil.rmtree(private)


def ask(hearth, folder, question, *options):
    """What root is told, and the results of the tools."""
    done = subprocess.run([hearth.state.binary, "chat", "--once", "--json", *options, question], cwd=folder, env=hearth.env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return done, []
    run = hearth.run(json.loads(done.stdout.splitlines()[0])["run_id"])
    assert support.check_trace(run)["attributes"]["workspace"] == str(folder)
    return done, [m["content"] for m in run["turn"]["work"] if m["role"] == "tool"]


@pytest.mark.parametrize("options", [[], ["--read-only"]])
def test_tools_and_programs_look_around(hearth, folder, options):
    _, (listed, read, found, globbed, ran) = ask(hearth, folder, "look around", *options)
    assert "README.md" in listed and "open/" in listed
    assert read == "1\tBuy a blue kettle.\n"
    assert "README.md:1:" in found
    assert "README.md" in globbed
    assert ran.splitlines() == [str(folder), "README.md", "Buy a blue kettle.", "CapEff:\t0000000000000000", "[exit code 0]"]


def test_what_the_modes_forbid_is_said(hearth, folder):
    _, (wrote, both, evil, shut, private, inside) = ask(hearth, folder, "write all")
    assert wrote.startswith("Wrote") and both == "one\ntwo\n[exit code 0]"
    assert {(folder / f"open/{name}.txt").stat().st_uid for name in "ab"} == {pwd.getpwnam(USER).pw_uid}
    assert evil.count("Read-only file system") == 2 and ".bashrc: Permission denied" in evil and "cannot access '/root'" in evil
    assert (folder / ".git/config").read_text() == "[core]\n"
    assert sorted(p.name for p in folder.iterdir()) == [".git", "README.md", "open", "private.txt", "shut"]
    assert list((folder / ".git/hooks").iterdir()) == []
    for result in (shut, private):
        assert f"closed to the user {USER}" in result
    assert inside.count("Permission denied") == 2 and "canary" not in inside


def test_a_read_only_folder_stays_as_it_is(hearth, folder):
    _, (wrote, both, *_) = ask(hearth, folder, "write all", "--read-only")
    assert "read-only" in wrote and "Read-only file system" in both
    assert list((folder / "open").iterdir()) == []


def test_a_closed_folder_is_refused_with_its_name(hearth, folder):
    folder.chmod(0o700)
    done, _ = ask(hearth, folder, "look around")
    assert done.returncode == 1
    assert str(folder) in done.stderr and f"closed to the user {USER}" in done.stderr and "chmod" in done.stderr
