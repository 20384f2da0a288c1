"""deploy/run, from a checkout with a build in it and packages that count as installed, as a user who may write nowhere
else."""
import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import subprocess

import pytest
import support
from support import BINARY, ROOT

SCRIPT = [{"when": "", "text": "Good day."}]
NINJA = """echo "ninja: Entering directory 'build/release'"; echo "[0/2] Re-checking globbed directories..."; echo "ninja: no work to do."; exit $NINJA_FAILS"""
STUBS = {"ninja": NINJA, "cmake": "exit 0", "dpkg-query": "shift 3; printf 'installed %s\\n' \"$@\""}


class Checkout:
    """A copy of deploy/ with a binary where the build would put it, and a home for who runs it."""

    def __init__(self):
        self.folder = pathlib.Path(support.tempfile.mkdtemp(prefix="e2e-deploy-"))
        self.folder.chmod(0o755)
        self.home, self.tree = self.folder / "home", self.folder / "tree"
        shutil.copytree(ROOT / "deploy", self.tree / "deploy")
        (self.tree / "build/release/app").mkdir(parents=True)
        shutil.copy(BINARY, self.tree / "build/release/app/hearth")
        self.home.mkdir()
        script = self.home / "script.jsonl"
        script.write_text("".join(json.dumps(line) + "\n" for line in SCRIPT))
        stubs = self.folder / "stubs"
        stubs.mkdir()
        for name, body in STUBS.items():
            (stubs / name).write_text(f"#!/bin/bash\n{body}\n")
            (stubs / name).chmod(0o755)
        self.identity = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self.identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            for path in [self.home, script, self.tree, *self.tree.rglob("*")]:
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
        self.plain = {"HOME": str(self.home), "PATH": f"{stubs}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        self.settings = {"HEARTH_BACKEND_SCRIPT": str(script), "HEARTH_SERVER_PORT": "0"}

    def bash(self, line, variables=None, status=0):
        """One command line as somebody types it in the checkout; the variables are those that are set besides."""
        done = subprocess.run(["bash", "-c", line], cwd=self.tree, env={**self.plain, **(variables or {})}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=120, **self.identity)
        assert done.returncode == status, f"{line}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def close(self, *states):
        for state in states:
            with contextlib.suppress(AssertionError):
                self.bash("deploy/run --stop", {"HEARTH_STATE_FOLDER": str(state)})
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def checkout():
    made = Checkout()
    yield made
    made.close(made.home / "elsewhere", made.home / ".local/state/hearth", made.home / "named", made.home / "second")


def told(output):
    """What deploy/run prints at its end: the address, and the commands by name."""
    address = re.search(r"^hearth is ready at (\S+)$", output, re.MULTILINE)[1]
    commands = dict(re.findall(r"^(look at it|talk to it|stop it): +(.*)$", output, re.MULTILINE))
    commands["curl"] = re.search(r"^  (curl .*\\\n.*)$", output, re.MULTILINE)[1]
    return address, commands


def check_commands(checkout, output):
    """The printed commands work in a shell in which nothing was set."""
    address, commands = told(output)
    assert json.loads(checkout.bash(commands["curl"]).stdout)["response"] == "Good day."
    assert checkout.bash(commands["look at it"]).stdout.startswith(f"{address}/#link=")
    assert checkout.bash(commands["talk to it"] + " hello").stdout == "Good day.\n"
    checkout.bash(commands["stop it"])
    checkout.bash(commands["talk to it"] + " hello", status=1)
    return address, commands


@pytest.mark.parametrize("host,address", [("127.0.0.1", r"http://127\.0\.0\.1:\d+"), ("::1", r"http://\[::1\]:\d+"), ("0.0.0.0", r"https://localhost:\d+")])
def test_it_follows_its_settings_and_what_it_prints_works(checkout, host, address):
    if host == "::1" and not pathlib.Path("/proc/net/if_inet6").exists():
        pytest.skip("this machine has no IPv6")
    elsewhere = str(checkout.home / "elsewhere")
    output = checkout.bash("deploy/run", {**checkout.settings, "HEARTH_STATE_FOLDER": elsewhere, "HEARTH_SERVER_HOST": host}).stdout
    found, commands = check_commands(checkout, output)
    assert re.fullmatch(address, found) and not found.endswith(":0")
    assert all(command.startswith(f"HEARTH_STATE_FOLDER={elsewhere} ") for name, command in commands.items() if name != "curl")


@pytest.mark.parametrize("named", [False, True])
def test_the_usual_folder_needs_no_variable(checkout, named):
    file = checkout.home / ".config/hearth/hearth.yaml"
    if named:  # in the settings
        file.write_text(f"state: {{folder: {checkout.home / 'named'}}}\n")
    try:
        _, commands = check_commands(checkout, checkout.bash("deploy/run", checkout.settings).stdout)
    finally:
        file.unlink(missing_ok=True)
    assert not any("HEARTH_STATE_FOLDER" in command for command in commands.values())
    assert commands["talk to it"] == f"{checkout.tree}/build/release/hearth chat", "the path that README.md tells"
    assert (checkout.home / "named/pg").exists() is named


def keys_of(checkout, state):
    listed = checkout.bash("build/release/app/hearth key list --json", {**checkout.settings, "HEARTH_STATE_FOLDER": str(state)}).stdout
    return [key["label"] for key in json.loads(listed)]


def test_each_server_has_a_key_file_of_its_own(checkout):
    usual, second = checkout.home / ".local/state/hearth", checkout.home / "second"
    config = checkout.home / ".config/hearth"
    there = {**checkout.settings, "HEARTH_STATE_FOLDER": str(second)}
    try:
        address, _ = told(checkout.bash("deploy/run", checkout.settings).stdout)
        key, made = (config / "key").read_text(), len(keys_of(checkout, usual))
        for _ in range(2):
            output = checkout.bash("deploy/run", there).stdout
            assert json.loads(checkout.bash(told(output)[1]["curl"]).stdout)["response"] == "Good day."
            checkout.bash("deploy/run", checkout.settings)
        assert (config / "key").read_text() == key, "the first server's key lies where it lay"
        assert checkout.bash(f"curl -sS -o /dev/null -w '%{{http_code}}' -H 'Authorization: Bearer {key.strip()}' {address}/v1/models").stdout == "200"
        assert len(keys_of(checkout, usual)) == made and keys_of(checkout, second) == ["deploy"], "none is made where one works"
        second_key = config / f"keys{second}/key"
        assert second_key.stat().st_mode & 0o777 == 0o600 and second_key.read_text().strip() in output
    finally:
        checkout.bash("deploy/run --stop", there)
        checkout.bash("deploy/run --stop")


def test_a_key_of_nobody_knows_whom_is_kept(checkout):
    key = checkout.home / ".config/hearth/key"
    kept = key.read_text()
    try:
        key.write_text("hk_" + "a" * 43 + "\n")
        done = checkout.bash("deploy/run", checkout.settings)
        assert "keeping that one" in done.stderr and key.read_text() != kept
        assert "hk_" + "a" * 43 + "\n" in [other.read_text() for other in key.parent.glob("key.~*~")]
    finally:
        checkout.bash("deploy/run --stop")


def test_once_gives_the_answer(checkout):
    done = checkout.bash('deploy/run --once "hello"', checkout.settings)
    assert done.stdout == "Good day.\n"
    again = checkout.bash('deploy/run --once "hello"', checkout.settings)
    assert again.stdout == "Good day.\n"
    assert re.fullmatch(r"\n[\d.]+ tokens/s · .*\nrun [0-9a-f-]+\n", again.stderr), "nothing stands before the answer"
    checkout.bash("deploy/run --stop")


def test_a_failed_build_ends_it(checkout):
    checkout.bash("deploy/run", {**checkout.settings, "NINJA_FAILS": "1"}, status=1)


def test_unusable_settings_end_it_before_anything_is_made(checkout):
    fresh = checkout.home / "fresh"
    done = checkout.bash("deploy/run", {**checkout.settings, "HEARTH_STATE_FOLDER": str(fresh), "HEARTH_SERVER_HOST": "nonsense"}, status=1)
    assert "server.host is 'nonsense'" in done.stderr and "the settings are not usable" in done.stderr
    assert not (fresh / "pg").exists()


def bash_with(folder, line):
    """A line of bash after the files that deploy/run sources."""
    before = f"set -euo pipefail; CHECKOUT={ROOT} DEPLOY=$CHECKOUT/deploy HEARTH={BINARY} STATE={folder} SETTINGS_FILE={folder}/hearth.yaml RUN=deploy/run SOCKET={folder}/none; "
    before += "SETTINGS=(); for file in lib service install; do . $DEPLOY/$file.sh; done; "
    return subprocess.run(["bash", "-c", before + line], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def test_a_server_that_is_down_is_not_waited_for(tmp_path):
    (tmp_path / "serve.log").write_text("error model not loaded error=the reason\n")
    began = support.time.monotonic()
    done = bash_with(tmp_path, """health() { printf '{"backends":{"embedded":{"detail":"x"}},"status":"down"}'; }; server_pid() { echo 1; }; wait_for_server""")
    assert support.time.monotonic() - began < 10
    assert done.returncode == 1 and "the reason" in done.stderr and "deploy: the server is down" in done.stderr


def test_a_full_disk_is_not_waited_for(tmp_path):
    began = support.time.monotonic()
    done = bash_with(tmp_path, """health() { printf '{"reason":"the disk is full","status":"disk_full"}'; }; server_pid() { echo 1; }; wait_for_server""")
    assert support.time.monotonic() - began < 10
    assert done.returncode == 1 and "its disk is full" in done.stderr and "free some space" in done.stderr


def test_a_moment_without_a_database_does_not_end_it(tmp_path):
    done = bash_with(tmp_path, """health() { if [ $SECONDS -ge 1 ]; then printf '{"status":"ok"}'; else printf '{"status":"down"}'; fi; }
                                  server_pid() { echo 1; }; SECONDS=0; sleep 0.5; wait_for_server""")
    assert done.returncode == 0, done.stderr


def test_a_server_whose_model_failed_last_serves(tmp_path):
    done = bash_with(tmp_path, """health() { printf '{"status":"degraded"}'; }; server_pid() { echo 1; }; wait_for_server""")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("folder", ["/srv/hearth", "/srv/it's here: # yes"])
def test_the_settings_of_the_machine_name_the_folder(tmp_path, folder):
    done = bash_with(tmp_path, f'STATE="{folder}"; write_settings; unset STATE; choose_state /var/lib/hearth; printf "%s|%s" "$STATE" "$RUN"')
    assert done.stdout == f"{folder}|deploy/run", done.stderr
    shown = subprocess.run([BINARY, "--settings", str(tmp_path / "hearth.yaml"), "config", "show", "state.folder"], capture_output=True, text=True, timeout=10,
                           env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)})
    assert shown.stdout == folder + "\n"
