"""docs/tour.md as it stands: each command run in one shell, what it prints held against the page line by line, each picture made again.

A `console` block holds commands ("$ …") with what they print. There, "…" stands for anything, alone on a line for any lines; ids, codes and
addresses stand for what is there in their place from then on; dates are as far apart as on the page; times and measured numbers are free.
A picture is taken where it stands, of the page that it links to, and shows the texts that its description quotes. New ones for the page:
copy them from build/pictures to docs/pictures.
"""
import contextlib
import datetime
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile

import pytest
import support
from support import BINARY, ROOT, free_port, sql

TOUR = ROOT / "docs/tour.md"
PICTURES = ROOT / "build/pictures"
CHROMIUM = pathlib.Path("/usr/bin/chromium")
NIGHT = "<!-- the night passes -->"
PART = re.compile(r"^```console\n(?P<block>.*?)^```$|^\[!\[(?P<says>[^\]]*)\]\((?P<file>[^)]*)\)\]\((?P<address>[^)]*)\)$|(?P<night>" + NIGHT + ")", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
FREE = {  # what a page's line holds that is otherwise each time
    "date": r"\b\d{4}-\d\d-\d\d\b",
    "id": r"\b[0-9a-f]{8}-[0-9a-f]{4}(?:-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?\b",
    "code": r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b",
    "time": r"\b\d\d:\d\d(?::\d\d)?\b",
    "took": r" *\b\d+(?:\.\d+)? (?:µs|ms|s)\b",
    "number": r"\b\d+\.\d+\b|\b\d+(?= (?:tokens|events)\b)",
}
TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in FREE.items()) + f"|(?P<any>{ANYTHING})")
PATIENCE = 120  # seconds, of a command
AGES = {"fact": ("created_at", "last_seen", "valid_from"), "fact_sighting": ("seen_at",), "segment": ("said_at",), "message": ("created_at",), "run": ("started_at", "finished_at")}
SIZES = {"375": {"width": 375, "height": 760}, "1280": {"width": 1280, "height": 800}}
MOST_BYTES = 600_000  # of all pictures


def steps():
    """What the page has a reader do and see, in order: (kind, what, expected)."""
    for part in PART.finditer(TOUR.read_text()):
        if part["night"]:
            yield "night", None, None
        elif part["file"]:
            yield "picture", part["file"], (part["address"], re.findall("“([^”]*)”", part["says"]))
        else:
            for piece in re.split(r"^\$ ", part["block"], flags=re.MULTILINE)[1:]:
                command, *printed = piece.rstrip("\n").split("\n")
                yield "command", command, printed


STEPS = list(steps())
COMMANDS = [what for kind, what, _ in STEPS if kind == "command"]
SHOWN = {pathlib.Path(what).name: expected[1] for kind, what, expected in STEPS if kind == "picture"}


class Shell:
    """A terminal in the checkout."""

    END = "--- the command is over: "

    def __init__(self, folder):
        env = {k: v for k, v in os.environ.items() if not k.startswith("HEARTH_") and k != "DATABASE_URL"}
        env.update(HOME=str(folder), HEARTH_DATABASE_RUN_AS=support.cluster_user())
        reads, writes = os.pipe()
        self.process = subprocess.Popen(["bash", f"/dev/fd/{reads}"], env=env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        pass_fds=[reads], start_new_session=True)
        os.close(reads)
        self.types = os.fdopen(writes, "w")

    def run(self, command):
        self.types.write(f"{command}\necho; echo '{self.END}'$?\n")
        self.types.flush()
        said = ""
        with deadline(PATIENCE, command):
            for line in self.process.stdout:
                if line.startswith(self.END):
                    assert line == self.END + "0\n", f"$ {command}\n{said}{line}"
                    return said.rstrip("\n").split("\n") if said.strip() else []
                said += line
        raise AssertionError(f"the shell ended at $ {command}\n{said}")

    def close(self):
        self.types.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.communicate(timeout=30)


@contextlib.contextmanager
def deadline(seconds, what):
    def late(*_):
        raise AssertionError(f"not over within {seconds} s: {what}")
    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


class Tour:
    def __init__(self, folder, page):
        self.folder, self.shell, self.page = folder, Shell(folder), page
        self.places = {"$PWD/build/release": str(pathlib.Path(BINARY).parent), "/tmp/hearth-tour": str(folder), "8090": str(free_port()), "8099": str(free_port())}
        self.stands_for = {}  # of the page's ids and codes
        self.days = None  # from the page's days to those of today
        self.seen = set()  # pictures
        self.wrong = None

    def here(self, text):
        names = {**self.places, **self.stands_for}
        return re.sub("|".join(map(re.escape, sorted(names, key=len, reverse=True))), lambda found: names[found.group()], text)

    def is_so(self, expected, line):
        """Whether the line is what the page says; what stands for something else is kept then."""
        pattern, kinds, at = "", [], 0
        for token in TOKEN.finditer(expected):
            pattern += re.escape(self.here(expected[at:token.start()]))
            known = self.stands_for.get(token.group())
            pattern += re.escape(known) if known else ".*" if token["any"] else f"({FREE[token.lastgroup]})"
            kinds += [] if known or token["any"] else [(token.lastgroup, token.group())]
            at = token.end()
        found = re.fullmatch(pattern + re.escape(self.here(expected[at:])), line.rstrip())
        if not found:
            return False
        named = list(zip(kinds, found.groups()))
        if not all(self.is_that_day(there, here) for (kind, there), here in named if kind == "date"):
            return False
        self.stands_for.update((there, here) for (kind, there), here in named if kind in ("id", "code"))
        return True

    def is_that_day(self, there, here):
        apart = datetime.date.fromisoformat(here) - datetime.date.fromisoformat(there)
        if self.days is None:
            self.days = apart
        return apart == self.days

    def compare(self, command, expected, printed):
        left, skips = list(printed), False
        for line in expected:
            if line.strip() == ANYTHING:
                skips = True
                continue
            while left and not self.is_so(line, left[0]) and skips:
                left.pop(0)
            assert left and self.is_so(line, left[0]), f"$ {command}\nthe page: {line}\nhere:     {left[0] if left else '(nothing more)'}\n\n" + "\n".join(printed)
            left.pop(0)
            skips = False
        assert skips or not left, f"$ {command}\nthe page does not say:\n" + "\n".join(left)

    def command(self, command, expected):
        printed = self.shell.run(self.here(command))
        self.compare(command, expected, printed)
        links = [line for line in printed if re.match(r"http://127\.0\.0\.1:\d+/\S*#", line)]
        if links and self.page:
            self.page.goto(links[0])
            self.page.get_by_role("navigation", name="Views").wait_for()

    def night(self):
        """All that was said and kept is a day older, as the server finds it on the next morning."""
        for table, columns in AGES.items():
            sql(self, f"update {table} set " + ", ".join(f"{column} = {column} - interval '1 day'" for column in columns))
        self.days -= datetime.timedelta(days=1)

    def picture(self, file, expected):
        if not self.page:
            return
        name, (address, texts) = pathlib.Path(file).name, expected
        self.page.set_viewport_size(SIZES[name.rpartition("_")[2].removesuffix(".png")])
        self.page.goto(self.here(address))
        for text in texts:
            self.page.get_by_text(self.here(text)).first.wait_for()
        self.page.wait_for_timeout(300)
        self.page.screenshot(path=str(PICTURES / name))
        self.seen.add(name)

    def walk(self):
        for kind, what, expected in STEPS:
            if kind == "command":
                self.command(what, expected)
            elif kind == "picture":
                self.picture(what, expected)
            else:
                self.night()

    def close(self):
        with contextlib.suppress(AssertionError):
            self.shell.run("hearth db stop")
        self.shell.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def browser_page():
    """None where there is no browser."""
    try:
        from playwright import sync_api
    except ImportError:
        sync_api = None
    if not sync_api or not CHROMIUM.exists():
        yield None
        return
    with sync_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        context = browser.new_context()
        context.set_default_timeout(20_000)
        yield context.new_page()
        browser.close()


@pytest.fixture(scope="module")
def tour():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hearth-tour-"))
    folder.chmod(0o755)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with browser_page() as page, contextlib.closing(Tour(folder, page)) as made:
        try:
            made.walk()
        except Exception as wrong:  # of which the test below tells
            made.wrong = wrong
        yield made


def test_each_command_prints_what_the_page_says(tour):
    if tour.wrong:
        raise tour.wrong


@pytest.mark.parametrize("name", SHOWN)
def test_each_picture_shows_what_the_page_says(tour, name):
    if not tour.page:
        pytest.skip("there is no /usr/bin/chromium, or no Playwright")
    assert SHOWN[name], f"the page says of {name} no text, in “…”, that it shows"
    assert name in tour.seen


def test_the_pictures_are_there_and_small():
    folder = ROOT / "docs/pictures"
    assert {file.name for file in folder.iterdir()} == set(SHOWN)
    for name in SHOWN:
        width, = struct.unpack(">I", (folder / name).read_bytes()[16:20])
        assert str(width) == name.rpartition("_")[2].removesuffix(".png"), name
    assert sum(file.stat().st_size for file in folder.iterdir()) <= MOST_BYTES


def test_the_page_is_short_and_all_of_it_is_run():
    text = TOUR.read_text()
    assert len(text.splitlines()) <= 200
    assert not re.search(r"^(    |```|\$ |<!--)|\]\(pictures/", PART.sub("", text), re.MULTILINE), "a command or a picture stands where it is not looked for"
