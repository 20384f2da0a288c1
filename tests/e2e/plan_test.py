"""One plan of memory, told alike by the file's inspection, the log, /health and the metrics; and what is written of loads."""
import json
import pathlib
import re
import shutil

import pytest
import support
import tiny_model
from conftest import model_server
from faults import doctor, needs_root, refused, run


@pytest.fixture(scope="module")
def file(state):
    """Known to nobody else, so that nobody has loaded it."""
    made = state.folder / "planned.gguf"
    tiny_model.make(support.MODELS / "llama_tied.gguf", made)
    return made


def evaluated(text):
    """"2 layers × 4 heads × 32 × 2 (keys, values) × 2 bytes" as a number."""
    return eval(re.sub(r"\((keys|latent)[^)]*\)|[a-z]+", "", text).replace("×", "*"))  # numbers, signs and brackets are left


def inspected(server, *more):
    done = run(server.env, "model", "inspect", "--json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def metric(text, name):
    return float(re.search(rf'^hearth_model_{name}{{backend="embedded"}} (\S+)$', text, re.MULTILINE).group(1))


def test_everything_tells_the_same_plan(state, file):
    server = model_server(state, file, "plan")
    before = inspected(server)["plan"]
    assert before["percent"] == 75 and before["limit"] == before["available"] // 100 * 75, "it was never loaded here"
    server.start()
    try:
        told = server.facts()
        plan = told["plan"]
        assert plan["kv_sum"] == before["kv_sum"] and evaluated(plan["kv_sum"]) == plan["kv_bytes_per_token"] == before["kv_bytes_per_token"]
        assert plan["kv"] == told["kv_tokens"] * plan["kv_bytes_per_token"]
        assert (told["context"], told["kv_tokens"], plan["weights"]) == (before["context"], before["kv_tokens"], before["weights"])
        assert told["load"]["kind"] in ("cold", "partly cold", "warm", "unknown") and told["load"]["bytes"] == file.stat().st_size
        [line] = [entry for entry in server.call("GET", "/logs?limit=2000").json["entries"] if "candidates" in json.dumps(entry)]
        line = json.dumps(line)
        assert all(words in line for words in ("matmul", "attention", "mb_per_s", "tokens as f32", "bytes a token", "keys, values"))
        metrics = server.call("GET", "/metrics").data.decode()
        assert metric(metrics, "kv_tokens") == told["kv_tokens"] and metric(metrics, "waiting") == 0
        assert metric(metrics, "memory_stops") == 0 and metric(metrics, "heat_pauses") >= 0 and metric(metrics, "plain_operations") >= 0
        assert {"heat", "power", "board", "processor clock"} <= {probe["name"] for probe in server.call("GET", "/health").json["probes"]}
    finally:
        server.stop()
    assert inspected(server)["plan"]["percent"] == 90, "it has been loaded"
    shown = run(server.env, "model", "inspect").stdout
    assert "keys, values) × 4 bytes = " in shown and " tokens of all requests together, " in shown


def test_a_format_of_the_cache_costs_its_bytes(state, file):
    plans = {kept: inspected(model_server(state, file, "format", **{"model.kv_format": kept}))["plan"] for kept in ("f32", "f16", "bf16", "int8", "fp8")}
    for kept, plan in plans.items():
        assert plan["kv_format"] == kept and evaluated(plan["kv_sum"]) == plan["kv_bytes_per_token"]
    cost = {kept: plan["kv_bytes_per_token"] for kept, plan in plans.items()}
    assert cost["f32"] == 2 * cost["f16"] == 2 * cost["bf16"] and cost["int8"] == cost["fp8"] < 0.6 * cost["bf16"]
    done = run(model_server(state, file, "format", **{"model.kv_format": "fp4"}).env, "model", "inspect")
    assert done.returncode != 0 and "model.kv_format" in done.stderr and "auto,f32,f16,bf16,int8,fp8" in done.stderr


def test_a_share_sizes_the_cache_whatever_the_context(state, file):
    plans = [inspected(model_server(state, file, "plan", **{"model.utilisation": 40, "model.context": context}))["plan"] for context in (512, 8192)]
    for plan in plans:
        assert plan["percent"] == 40 and 0 <= plan["limit"] - plan["total"] < 32 * plan["kv_bytes_per_token"]
    assert [plan["context"] for plan in plans] == [512, 8192]


def little_memory(state, size):
    """A prefix: for the command behind it so much is available."""
    table = state.folder / "meminfo"
    table.write_text(re.sub(r"(MemAvailable:\s*)\d+", rf"\g<1>{int(size) >> 10}", pathlib.Path("/proc/meminfo").read_text()))
    return ["unshare", "-m", "sh", "-c", f'mount --bind {table} /proc/meminfo && exec "$@"', "sh"]


def probe(env, name, prefix):
    return next(one for one in json.loads(run(env, "doctor", "--json", prefix=prefix).stdout) if one["name"] == name)


@needs_root
def test_doctor_and_list_tell_what_a_load_would_take(state, file):
    server = model_server(state, shutil.copy(file, state.folder / "never-loaded.gguf"), "plan")
    server.env["HEARTH_MODEL_CATALOGUE"] = str(state.folder / "models.yaml")
    # It needs the larger share, which a load may take for what it cannot do without.
    (state.folder / "models.yaml").write_text("models:\n  - {name: tight, file: tight.gguf, bytes: 1048576, sha256: '', sources: []}\n")
    prefix = little_memory(state, 600 << 20)
    assert "tight (" in probe(server.env, "best model", prefix)["found"]
    assert json.loads(run(server.env, "model", "list", "--json", prefix=prefix).stdout)[0]["fits"]
    least = inspected(server)["plan"]
    needed = least["weights"] + least["scratch"] + 512 * least["kv_bytes_per_token"]
    few = little_memory(state, needed / 0.82)
    plan, capacity = (probe(server.env, name, few)["found"] for name in ("model", "capacity"))
    assert all("(90 % of " in found for found in (plan, capacity)), (plan, capacity)


@needs_root
def test_doctor_finds_nothing_wrong_with_a_model_that_is_served_and_fits_no_second_time(state, file):
    server = model_server(state, file, "plan")
    few = little_memory(state, 4 << 20)
    assert probe(server.env, "model", few)["health"] == "FAILED"
    server.start()
    try:
        found = probe(server.env, "model", few)
        assert found["health"] == "ok" and "the server has it in memory" in found["found"] and server.facts()["plan"]["kv_sum"], found
    finally:
        server.stop()


@pytest.mark.parametrize("settings, says", [({"model.speculation": "draft"}, "model.draft names no model"), ({"model.speculation": "head"}, "has no head for drafting"), ({"model.draft": "/nowhere.gguf"}, "setting model.draft: cannot open /nowhere.gguf")],
                         ids=["no draft", "no head", "no file"])
def test_guesses_from_what_is_not_there_are_refused(state, file, settings, says):
    refused(model_server(state, file, "plan", **settings).env, "config", "check", says=[says])


def test_a_load_in_which_the_process_was_killed_is_told_of(state, file):
    server = model_server(state, file, "plan")
    [note] = [one for one in (state.folder / "state/loads").glob("*.json") if json.loads(one.read_text())["model"] == str(file)]
    written = json.loads(note.read_text())
    assert written["state"] == "loaded" and written["mb_per_s"] > 0
    # As it stood when that process, which is gone, was half-way.
    note.write_text(json.dumps({**written, "state": "loading", "stage": "weights", "percent": 51}))
    found = doctor(server.env, "load of a model")
    assert found["health"] == "warning" and "at weights 51 %" in found["found"] and "MiB of memory left" in found["found"] and "dmesg" in found["remedy"]
    server.start()
    try:
        assert any("an earlier load did not end" in json.dumps(entry) for entry in server.call("GET", "/logs?level=warn").json["entries"])
        assert "it has loaded since" in doctor(server.env, "load of a model")["found"]
    finally:
        server.stop()
    note.unlink()
