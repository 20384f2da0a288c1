"""Documents as their programs write them, and such as no program would."""
import hashlib
import io
import zipfile

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
ODF = "urn:oasis:names:tc:opendocument:xmlns:"
PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def rc4(key, data):
    state, j, out = list(range(256)), 0, bytearray()
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


def pdf(*pages, password=None):
    """A page a text, line by line; a page of None shows a picture alone. With a password: encrypted as PDF 1.1 has it (RC4 of 40 bits)."""
    file_id, key = b"0123456789abcdef", None
    if password is not None:
        owner = rc4(hashlib.md5((password.encode() + PADDING)[:32]).digest()[:5], (password.encode() + PADDING)[:32])
        key = hashlib.md5((password.encode() + PADDING)[:32] + owner + (-4 & 0xFFFFFFFF).to_bytes(4, "little") + file_id).digest()[:5]

    def stream(number, data, more=b""):
        if key:
            data = rc4(hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10], data)
        return b"<< /Length %d %s >> stream\n%s\nendstream" % (len(data), more, data)

    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), b" ".join(b"%d 0 R" % (5 + 2 * n) for n in range(len(pages)))),
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>", stream(4, b"\xff\0\0", b"/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceRGB /BitsPerComponent 8")]
    for n, text in enumerate(pages):
        shown = b"q 500 0 0 700 0 0 cm /I Do Q"
        if text is not None:
            lines = [line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") for line in text.split("\n")]
            shown = b"BT /F 12 Tf 50 800 Td 14 TL " + b"".join(b"(%s) Tj T* " % line for line in lines) + b"ET"
        objects += [b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> /XObject << /I 4 0 R >> >> /Contents %d 0 R >>" % (6 + 2 * n), stream(6 + 2 * n, shown)]
    out, places = b"%PDF-1.4\n", []
    out = bytearray(out)
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer << /Size %d /Root 1 0 R /ID [<%s> <%s>]" % (len(objects) + 1, file_id.hex().encode(), file_id.hex().encode())
    if key:
        out += b" /Encrypt << /Filter /Standard /V 1 /R 2 /O <%s> /U <%s> /P -4 >>" % (owner.hex().encode(), rc4(key, PADDING).hex().encode())
    return bytes(out + b" >>\nstartxref\n%d\n%%%%EOF\n" % table)


def packed(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def docx(body, before=""):
    return packed(**{"[Content_Types].xml": "<Types/>", "word/document.xml": f'<?xml version="1.0"?>{before}<w:document xmlns:w="{WORD}"><w:body>{body}</w:body></w:document>'})


def docx_paragraph(text, style=""):
    return (f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else "<w:p>") + f"<w:r><w:t>{text}</w:t></w:r></w:p>"


def odt(body, **more):
    return packed(mimetype="application/vnd.oasis.opendocument.text", **more, **{"content.xml": f'<office:document-content xmlns:office="{ODF}office:1.0" xmlns:text="{ODF}text:1.0" xmlns:table="{ODF}table:1.0">'
                                                                                             f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"})


def epub(*chapters, **more):
    items = "".join(f'<item id="c{n}" href="text/{n}.xhtml"/>' for n in range(len(chapters)))
    order = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    return packed(mimetype="application/epub+zip", **more, **{
        "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
        "OEBPS/book.opf": f'<package xmlns="http://www.idpf.org/2007/opf"><manifest>{items}</manifest><spine>{order}</spine></package>',
        **{f"OEBPS/text/{n}.xhtml": f"<!DOCTYPE html><html><body>{chapter}</body></html>" for n, chapter in enumerate(chapters)}})
