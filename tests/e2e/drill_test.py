"""hearth drill, and what is kept of it over a restart."""
import json
import subprocess

from conftest import running
from support import BINARY, Hearth, user

ABLE = [{"when": "Report the state", "tool_calls": [{"name": "report_state", "arguments": {"state": "ready"}}]}, {"when": "", "text": "ready"}]
WORDY = [{"when": "", "text": "ready"}]


def drill(hearth, *arguments, status=0):
    done = subprocess.run([BINARY, "drill", *arguments], env=hearth.env, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_a_backend_is_tried_three_ways(own):
    for started in running(Hearth(own, "drill", WORDY)):
        lines = drill(started, status=1).stdout.splitlines()
        assert [line.split()[1] for line in lines[1:]] == ["plain", "streamed", "tools"]
        assert "works" in lines[1] and "works" in lines[2] and "FAILS" in lines[3] and "called none" in lines[3]
        use = next(line for line in subprocess.run([BINARY, "doctor"], env=started.env, capture_output=True, text=True, timeout=60).stdout.splitlines() if "use of" in line)
        assert "tools failed" in use
        assert "no backend 'nobody'" in drill(started, "nobody", status=1).stderr
        usage = started.call("GET", "/v1/usage").json
        assert sum(day["calls"] for day in usage["days"] if day["purpose"] == "drill") == 3
    for started in running(Hearth(own, "drill_again", ABLE)):
        told = json.loads(drill(started, "scripted", "--json").stdout)
        assert all(one["worked"] and not one["failure"] for one in told) and len(told) == 3
        assert drill(started).stdout.count("works") == 3
        assert started.chat("default", [user("hi")]).status == 200
    listed = None
    for started in running(Hearth(own, "drill_kept", ABLE)):
        listed = json.loads(drill(started, "--list", "--json").stdout)
    assert [one["traffic"] for one in listed] == ["plain", "streamed", "tools"]
