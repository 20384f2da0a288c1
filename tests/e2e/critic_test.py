"""A reply waits for no verdict on it, and a kill loses nothing but the verdict."""
import signal
import subprocess
import time

from conftest import running
from support import BINARY, Hearth, user

SCRIPT = [{"when": "Judge the answer", "text": '{"why": "It greets back.", "verdict": "pass"}', "delay_ms": 3000}, {"when": "Good evening", "text": "Hello."}]


def command(state, *words):
    return subprocess.run([BINARY, *words], env=state.env, cwd="/", capture_output=True, text=True, timeout=60)


def answered(hearth):
    began = time.monotonic()
    answer = hearth.chat("hearth", [user("Good evening!")])
    assert answer.json["choices"][0]["message"]["content"] == "Hello." and time.monotonic() - began < 2.5
    return answer.headers["X-Hearth-Run"]


def verdicts(hearth, run):
    return [span["attributes"]["verdict"] for span in hearth.run(run)["spans"] if span["name"] == "critic"]


def test_the_verdict_comes_after_the_reply_and_is_lost_alone(own):
    for hearth in running(Hearth(own, "critic", SCRIPT, {"backend.critic": "default"})):
        run = answered(hearth)
        assert hearth.run(run)["status"] == "answered" and verdicts(hearth, run) == []
        hearth.wait_for(lambda: verdicts(hearth, run) == ["pass"], "the verdict", 20)
        assert "verdict pass: It greets back." in command(own, "trace", "show", run).stdout
        killed = answered(hearth)
        hearth.stop(signal.SIGKILL)
    for hearth in running(Hearth(own, "critic_again", SCRIPT)):
        assert hearth.run(killed)["status"] == "answered" and verdicts(hearth, killed) == []
    shown = command(own, "trace", "verify", "--all")
    assert shown.returncode == 0, shown.stdout + shown.stderr
