import os
import signal

import pytest
import support

signal.signal(signal.SIGTERM, signal.default_int_handler)  # a stage out of time still stops its servers


def pytest_configure():
    if not os.access(support.BINARY, os.X_OK):
        raise pytest.UsageError(f"there is no hearth at {support.BINARY}: build it, or set HEARTH_BINARY")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    report = (yield).get_result()
    server = getattr(item, "funcargs", {}).get("hearth")
    if report.failed and server:
        report.sections.append((str(server.log), server.tail()))


@pytest.fixture(scope="session")
def state():
    made = support.State("shared")
    yield made
    made.close()


@pytest.fixture(scope="module")
def hearth(request, state):
    """A server that answers from the test file's SCRIPT."""
    server = support.Hearth(state, request.module.__name__, request.module.SCRIPT)
    try:
        yield server.start()
    finally:
        server.stop()
