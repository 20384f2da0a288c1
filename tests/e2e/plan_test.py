"""One plan of memory, told alike by the file's inspection, the log, /health and the metrics; and what is written of loads."""
import json
import re

import pytest
import support
import tiny_model
from conftest import model_server
from faults import doctor, run


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


def test_a_share_sizes_the_cache_whatever_the_context(state, file):
    plans = [inspected(model_server(state, file, "plan", **{"model.utilisation": 40, "model.context": context}))["plan"] for context in (512, 8192)]
    for plan in plans:
        assert plan["percent"] == 40 and 0 <= plan["limit"] - plan["total"] < 32 * plan["kv_bytes_per_token"]
    assert [plan["context"] for plan in plans] == [512, 8192]


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
