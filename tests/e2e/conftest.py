import json
import os
import pathlib
import shutil
import signal
import tempfile

import faults
import pytest
import support
import tiny_model

signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stage out of time still stops its servers


def pytest_configure():
    if not os.access(support.BINARY, os.X_OK):
        raise pytest.UsageError(f"there is no hearth at {support.BINARY}: build it, or set HEARTH_BINARY")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    for server in getattr(item, "funcargs", {}).values():
        if report.failed and isinstance(server, support.Hearth):
            report.sections.append((str(server.log), server.tail()))


@pytest.fixture(scope="session")
def state():
    made = support.State("shared")
    yield made
    made.close()


def running(server):
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def hearth(request, state):
    """A server that answers from the test file's SCRIPT."""
    yield from running(support.Hearth(state, request.module.__name__, request.module.SCRIPT))


@pytest.fixture(scope="module")
def house(request, state):
    """The same, and its model is free to call tools; SETTINGS has more where the file has some."""
    name = request.module.__name__
    settings = {"agents.discipline": "free", "server.socket": state.folder / f"{name}.sock", **getattr(request.module, "SETTINGS", {})}
    yield from running(support.Hearth(state, name, request.module.SCRIPT, settings))


@pytest.fixture(scope="module")
def tiny(request, state):
    """A server with the smaller of the tiny checkpoints, beside `hearth`."""
    server = tiny_server(state, "llama_tied", f"{request.module.__name__}-tiny")
    yield from running(server)


@pytest.fixture(scope="module")
def client(hearth):
    return support.client_of(hearth)


@pytest.fixture(scope="module")
def tiny_client(tiny):
    return support.client_of(tiny)


def model_server(state, file, name, **settings):
    """Of that model, whose answers are the same however fast the machine's kernels are."""
    return support.Hearth(state, name, settings={"model.path": file, "model.profile": "exact", "server.socket": state.folder / f"{name}.sock", **settings})


def tiny_server(state, model, name, **settings):
    file = state.folder / f"{model}.gguf"
    tokens = tiny_model.make(support.MODELS / f"{model}.gguf", file)
    server = model_server(state, file, name, **settings)
    server.tokens = tokens
    return server


@pytest.fixture(scope="session")
def default_model(state):
    """A server with the default model, where HEARTH_MODEL names it and the machine is fast enough to tell."""
    file = os.environ.get("HEARTH_MODEL")
    if not file:
        pytest.skip("HEARTH_MODEL names no default model")
    server = support.Hearth(state, "default_model", settings={"model.path": file, "server.socket": state.folder / "default.sock"})
    for started in running(server):
        targets = {op["target"] for op in started.facts()["targets"]}
        if targets == {"ref"}:
            pytest.skip("the default model would take hours: this processor has none of the fast targets")
        yield started


@pytest.fixture(scope="module")
def env():
    """Settings of a state folder in which nothing was made yet; a script stands in for the model."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="e2e-faults-"))
    folder.chmod(0o711)
    script = folder / "script.jsonl"
    script.write_text("".join(json.dumps(line) + "\n" for line in faults.SCRIPT))
    script.chmod(0o644)
    out = {k: v for k, v in os.environ.items() if not k.startswith("HEARTH_") and k != "DATABASE_URL"}
    out.update(HEARTH_STATE_FOLDER=str(folder / "state"), XDG_CONFIG_HOME=str(folder / "config"), HEARTH_BACKEND_SCRIPT=str(script),
               HEARTH_SERVER_PORT="0", HEARTH_DATABASE_RUN_AS=support.cluster_user())
    yield out
    faults.run(out, "db", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def own():
    """A state folder that a test may ruin."""
    made = support.State("faults")
    yield made
    made.close()
