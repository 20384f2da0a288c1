"""Documents are remembered by their sections: questions are answered from these, with the source, and forgetting one takes all of it."""
import json

import support
from support import memory

MANUAL = """# Heating pump

The pump stands in the cellar.

## Service

Bleed the radiators in October. The pressure must read 1.8 bar; the valve is behind the boiler.

## Warranty

It ends on 4 March 2031. Serial number QX-77-1402.
"""
FOUND = {"facts": [{"quote": "Serial number QX-77-1402", "text": "The heating pump has the serial number QX-77-1402.", "about": "serial number of the heating pump"},
                   {"quote": "Serial number QX-77-1402", "text": "The heating pump has the serial number ZZ-1.", "about": ""}]}
SCRIPT = [{"when": "a part of a document", "text": json.dumps(FOUND)}, {"when": "", "text": "All is well."}]


def ask(house, text):
    run = house.run(house.say(text)[0])
    return run, [one for span in run["spans"] if span["name"] == "retrieve" for one in span["attributes"]["sources"] if "section" in one]


def facts_of(house, document):
    return [one for one in json.loads(memory(house, "list", "--all", "--json")) if one["document"] == document]


def test_a_document_is_found_by_its_sections_and_forgotten(house, state, tmp_path):
    file = tmp_path / "pump.md"
    file.write_text(MANUAL)
    [kept] = json.loads(memory(house, "ingest", str(file), "--json"))
    assert (kept["name"], kept["sections"], kept["bytes"]) == ("pump.md", 3, len(MANUAL))
    assert json.loads(memory(house, "ingest", str(file), "--json")) == [kept], "the same text is kept once"
    assert kept["id"] in memory(house, "documents")

    run, found = ask(house, "Which pressure must the heating pump read, in bar?")
    assert {(one["document"], one["name"]) for one in found} == {(kept["id"], "pump.md")} and "pressure" in found[0]["why"]
    model = [span for span in run["spans"] if span["kind"] == "model"][-1]
    told = model["body"]["sent"]["messages"][-1]["content"]
    assert "From the document “pump.md”, under “Heating pump > Service”" in told and "1.8 bar" in told
    assert not any(span["kind"] == "tool" for span in run["spans"]), "no document is read"
    assert ask(house, "Good evening!")[1] == []

    noted = house.call("POST", "/v1/memory/consolidate?seconds=30").json
    assert noted["sections"] >= 3 and noted["facts"] == 1, noted
    fact, = facts_of(house, "pump.md")
    assert (fact["text"], fact["trusted"], fact["noted"]) == (FOUND["facts"][0]["text"], False, True)
    assert "(from the document pump.md)" in memory(house, "list") and "noted from section" in memory(house, "show", fact["id"])
    run, _ = ask(house, "Which serial number has the heating pump?")
    sent = json.dumps([span for span in run["spans"] if span["kind"] == "model"][-1]["body"]["sent"], ensure_ascii=False)
    assert "from the document “pump.md”, not said by the person)" in sent

    would = json.loads(memory(house, "forget", kept["id"], "--json"))
    assert would["counts"]["facts"] == 1 and would["preview"] and would["counts"]["sections"] == 3 and would["counts"]["trace_bodies"] > 0 and kept["id"] in memory(house, "documents")
    gone = json.loads(memory(house, "forget", kept["id"], "--yes", "--json"))
    assert gone["counts"] == would["counts"] and kept["id"] not in memory(house, "documents")
    assert ask(house, "Which pressure must the heating pump read, in bar?")[1] == []
    held = support.dump(state)
    assert "1.8 bar" not in held and "QX-77-1402" not in held
    assert facts_of(house, "pump.md") == []
    assert "there is no fact" in memory(house, "forget", kept["id"], fails=True)


def test_what_is_no_text_is_refused_with_what_to_do(house, tmp_path):
    for name, data, says in (("a.zip", b"PK\x03\x04", "is an archive"), ("a.docx", b"PK\x03\x04", "is damaged"), ("b.txt", b"a\x00b", "is damaged"), ("empty.txt", b"", "empty.txt is empty")):
        file = tmp_path / name
        file.write_bytes(data)
        assert says in memory(house, "ingest", str(file), fails=True), name
    assert "cannot be read" in memory(house, "ingest", str(tmp_path / "nowhere.txt"), fails=True)
    assert "is a folder" in memory(house, "ingest", str(tmp_path), fails=True)


def test_another_person_never_hears_of_it(house, state, tmp_path):
    file = tmp_path / "will.txt"
    file.write_text("The testament names the gardener as heir of the orchard.\n")
    [kept] = json.loads(memory(house, "ingest", str(file), "--json"))
    state.command("person", "add", "Dora")
    key = state.command("key", "new", "--person", "Dora", "--scopes", "chat", "--quiet").strip()
    reply = house.call("GET", "/v1/memory/documents", key=key)
    assert reply.status == 200 and reply.json["data"] == []
    assert house.call("DELETE", f"/v1/memory/documents/{kept['id']}", key=key).status == 404
    assert house.call("GET", "/v1/memory/recall?question=heir%20of%20the%20orchard", key=key).json["data"] == []
    assert len(ask(house, "Who is the heir of the orchard?")[1]) == 1
