"""What office programs write: Word, Excel, PowerPoint, OpenDocument, RTF; and books (EPUB), which are packed like these."""
import codecs
import datetime
import io
import posixpath
import re
import urllib.parse
import xml.parsers.expat
import zipfile

from document_text import DAMAGED, LOCKED, TOO_MUCH, Unread, read_html

MOST_UNPACKED = 64 << 20  # bytes of all that is read of an archive
HEADING = re.compile(r"(?:heading|überschrift|berschrift|titre|título|ttulo|titolo)\s*([1-6])", re.IGNORECASE)


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


class Slide(Office):
    """A page of PowerPoint's: its title is a heading."""

    def __init__(self, text):
        super().__init__(text, in_runs=True)
        self.titled = False

    def start(self, name, attributes):
        kind = name.rpartition("}")[2]
        if kind == "sp":
            self.titled = False
        elif kind == "ph":
            self.titled = attributes.get("type") in ("title", "ctrTitle")
        super().start(name, attributes)
        if kind == "p" and self.titled:
            self.text.level = 1


class Sheet:
    """One of Excel's: its rows, with what their cells show, as far as that is kept."""
    MOST_EMPTY = 50  # cells of a row that are shown for nothing

    def __init__(self, text, shared, shows_moment, first_day):
        self.text, self.shared, self.shows_moment, self.first_day = text, shared, shows_moment, first_day
        self.column, self.kind, self.style, self.value, self.hears = 0, "", 0, "", False

    def start(self, name, attributes):
        name = name.rpartition("}")[2]
        if name == "row":
            self.text.begin_row()
            self.column = 0
        elif name == "c":
            at = column_of(attributes.get("r", "")) or self.column + 1
            for _ in range(min(at - self.column, self.MOST_EMPTY)):
                self.text.begin_cell()
            self.column, self.kind, self.style, self.value = at, attributes.get("t", "n"), int(attributes.get("s", "0")), ""
        elif name in ("v", "t"):
            self.hears = True

    def end(self, name):
        name = name.rpartition("}")[2]
        if name == "row":
            self.text.end_row()
        elif name == "c" and self.value:
            self.text.say(self.shown())
        elif name in ("v", "t"):
            self.hears = False

    def data(self, words):
        if self.hears:
            self.value += words

    def shown(self):
        if self.kind == "s":
            return self.shared[int(self.value)]
        if self.kind == "b":
            return "TRUE" if self.value == "1" else "FALSE"
        if self.kind != "n":
            return self.value
        number = float(self.value)
        return moment(number, self.first_day) if self.style in self.shows_moment and 0 <= number < 2958466 else format(number, ".15g")


def column_of(place):
    """Of "AB7": 28."""
    out = 0
    for letter in place:
        if not "A" <= letter <= "Z":
            break
        out = out * 26 + ord(letter) - 64
    return out


def moment(days, first_day):
    """A day, a time of day, or both."""
    seconds = round(days * 86400)
    at = first_day + datetime.timedelta(seconds=seconds)
    clock = f"{at:%H:%M}" + (f":{at:%S}" if seconds % 60 else "")
    return clock if days < 1 else f"{at:%Y-%m-%d}" + (f" {clock}" if seconds % 86400 else "")


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


def relations(archive, folder, part):
    """What the ids of a part's links lead to."""
    out = {}

    def link(name, attributes):
        if name.endswith("}Relationship"):
            out[attributes["Id"]] = posixpath.normpath(posixpath.join("/" + folder, attributes["Target"])).lstrip("/")

    archive.parse(f"{folder}/_rels/{part}.rels", link)
    return out


def read_slides(archive, text):
    links, order = relations(archive, "ppt", "presentation.xml"), []

    def listed(name, attributes):
        if name.endswith("}sldId"):
            order.append(links[next(value for key, value in attributes.items() if key.endswith("}id"))])

    archive.parse("ppt/presentation.xml", listed)
    for name in order:
        slide = Slide(text)
        archive.parse(name, slide.start, slide.end, slide.data)
        text.rows = 0
        text.end()


def shared_texts(archive):
    texts, now, silent, hears = [], [], 0, False

    def start(name, _):
        nonlocal silent, hears
        name = name.rpartition("}")[2]
        silent += name == "rPh"  # how it is pronounced
        hears = name == "t" and not silent
        if name == "si":
            now.clear()

    def end(name):
        nonlocal silent, hears
        name, hears = name.rpartition("}")[2], False
        silent -= name == "rPh"
        if name == "si":
            texts.append("".join(now))

    archive.parse("xl/sharedStrings.xml", start, end, lambda words: now.append(words) if hears else None)
    return texts


def moment_styles(archive):
    """Which styles of cells show a number as a day or a time."""
    known, styles, within = set(range(14, 23)) | set(range(45, 48)), set(), []
    count = 0

    def start(name, attributes):
        nonlocal count
        name = name.rpartition("}")[2]
        within.append(name)
        if name == "numFmt":
            code = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", attributes.get("formatCode", ""))
            if re.search("[ymdhs]", code, re.IGNORECASE) and "General" not in code:
                known.add(int(attributes["numFmtId"]))
        elif name == "xf" and "cellXfs" in within:
            if int(attributes.get("numFmtId", "0")) in known:
                styles.add(count)
            count += 1

    archive.parse("xl/styles.xml", start, lambda _: within.pop())
    return styles


def read_sheets(archive, text):
    links, sheets, first_day = relations(archive, "xl", "workbook.xml"), [], datetime.datetime(1899, 12, 30)

    def listed(name, attributes):
        nonlocal first_day
        if name.endswith("}sheet"):
            sheets.append((attributes.get("name", ""), links[next(value for key, value in attributes.items() if key.endswith("}id"))]))
        elif name.endswith("}workbookPr") and attributes.get("date1904") in ("1", "true"):
            first_day = datetime.datetime(1904, 1, 1)

    archive.parse("xl/workbook.xml", listed)
    shared = shared_texts(archive) if "xl/sharedStrings.xml" in archive.names else []
    moments = moment_styles(archive) if "xl/styles.xml" in archive.names else set()
    for name, part in sheets:
        if not part.startswith("xl/worksheets/"):
            continue  # a chart
        sheet = Sheet(text, shared, moments, first_day)
        text.level = 1
        text.say(name)
        text.end()
        archive.parse(part, sheet.start, sheet.end, sheet.data)
        text.put("\n")


def read_packed(stream, text):
    archive = Archive(stream)
    for part, reader in (("META-INF/container.xml", read_epub), ("ppt/presentation.xml", read_slides), ("xl/workbook.xml", read_sheets)):
        if part in archive.names:
            return reader(archive, text)
    if "META-INF/manifest.xml" in archive.names and b"encryption-data" in archive.whole("META-INF/manifest.xml"):
        raise Unread(LOCKED)
    word = "word/document.xml" in archive.names
    office = Office(text, in_runs=word)
    archive.parse("word/document.xml" if word else "content.xml", office.start, office.end, office.data)
    text.rows = 0
    return text.end()


class Rtf:
    """Words of Rich Text Format: what is in groups that are no text stays unsaid."""
    UNSAID = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "object", "header", "footer", "headerl", "headerr", "footerl", "footerr", "listtable", "listoverridetable", "themedata", "datastore", "latentstyles",
              "generator", "fldinst", "xe", "tc", "rxe", "bkmkstart", "bkmkend", "revtbl", "rsidtbl", "nonshppict"}
    SIGNS = {"emdash": "—", "endash": "–", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "tab": " ", "line": " "}
    TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)")

    def __init__(self, text):
        self.text, self.unsaid, self.after_u, self.skip, self.groups, self.page, self.pending = text, False, 1, 0, [], "cp1252", b""

    def read(self, data):
        for word, number, byte, sign, brace, plain in (found.groups() for found in self.TOKEN.finditer(data)):
            if not byte:
                self.flush()
            if brace == b"{":
                self.groups.append((self.unsaid, self.after_u))
            elif brace:
                self.unsaid, self.after_u = self.groups.pop()
            elif word:
                self.obey(word.decode(), int(number or 0), number is not None)
            elif byte:
                self.take(bytes.fromhex(byte.decode()))
            elif sign:
                self.unsaid |= sign == b"*"
                self.take({b"~": b" ", b"_": b"-"}.get(sign, sign if sign in b"\\{}" else b""))
            elif plain:
                self.take(plain)
        self.flush()
        self.text.rows = 0
        self.text.end()

    def take(self, data):
        """Behind a character by its number stands what those show that do not know it."""
        skipped = min(self.skip, len(data))
        self.skip -= skipped
        if not self.unsaid:
            self.pending += data[skipped:]

    def flush(self):
        if self.pending:
            self.text.say(self.pending.decode(self.page, "replace"))
            self.pending = b""

    def obey(self, word, number, numbered):
        if word == "ansicpg" and numbered:
            try:
                codecs.lookup(f"cp{number}")
                self.page = f"cp{number}"
            except LookupError:
                pass
        elif word == "uc":
            self.after_u = number
        elif word in self.UNSAID:
            self.unsaid = True
        elif self.unsaid:
            return
        elif word == "u":
            self.text.say(chr(number % 65536))
            self.skip = self.after_u
        elif word in self.SIGNS:
            self.text.say(self.SIGNS[word])
        elif word in ("par", "sect", "page"):
            self.text.end()
        elif word == "trowd":
            self.text.rows = 0
            self.text.begin_row()
            self.text.begin_cell()
        elif word == "cell":
            self.text.begin_cell()
        elif word == "row":
            self.text.end_row()


def read_rtf(stream, text):
    data = stream.read()
    if not data.startswith(b"{\\rtf"):
        raise Unread(DAMAGED)
    Rtf(text).read(data)
