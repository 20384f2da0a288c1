"""The way to the dashboard from elsewhere: hearth open beside a server under TLS, and a link that a paired chat asks for."""
import contextlib
import hashlib
import json
import re
import ssl
import urllib.request

import pytest
import support
from channels_test import Files, pair
from support import Hearth, command, outbox

SCRIPT = [{"when": "", "text": "Good evening to you."}]


@pytest.fixture(scope="module")
def hearth():
    """A server that other machines reach, which speaks TLS alone."""
    with contextlib.closing(support.State("open")) as state:
        files = Files(state.folder / "files")
        server = Hearth(state, "open_test", SCRIPT, {**files.settings, "server.host": "0.0.0.0", "server.public_host": "localhost"})
        server.files = files
        try:
            server.launch()
            pair(server, files, files.sender, "Clara")
            yield server
        finally:
            server.stop()


def signs_in(url):
    """Who is signed in by the link; nobody by one that was used."""
    address, secret = url.split("/#link=")
    request = urllib.request.Request(f"{address}/v1/session", json.dumps({"link": secret}).encode(), {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"})
    try:
        with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=30) as answer:
            return json.load(answer)["person"]["name"]
    except urllib.error.HTTPError as refused:
        return refused.code


def asked(server, text):
    before = len(server.files.sent())
    server.files.write(text)
    server.wait_for(lambda: len(server.files.sent()) > before, "an answer", 20)
    return server.files.sent()[-1]


def test_a_paired_chat_is_sent_a_link_that_is_good_for_once(hearth):
    for text in ("/open", "Dashboard"):
        url, = re.findall(r"https://localhost:\d+/#link=\S+", asked(hearth, text))
        assert signs_in(url) == "Clara" and signs_in(url) == 401
    hearth.wait_for(lambda: outbox(hearth)[0]["state"] == "delivered", "how that ended", 10)
    assert outbox(hearth)[0]["digest"] and "#link=" not in hearth.log.read_text()
    assert "#link=" not in support.dump(hearth.state), "the outbox has let go of it"


def test_other_words_are_a_question_like_any(hearth):
    assert asked(hearth, "what does the dashboard show?") == "Good evening to you."


def test_open_tells_the_fingerprint_and_draws_the_code(hearth):
    shown = command(hearth, "open", "--qr").splitlines()
    started = re.search(r"SHA-256 (\S+)", shown[1]).group(1)
    presented = ssl.get_server_certificate(("localhost", int(shown[0].split(":")[2].split("/")[0])))
    assert started.replace(":", "").lower() == hashlib.sha256(ssl.PEM_cert_to_DER_cert(presented)).hexdigest()
    assert len(shown) > 20 and all(line.startswith("\033[30;107m") for line in shown[2:])
    assert signs_in(shown[0]) == "owner"
    assert command(hearth, "open").count("\n") == 2, "no code where nobody looks"
    assert json.loads(command(hearth, "open", "--json"))["fingerprint"] == started
