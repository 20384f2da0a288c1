"""What goes wrong on a machine, and what a person is told: one short message with the thing, the value and a remedy,
an exit status that is not 0, no trace of the program's inside, no waiting."""
import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
import support
from support import BINARY, MODELS, Hearth, State, user

SCRIPT = [{"when": "run it", "tool_calls": [support.call("bash", command="echo alive")]}, {"when": "run it", "text": "It ran."},
          {"when": "list it", "tool_calls": [support.call("list_dir", path=".")]}, {"when": "list it", "text": "Listed."},
          {"when": "", "text": "Good day."}]
ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="needs root: mounts a file system or changes the user")
INSIDE = re.compile(r"terminate called|what\(\)|std::|/app/|\.cpp|backtrace|Aborted|internal", re.I)


def run(env, *arguments, prefix=(), seconds=60):
    return subprocess.run([*prefix, BINARY, *arguments], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds)


def refused(env, *arguments, says=(), status=1, prefix=(), seconds=60):
    """It ends by itself with this status; the last lines on standard error are the message."""
    done = run(env, *arguments, prefix=prefix, seconds=seconds)
    lines = [line for line in done.stderr.splitlines() if not re.match(r"\d{4}-\d\d-\d\d ", line)]
    message = "\n".join(lines)
    assert done.returncode == status, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    assert 1 <= len(lines) <= 3 and len(message) < 700, message
    assert not INSIDE.search(message), message
    for words in says:
        assert words in message, message
    return message


def doctor(env, name):
    """The finding of that name, and its remedy."""
    done = run(env, "doctor", "--json")
    assert done.returncode in (0, 1), done.stderr
    found = [probe for probe in support.json.loads(done.stdout) if probe["name"] == name]
    assert len(found) == 1, done.stdout
    return found[0]


@pytest.fixture(scope="module")
def env():
    """Settings of a state folder in which nothing was made yet; a script stands in for the model."""
    folder = pathlib.Path(support.tempfile.mkdtemp(prefix="e2e-faults-"))
    folder.chmod(0o711)
    script = folder / "script.jsonl"
    script.write_text("".join(support.json.dumps(line) + "\n" for line in SCRIPT))
    script.chmod(0o644)
    out = {k: v for k, v in os.environ.items() if not k.startswith("HEARTH_") and k != "DATABASE_URL"}
    out.update(HEARTH_STATE_FOLDER=str(folder / "state"), XDG_CONFIG_HOME=str(folder / "config"), HEARTH_BACKEND_SCRIPT=str(script),
               HEARTH_SERVER_PORT="0", HEARTH_DATABASE_RUN_AS=support.cluster_user())
    yield out
    run(out, "db", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def own():
    """A state folder that a test may ruin."""
    made = State("faults")
    yield made
    made.close()


def postmaster(state):
    return int((state.folder / "state/pg/data/postmaster.pid").read_text().split()[0])


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# --- settings

@pytest.mark.parametrize("arguments,variables,says", [
    (["--set", "server.port=eighty", "serve"], {}, ["server.port", "'eighty'", "the command line", "0 to 65535"]),
    (["chat", "hello"], {"HEARTH_SERVER_PORT": "70000"}, ["server.port", "'70000'", "HEARTH_SERVER_PORT"]),
    (["doctor"], {"HEARTH_MODEL_PROFILE": "quick"}, ["model.profile", "'quick'", "fast,exact"]),
    (["bench"], {"HEARTH_SERVER_PROT": "80"}, ["HEARTH_SERVER_PROT", "did you mean HEARTH_SERVER_PORT?"]),
    (["--set", "server.prot=80", "config", "check"], {}, ["'server.prot'", "did you mean 'server.port'?"]),
    (["--set", "server.port", "serve"], {}, ["--set wants name=value", "server.port=8081"]),
    (["--set", "state.folder=", "serve"], {}, ["state.folder"]),
    (["--settings", "/", "bench"], {}, ["settings file /", "folder"]),
    (["--settings", "/nonexistent.yaml", "serve"], {}, ["/nonexistent.yaml"]),
    (["--set", "server=8091", "serve"], {}, ["'server'", "is a section", "server.port"]),
    (["srve"], {}, ["'hearth srve'", "did you mean hearth serve?"]),
    (["db", "frob"], {}, ["'hearth db frob'", "hearth db --help"]),
    (["--set", "server.port=0", "trace", "shwo"], {}, ["'hearth trace shwo'", "did you mean hearth trace show?"]),
    (["frob", "--help"], {}, ["'hearth frob'", "hearth --help"]),
])
def test_a_wrong_setting_is_named_with_its_place(env, arguments, variables, says):
    refused(dict(env, **variables), *arguments, says=says, status=2)


@pytest.mark.parametrize("text,says", [
    ("server:\n  port: 99999\n", ["server.port", "'99999'", "hearth.yaml"]),
    ("server:\n  prot: 80\n", ["'server.prot'", "did you mean 'server.port'?"]),
    ("server: [1\n", ["hearth.yaml, line "]),
    ("just words\n", ["hearth.yaml, line 1"]),
    ("server: 8091\n", ["'server'", "hearth.yaml", "is a section", "server.port"]),
    ("log: {level: info}\nserver:\n\tport: 8091\n", ["hearth.yaml, line 3", "allows no tabs"]),
])
@pytest.mark.parametrize("command", [["serve"], ["config", "check"]])
def test_a_wrong_settings_file_is_named(env, tmp_path, text, says, command):
    file = tmp_path / "hearth.yaml"
    file.write_text(text)
    settings = {k: v for k, v in env.items() if k != "HEARTH_SERVER_PORT"}
    refused(settings, "--settings", str(file), *command, says=says, status=2)


@pytest.mark.parametrize("command", [["serve"], ["config", "check"]])
def test_an_address_of_another_machine_is_named_with_the_port(env, command):
    refused(dict(env, HEARTH_SERVER_PORT="8099"), "--set", "server.host=192.0.2.7", *command, says=["192.0.2.7:8099", "server.host"])


def test_a_target_that_is_none_is_named_with_its_setting(env):
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    refused(dict(settings, HEARTH_MODEL_PATH=str(MODELS / "llama_tied.gguf")), "--set", "model.target=sse", "config", "check", says=["model.target", "'sse'", "ref"])


def test_a_host_that_is_none_is_refused_before_anything_is_made(env):
    refused(env, "--set", "server.host=nonsense", "serve", says=["server.host", "'nonsense'", "127.0.0.1"])
    assert not (pathlib.Path(env["HEARTH_STATE_FOLDER"]) / "pg").exists()


# --- models

def damaged(folder, kind):
    whole = (MODELS / "llama_tied.gguf").read_bytes()
    file = folder / f"{kind}.gguf"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind != "absent":
        file.write_bytes({"truncated": whole[:-1000], "head": whole[:100], "empty": b"", "magic": b"GGML" + whole[4:], "text": b"not a model\n",
                          "noise": os.urandom(5000), "unreadable": whole}[kind])
    if kind == "unreadable":
        file.chmod(0)
    return str(file)


@pytest.mark.parametrize("kind", ["truncated", "head", "empty", "magic", "text", "noise", "folder", "pipe", "absent", "unreadable"])
def test_a_damaged_model_is_named_with_a_remedy(env, tmp_path, kind):
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o711)
    file = damaged(tmp_path, kind)
    prefix = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups") if kind == "unreadable" and ROOT else ()
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    settings["HEARTH_MODEL_PATH"] = file
    remedy = {"absent": "hearth model pull", "truncated": "put a whole one there", "unreadable": "read it"}.get(kind, "→")
    refused(settings, "bench", says=[file, remedy], prefix=prefix, seconds=20)
    refused(settings, "model", "inspect", file, says=[file], prefix=prefix, seconds=20)
    if prefix:
        return
    refused(settings, "serve", says=[file, remedy], seconds=20)
    probe = doctor(settings, "model")
    assert probe["health"] == "FAILED" and file in probe["found"] and probe["remedy"]


def test_a_model_larger_than_memory_is_refused_with_the_numbers(env):
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    settings.update(HEARTH_MODEL_PATH=str(MODELS / "llama_tied.gguf"), HEARTH_MODEL_MEMORY_MIB="1")
    for command in (["serve"], ["bench"], ["model", "inspect"], ["model", "inspect", "--json"]):
        refused(settings, *command, says=["for weights", "the limit is 1 MiB", "available are", "smaller model"], seconds=20)
    described = lambda: support.json.loads(run(settings, "model", "inspect", "--json").stdout)
    assert described()["architecture"] == "llama" and described()["loads"] is False, "what it is can still be said"
    assert run(settings, "model", "inspect").stdout.splitlines()[1].split()[:2] == ["architecture", "llama,"]
    settings["HEARTH_MODEL_MEMORY_MIB"] = "200"
    assert run(settings, "model", "inspect").returncode == 0 and described()["loads"] is True
    settings["HEARTH_MODEL_MEMORY_MIB"] = "1"
    assert "the limit is 1 MiB" in doctor(settings, "model")["found"]


def test_a_damaged_model_is_told_and_fetched_again(env, tmp_path):
    whole = (MODELS / "llama_tied.gguf").read_bytes()
    catalogue, models = tmp_path / "models.yaml", tmp_path / "state/models"
    catalogue.write_text("models:\n  - {name: tiny, file: tiny.gguf, bytes: %d, sha256: %s, sources: [{url: 'http://127.0.0.1:1/x'}, {path: %s}]}\n"
                         % (len(whole), hashlib.sha256(whole).hexdigest(), MODELS / "llama_tied.gguf"))
    settings = {k: v for k, v in env.items() if k != "HEARTH_BACKEND_SCRIPT"}
    settings.update(HEARTH_STATE_FOLDER=str(tmp_path / "state"), HEARTH_MODEL_CATALOGUE=str(catalogue))
    first = run(settings, "model", "pull", "tiny")
    assert first.returncode == 0 and "trying the next source" in first.stderr and "hearth: " not in first.stderr, first.stderr
    assert " here " in run(settings, "model", "list").stdout
    (models / "tiny.gguf").write_bytes(whole[:-1000])
    listed = run(settings, "model", "list")
    assert " damaged " in listed.stdout and " here " not in listed.stdout and "hearth model pull tiny" in listed.stderr
    assert "hearth model pull tiny fetches it again" in refused(settings, "bench", says=["tiny.gguf"], seconds=20)
    for wrong in (whole[:-1000], whole[:-1] + bytes([whole[-1] ^ 1])):
        (models / "tiny.gguf").write_bytes(wrong)
        assert run(settings, "model", "pull", "tiny").returncode == 0
        assert (models / "tiny.gguf").read_bytes() == whole


# --- ports, folders, programs

def test_a_taken_port_is_named_before_anything_is_made(env):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        refused(dict(env, HEARTH_SERVER_PORT=port), "serve", says=["127.0.0.1:" + port, "in use", "HEARTH_SERVER_PORT"], seconds=20)
    assert not (pathlib.Path(env["HEARTH_STATE_FOLDER"]) / "pg").exists()


def test_a_port_that_hearth_itself_holds_is_told(own, tmp_path):
    first = Hearth(own, "faults-port", SCRIPT)
    try:
        first.start()
        settings = dict(first.env, HEARTH_SERVER_PORT=str(first.port), HEARTH_STATE_FOLDER=str(tmp_path / "second"))
        says = ["in use", f"hearth (pid {first.process.pid})", "Hearth itself runs there already", "HEARTH_SERVER_PORT"]
        refused(settings, "serve", says=says, seconds=20)
        probe = doctor(settings, "server")
        assert f"hearth (pid {first.process.pid})" in probe["found"] and "Hearth itself" in probe["remedy"]
    finally:
        first.stop()


def test_a_state_folder_that_cannot_be_used_is_named(env, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for folder in (file, file / "below", "/proc/none"):
        for command in (["serve"], ["db", "start"], ["db", "migrate"], ["key", "list"]):
            refused(dict(env, HEARTH_STATE_FOLDER=str(folder)), *command, says=[str(folder), "state.folder"], seconds=20)
    assert doctor(dict(env, HEARTH_STATE_FOLDER=str(file)), "state folder")["health"] == "FAILED"


def test_missing_programs_of_postgresql_are_named(env):
    settings = dict(env, HEARTH_DATABASE_BINARIES="/nonexistent/bin")
    for command in (["serve"], ["db", "start"], ["key", "new"]):
        refused(settings, *command, says=["/nonexistent/bin", "apt-get install postgresql", "database.binaries"], seconds=20)
    probe = doctor(settings, "PostgreSQL")
    assert probe["health"] == "FAILED" and "/nonexistent/bin" in probe["found"] and "apt-get install postgresql" in probe["remedy"]
    assert run(settings, "doctor").returncode == 1


@needs_root
def test_an_absent_postgresql_is_named(env):
    hidden = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /usr/lib/postgresql && PATH=/usr/sbin:/sbin:/bin exec "$@"', "sh")
    refused(env, "serve", says=["PostgreSQL is not installed", "apt-get install postgresql"], prefix=hidden, seconds=20)


def test_two_servers_on_one_state_folder_are_told_apart(own):
    first = Hearth(own, "faults-first", SCRIPT)
    try:
        first.start()
        refused(dict(first.env), "serve", says=["run/hearth.sock", "another server answers", "HEARTH_SERVER_SOCKET"], seconds=20)
        assert first.dev("hi")["response"] == "Good day."
    finally:
        first.stop()


# --- migrations

@contextlib.contextmanager
def migrations_changed(state, statement, undo):
    secrets = (state.folder / "state/pg/credentials").read_text().split("\n")
    where = f"host={state.folder}/state/pg/socket port=5432 dbname=hearth user=hearth_owner password={secrets[1]}"

    def sql(text):
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", where, "-c", text], check=True, capture_output=True, timeout=30)
    sql(statement)
    try:
        yield
    finally:
        sql(undo)


@pytest.mark.skipif(not shutil.which("psql"), reason="needs psql")
def test_a_database_of_another_program_is_refused_by_name(own):
    serving = dict(own.env, HEARTH_SERVER_PORT="0", HEARTH_BACKEND_SCRIPT="/dev/null")
    with migrations_changed(own, "insert into schema_migration values (9999, 'tomorrow', 'x')", "delete from schema_migration where number = 9999"):
        for command in (["serve"], ["db", "migrate"], ["db", "status"]):
            done = run(serving, *command)
            assert done.returncode == 1 and "9999 (tomorrow)" in done.stdout + done.stderr and "newer program" in done.stdout + done.stderr
    with migrations_changed(own, "update schema_migration set checksum = 'x' || checksum where number = 1",
                            "update schema_migration set checksum = substr(checksum, 2) where number = 1"):
        refused(serving, "serve", says=["migration 1 (foundation)", "changed"])
    assert run(serving, "db", "status").returncode == 0


# --- the database goes away

def test_a_killed_postgresql_is_started_again_and_nothing_accepted_is_lost(own):
    server = Hearth(own, "faults-killed", SCRIPT)
    try:
        server.start()
        before = server.dev("remember me")
        os.kill(postmaster(own), signal.SIGKILL)
        answer = server.wait_for(lambda: (a := server.call("POST", "/v0/dev/chat", {"messages": [user("hi")]})).status != 200 and a, "an error", 5)
        assert answer.status == 503 and "database" in answer.error["message"] and answer.headers["Retry-After"]
        server.wait_for(lambda: server.call("POST", "/v0/dev/chat", {"messages": [user("hi")]}).status == 200, "the database again", 30)
        server.wait_for(lambda: server.call("GET", "/health").status == 200, "health", 10)
        assert support.said(server.run(before["run_id"])) == [("user", "remember me"), ("assistant", "Good day.")]
        again = server.dev("and now?", conversation_id=before["conversation_id"])
        assert len(server.run(again["run_id"])["messages"]) == 4
    finally:
        server.stop()


def test_a_stopped_postgresql_is_not_started_behind_its_back(own):
    server = Hearth(own, "faults-stopped", SCRIPT)
    try:
        server.start()
        own.command("db", "stop")
        server.wait_for(lambda: server.call("GET", "/health", key="").status == 503, "health", 10)
        ask = lambda: server.call("POST", "/v0/dev/chat", {"messages": [user("hi")]})
        server.wait_for(lambda: (answer := ask()).status == 503 and "hearth db start" in answer.error["message"], "the reason", 10)
        streamed = server.stream("/v0/dev/chat", {"messages": [user("hi")]})
        assert streamed.status == 503 or "database" in streamed.next("error")["error"]["message"]
        shown = run(own.env, "chat", "--once", "hello")
        assert shown.returncode == 5 and "database" in shown.stderr and not INSIDE.search(shown.stderr), shown.stderr
        assert not (own.folder / "state/pg/data/postmaster.pid").exists()
        own.command("db", "start")
        server.wait_for(lambda: server.call("GET", "/health").status == 200, "health", 10)
        assert server.dev("hi")["response"] == "Good day."
    finally:
        server.stop()


# --- a PostgreSQL of one's own

@pytest.fixture
def foreign():
    """A PostgreSQL that is not ours: (what psql needs to reach it as its administrator, its address)."""
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs or not shutil.which("psql"):
        pytest.skip("needs PostgreSQL's programs and psql")
    folder = pathlib.Path(support.tempfile.mkdtemp(prefix="e2e-foreign-"))
    who = ()
    if ROOT:
        shutil.chown(folder, support.cluster_user())
        who = ("setpriv", "--reuid", support.cluster_user(), "--clear-groups")
    port = free_port()

    def do(name, *arguments):
        subprocess.run([*who, str(programs[-1].with_name(name)), "-D", str(folder / "data"), *arguments], check=True, cwd="/", timeout=120,
                       stdout=subprocess.DEVNULL)
    do("initdb", "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8")
    do("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}", "start")
    try:
        yield ("-h", str(folder), "-p", str(port), "-d", "postgres"), f"127.0.0.1:{port}"
    finally:
        do("pg_ctl", "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


def test_a_postgresql_of_ones_own_is_migrated_and_served(env, foreign, tmp_path):
    psql, address = foreign
    roles = tmp_path / "roles.sql"
    roles.write_text(run(env, "db", "roles").stdout)
    subprocess.run(["psql", *psql, "-v", "ON_ERROR_STOP=1", "-q", "-U", "postgres", "-f", str(roles)], check=True, timeout=60)
    told = dict(re.findall(r"(HEARTH_DATABASE_\w+)=(\S+)", roles.read_text().replace("@HOST/", f"@{address}/")))
    assert set(told) == {"HEARTH_DATABASE_URL", "HEARTH_DATABASE_OWNER_URL"}
    serving = dict(env, HEARTH_STATE_FOLDER=str(tmp_path / "state"), HEARTH_DATABASE_URL=told["HEARTH_DATABASE_URL"])
    refused(serving, "serve", says=["'hearth' has no tables of hearth yet", "hearth db migrate"], seconds=20)
    refused(serving, "db", "migrate", says=["'hearth' has no tables of hearth yet", "database.owner_url is empty"], seconds=20)
    assert "up to date" in run(dict(serving, **told), "db", "migrate").stdout
    assert "up to date" in run(serving, "db", "migrate").stdout, "nothing is to be changed, so nobody's right to is asked for"
    assert run(serving, "db", "status").returncode == 0 and run(serving, "db", "start").returncode == 0
    assert "***@" in run(serving, "config", "show").stdout

    state = State.__new__(State)
    state.folder, state.env = tmp_path, serving
    state.key = state.command("key", "new", "--scopes", "chat,dev,admin", "--quiet").strip()
    server = Hearth(state, "faults-own", SCRIPT)
    try:
        server.start()
        assert support.check_trace(server.run(server.dev("hi")["run_id"]))
    finally:
        server.stop()
    assert not (tmp_path / "state/pg").exists()
    as_owner = dict(serving, HEARTH_DATABASE_URL=told["HEARTH_DATABASE_OWNER_URL"])
    refused(as_owner, "serve", says=["the owner of the tables", "hearth_app"], seconds=20)
    wrong = dict(serving, HEARTH_DATABASE_URL=re.sub(r":[^:@]+@", ":not-the-secret@", told["HEARTH_DATABASE_URL"]))
    assert "not-the-secret" not in refused(wrong, "serve", says=["password authentication failed", "database.url"], seconds=20)


# --- the disk is full

@contextlib.contextmanager
def small_disk(megabytes):
    folder = pathlib.Path(support.tempfile.mkdtemp(prefix="e2e-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=711", "none", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def fill(folder, leave):
    """A file that takes all but `leave` bytes."""
    file = folder / "filler"
    room = os.statvfs(folder)
    with open(file, "wb") as out:
        with contextlib.suppress(OSError):
            os.posix_fallocate(out.fileno(), 0, max(1, room.f_bavail * room.f_frsize - leave))
    return file


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


# --- no sandbox

NO_NAMESPACES = ("unshare", "-U", "-c", "--keep-caps", "sh", "-c",
                 'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --inh-caps=-all --ambient-caps=-all "$@"', "sh")


@pytest.fixture
def without_namespaces():
    """What a process starts with that may make no user namespace; and who it is."""
    who = ("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups") if ROOT else ()
    prefix = (*who, *NO_NAMESPACES)
    if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine gives no user namespace to begin with")
    return prefix


def test_without_user_namespaces_programs_are_refused_and_files_still_work(env, tmp_path, without_namespaces):
    home = pathlib.Path(support.tempfile.mkdtemp(prefix="e2e-nons-"))
    if ROOT:
        shutil.chown(home, "nobody", "nogroup")
    settings = dict(env, HEARTH_STATE_FOLDER=str(home / "s"), HOME=str(home), XDG_CONFIG_HOME=str(home / "config"), PATH="/usr/bin:/bin")
    done = run(settings, "doctor", "--json", prefix=without_namespaces)
    probe = next(p for p in support.json.loads(done.stdout) if p["name"] == "sandbox level")
    assert probe["health"] == "FAILED" and "T0" in probe["found"] and "sysctl" in probe["remedy"]
    with open(home / "log", "wb") as log:
        server = subprocess.Popen([*without_namespaces, BINARY, "serve"], env=settings, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
    try:
        assert b"listens on" in server.stdout.readline(), (home / "log").read_text()
        work = home / "work"
        work.mkdir(mode=0o777)
        (work / "a.txt").write_text("a")
        ask = lambda text: run(settings, "chat", "--workspace", str(work), text, prefix=without_namespaces[:without_namespaces.index("unshare")] if ROOT else ())
        for _ in range(2):  # no retry changes it
            told = ask("run it")
            assert "programs need sandbox level T2" in told.stderr, told.stderr
        listed = ask("list it")
        assert listed.returncode == 0 and "a.txt" in listed.stderr, listed.stderr
        assert "tools that run programs are refused" in (home / "log").read_text()
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()
        run(settings, "db", "stop", prefix=without_namespaces[:without_namespaces.index("unshare")] if ROOT else ())
        shutil.rmtree(home, ignore_errors=True)


@needs_root
def test_without_bubblewrap_doctor_names_the_package(env):
    hide = ("unshare", "-m", "sh", "-c", 'mkdir -p "$HIDE/u" "$HIDE/w" && mount -t overlay -o lowerdir=/usr/bin,upperdir="$HIDE/u",workdir="$HIDE/w" none /usr/bin '
            '&& rm -f /usr/bin/bwrap && exec "$@"', "sh")
    with small_disk(20) as folder:
        settings = dict(env, HIDE=str(folder))
        if subprocess.run([*hide, "true"], env=settings, capture_output=True).returncode != 0:
            pytest.skip("this machine mounts no overlay")
        done = run(settings, "doctor", "--json", prefix=hide)
        assert done.stdout, done.stderr
        probe = next(p for p in support.json.loads(done.stdout) if p["name"] == "sandbox level")
        assert probe["health"] == "FAILED" and "apt-get install bubblewrap" in probe["remedy"]
