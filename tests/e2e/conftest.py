import os
import signal

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
def tiny(request, state):
    """A server with the smaller of the tiny checkpoints, beside `hearth`."""
    server = tiny_server(state, "llama_tied", f"{request.module.__name__}-tiny")
    yield from running(server)


def tiny_server(state, model, name):
    file = state.folder / f"{model}.gguf"
    tokens = tiny_model.make(support.MODELS / f"{model}.gguf", file)
    server = support.Hearth(state, name, settings={"model.path": file, "model.profile": "exact", "server.socket": state.folder / f"{name}.sock"})
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
        targets = {op["target"] for op in started.call("GET", "/health").json["backends"]["embedded"]["facts"]["targets"]}
        if targets == {"ref"}:
            pytest.skip("the default model would take hours: this processor has none of the fast targets")
        yield started
