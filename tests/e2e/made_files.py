"""Documents as their programs write them, and such as no program would."""
import hashlib
import io
import zipfile

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
ODF = "urn:oasis:names:tc:opendocument:xmlns:"
OPEN_XML, DRAWING = "http://schemas.openxmlformats.org/", "http://schemas.openxmlformats.org/drawingml/2006/main"
RTF = rb"""{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Times;}}{\*\generator X;}{\info{\author Bob}}\pard Caf\'e9 \u8364? 5 \b bold\b0\par
Second {\i it} \{x\} a\~b\emdash\u-10179?\u-8704?\par\trowd\cellx1\cellx2 one\cell two\cell\row\trowd 3\cell 4\cell\row\pard end\par}"""
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


def relations(*targets):
    return f'<Relationships xmlns="{OPEN_XML}package/2006/relationships">' + "".join(f'<Relationship Id="r{n}" Target="{target}"/>' for n, target in enumerate(targets)) + "</Relationships>"


def pptx(*slides):
    """Slides of a title and paragraphs, in files in that order, and shown the last first."""
    main, links = f"{OPEN_XML}presentationml/2006/main", f"{OPEN_XML}officeDocument/2006/relationships"
    shape = lambda kind, *texts: (f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr><p:txBody>' + "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in texts) + "</p:txBody></p:sp>")
    order = "".join(f'<p:sldId id="{256 + n}" r:id="r{n}"/>' for n in reversed(range(len(slides))))
    return packed(**{
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{main}" xmlns:r="{links}"><p:sldIdLst>{order}</p:sldIdLst></p:presentation>',
        "ppt/_rels/presentation.xml.rels": relations(*(f"slides/slide{n}.xml" for n in range(len(slides)))),
        **{f"ppt/slides/slide{n}.xml": f'<p:sld xmlns:p="{main}" xmlns:a="{DRAWING}"><p:cSld><p:spTree>{shape("title", title)}{shape("body", *texts)}</p:spTree></p:cSld></p:sld>' for n, (title, *texts) in enumerate(slides)}})


def xlsx(**sheets):
    """Sheets of rows of texts, numbers and truths; ("day" | "moment" | "clock", NUMBER) is shown as that, and of ("shared", N) the text is elsewhere."""
    main, links, texts = f"{OPEN_XML}spreadsheetml/2006/main", f"{OPEN_XML}officeDocument/2006/relationships", []

    def cell(place, value):
        if isinstance(value, str):
            texts.append(value.replace("&", "&amp;"))
            value = ("shared", len(texts) - 1)
        kind, value = value if isinstance(value, tuple) else ("truth" if isinstance(value, bool) else "number", value)
        form = {"shared": ' t="s"', "truth": ' t="b"', "day": ' s="1"', "moment": ' s="2"', "clock": ' s="3"'}.get(kind, "")
        return "" if value is None else f'<c r="{place}"{form}><v>{int(value) if kind == "truth" else value}</v></c>'

    row = lambda number, values: "<row>" + "".join(cell(f"{chr(65 + n)}{number}", value) for n, value in enumerate(values)) + "</row>"
    parts = {f"xl/worksheets/sheet{n}.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(row(k, values) for k, values in enumerate(rows, 1))}</sheetData></worksheet>' for n, rows in enumerate(sheets.values())}
    listed = "".join(f'<sheet name="{name}" sheetId="{n + 1}" r:id="r{n}"/>' for n, name in enumerate(sheets))
    return packed(**{
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relations(*(f"worksheets/sheet{n}.xml" for n in range(len(sheets)))),
        "xl/sharedStrings.xml": f'<sst xmlns="{main}">{"".join(f"<si><r><t>{text[:2]}</t></r><r><t>{text[2:]}</t></r><rPh><t>unsaid</t></rPh></si>" for text in texts)}</sst>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><numFmts><numFmt numFmtId="164" formatCode="[$-407]dd/mm/yyyy hh:mm"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
                         '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="20"/></cellXfs></styleSheet>',
        **parts})
