"""What the tests of faults share: the program run by itself, and what a person is told when it refuses."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import pytest
import support
from support import BINARY

SCRIPT = [{"when": "run it", "tool_calls": [support.call("bash", command="echo alive")]}, {"when": "run it", "text": "It ran."},
          {"when": "list it", "tool_calls": [support.call("list_dir", path=".")]}, {"when": "list it", "text": "Listed."},
          {"when": "", "text": "Good day."}]
ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="needs root: mounts a file system or changes the user")
INSIDE = re.compile(r"terminate called|what\(\)|std::|/app/|\.cpp|backtrace|Aborted|internal", re.I)


def run(env, *arguments, prefix=(), seconds=60):
    return subprocess.run([*prefix, BINARY, *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)


def refused(env, *arguments, says=(), status=1, prefix=(), seconds=60):
    """It ends by itself with this status; the last lines on standard error are the message."""
    done = run(env, *arguments, prefix=prefix, seconds=seconds)
    lines = [line for line in done.stderr.splitlines() if not re.match(r"\d{4}-\d\d-\d\d ", line)]
    message = "\n".join(lines)
    assert done.returncode == status, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert 1 <= len(lines) <= 3 and len(message) < 700, message
    assert not INSIDE.search(message), message
    for words in says:
        assert words in message, message
    return message


def doctor(env, name):
    """The finding of that name, and its remedy."""
    done = run(env, "doctor", "--json")
    assert done.returncode in (0, 1), done.stderr
    found = [probe for probe in json.loads(done.stdout) if probe["name"] == name]
    assert len(found) == 1, done.stdout
    return found[0]


@contextlib.contextmanager
def small_disk(megabytes):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="e2e-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=711", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def fill(folder, leave):
    """A file that takes all but `leave` bytes."""
    file = folder / "filler"
    room = os.statvfs(folder)
    with open(file, "wb") as out:
        with contextlib.suppress(OSError):
            os.posix_fallocate(out.fileno(), 0, max(1, room.f_bavail * room.f_frsize - leave))
    return file
