"""Conversations outlive a restart of the server on disk, sealed, and are computed where they are not there."""
import re
import stat
import subprocess

from conftest import tiny_server
from faults import fill, needs_root, small_disk
from support import user

LONG = "The keeper of the lighthouse wrote down every ship that passed, its name, its flag and the weather of the hour. " * 12


def server(own, name):
    return tiny_server(own, "llama_tied", name, **{"model.kv_disk_mib": 64, "model.kv_format": "fp8"}).start()  # whose scales are kept too


def ask(server, messages):
    answer = server.chat("default", messages, temperature=0, max_tokens=16)
    assert answer.status == 200, answer.data
    return answer.json["choices"][0]["message"]["content"], answer.json["usage"]["prompt_tokens_details"]["cached_tokens"]


def test_a_conversation_goes_on_after_a_restart(own):
    messages = [user(LONG)]
    first = server(own, "before")
    try:
        said, cached = ask(first, messages)
        assert cached == 0
        first.wait_for(lambda: first.facts()["kv_disk_bytes"] > 0, "the conversation on disk")
        told = first.facts()
        plan = told["plan"]
        assert told["kv_format"] == "fp8"
        assert plan["kv"] == told["kv_tokens"] * plan["kv_bytes_per_token"] and plan["weights"] + plan["kv"] + plan["scratch"] <= plan["limit"] <= plan["available"]
    finally:
        first.stop()
    folder = own.folder / "state/kv"
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert files and stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600 and re.fullmatch(r"[0-9a-f-]{36}/[0-9a-f]{32}\.kv", str(file.relative_to(folder)))
    assert stat.S_IMODE((own.folder / "state/kv.key").stat().st_mode) == 0o600

    messages += [{"role": "assistant", "content": said}, user("And then?")]
    again = server(own, "after")
    try:
        answered, cached = ask(again, messages)
        assert cached > 0 and again.facts()["kv_restored_tokens"] > 0
        document = again.call("POST", "/v1/memory/documents", {"name": "log", "text": LONG})
        assert document.status == 201, document.data
        kept = {file: file.read_bytes() for file in files}
        assert again.call("DELETE", f"/v1/memory/documents/{document.json['id']}?preview=true").status == 200 and all(file.exists() for file in files)
        assert again.call("DELETE", f"/v1/memory/documents/{document.json['id']}").status == 200
        assert not list(folder.rglob("*.kv")) and again.facts()["kv_disk_bytes"] == 0
    finally:
        again.stop()
    for file, data in kept.items():
        file.parent.mkdir(exist_ok=True, mode=0o700)
        file.write_bytes(b"\0" * len(data))
    damaged = server(own, "damaged")
    try:
        assert ask(damaged, messages) == (answered, 0)
    finally:
        damaged.stop()


def of_the_disk(server):
    """The reason and the count that /health tells, and the count of the metrics."""
    facts, metrics = server.facts(), server.call("GET", "/metrics").data.decode()
    [counted] = re.findall(r'^hearth_model_kv_disk_failures{backend="embedded"} (\d+)$', metrics, re.MULTILINE)
    return facts["kv_disk_error"], facts["kv_disk_failures"], int(counted)


def warned(server):
    return [entry for entry in server.call("GET", "/logs?limit=2000").json["entries"] if "not kept on disk for now" in str(entry)]


@needs_root
def test_a_disk_that_fails_while_it_serves_is_said_once_and_what_was_forgotten_goes_when_it_works_again(own):
    with small_disk(4) as disk:
        (own.folder / "state").mkdir(exist_ok=True)
        (own.folder / "state/kv").symlink_to(disk)
        running = server(own, "disk")
        try:
            assert of_the_disk(running) == (None, 0, 0)
            filler = fill(disk, 1 << 12)
            for turn in range(2):
                ask(running, [user(f"{turn} {LONG}")])
                running.wait_for(lambda: running.facts()["kv_disk_failures"] == turn + 1, "the disk's refusal")
            reason, failures, counted = of_the_disk(running)
            assert "No space left" in reason and failures == counted == 2 and len(warned(running)) == 1
            assert running.call("GET", "/health").json["status"] == "ok" and not list(disk.rglob("*.part"))
            filler.unlink()
            ask(running, [user(f"again {LONG}")])
            running.wait_for(lambda: running.facts()["kv_disk_bytes"] > 0, "the conversation on disk")
            assert of_the_disk(running)[0] is None
            document = running.call("POST", "/v1/memory/documents", {"name": "log", "text": LONG}).json

            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            assert running.call("DELETE", f"/v1/memory/documents/{document['id']}").status == 200
            assert "Read-only" in of_the_disk(running)[0] and len(warned(running)) == 2 and list(disk.rglob("*.kv"))
            assert ask(running, [user(f"again {LONG}"), {"role": "assistant", "content": "Yes."}, user("And then?")])
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
            old = list(disk.rglob("*.kv"))
            ask(running, [user(f"new {LONG}")])
            running.wait_for(lambda: running.facts()["kv_disk_error"] is None, "writing again")
            assert old and not any(file.exists() for file in old) and list(disk.rglob("*.kv"))
        finally:
            running.stop()
