"""hearth trace verify, and what the server does with traces as time goes by."""
import http.server
import json
import subprocess
import threading

from conftest import running
from support import BINARY, Hearth, user

SCRIPT = [{"when": "", "text": "Good day."}]


def verify(state, *arguments, status=0):
    done = subprocess.run([BINARY, "trace", "verify", *arguments], env=state.env, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def sql(state, statements):
    """As the administrator of the database, with triggers off."""
    folder = state.folder / "state/pg"
    password = (folder / "credentials").read_text().split("\n")[0]
    url = f"host={folder / 'socket'} dbname=hearth user=hearth_admin password={password} options='-c session_replication_role=replica'"
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", url, "-c", statements], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def ask(hearth, question="hi"):
    assert hearth.chat("hearth", [user(question)]).status == 200
    return hearth.call("GET", "/v1/runs?limit=1").json["data"][0]["id"]


def test_tampering_is_found_with_and_without_a_server(own):
    hearth = Hearth(own, "trace_verify", SCRIPT)
    for started in running(hearth):
        first, second = ask(started), ask(started)
        started.run(second)  # its trace is written
        assert "1 run, " in verify(own, second).stdout and ": whole" in verify(own).stdout
    told = json.loads(verify(own, "--all", "--json").stdout)
    assert told["whole"] and told["runs"] == 2 and told["spans"] > 2 and told["anchors"]["anchors"] == 1
    sql(own, "delete from trace_head; delete from trace_anchor")
    (own.folder / "state/trace-anchors").unlink()
    for started in running(Hearth(own, "trace_anchor", SCRIPT)):  # the first look of a day
        assert "traces anchored" in started.log.read_text()
    assert (own.folder / "state/trace-anchors").read_text().count("\n") == 1
    assert json.loads(verify(own, "--all", "--json").stdout)["anchors"]["heads"] == 2

    sql(own, f"update span set name = 'other' where run_id = '{first}' and position = 1")
    wrong = verify(own, first, status=1)
    assert "was changed" in wrong.stdout and first in wrong.stdout
    [fault] = json.loads(verify(own, "--all", "--json", status=1).stdout)["faults"]
    assert fault["run"] == first and fault["position"] == 1 and fault["span"]
    assert verify(own, second).returncode == 0

    sql(own, f"delete from span where run_id = '{first}'; delete from run where id = '{first}'")
    gone = verify(own, "--all", status=1).stdout
    assert first in gone and "is gone" in gone and "NOT as they were written" in gone
    sql(own, "delete from trace_head; delete from trace_anchor")
    assert "was removed" in verify(own, "--all", status=1).stdout  # the state folder still has it
    assert "no run" in verify(own, "00000000", status=1).stderr


def test_bodies_are_erased_by_size_and_said_to_be(own):
    for started in running(Hearth(own, "trace_keep", SCRIPT)):
        run = ask(started)
        assert any(span["body"] for span in started.run(run)["spans"])
    sql(own, f"update span_body set body = '{{\"long\": \"' || repeat('x', 2000000) || '\"}}' where span_id = (select id from span where run_id = '{run}' order by id limit 1)")
    for started in running(Hearth(own, "trace_erase", SCRIPT, {"traces.keep_mib": 1})):
        assert "bodies of old traces erased" in started.log.read_text()
        assert started.run(run)["chain"] == "whole"
    assert "with an erased body" in verify(own, run).stdout


def replay(hearth, *arguments, status=0):
    done = subprocess.run([BINARY, "trace", "replay", *arguments], env=hearth.env, cwd="/", capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def test_calls_are_asked_again_under_another_prompt_and_of_another_model(own, tmp_path):
    script = [{"when": "Answer in rhymes", "text": "Good day, I say."}, *SCRIPT]
    for started in running(Hearth(own, "trace_replay", script)):
        run = ask(started, "Why is the sky blue in the day and red in the evening?")
        before = started.run(run)
        told = json.loads(replay(started, run[:13], "--json").stdout)
        assert [call["purpose"] for call in told] == [span["name"] for span in before["spans"] if span["kind"] == "model"]
        assert all(call["same"] and call["was"]["message"]["content"] == "Good day." for call in told)
        assert "the same" in replay(started).stdout

        live = subprocess.run([BINARY, "prompt", "show", "recompose"], env=started.env, capture_output=True, text=True, timeout=60).stdout
        (tmp_path / "new.md").write_text(live + "\nAnswer in rhymes.\n")
        assert subprocess.run([BINARY, "prompt", "save", "recompose", tmp_path / "new.md"], env=started.env, timeout=60).returncode == 0
        shown = replay(started, "--prompt", "recompose@draft").stdout
        assert "- Good day." in shown and "+ Good day, I say." in shown and "differs" in shown
        assert "holds the prompt" in replay(started, "--prompt", "thinking@live", status=1).stderr
        assert "no model 'nobody'" in replay(started, "--model", "nobody", status=1).stderr
        assert "NAME@VERSION" in replay(started, "--prompt", "recompose", status=1).stderr
        after = started.run(run)
        assert after["spans"] == before["spans"] and after["steps"] == before["steps"]
        assert "replay" in {call["purpose"] for call in started.call("GET", "/v1/usage").json["calls"]}


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.got.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_collector_gets_the_spans_and_nothing_of_what_was_said(own):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        collector.got = []
        threading.Thread(target=collector.serve_forever, daemon=True).start()
        for started in running(Hearth(own, "trace_export", SCRIPT, {"traces.otlp_endpoint": f"http://127.0.0.1:{collector.server_port}"})):
            run = ask(started)
            kept = {span["id"].replace("-", "")[16:] for span in started.run(run)["spans"]}
            spans = lambda: [span for _, body in collector.got for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]]
            started.wait_for(lambda: {span["spanId"] for span in spans()} == kept, "all spans at the collector")
            assert "hearth_otlp_spans_dropped 0" in started.call("GET", "/metrics").data.decode()
        collector.shutdown()
    assert {path for path, _ in collector.got} == {"/v1/traces"}
    assert {span["traceId"] for span in spans()} == {run.replace("-", "")}
    assert "Good day" not in json.dumps(collector.got) and "invoke_agent hearth" in {span["name"] for span in spans()}
