"""What a document says: its bytes come in by stdin, its text goes to stdout, as Markdown where it has headings.

read_document.py KIND MOST: a kind of memory/extract.h, and how many bytes are written at most. The exit status tells how it went, as memory/reader.cpp
has it. It runs in the sandbox, for whoever made the bytes may want more than to be read.
"""
import codecs
import html.parser
import io
import posixpath
import re
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import xml.parsers.expat
import zipfile

WHOLE, CUT, LOCKED, WORDLESS, DAMAGED, TOO_MUCH, NO_PROGRAM = 0, 10, 11, 12, 13, 14, 15
MOST_UNPACKED = 64 << 20  # bytes of all that is read of an archive
SECONDS = 15              # that pdftotext has; what it has said by then is told
HEADING = re.compile(r"(?:heading|überschrift|berschrift|titre|título|ttulo|titolo)\s*([1-6])", re.IGNORECASE)


class Unread(Exception):
    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Full(Exception):
    """There is no room for more of the text."""


class Text:
    """Paragraphs, headings and rows of tables, as they come; of at most so many bytes."""

    def __init__(self, most):
        self.left, self.written, self.words, self.rows, self.cells, self.level = most, [], [], 0, 0, 0

    def say(self, words):
        self.words.append(words)

    def begin_row(self):
        self.end()
        self.rows += 1
        self.cells = 0

    def begin_cell(self):
        if self.cells:
            self.words.append(" | ")
        self.cells += 1

    def end_row(self):
        self.rows = max(self.rows - 1, 0)
        self.end(apart="\n")

    def end(self, apart="\n\n"):
        """Of a paragraph; one in a table is a part of its row."""
        if self.rows:
            self.words.append(" ")
            return
        words = " ".join("".join(self.words).split())
        while words.endswith("|"):
            words = words[:-1].rstrip()
        self.words = []
        if words:
            self.put("#" * self.level + " " * bool(self.level) + words + apart)
        self.level = 0

    def put(self, text):
        data = text.encode("utf-8", "replace")
        self.written.append(data[:max(self.left, 0)].decode("utf-8", "ignore").encode())
        self.left -= len(data)
        if self.left < 0:
            raise Full

    def bytes(self):
        return b"".join(self.written).rstrip()


def decoded(data):
    """A text of whatever encoding: as its mark says, UTF-8, UTF-16, or else that of Western Europe."""
    for mark, name in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(name)
    for name, high in (("utf-16-le", data[1::2]), ("utf-16-be", data[::2])):
        if len(data) >= 16 and high.count(0) * 5 > len(data):
            return data.decode(name)
    if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", data):
        raise Unread(DAMAGED)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read_text(stream, text):
    text.put(decoded(stream.read()))


class Page(html.parser.HTMLParser):
    LINES = {"br", "li", "dt", "dd", "option"}
    BLOCKS = {"p", "div", "title", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "section", "article", "header", "footer", "aside", "main", "nav", "figure", "figcaption",
              "blockquote", "pre", "form", "hr", "body", "address", "caption"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.text, self.silent = text, False

    def handle_starttag(self, tag, attributes):
        self.silent = tag in ("script", "style")  # of which the parser sees nothing but the end
        if tag == "tr":
            if self.text.rows:  # whose end may be left out
                self.text.end_row()
            self.text.begin_row()
        elif tag in self.LINES or tag in self.BLOCKS:
            self.text.end("\n" if tag in self.LINES else "\n\n")
        if re.fullmatch("h[1-6]", tag) and not self.text.rows:
            self.text.level = int(tag[1])
        if tag == "li":
            self.text.say("- ")
        elif tag in ("td", "th"):
            self.text.begin_cell()

    def handle_endtag(self, tag):
        self.silent = False
        if tag == "tr":
            self.text.end_row()
        elif tag == "table":
            self.text.rows = 0
            self.text.end()
        elif tag in self.LINES or tag in self.BLOCKS:
            self.text.end("\n" if tag in self.LINES else "\n\n")

    def handle_data(self, data):
        if not self.silent:
            self.text.say(data)


def read_html(stream, text):
    data = stream.read()
    named = re.search(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{1,40})", data[:2048], re.IGNORECASE)
    try:
        words = data.decode(named[1].decode()) if named else decoded(data)
    except (LookupError, UnicodeDecodeError):  # it is not what it says
        words = decoded(data)
    page = Page(text)
    page.feed(words)
    page.close()
    text.rows = 0
    text.end()


class Office:
    """The XML of Word and of OpenDocument, which have paragraphs, headings and tables by other names."""
    UNSAID = {"tracked-changes", "annotation", "Fallback"}

    def __init__(self, text, in_runs):
        self.text, self.in_runs, self.says, self.unsaid = text, in_runs, not in_runs, 0

    def start(self, name, attributes):
        name = name.rpartition("}")[2]
        value = {key.rpartition("}")[2]: words for key, words in attributes.items()}
        if name in self.UNSAID:
            self.unsaid += 1
        elif name in ("p", "h") and not self.text.rows:
            self.text.end()
            self.text.level = min(int(value.get("outline-level", "0") or 0), 6) if name == "h" else 0
        elif name == "pStyle" and not self.text.rows and (found := HEADING.fullmatch(value.get("val", ""))):
            self.text.level = int(found[1])
        elif name in ("tr", "table-row"):
            self.text.begin_row()
        elif name in ("tc", "table-cell"):
            self.text.begin_cell()
        elif name in ("tab", "s", "br", "line-break", "cr"):
            self.text.say(" ")
        elif name == "t":
            self.says = True

    def end(self, name):
        name = name.rpartition("}")[2]
        if name in self.UNSAID:
            self.unsaid -= 1
        elif name in ("p", "h"):
            self.text.end()
        elif name in ("tr", "table-row"):
            self.text.end_row()
        elif name == "t" and self.in_runs:
            self.says = False

    def data(self, words):
        if self.says and not self.unsaid:
            self.text.say(words)


class Archive:
    def __init__(self, stream):
        data = stream.read()
        if data.startswith(b"\xd0\xcf\x11\xe0"):  # what Word makes of a document with a password
            raise Unread(LOCKED)
        self.zip, self.left = zipfile.ZipFile(io.BytesIO(data)), MOST_UNPACKED
        self.names = set(self.zip.namelist())

    def pieces(self, name):
        if self.zip.getinfo(name).flag_bits & 1:
            raise Unread(LOCKED)
        with self.zip.open(name) as member:
            while piece := member.read(1 << 16):
                self.left -= len(piece)
                if self.left < 0:
                    raise Unread(TOO_MUCH)
                yield piece

    def whole(self, name):
        return b"".join(self.pieces(name))

    def parse(self, name, start, end=None, data=None):
        parser = xml.parsers.expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self.refuse  # entities, of which no such document needs any
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, data
        for piece in self.pieces(name):
            parser.Parse(piece, False)
        parser.Parse(b"", True)

    def refuse(self, *_):
        raise Unread(DAMAGED)


def read_epub(archive, text):
    if "META-INF/rights.xml" in archive.names:
        raise Unread(LOCKED)
    packages, chapters, order = [], {}, []

    def in_container(name, attributes):
        if name.endswith("}rootfile"):
            packages.append(attributes["full-path"])

    def in_package(name, attributes):
        if name.endswith("}item"):
            chapters[attributes["id"]] = urllib.parse.unquote(attributes["href"])
        elif name.endswith("}itemref"):
            order.append(attributes["idref"])

    archive.parse("META-INF/container.xml", in_container)
    archive.parse(packages[0], in_package)
    for one in order:
        read_html(io.BytesIO(archive.whole(posixpath.normpath(posixpath.join(posixpath.dirname(packages[0]), chapters[one])))), text)


def read_packed(stream, text):
    archive = Archive(stream)
    if "META-INF/container.xml" in archive.names:
        return read_epub(archive, text)
    if "META-INF/manifest.xml" in archive.names and b"encryption-data" in archive.whole("META-INF/manifest.xml"):
        raise Unread(LOCKED)
    word = "word/document.xml" in archive.names
    office = Office(text, in_runs=word)
    archive.parse("word/document.xml" if word else "content.xml", office.start, office.end, office.data)
    text.rows = 0
    return text.end()


def read_pdf(stream, text):
    with tempfile.TemporaryFile() as complaints:
        try:
            program = subprocess.Popen(["pdftotext", "-enc", "UTF-8", "-eol", "unix", "-", "-"], stdin=stream, stdout=subprocess.PIPE, stderr=complaints)
        except FileNotFoundError:
            raise Unread(NO_PROGRAM) from None
        late = threading.Timer(SECONDS, program.kill)
        late.start()
        data = program.stdout.read(text.left + 1)
        more = len(data) > text.left
        if more:
            program.kill()
        status = program.wait()
        late.cancel()
        complaints.seek(0)
        if b"Incorrect password" in complaints.read(1 << 16) or status == 3:
            raise Unread(LOCKED)
    words = re.sub(r"\n{3,}", "\n\n", data.decode("utf-8", "ignore").replace("\f", "\n\n")).strip()
    if not words and status:
        raise Unread(TOO_MUCH if status < 0 else DAMAGED)
    text.put(words)
    if more or status < 0:
        raise Full


READERS = {"text": read_text, "html": read_html, "packed": read_packed, "pdf": read_pdf}


def read(kind, stream, most):
    """The status, and what is told of the text."""
    text = Text(most)
    try:
        READERS[kind](stream, text)
        status = WHOLE
    except Full:
        status = CUT
    except Unread as why:
        return why.status, b""
    except MemoryError:
        return TOO_MUCH, b""
    except Exception:  # whatever a parser says of bytes that are made to break it
        return DAMAGED, b""
    said = text.bytes()
    return (status, said) if said else (WORDLESS, b"")


if __name__ == "__main__":
    done, said = read(sys.argv[1], sys.stdin.buffer, int(sys.argv[2]))
    sys.stdout.buffer.write(said)
    sys.stdout.flush()
    sys.exit(done)
