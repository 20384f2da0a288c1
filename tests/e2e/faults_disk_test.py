"""A disk that is full."""
import contextlib
import os
import shutil
import subprocess
import threading
import time

import support
from faults import SCRIPT, doctor, fill, needs_root, refused, small_disk
from support import Hearth, user


@needs_root
def test_no_room_for_a_database_is_said(env):
    with small_disk(20) as folder:
        settings = dict(env, HEARTH_STATE_FOLDER=str(folder / "state"))
        refused(settings, "db", "start", says=["no space left", str(folder), "free some space"])
        refused(settings, "serve", says=["no space left", str(folder), "free some space"])
        assert doctor(settings, "disk")["health"] == "FAILED"


@needs_root
def test_a_full_disk_takes_nothing_in_and_loses_nothing(own):
    own.command("db", "stop")
    with small_disk(400) as folder:
        shutil.copytree(own.folder / "state", folder / "state", copy_function=shutil.copy2, ignore=shutil.ignore_patterns("*.sock"))
        for name in ("pg", "pg/data", "pg/socket"):
            shutil.copystat(own.folder / "state" / name, folder / "state" / name)
        subprocess.run(["chown", "-R", "--reference", str(own.folder / "state/pg"), str(folder / "state/pg")], check=True)
        own.env["HEARTH_STATE_FOLDER"] = str(folder / "state")
        subprocess.run(["sed", "-i", f"s#{own.folder}#{folder}#", str(folder / "state/pg/data/postgresql.conf")], check=True)
        server = Hearth(own, "faults-disk", SCRIPT)
        try:
            server.start()
            first = server.dev("before")
            filler = fill(folder, 40 << 20)
            answer = server.call("POST", "/v0/dev/chat", {"messages": [user("hi")]})
            assert answer.status == 503 and answer.error["code"] == "disk_full" and "MiB left" in answer.error["message"]
            assert support.said(server.run(first["run_id"]))[0] == ("user", "before")
            health = server.call("GET", "/health")
            assert health.status == 503 and health.json["status"] == "disk_full" and "MiB left" in health.json["reason"]
            assert server.call("GET", "/health", key="").json == {"status": "disk_full"}, "a stranger learns no more"
            filler.unlink()
            assert server.call("GET", "/health").status == 200
            second = server.dev("after", conversation_id=first["conversation_id"])

            # What an outsider writes takes even the reserve, while turns come in.
            accepted, done = [], threading.Event()

            def talk():
                while not done.is_set():
                    with contextlib.suppress(OSError, support.http.client.HTTPException):
                        answer = server.call("POST", "/v0/dev/chat", {"messages": [user("x" + os.urandom(60000).hex())]})
                        if answer.status == 200 and answer.json["state"] == "answered":
                            accepted.append(answer.json["run_id"])
                        elif answer.status != 200:
                            assert answer.status == 503, answer.data
                    time.sleep(0.01)
            talker = threading.Thread(target=talk)
            talker.start()
            time.sleep(1)
            filler = fill(folder, 0)
            time.sleep(3)
            filler.unlink()
            server.wait_for(lambda: server.call("POST", "/v0/dev/chat", {"messages": [user("hi")]}).status == 200, "service after there is room", 40)
            done.set()
            talker.join()
            assert accepted
            for run_id in [first["run_id"], second["run_id"], *accepted]:
                kept = server.run(run_id)
                assert kept["status"] == "answered" and kept["messages"][0]["content"]
            assert server.dev("at last")["response"] == "Good day."
        finally:
            server.stop()
            with contextlib.suppress(AssertionError):
                own.command("db", "stop")


@needs_root
def test_no_room_for_a_model_is_said_with_the_numbers(env):
    with small_disk(20) as folder:
        settings = dict(env, HEARTH_STATE_FOLDER=str(folder / "state"), HEARTH_MODEL_CATALOGUE=str(support.ROOT / "deploy/models.yaml"))
        refused(settings, "model", "pull", says=["MiB wanted", "MiB free", "free some space"], seconds=20)
