"""Holds the table of docs/models.md against what the golden tests recorded, or writes it.

    models_page.py [--write] [--page FILE] RECORD

RECORD is the file that HEARTH_GOLDEN_RECORD named while the tests ran: one line of JSON for each checkpoint, container and
target (tests/support/golden_record.h). What depends on the machine does not make the table stale: targets that it lacks, and
a largest difference from a tenth to twice what the table says. A table that was changed by hand is told by the
digest that it was written with, also where nothing here can compare the change. Without the shared golden checkpoints only
the own ones are compared.
"""
import argparse
import hashlib
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- golden table: begin -->", "<!-- golden table: end -->"
DIGEST = "<!-- golden table: sha256 {} -->\n"
HEAD = "| family | container | weights | checkpoints | agree | largest difference | allowed | targets |"
TARGETS = ["ref", "avx2", "avx512", "neon", "i8mm", "cuda"]
LESS, MORE = 10, 2  # times: what a largest difference may be on another machine, whose mathematical functions round otherwise
WEIGHTS = {
    "awq": "int4, AWQ", "gptq": "int4, GPTQ v1", "gptq_desc_act": "int4, GPTQ v1 with desc_act", "gptq_v2": "int4, GPTQ v2",
    "ct_w4a16_g32": "int4, compressed-tensors, groups of 32", "ct_w4a16_g128": "int4, compressed-tensors, groups of 128",
    "ct_w4a16_g32_asym": "int4 with zero points, compressed-tensors", "fp8_block_native": "FP8, blocks of 128×128",
    "ct_fp8_block": "FP8, compressed-tensors, blocks of 128×128", "ct_fp8_channel": "FP8, compressed-tensors, per channel",
    "ct_nvfp4": "NVFP4, compressed-tensors", "modelopt_nvfp4": "NVFP4, modelopt", "ct_mxfp4": "MXFP4, compressed-tensors",
    "gpt-oss mxfp4 (blocks + scales)": "MXFP4 experts",
}
IN_GGUF = {"ct_nvfp4": "NVFP4", "modelopt_nvfp4": "NVFP4", "gpt-oss mxfp4 (blocks + scales)": "MXFP4 experts"}


def key(record):
    """Family, container and weights."""
    golden = json.loads((pathlib.Path(record["folder"]) / "golden.json").read_text())
    family = golden.get("model_type") or golden["architecture"].removesuffix("ForCausalLM").lower()
    kind = golden.get("format")
    if not record["file"]:
        return family, "safetensors", WEIGHTS.get(kind, kind) or golden["storage"].upper()
    if "f16" in record["file"]:
        return family, "GGUF", "F16"
    return family, "GGUF", IN_GGUF.get(kind, kind) or "a type for each matrix"


def rows(records):
    """What the tests found of each family, container and weights."""
    found = {}
    for record in records:
        row = found.setdefault(key(record), {"checkpoints": set(), "targets": set(), "wrong": set(), "what": set(), "worst": 0.0, "allowed": set()})
        name = pathlib.Path(record["folder"]).name
        row["checkpoints"].add(name)
        row["targets"].add(record["target"])
        if "greedy" in record:
            row["what"].add("greedy text")
            if not record["greedy"]:
                row["wrong"].add(f"greedy text of {name}")
        for what, compared in record.items():
            if not isinstance(compared, list):
                continue
            difference, allowed = compared
            row["what"].add(what)
            row["allowed"].add(allowed)
            row["worst"] = max(row["worst"], difference)
            if not difference <= allowed:
                row["wrong"].add(f"{what} of {name}")
    return found


def agreement(row):
    return "**no**: " + ", ".join(sorted(row["wrong"])) if row["wrong"] else ", ".join(sorted(row["what"], key=lambda what: (what == "greedy text", what)))


def cells(key, row):
    targets = sorted(row["targets"], key=lambda target: (TARGETS.index(target) if target in TARGETS else len(TARGETS), target))
    return [*key, " ".join(sorted(row["checkpoints"])), agreement(row), f"{row['worst']:.0e}", "–".join(f"{a:g}" for a in sorted({min(row["allowed"]), max(row["allowed"])})), " ".join(targets)]


def table(found):
    lines = [HEAD, "|---" * HEAD.count(" | ") + "|---|"]
    return signed("\n".join(lines + ["| " + " | ".join(cells(key, found[key])) + " |" for key in sorted(found)]) + "\n")


def signed(lines):
    return lines + DIGEST.format(hashlib.sha256(lines.encode()).hexdigest())


def read_table(text):
    out = {}
    for line in text.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if len(parts) == 8 and parts[0] != "family" and not parts[0].startswith("-"):
            out[tuple(parts[:3])] = parts
    return out


def stale(text, found, complete):
    """What the table says otherwise than the tests did, a line each."""
    if text.strip("\n") != signed("".join(line + "\n" for line in text.strip("\n").splitlines()[:-1])).strip("\n"):
        yield "the table is not as it was written: it, or its digest, was changed by hand"
        return
    shown, seen = read_table(text), {target for row in found.values() for target in row["targets"]}
    for key, row in found.items():
        name, fresh, old = ", ".join(key), cells(key, row), shown.get(key)
        if old is None:
            yield f"{name}: is not in the table"
            continue
        if not complete and set(old[3].split()) != row["checkpoints"]:
            continue  # others of its checkpoints are not here
        for column, what in ((3, "checkpoints"), (4, "agreement"), (6, "allowed difference")):
            if old[column] != fresh[column]:
                yield f"{name}: {what} found: {fresh[column]}; in the table: {old[column]}"
        if row["targets"] != set(old[7].split()) & seen:
            yield f"{name}: targets found: {fresh[7]}; in the table: {old[7]}"
        worse, less = float(fresh[5]) > MORE * float(old[5]), float(fresh[5]) * LESS < float(old[5]) and complete
        if worse or less:
            yield f"{name}: largest difference found: {fresh[5]}; in the table: {old[5]}"
    if complete:
        for key in shown.keys() - found.keys():
            yield f"{', '.join(key)}: is in the table, and no test compared it"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "docs/models.md")
    parser.add_argument("record", type=pathlib.Path)
    args = parser.parse_args()
    records = [json.loads(line) for line in args.record.read_text().splitlines()]
    found = rows(records)
    page = args.page.read_text()
    before, rest = page.split(BEGIN)
    shown, after = rest.split(END)
    if args.write:
        args.page.write_text(before + BEGIN + "\n" + table(found) + END + after)
        return 0
    own = ROOT / "tests/data"
    problems = sorted(set(stale(shown, found, any(own not in pathlib.Path(r["folder"]).parents for r in records))))
    if problems:
        print("\n".join(problems), f"\ndocs/models.md is stale: python3 tests/models_page.py --write {args.record}", sep="")
    return 1 if problems or not records else 0


if __name__ == "__main__":
    sys.exit(main())
