"""What comes with messages besides their text is kept as it came, whichever channel it came by and whatever breaks meanwhile; it is its person's alone, and goes
when he says so."""
import hashlib
import json
import pathlib
import signal
import subprocess

import pytest
from channels_test import KINDS, fresh, house, pair
from support import call, command

PICTURE = bytes(range(256)) * 40 + b"of the garden"
SECRET = "the spare key lies under the red brick"
SCRIPT = [
    {"when": "kept this", "tool_calls": [call("remember", text=SECRET)]},
    {"when": "kept this", "text": "I keep that in mind."},
    {"when": "", "text": "Good evening to you."},
]
CHROMIUM = pathlib.Path("/usr/bin/chromium")
PEOPLE = {"telegram": "Tess", "whatsapp": "Wanda", "file": "Fred"}


@pytest.fixture(scope="module")
def hearth():
    """In which each channel is another person's, and number 99 of each but WhatsApp the owner."""
    with house("blobs", SCRIPT, {"blobs.most_mib": 1, "agents.discipline": "free"}) as server:
        server.env["HEARTH_SERVER_SOCKET"] = str(server.state.folder / "blobs.sock")
        server.start()
        server.keys = {}
        for name, person in PEOPLE.items():
            pair(server, server.channels[name], server.channels[name].sender, person)
            server.keys[name] = command(server, "key", "new", "--person", person, "--quiet").strip()
        owner = command(server, "person", "list", "--json")
        owner = next(one["name"] for one in json.loads(owner) if one["role"] == "owner")
        for channel in (server.channels["telegram"], server.channels["file"]):
            channel.write("hello", "99")
            server.wait_for(lambda: channel.sent("99"), "a code", 15)
            code, = [one["code"] for one in json.loads(command(server, "pair", "list", "--json"))["waiting"]]
            command(server, "pair", "approve", code, "--person", owner)
            server.wait_for(lambda: len(channel.sent("99")) >= 2, "a welcome", 15)
        yield server


def blobs(hearth, name=None, query=""):
    """Of a channel's person; of the owner where none is named. The newest first."""
    return hearth.call("GET", "/v1/blobs?limit=500" + query, **({"key": hearth.keys[name]} if name else {})).json["data"]


def newest_kept(hearth, name, before):
    hearth.wait_for(lambda: len(blobs(hearth, name)) > before and blobs(hearth, name)[0]["state"] == "kept", "the file to be kept", 20)
    return blobs(hearth, name)[0]


def file_of(hearth, blob):
    return next(hearth.state.folder.rglob(f"blobs/*/{blob['digest']}"), None)


def asked(hearth, run, key):
    return [one["content"] for one in hearth.call("GET", f"/v1/runs/{run}", key=key).json["messages"] if one["role"] == "user"]


def test_of_pictures_that_were_sent_at_once_one_word_is_said(hearth):
    channel = hearth.channels["telegram"]
    told, before = fresh(channel, 1), len(blobs(hearth, "telegram"))
    for n in range(3):
        channel.api.files[f"album-{n}"] = PICTURE + bytes([n])
        channel.api.write(None, media_group_id="album", photo=[{"file_id": f"album-{n}", "file_unique_id": "u", "width": 9, "height": 9}])
    hearth.wait_for(told, "the word that it is kept", 20)
    hearth.wait_for(lambda: [one["state"] for one in blobs(hearth, "telegram")[:3]] == ["kept"] * 3 and len(blobs(hearth, "telegram")) == before + 3, "all three", 20)
    channel.write("Good evening!")
    hearth.wait_for(lambda: channel.sent()[-1] == "Good evening to you.", "an answer", 20)
    assert sum("is kept as" in text for text in channel.sent()[-3:]) == 1


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_a_picture_is_kept_as_it_came_and_is_nobody_elses(hearth, name):
    channel, key = hearth.channels[name], hearth.keys[name]
    told, before = fresh(channel, 1), len(blobs(hearth, name))
    data = PICTURE + name.encode()
    channel.enclose(data, "photo")
    hearth.wait_for(told, "the word that it is kept", 20)
    blob = newest_kept(hearth, name, before)
    assert blob["id"] in channel.sent()[-1] and "no model here sees" in channel.sent()[-1]
    assert (blob["bytes"], blob["digest"], blob["type"], blob["channel"], blob["run"]) == (len(data), hashlib.sha256(data).hexdigest(), "image/jpeg", name, None)
    got = hearth.call("GET", f"/v1/blobs/{blob['id']}", key=key)
    headers = {field.lower(): value for field, value in got.headers.items()}
    assert got.status == 200 and got.data == data and headers["x-content-type-options"] == "nosniff" and headers["content-type"] == "application/octet-stream"
    assert headers["content-disposition"].startswith("attachment") and headers["content-security-policy"].startswith("sandbox")
    file = file_of(hearth, blob)
    assert file.stat().st_mode & 0o777 == 0o600 and b"of the garden" not in file.read_bytes()
    for other in (None, *(one for one in PEOPLE if one != name)):
        who = {"key": hearth.keys[other]} if other else {}
        assert all(hearth.call(method, f"/v1/blobs/{blob['id']}{rest}", **who).status == 404 for method, rest in (("GET", ""), ("GET", "/about"), ("POST", "/remember"), ("DELETE", "")))
        assert blob["id"] not in [one["id"] for one in blobs(hearth, other)]
    assert "no model here sees" in hearth.call("POST", f"/v1/blobs/{blob['id']}/remember", key=key).error["message"]
    assert hearth.call("DELETE", f"/v1/blobs/{blob['id']}", key=key).json["forgotten"] and not file.exists()
    assert hearth.call("GET", f"/v1/blobs/{blob['id']}", key=key).status == 404
    assert name != "file" or not [one for one in (channel.folder / "inbox").iterdir() if one.suffix == ".photo"], "what was kept is not left there"


@pytest.mark.parametrize("name", [kind.name for kind in KINDS])
def test_a_voice_with_words_is_kept_and_named_to_the_model(hearth, name):
    channel, key = hearth.channels[name], hearth.keys[name]
    answered, before = fresh(channel, 1), len(blobs(hearth, name))
    channel.enclose(b"OggS" + PICTURE, "voice", "What do I say there?")
    hearth.wait_for(answered, "an answer", 20)
    blob = newest_kept(hearth, name, before)
    *_, about, words = asked(hearth, blob["run"], key)
    assert words == "What do I say there?" and blob["id"] in about and "no model here hears" in about
    conversation = hearth.call("GET", f"/v1/runs/{blob['run']}", key=key).json["conversation_id"]
    assert blob["id"] in [one["id"] for one in blobs(hearth, name, f"&conversation={conversation}")]
    assert blobs(hearth, name, "&conversation=0199f3c2-7a51-7c3e-9d21-5b8f6a0c4e17") == []


def test_a_text_is_read_kept_remembered_and_forgotten(hearth, tmp_path):
    channel = hearth.channels["telegram"]
    answered, before = fresh(channel, 1, "99"), len(blobs(hearth))
    text = "# Pump\n\nThe pressure must read 1.8 bar; the serial number is QX-77-1402.\n".encode()
    channel.enclose(text, "document", "What is that?", "pump.md", "text/markdown", "99")
    hearth.wait_for(answered, "an answer", 20)
    blob = newest_kept(hearth, None, before)
    key = command(hearth, "key", "new", "--quiet").strip()
    assert asked(hearth, blob["run"], key)[-2].endswith(text.decode())
    assert blob["id"] in command(hearth, "blob", "list") and "pump.md" in command(hearth, "blob", "show", blob["id"])
    assert json.loads(command(hearth, "blob", "list", "--json"))[0] == blob == json.loads(command(hearth, "blob", "show", blob["id"], "--json"))
    saved = tmp_path / "saved.md"
    assert f"{len(text)} bytes" in command(hearth, "blob", "save", blob["id"], str(saved)) and saved.read_bytes() == text
    assert "is there already" in command(hearth, "blob", "save", blob["id"], str(saved), status=1)
    document = json.loads(command(hearth, "blob", "remember", blob["id"], "--json"))
    assert (document["name"], document["sections"]) == ("pump.md", 1)
    assert "pump.md" in command(hearth, "memory", "why", "which pressure must the pump read?")
    would = json.loads(command(hearth, "memory", "forget", document["id"], "--json"))
    assert would["counts"]["blobs"] == 1 and file_of(hearth, blob)
    assert json.loads(command(hearth, "memory", "forget", document["id"], "--yes", "--json"))["counts"] == would["counts"]
    assert not file_of(hearth, blob) and blobs(hearth)[:1] != [blob]
    assert "no such blob" in command(hearth, "blob", "show", blob["id"], status=1) and "no blob" in command(hearth, "blob", "forget", "nonsense", status=1)


def test_the_chat_of_the_dashboard_hands_it_out(hearth):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no Python package index could be reached")
    if not CHROMIUM.exists():
        pytest.skip("there is no /usr/bin/chromium: deploy/packages.txt names it")
    channel = hearth.channels["telegram"]
    answered, before = fresh(channel, 2, "99"), len(blobs(hearth))
    channel.enclose(b"%PDF-1.7 of the pump", "document", "What is that?", "pump <b>.pdf", "application/pdf", "99")
    hearth.wait_for(answered, "the word that it cannot be read, and an answer", 20)
    run = newest_kept(hearth, None, before)["run"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(base_url=f"http://127.0.0.1:{hearth.port}")
        page.goto(command(hearth, "open").strip())
        page.get_by_role("navigation", name="Views").wait_for()
        page.goto("/chat/" + hearth.run(run)["conversation_id"])
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save pump <b>.pdf").click()
        assert saved.value.path().read_bytes() == b"%PDF-1.7 of the pump"
        browser.close()


def test_what_came_with_a_fact_goes_with_it(hearth):
    channel = hearth.channels["file"]
    answered, before = fresh(channel, 1, "99"), len(blobs(hearth))
    channel.enclose(PICTURE + b"brick", "photo", "Please remember, it is to be kept this: " + SECRET, sender="99")
    hearth.wait_for(answered, "an answer", 20)
    blob = newest_kept(hearth, None, before)
    file = file_of(hearth, blob)
    fact = next(one for one in json.loads(command(hearth, "memory", "list", "--json")) if one["text"] == SECRET)
    assert fact["run_id"] == blob["run"] and file.exists()
    assert json.loads(command(hearth, "memory", "forget", fact["id"], "--yes", "--json"))["counts"]["blobs"] == 1
    assert not file.exists() and len(blobs(hearth)) == before


def test_a_fetch_that_breaks_is_tried_again_and_one_that_is_refused_is_said(hearth):
    channel = hearth.channels["telegram"]
    told, before = fresh(channel, 1), len(blobs(hearth, "telegram"))
    channel.api.file_faults = [(502, {"ok": False, "error_code": 502, "description": "Bad Gateway"})]
    channel.enclose(PICTURE + b"again", "photo")
    hearth.wait_for(lambda: len(blobs(hearth, "telegram")) > before and "Bad Gateway" in blobs(hearth, "telegram")[0]["error"], "a failed attempt", 10)
    assert not told(), "it may still come"
    assert "still to be fetched" in hearth.call("GET", f"/v1/blobs/{blobs(hearth, 'telegram')[0]['id']}", key=hearth.keys["telegram"]).error["message"]
    hearth.wait_for(told, "the word that it is kept", 25)
    assert "is kept as " + newest_kept(hearth, "telegram", before)["id"] in channel.sent()[-1]
    told = fresh(channel, 1)
    channel.api.write(None, voice={"file_id": "nowhere", "file_unique_id": "u", "duration": 1})
    hearth.wait_for(told, "the word that it is not kept", 15)
    assert "could not be kept" in channel.sent()[-1] and "wrong file_id" in channel.sent()[-1]
    for size in ({"file_size": 3 << 20}, {}):  # said, and not said
        told = fresh(channel, 1)
        channel.api.files["film"] = b"x" * ((1 << 20) + 1)
        channel.api.write(None, video={"file_id": "film", "file_unique_id": "u", "mime_type": "video/mp4", **size})
        hearth.wait_for(told, "the word that it is too large", 15)
        assert "1 MiB that blobs.most_mib keeps" in channel.sent()[-1] and blobs(hearth, "telegram")[0]["state"] == "failed"


def test_a_kill_in_the_middle_of_a_fetch_loses_nothing(hearth):
    channel = hearth.channels["telegram"]
    told, before = fresh(channel, 1), len(blobs(hearth, "telegram"))
    channel.api.file_faults, channel.api.fetched = ["hang"], []
    channel.enclose(PICTURE + b"kill", "photo")
    hearth.wait_for(lambda: channel.api.fetched, "the fetching", 15)
    hearth.stop(signal.SIGKILL)
    folder = next(hearth.state.folder.rglob("blobs/*"))
    stray = folder / ("a" * 64)
    stray.write_bytes(b"left by nobody")
    hearth.start()
    hearth.wait_for(told, "the word that it is kept", 20)
    blob = newest_kept(hearth, "telegram", before)
    assert hearth.call("GET", f"/v1/blobs/{blob['id']}", key=hearth.keys["telegram"]).data == PICTURE + b"kill"
    assert not stray.exists(), "a start sweeps"


def test_a_name_that_leads_elsewhere_is_no_file_of_the_inbox(hearth):
    channel = hearth.channels["file"]
    secret = channel.folder.parent / "outside.txt"
    secret.write_text("not for the inbox")
    (channel.folder / "inbox" / "link").symlink_to(secret)
    for number, file in enumerate(("../outside.txt", str(secret), "link", "nowhere.jpg")):
        told = fresh(channel, 1)
        channel.put(f"bad{number}.json", {"from": channel.sender, "text": "", "file": file, "type": "image/jpeg"})
        hearth.wait_for(told, "the word that it is not kept", 15)
        assert "could not be kept" in channel.sent()[-1] and blobs(hearth, "file")[0]["state"] == "failed", file
    assert subprocess.run(["grep", "-r", "not for the inbox", hearth.state.folder / "state/blobs"], capture_output=True, check=False).stdout == b""
