"""What every reader of documents needs, and those of texts and of HTML."""
import codecs
import html.parser
import re

WHOLE, CUT, LOCKED, WORDLESS, DAMAGED, TOO_MUCH, NO_PROGRAM = 0, 10, 11, 12, 13, 14, 15


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
        data = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()  # RTF writes halves of characters
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
