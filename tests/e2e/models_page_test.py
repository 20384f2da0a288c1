"""tests/models_page.py tells when docs/models.md says otherwise than the golden tests found."""
import json
import subprocess
import sys

import pytest
from support import ROOT

SCRIPT = ROOT / "tests/models_page.py"
FOLDER = ROOT / "tests/data/golden"
PAGE = "# Models\n\n<!-- golden table: begin -->\n<!-- golden table: end -->\n\nThe end.\n"


def record(name="olmo3", file="", target="ref", **more):
    return {"folder": str(FOLDER / name), "file": file, "target": target, "greedy": True, "logits": [8e-6, 1.5e-4], **more}


FOUND = [record(), record(target="avx2"), record(file="model-f16.gguf"), record(file="model-f16.gguf", target="avx2")]


def page_of(folder, records, *more):
    (folder / "record").write_text("".join(json.dumps(r) + "\n" for r in records))
    return subprocess.run([sys.executable, SCRIPT, *more, "--page", folder / "page.md", folder / "record"], capture_output=True, text=True)


@pytest.fixture
def written(tmp_path):
    (tmp_path / "page.md").write_text(PAGE)
    done = page_of(tmp_path, FOUND, "--write")
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_the_table_is_written_between_its_marks(written):
    lines = (written / "page.md").read_text().splitlines()
    assert lines[:3] == PAGE.splitlines()[:3] and lines[-3:] == PAGE.splitlines()[-3:]
    assert "| olmo3 | GGUF | F16 | olmo3 | logits, greedy text | 8e-06 | 0.00015 | ref avx2 |" in lines
    assert "| olmo3 | safetensors | BF16 | olmo3 | logits, greedy text | 8e-06 | 0.00015 | ref avx2 |" in lines


@pytest.mark.parametrize("records", [
    FOUND,
    [record(), record(file="model-f16.gguf")],  # a machine without AVX2
    [r | {"logits": [2e-6, 1.5e-4]} for r in FOUND],
])
def test_what_the_machine_decides_is_not_stale(written, records):
    done = page_of(written, records)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("records, says", [
    (FOUND + [record("olmo2")], "olmo2, safetensors, BF16: is not in the table"),
    (FOUND + [record(target="neon")], "targets found: ref avx2 neon"),
    (FOUND[1:], "targets found: avx2; in the table: ref avx2"),
    ([record(greedy=False), *FOUND[1:]], "**no**: greedy text of olmo3"),
    ([record(logits=[2e-4, 1.5e-4]), *FOUND[1:]], "**no**: logits of olmo3"),
    ([record(logits=[1e-4, 1.5e-4]), *FOUND[1:]], "largest difference found: 1e-04"),
    ([record(logits=[2e-5, 1.5e-4]), *FOUND[1:]], "largest difference found: 2e-05; in the table: 8e-06"),
    ([r | {"logits": [8e-6, 3e-4]} for r in FOUND], "allowed difference found: 0.0003"),
    ([], ""),
])
def test_what_the_code_decides_is(written, records, says):
    done = page_of(written, records)
    assert done.returncode == 1 and says in done.stdout, done.stdout


def test_with_all_checkpoints_here_the_table_has_no_other_rows(written, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/golden.json").write_text(json.dumps({"model_type": "olmo3", "storage": "bf16"}))
    others = [r | {"folder": str(tmp_path / "elsewhere")} for r in FOUND if not r["file"]]
    done = page_of(written, others)
    assert done.returncode == 1 and "olmo3, GGUF, F16: is in the table, and no test compared it" in done.stdout, done.stdout


@pytest.mark.parametrize("was, by_hand", [
    ("| 8e-06 |", "| 7e-05 |"),                    # a worse difference than was found
    ("| 8e-06 |", "| 1e-06 |"),
    ("| ref avx2 |", "| ref avx2 neon |"),         # a target that is not here to be compared
    ("| ref avx2 |", "| ref |"),
    ("| 0.00015 |", "| 0.015 |"),
    ("| logits, greedy text |", "| logits |"),
    ("| BF16 |", "| F16 |"),
    ("| olmo3 | logits", "| olmo2 | logits"),
    ("| allowed |", "| tolerance |"),
    ("sha256 ", "sha256 0"),
])
def test_no_cell_can_be_changed_by_hand(written, was, by_hand):
    page = written / "page.md"
    text = page.read_text()
    assert was in text
    page.write_text(text.replace(was, by_hand, 1))
    done = page_of(written, FOUND)
    assert done.returncode == 1 and "changed by hand" in done.stdout, done.stdout
    assert page_of(written, FOUND, "--write").returncode == 0 and page_of(written, FOUND).returncode == 0


def test_a_row_cannot_be_added_or_taken_away_by_hand(written):
    page = written / "page.md"
    text = page.read_text()
    row = "| olmo3 | GGUF | F16 | olmo3 | logits, greedy text | 8e-06 | 0.00015 | ref avx2 |\n"
    for by_hand in (text.replace(row, ""), text.replace(row, row + row.replace("olmo3", "olmo2")), text.replace(row, row + row)):
        page.write_text(by_hand)
        done = page_of(written, FOUND)
        assert done.returncode == 1 and "changed by hand" in done.stdout, done.stdout


def test_a_difference_far_below_the_table_is_stale_where_all_is_compared(written, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/golden.json").write_text(json.dumps({"model_type": "olmo3", "storage": "bf16"}))
    others = FOUND + [record() | {"folder": str(tmp_path / "elsewhere")}]
    assert page_of(tmp_path, others, "--write").returncode == 0
    assert page_of(tmp_path, others).returncode == 0
    done = page_of(tmp_path, [r | {"logits": [7e-7, 1.5e-4]} for r in others])
    assert done.returncode == 1 and "largest difference found: 7e-07; in the table: 8e-06" in done.stdout, done.stdout
