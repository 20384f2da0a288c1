"""One real hearth process on a state folder of its own, with its own PostgreSQL; and how to talk to it."""
import contextlib
import glob
import http.client
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("HEARTH_BINARY", str(ROOT / "build/test/app/hearth"))
LOGS = ROOT / "build/logs/e2e"
MODELS = ROOT / "tests/data/models"


def cluster_user():
    """Who runs PostgreSQL when the tests run as root."""
    try:
        return pwd.getpwnam("hearth").pw_name
    except KeyError:
        return "nobody"


class State:
    """A state folder: database cluster, keys, workspaces. Servers come and go on it. `run_as`: who owns it and
    runs all of it, where the tests run as root."""
    binary, identity = BINARY, {}

    def __init__(self, name, run_as=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"e2e-{name}-"))
        self.folder.chmod(0o711)  # the cluster's user passes through
        if run_as:
            entry = pwd.getpwnam(run_as)
            self.identity = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            self.binary = shutil.copy(BINARY, self.folder / "hearth")  # the checkout may be closed to that user
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("HEARTH_") and k != "DATABASE_URL"}
        self.env.update(HEARTH_STATE_FOLDER=str(self.folder / "state"), XDG_CONFIG_HOME=str(self.folder / "config"),
                        HEARTH_DATABASE_RUN_AS=cluster_user(), HEARTH_MODEL_KV_DISK_MIB="0", HEARTH_MODEL_COPY="off")  # servers one after another know nothing of each other
        try:
            self.command("db", "start")
            self.command("db", "migrate")
            self.key = self.command("key", "new", "--scopes", "chat,dev,admin", "--quiet").strip()
        except BaseException:
            self.close()
            raise

    def command(self, *arguments):
        done = subprocess.run([self.binary, *arguments], env=self.env, cwd="/", capture_output=True, text=True, timeout=120, **self.identity)
        assert done.returncode == 0, f"hearth {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}"
        return done.stdout

    def close(self):
        with contextlib.suppress(AssertionError):
            self.command("db", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def dump(state):
    """All that the database holds, as its administrator sees it."""
    folder = state.folder / "state/pg"
    password = (folder / "credentials").read_text().split("\n")[0]
    program = sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_dump"))[-1]
    done = subprocess.run([program, "-h", str(folder / "socket"), "-U", "hearth_admin", "hearth"], env=dict(os.environ, PGPASSWORD=password), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def database_of(state):
    """Where psql finds it, as the owner of its tables."""
    secrets = (state.folder / "state/pg/credentials").read_text().split("\n")
    return f"host={state.folder}/state/pg/socket port=5432 dbname=hearth user=hearth_owner password={secrets[1]}"


def sql(state, statements):
    """What psql prints of them."""
    return subprocess.run(["psql", "-qAt", "-v", "ON_ERROR_STOP=1", database_of(state), "-c", statements], check=True, capture_output=True, text=True, timeout=60).stdout.strip()


class Answer:
    """A whole HTTP answer."""

    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data

    @property
    def json(self):
        return json.loads(self.data)

    @property
    def error(self):
        return self.json["error"]


class Stream:
    """Server-sent events as they come: iterates over (name, data), data as JSON where it is some."""

    def __init__(self, connection, response):
        self.connection, self.response = connection, response
        self.status, self.headers = response.status, response.headers

    def __iter__(self):
        name, data = "", []
        for line in self.response:
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data.append(line[6:])
            elif not line and data:
                text = "\n".join(data)
                yield name, (text if text == "[DONE]" else json.loads(text))
                name, data = "", []

    def next(self, wanted):
        """The data of the next event of that name."""
        for name, data in self:
            if name == wanted:
                return data
        raise AssertionError(f"the stream ended without {wanted}")

    def close(self):
        self.response.close()
        self.connection.close()


class Hearth:
    """hearth serve, and its HTTP interface."""

    def __init__(self, state, name, script=None, settings=None):
        self.state, self.key = state, state.key
        self.env = dict(state.env, HEARTH_SERVER_PORT="0", HEARTH_NIGHTLY_AT="off", HEARTH_NIGHTLY_ALSO="none")  # no night begins amid a test
        if script is not None:
            file = state.folder / f"{name}.jsonl"
            file.write_text("".join(json.dumps(line) + "\n" for line in script))
            self.env["HEARTH_BACKEND_SCRIPT"] = str(file)
        for setting, value in (settings or {}).items():
            self.env["HEARTH_" + setting.upper().replace(".", "_")] = str(value)
        LOGS.mkdir(parents=True, exist_ok=True)
        self.log = LOGS / f"{name}.log"
        self.log.write_text("")
        self.process = self.port = None

    def start(self):
        self.launch()
        self.wait_for(lambda: self.call("GET", "/health").status == 200, "health", 60)
        return self

    def launch(self):
        """Until it listens; its model may still load."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.state.binary, "serve"], env=self.env, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            **self.state.identity)
        line = self.process.stdout.readline().decode()  # empty when it ended
        assert "listens on" in line, f"hearth serve ended with {self.process.wait(10)}:\n{self.tail()}"
        self.port = int(line.rsplit(":", 1)[1])

    def wait_for(self, condition, what, seconds=10):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, f"hearth serve ended with {self.process.returncode}:\n{self.tail()}"
            if found := condition():
                return found
            time.sleep(0.02)
        raise AssertionError(f"{what}: not within {seconds} s\n{self.tail()}")

    def stop(self, how=signal.SIGTERM):
        if not self.process or self.process.stdout.closed:
            return
        self.process.stdout.close()
        self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)
            raise AssertionError("hearth serve did not end within 20 s of its signal\n" + self.tail()) from None

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def connect(self, method, path, body=None, headers=None, key=None, timeout=60):
        """The connection with the request sent and no answer read yet. The empty key: none at all."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        all_headers = {"Content-Type": "application/json"} if data is not None else {}
        if key != "":
            all_headers["Authorization"] = "Bearer " + (key or self.key)
        all_headers.update(headers or {})
        connection.request(method, path, data, all_headers)
        return connection

    def send(self, *request, **more):
        connection = self.connect(*request, **more)
        return connection, connection.getresponse()

    def call(self, method, path, body=None, headers=None, key=None, timeout=60):
        connection, response = self.send(method, path, body, headers, key, timeout)
        with contextlib.closing(connection):
            return Answer(response.status, response.headers, response.read())

    def stream(self, path, body, headers=None, timeout=60):
        return Stream(*self.send("POST", path, dict(body, stream=True), headers, None, timeout))

    def dev(self, text, headers=None, **fields):
        """One dev chat turn that must be answered 200."""
        answer = self.call("POST", "/v0/dev/chat", {"messages": [user(text)], **fields}, headers)
        assert answer.status == 200, answer.data
        return answer.json

    def chat(self, model, messages, headers=None, **fields):
        return self.call("POST", "/v1/chat/completions", {"model": model, "messages": messages, **fields}, headers)

    def say(self, text, conversation=None, agent="hearth"):
        """That in the conversation, or in a new one; the run that has answered it, and the conversation."""
        answer = self.chat(agent, [user(text)], {"X-Hearth-Conversation": conversation} if conversation else {})
        assert answer.status == 200, answer.data
        return answer.headers["X-Hearth-Run"], answer.headers["X-Hearth-Conversation"]

    def facts(self):
        """What is told of the model that it serves itself."""
        return self.call("GET", "/health").json["backends"]["embedded"]["facts"]

    def run(self, run_id):
        """The run with its whole trace."""
        answer = self.call("GET", f"/v1/runs/{run_id}")
        assert answer.status == 200, answer.data
        return answer.json


class Rostered(Hearth):
    """With a settings file of its own."""

    def __init__(self, state, name, text, **more):
        super().__init__(state, name, **more)
        self.env["XDG_CONFIG_HOME"] = str(state.folder / f"{name}-config")
        self.file = state.folder / f"{name}-config/hearth/hearth.yaml"
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.file.write_text(text)

    def settings_probe(self):
        return next(p for p in self.call("GET", "/health").json["probes"] if p["name"] == "settings")


def user(text):
    return {"role": "user", "content": text}


def assistant(text):
    return {"role": "assistant", "content": text}


def client_of(server, **more):
    """OpenAI's own client of it."""
    import openai
    return openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", max_retries=0, timeout=60, **{"api_key": server.key, **more})


def call(name, **arguments):
    """A tool call in a script."""
    return {"name": name, "arguments": arguments}


def said(run):
    """The conversation of a run, as (role, content)."""
    return [(message["role"], message["content"]) for message in run["messages"]]


def check_trace(run):
    """What holds for every finished run: one root, no orphan, an unbroken chain."""
    spans = {span["id"]: span for span in run["spans"]}
    roots = [span for span in spans.values() if span["parent"] is None]
    assert len(spans) == len(run["spans"])
    assert [root["kind"] for root in roots] == ["run"]
    assert all(span["parent"] in spans for span in spans.values() if span["parent"] is not None)
    assert run["chain"] == "whole"
    assert run["finished"] is not None
    return roots[0]


def ended(server, run_id, seconds=20, key=None):
    """The run once it has ended; the root of its trace is written right after that."""
    def look():
        run = server.call("GET", f"/v1/runs/{run_id}", key=key).json
        return run["finished"] and any(span["parent"] is None for span in run["spans"]) and run
    run = server.wait_for(look, "the run's end", seconds)
    check_trace(run)
    return run


def command(server, *words, status=0, **more):
    """What `hearth WORDS` prints, run beside that server."""
    done = subprocess.run([BINARY, *words], env=server.env, cwd="/", capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout if status == 0 else done.stderr


def memory(server, *words, fails=False):
    """What `hearth memory WORDS` prints beside that server; on standard error where it is to fail."""
    done = subprocess.run([server.state.binary, "memory", *words], env=server.env, capture_output=True, text=True, timeout=60)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def outbox(server):
    return json.loads(command(server, "outbox", "list", "--limit", "500", "--json"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
