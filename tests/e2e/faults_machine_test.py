"""A machine without what is needed: a port, a folder, PostgreSQL's programs."""
import pathlib
import socket

from faults import SCRIPT, doctor, needs_root, refused, run
from support import Hearth


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
