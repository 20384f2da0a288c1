"""A machine that gives no sandbox."""
import json
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from faults import ROOT, needs_root, run, small_disk
from support import BINARY


NO_NAMESPACES = ("unshare", "-U", "-c", "--keep-caps", "sh", "-c",
                 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all "$@"', "sh")


@pytest.fixture
def without_namespaces():
    """What a process starts with that may make no user namespace; and who it is."""
    who = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups") if ROOT else ()
    prefix = (*who, *NO_NAMESPACES)
    if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine gives no user namespace to begin with")
    return prefix


def test_without_user_namespaces_programs_are_refused_and_files_still_work(env, tmp_path, without_namespaces):
    home = pathlib.Path(tempfile.mkdtemp(prefix="e2e-nons-"))
    if ROOT:
        shutil.chown(home, "nobody", "nogroup")
    settings = dict(env, HEARTH_STATE_FOLDER=str(home / "s"), HOME=str(home), XDG_CONFIG_HOME=str(home / "config"), PATH="/usr/bin:/bin")
    done = run(settings, "doctor", "--json", prefix=without_namespaces)
    probe = next(p for p in json.loads(done.stdout) if p["name"] == "sandbox level")
    assert probe["health"] == "FAILED" and "T0" in probe["found"] and "sysctl" in probe["remedy"]
    with open(home / "log", "wb") as log:
        server = subprocess.Popen([*without_namespaces, BINARY, "serve"], env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
    try:
        assert b"listens on" in server.stdout.readline(), (home / "log").read_text()
        work = home / "work"
        work.mkdir(mode=0o777)
        (work / "a.txt").write_text("a")
        ask = lambda text: run(settings, "chat", "--workspace", str(work), text, prefix=without_namespaces[:without_namespaces.index("unshare")] if ROOT else ())
        for _ in range(2):  # no retry changes it
            told = ask("run it")
            assert "programs need sandbox level T2" in told.stderr, told.stderr
        listed = ask("list it")
        assert listed.returncode == 0 and "a.txt" in listed.stderr, listed.stderr
        assert "tools that run programs are refused" in (home / "log").read_text()
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()
        run(settings, "db", "stop", prefix=without_namespaces[:without_namespaces.index("unshare")] if ROOT else ())
        shutil.rmtree(home, ignore_errors=True)


@needs_root
def test_without_bubblewrap_doctor_names_the_package(env):
    hide = ("unshare", "-m", "sh", "-c", 'mkdir -p "$HIDE/u" "$HIDE/w" && mount -t overlay -o lowerdir=/usr/bin,upperdir="$HIDE/u",workdir="$HIDE/w" none /usr/bin '
            '&& rm -f /usr/bin/bwrap && exec "$@"', "sh")
    with small_disk(20) as folder:
        settings = dict(env, HIDE=str(folder))
        if subprocess.run([*hide, "true"], env=settings, capture_output=True).returncode != 0:
            pytest.skip("this machine mounts no overlay")
        done = run(settings, "doctor", "--json", prefix=hide)
        assert done.stdout, done.stderr
        probe = next(p for p in json.loads(done.stdout) if p["name"] == "sandbox level")
        assert probe["health"] == "FAILED" and "apt-get install bubblewrap" in probe["remedy"]
