"""A database that goes away, is another program's, or is one's own."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import pytest
import support
from faults import INSIDE, ROOT, SCRIPT, refused, run
from support import Hearth, State, free_port, sql, user


def postmaster(state):
    return int((state.folder / "state/pg/data/postmaster.pid").read_text().split()[0])


@contextlib.contextmanager
def migrations_changed(state, statement, undo):
    sql(state, statement)
    try:
        yield
    finally:
        sql(state, undo)


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


@pytest.fixture
def foreign():
    """A PostgreSQL that is not ours: (what psql needs to reach it as its administrator, its address)."""
    programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs or not shutil.which("psql"):
        pytest.skip("needs PostgreSQL's programs and psql")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="e2e-foreign-"))
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
