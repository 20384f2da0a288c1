#!/usr/bin/env python3
"""An upstream in OpenAI's dialect that answers as a function tells it, and keeps what it was sent.

scripted_upstream.py PORT: one that breaks off in the middle of every answer.
"""
import contextlib
import http.server
import json
import sys
import threading

HOLDS = 8  # bytes of a piece of text


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # an answer ends with its connection

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.bodies.append(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        answer = self.server.answer(body)
        text, calls = answer.get("text", ""), answer.get("tool_calls", [])
        for at in range(0, len(text), HOLDS):
            self.piece(body, {"content": text[at:at + HOLDS]})
        for n, one in enumerate(calls):
            self.piece(body, {"tool_calls": [{"index": n, "id": f"c{n}", "type": "function", "function": {"name": one["name"], "arguments": json.dumps(one["arguments"])}}]})
        if answer.get("breaks_off"):
            return
        self.piece(body, {}, "tool_calls" if calls else "stop")
        self.wfile.write(b"data: [DONE]\n\n")

    def piece(self, body, delta, finish=None):
        self.wfile.write(b"data: " + json.dumps({"model": body["model"], "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}).encode() + b"\n\n")
        self.wfile.flush()

    def log_message(self, *_):
        pass


def replies_since(body):
    """How many replies it has given to the last message of the person."""
    out = 0
    for message in body["messages"]:
        out = 0 if message["role"] == "user" else out + (message["role"] == "assistant")
    return out


@contextlib.contextmanager
def upstream(answer, port=0):
    """`answer`: of a request's body, what it is answered: text, tool_calls, breaks_off."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.bodies, server.answer = [], answer
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def main():
    with upstream(lambda body: {"text": "The capital of France is", "breaks_off": True}, int(sys.argv[1])) as server:
        print(f"""upstreams:
  broken: {{url: "http://127.0.0.1:{server.server_port}/v1", model: any, continues: true}}
roster:
  broken: {{chain: [broken]}}""", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
