"""Models beside the chosen one: loaded and unloaded by a word, while the others serve."""
import json
import threading

import pytest
import tiny_model
from conftest import running
from faults import refused
from support import MODELS, Rostered, command, user


@pytest.fixture(scope="module")
def server(state):
    files = {name: state.folder / f"beside-{name}.gguf" for name in ("llama_tied", "qwen3_moe")}
    for name, file in files.items():
        tiny_model.make(MODELS / f"{name}.gguf", file)
    settings = f"""models:
  small: {{path: {files["qwen3_moe"]}, draft: {MODELS / "qwen3_moe.gguf"}, context: 256, loaded: false}}
  vectors: {{path: {MODELS / "bert_minilm.gguf"}}}
roster:
  both: {{chain: [small, embedded]}}
"""
    made = Rostered(state, "models_beside", settings, settings={"model.path": files["llama_tied"], "model.profile": "exact", "server.socket": state.folder / "models_beside.sock"})
    yield from running(made)


def health(server):
    return server.call("GET", "/health").json


def state_of(server, name):
    return health(server)["backends"][name]["state"]


def served_by(server, model):
    return server.chat(model, [user("once")], max_tokens=4, temperature=0)


def test_what_is_not_loaded_is_said_and_nothing_is_wrong_with_the_server(server):
    assert state_of(server, "small") == "unloaded" and health(server)["status"] == "ok"
    refused = served_by(server, "small")
    assert refused.status == 503 and "hearth model load small" in refused.json["error"]["message"], refused.data
    assert {"small", "vectors", "both", "default"} <= {model["id"] for model in server.call("GET", "/v1/models").json["data"]}
    assert server.call("POST", "/v1/embeddings", {"model": "vectors", "input": "a text"}).status == 200


def test_a_model_is_loaded_and_unloaded_by_a_word_while_others_serve(server):
    before = served_by(server, "default").json["choices"][0]["message"]["content"]
    assert served_by(server, "both").status == 200, "the next of the chain answers meanwhile"
    assert "small is ready" in command(server, "model", "load", "small")
    assert served_by(server, "small").status == 200
    guesses = health(server)["backends"]["small"]["facts"]["speculative"]
    assert guesses["method"] == "prompt+draft" and set(guesses["sources"]["draft"]) == {"guessed_tokens", "accepted_tokens", "saved_ms", "off"}
    assert "'small' is ready" in command(server, "model", "load", "small", status=1)
    assert served_by(server, "default").json["choices"][0]["message"]["content"] == before
    assert command(server, "model", "unload", "small") == "small is unloaded\n"
    assert served_by(server, "small").status == 503 and served_by(server, "default").status == 200
    assert "only what is ready can be unloaded" in command(server, "model", "unload", "small", status=1)


def test_what_has_begun_is_ended_before_the_memory_is_given_back(server):
    assert server.call("POST", "/v1/models/small/load").status == 202
    server.wait_for(lambda: state_of(server, "small") == "ready", "it loads")
    answers = []

    def ask():
        answers.append(server.chat("small", [user("once")], max_tokens=200, temperature=0, logit_bias={str(n): -100 for n in (0, 1, 2)}))

    asked = [threading.Thread(target=ask) for _ in range(3)]
    for one in asked:
        one.start()
    server.wait_for(lambda: health(server)["backends"]["small"]["facts"].get("running", 0) or answers, "they have begun")
    begun = server.call("POST", "/v1/models/small/unload")
    assert begun.status == 202 and begun.json["state"] in ("draining", "unloaded"), begun.data
    for one in asked:
        one.join()
    # One that had not come to the model yet is refused as it would be afterwards.
    assert all(answer.status in (200, 503) for answer in answers) and any(answer.status == 200 for answer in answers), [answer.data for answer in answers]
    server.wait_for(lambda: state_of(server, "small") == "unloaded", "it is unloaded")


def test_the_chosen_model_goes_and_comes_back_too(server):
    assert command(server, "model", "unload", "default") == "embedded is unloaded\n"
    assert served_by(server, "default").status == 503
    assert server.call("POST", "/v1/embeddings", {"model": "vectors", "input": "a text"}).status == 200
    assert "embedded is ready" in command(server, "model", "load", "default")
    assert served_by(server, "default").status == 200


def test_words_about_what_is_no_model_here_are_refused_by_name(server):
    for path in ("/v1/models/nobody/load", "/v1/models/nobody/unload"):
        refused = server.call("POST", path)
        assert refused.status == 404 and "'nobody'" in refused.json["error"]["message"], refused.data
    assert "'nobody'" in command(server, "model", "load", "nobody", status=1)


@pytest.mark.parametrize("status, row, says", [
    (2, "small: {}", "models.small.path is missing"),
    (1, "small: {path: /no/such.gguf}", "models.small.path names /no/such.gguf"),
    (2, "embedded: {path: /x}", "a model is called 'embedded'"),
    (1, "default: {path: /etc/passwd}", "has the name of model.name"),
    (2, "small: {path: /x, context: -1}", "models.small.context"),
    (2, "small: {path: /x, loaded: perhaps}", "models.small.loaded"),
    (2, "small: {path: /x, size: 3}", "unknown setting 'models.small.size'"),
], ids=["no path", "no file", "taken id", "taken name", "number", "flag", "unknown"])
def test_rows_that_do_not_fit_are_named_with_their_line(state, status, row, says):
    made = Rostered(state, "models_refused", f"models:\n  {row}\n", script=[{"when": "", "text": "x"}])
    refused(made.env, "config", "check", says=[says, "line 2"], status=status)


def test_the_names_are_listed_as_models(server):
    listed = json.loads(server.call("GET", "/v1/models").data)["data"]
    assert next(model for model in listed if model["id"] == "small")["chain"] == ["small"]
