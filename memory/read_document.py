"""What a document says: its bytes come in by stdin, its text goes to stdout, as Markdown where it has headings.

read_document.py KIND MOST: a kind of memory/extract.h, and how many bytes are written at most. The exit status tells how it went, as memory/reader.cpp
has it, which hands it and the modules beside it to Python. It runs in the sandbox, for whoever made the bytes may want more than to be read.
"""
import re
import subprocess
import sys
import tempfile
import threading

from document_text import CUT, DAMAGED, LOCKED, NO_PROGRAM, TOO_MUCH, WHOLE, WORDLESS, Full, Text, Unread, read_html, read_text
from office_document import read_packed, read_rtf

SECONDS = 15  # that pdftotext has; what it has said by then is told


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


READERS = {"rtf": read_rtf, "text": read_text, "html": read_html, "packed": read_packed, "pdf": read_pdf}


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


def main():
    done, said = read(sys.argv[-2], sys.stdin.buffer, int(sys.argv[-1]))
    sys.stdout.buffer.write(said)
    sys.stdout.flush()
    return done


if __name__ == "__main__":
    sys.exit(main())
