"""Signing in: hearth open makes a link, a browser uses it, and what its cookie may do from where."""
import contextlib
import http.client
import json
import subprocess

import pytest
import support
from conftest import running

SCRIPT = [{"when": "", "text": "Hello."}]
OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def hearth():
    with contextlib.closing(support.State("sign_in")) as state:
        yield from running(support.Hearth(state, "sign_in_test", SCRIPT))


class Browser:
    def __init__(self, hearth):
        self.hearth, self.cookie, self.csrf = hearth, "", ""

    def send(self, method, path, body=None, headers=OWN):
        fields = {"Content-Type": "application/json", "X-Hearth-CSRF": self.csrf, **headers}
        if self.cookie:
            fields["Cookie"] = self.cookie
        connection = http.client.HTTPConnection("127.0.0.1", self.hearth.port, timeout=30)
        connection.request(method, path, None if body is None else json.dumps(body), fields)
        response = connection.getresponse()
        return connection, response

    def call(self, method, path, body=None, headers=OWN):
        connection, response = self.send(method, path, body, headers)
        data = response.read()
        connection.close()
        if cookie := response.headers.get("Set-Cookie"):
            self.cookie = cookie.split(";")[0]
        answer = json.loads(data) if data and "json" in response.headers["Content-Type"] else data
        if isinstance(answer, dict) and "csrf" in answer:
            self.csrf = answer["csrf"]
        return response.status, answer


def opened(hearth, *more):
    done = subprocess.run([hearth.state.binary, "open", *more], env=hearth.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def browser(hearth):
    made = Browser(hearth)
    address, link = opened(hearth).split("/#link=")
    assert address == f"http://127.0.0.1:{hearth.port}"
    status, session = made.call("POST", "/v1/session", {"link": link})
    assert (status, session["person"]["role"]) == (200, "owner")
    return made


def test_a_link_signs_in_once_and_a_password_from_then_on(hearth, browser):
    name = browser.call("GET", "/v1/session")[1]["person"]["name"]
    assert browser.call("POST", "/v1/session/password", {"password": "a few plain words"})[0] == 200
    again = Browser(hearth)
    assert again.call("POST", "/v1/session", {"name": name, "password": "a few plain word"})[0] == 401
    assert again.call("POST", "/v1/session", {"name": name, "password": "a few plain words"})[0] == 200
    assert again.call("GET", "/v1/runs")[0] == 200
    link = json.loads(opened(hearth, "--json"))["url"].split("#link=")[1]
    assert Browser(hearth).call("POST", "/v1/session", {"link": link})[0] == 200
    assert Browser(hearth).call("POST", "/v1/session", {"link": link})[0] == 401
    assert link not in hearth.log.read_text()


def test_a_hostile_page_moves_nothing(hearth, browser):
    run = browser.call("POST", "/v1/runs", {"input": "hello"})[1]
    hostile = [{"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}, {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
               {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, {"Origin": f"http://localhost:{hearth.port}", "Sec-Fetch-Site": "same-site"},
               {"Sec-Fetch-Site": "none"}, {}]
    for headers in hostile:
        for method, path, body in [("GET", "/v1/session", None), ("GET", "/v1/runs", None), ("GET", f"/v1/runs/{run['id']}/events", None), ("POST", "/v1/runs", {"input": "x"}),
                                   ("POST", "/v1/session/password", {"password": "what I would like"}), ("DELETE", "/v1/session", None)]:
            assert browser.call(method, path, body, headers)[0] == 403, (headers, method, path)
    assert len(browser.call("GET", "/v1/runs?status=open")[1]["data"] + browser.call("GET", "/v1/runs?text=x")[1]["data"]) <= 1
    browser.csrf = "0" * 64
    assert browser.call("GET", f"/v1/runs/{run['id']}/events")[0] == 403
    assert browser.call("GET", "/v1/session")[0] == 200  # which tells the token anew
    connection, stream = browser.send("GET", f"/v1/runs/{run['id']}/events")
    assert stream.status == 200 and b"event: done" in stream.read()
    connection.close()


def test_who_signs_out_is_out(hearth, browser):
    cookie = browser.cookie
    assert browser.call("DELETE", "/v1/session")[0] == 200
    browser.cookie = cookie
    assert browser.call("GET", "/v1/runs")[0] == 401


def test_a_member_is_let_in_by_the_owner(hearth, browser):
    subprocess.run([hearth.state.binary, "person", "add", "Clara"], env=hearth.env, check=True, capture_output=True, timeout=60)
    clara = Browser(hearth)
    status, session = clara.call("POST", "/v1/session", {"link": opened(hearth, "--person", "Clara").split("#link=")[1]})
    assert (status, session["person"]["name"], session["scopes"]) == (200, "Clara", ["chat", "dev"])
    run = browser.call("POST", "/v1/runs", {"input": "hello"})[1]["id"]
    assert clara.call("GET", f"/v1/runs/{run}")[0] == 404
    assert clara.call("GET", "/logs")[0] == 403
