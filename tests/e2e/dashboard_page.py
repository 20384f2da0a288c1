"""The dashboard's page in Debian's Chromium, signed in at a server of the file's own: fixtures of the files that look at it."""
import contextlib
import pathlib
import subprocess

import pytest
import support
from conftest import running
from support import Hearth, call

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no Python package index could be reached")
CHROMIUM = pathlib.Path("/usr/bin/chromium")
if not CHROMIUM.exists():
    pytest.skip("there is no /usr/bin/chromium: deploy/packages.txt names it", allow_module_level=True)

WORDS = "Here is what I found:\n\n- **two** files\n- `notes.txt`, which is short\n\n```\ncat notes.txt\n```\n\nSee [the page](https://example.org/x)."
SCRIPT = [
    {"when": "slow", "text": "This takes a while. " * 20, "word_delay_ms": 60},
    {"when": "look", "text": "I look.", "tool_calls": [call("list_dir", path=".")]},
    {"when": "look", "text": WORDS},
    {"when": "", "text": "Hello."},
]
PICTURES = support.ROOT / "build/pictures"
SIZES = {"375": {"width": 375, "height": 760}, "1280": {"width": 1280, "height": 800}}


def link(hearth, *more):
    done = subprocess.run([hearth.state.binary, "open", *more], env=hearth.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def hearth(request):
    name = request.module.__name__
    with contextlib.closing(support.State(name)) as state:
        yield from running(Hearth(state, name, SCRIPT))


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def signed_in(hearth, chromium):
    """What a browser keeps once it has signed in."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(link(hearth))
    page.get_by_role("navigation", name="Views").wait_for()
    assert "#" not in page.url, "the secret leaves the address"
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(hearth, chromium, signed_in, request):
    size = getattr(request, "param", "1280")
    context = chromium.new_context(viewport=SIZES[size], storage_state=signed_in, base_url=f"http://127.0.0.1:{hearth.port}")
    context.set_default_timeout(15000)
    page = context.new_page()
    page.troubles = []
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.on("console", lambda message: page.troubles.append(message.text) if message.type == "error" and "40" not in message.text else None)
    page.on("request", lambda sent: page.troubles.append(sent.url) if not sent.url.startswith((f"http://127.0.0.1:{hearth.port}/", "data:", "blob:")) else None)
    yield page
    context.close()
    assert page.troubles == []


def picture(page, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(100)
    page.screenshot(path=str(PICTURES / f"{name}.png"))


def at_each_size(page, name):
    for size, shape in SIZES.items():
        page.set_viewport_size(shape)
        assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth"), f"{page.url} is wider than {size}"
        picture(page, f"{name}_{size}")
