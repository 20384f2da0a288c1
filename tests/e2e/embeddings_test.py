"""/v1/embeddings with OpenAI's own client: an embedded encoder, and the same behind an OpenAI-compatible upstream."""
import json
import math
import os
import pathlib
import struct
import subprocess

import openai
import pytest
from conftest import running
from support import BINARY, MODELS, ROOT, Hearth, client_of, user

SCRIPT = [{"when": "", "text": "All is well."}]
MODEL = MODELS / "bert_minilm.gguf"
TEXT = "the quick brown fox"
IDS = [2, 148, 295, 208, 117, 259, 155, 100, 273, 94, 3]
FIRST = [0.21671565, -0.00082672, -0.19276398, 0.05743775]  # of TEXT, from transformers


@pytest.fixture(scope="module")
def server(state):
    yield from running(Hearth(state, "embeddings", SCRIPT, {"embedding.path": MODEL, "model.profile": "exact"}))


@pytest.fixture(scope="module")
def behind(state, server):
    """A server whose embedding model is the first one's."""
    key = state.folder / "upstream.key"
    key.write_text(server.key)
    settings = {"upstream.url": f"http://127.0.0.1:{server.port}/v1", "upstream.embedding_model": "embedding", "upstream.key_file": key,
                "embedding.name": "vectors", "server.socket": state.folder / "behind.sock"}
    yield from running(Hearth(state, "embeddings_behind", SCRIPT, settings))


@pytest.fixture(scope="module")
def client(server):
    return client_of(server)


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def golden():
    """Vectors of texts by transformers, where the golden checkpoints are."""
    folder = pathlib.Path(os.environ.get("HEARTH_GOLDEN", ROOT.parent / "shared/golden")) / "bert_minilm"
    if not folder.exists():
        pytest.skip("no golden checkpoints")
    texts = json.loads((folder / "golden.json").read_text())["texts"]
    data = (folder / "golden.safetensors").read_bytes()
    size, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + size])
    for i, text in enumerate(texts):
        begin, end = header[f"embedding_{i}"]["data_offsets"]
        yield text, struct.unpack(f"<{(end - begin) // 4}f", data[8 + size + begin:8 + size + end])


@pytest.mark.parametrize("encoding", [openai.omit, "float", "base64"])
def test_a_text_has_the_references_vector(client, encoding):
    answer = client.embeddings.create(model="embedding", input=TEXT, encoding_format=encoding)
    assert answer.object == "list" and answer.model == "embedding"
    assert answer.usage.prompt_tokens == answer.usage.total_tokens == len(IDS)
    one, = answer.data
    vector = one.embedding
    if encoding == "base64":
        import base64
        vector = struct.unpack("<64f", base64.b64decode(vector))
    assert len(vector) == 64
    assert list(vector[:4]) == pytest.approx(FIRST, abs=1e-5)
    assert dot(vector, vector) == pytest.approx(1, abs=1e-5)


def test_the_golden_texts_agree(client):
    cases = list(golden())
    answer = client.embeddings.create(model="embedding", input=[text["text"] for text, _ in cases])
    assert [one.index for one in answer.data] == list(range(len(cases)))
    for one, (_, vector) in zip(answer.data, cases, strict=True):
        assert one.embedding == pytest.approx(vector, abs=1e-5)
    assert answer.usage.prompt_tokens == sum(len(text["ids"]) for text, _ in cases)


def test_token_ids_are_taken_as_they_are(client):
    text, tokens = (client.embeddings.create(model="embedding", input=given).data[0].embedding for given in (TEXT, IDS))
    assert text == tokens
    lists = client.embeddings.create(model="embedding", input=[IDS, [2, 273, 94, 3]])
    assert lists.data[0].embedding == text
    assert lists.data[1].embedding == client.embeddings.create(model="embedding", input="fox").data[0].embedding
    assert lists.usage.prompt_tokens == len(IDS) + 4


def test_what_the_model_cannot_do_is_refused(client):
    def refusal(**more):
        with pytest.raises(openai.BadRequestError) as caught:
            client.embeddings.create(**{"model": "embedding", "input": TEXT, **more})
        return caught.value
    long = refusal(input=["fox", "a " * 200])
    assert long.code == "context_length_exceeded" and long.param == "input" and "input 1 has 202 tokens, the context holds 128" in long.message
    assert client.embeddings.create(model="embedding", input="a " * 200, extra_body={"truncate": True}).usage.prompt_tokens == 128
    assert refusal(dimensions=32).param == "dimensions"
    assert len(client.embeddings.create(model="embedding", input=TEXT, dimensions=64).data[0].embedding) == 64
    assert refusal(input=[2, 5000, 3]).param == "input"
    assert refusal(input="").param == "input"
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="embedding", messages=[user("hello")])
    assert "is an embedding model" in caught.value.message
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="no-such-model", input=TEXT)


def test_a_chat_model_does_not_embed(tiny):
    with pytest.raises(openai.BadRequestError) as caught:
        client_of(tiny).embeddings.create(model="default", input=TEXT)
    assert "makes no vectors" in caught.value.message and caught.value.param == "model"


def test_it_is_listed_counted_and_chat_goes_on(server, client):
    assert "embedding" in [model.id for model in client.models.list().data]
    assert client.chat.completions.create(model="default", messages=[user("hello")]).choices[0].message.content == "All is well."
    client.embeddings.create(model="embedding", input=TEXT)
    calls = [call for call in server.call("GET", "/v1/usage").json["calls"] if call["purpose"] == "embedding"]
    assert calls[0]["model"] == "embedding" and calls[0]["backend"] == "embedding" and calls[0]["served_by"] == "bert_minilm"
    assert calls[0]["prompt_tokens"] == len(IDS) and calls[0]["profile"] == "exact"
    facts = server.call("GET", "/health").json["backends"]["embedding"]["facts"]
    assert facts["architecture"] == "bert" and "gelu" in {op["op"] for op in facts["targets"]}


def test_an_upstream_gives_the_same(server, client, behind):
    other = client_of(behind)
    assert [model.id for model in other.models.list().data][:2] == ["default", "vectors"]
    for given in (TEXT, [TEXT, "fox"], IDS):
        mine, its = (one.embeddings.create(model=model, input=given) for one, model in ((client, "embedding"), (other, "vectors")))
        assert its.model == "vectors" and its.usage == mine.usage
        for a, b in zip(mine.data, its.data, strict=True):
            assert b.embedding == pytest.approx(a.embedding, abs=1e-7)
    with pytest.raises(openai.BadRequestError) as caught:
        other.embeddings.create(model="vectors", input="a " * 200)
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(openai.BadRequestError) as caught:
        other.chat.completions.create(model="vectors", messages=[user("hello")])
    assert "is an embedding model" in caught.value.message
    backends = {call["backend"] for call in behind.call("GET", "/v1/usage").json["calls"] if call["model"] == "vectors" and not call["error"]}
    assert backends == {"upstream-embedding"}


def test_many_requests_at_once_are_each_answered(server):
    texts = [f"{'fox ' * (1 + i % 9)}{i}" for i in range(64)]
    together = client_of(server).embeddings.create(model="embedding", input=texts).data
    connections = [server.connect("POST", "/v1/embeddings", {"model": "embedding", "input": text}) for text in texts]
    for connection, expected in zip(connections, together, strict=True):
        answer = json.loads(connection.getresponse().read())
        assert answer["data"][0]["embedding"] == expected.embedding
        connection.close()


def test_inspect_says_what_it_is(state):
    done = subprocess.run([BINARY, "model", "inspect", str(MODEL)], env=state.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "embeddings    vectors of 64, pooling mean; an encoder: it does not chat" in done.stdout
    told = json.loads(subprocess.run([BINARY, "model", "inspect", str(MODEL), "--json"], env=state.env, capture_output=True, text=True, timeout=60).stdout)
    assert told["kind"] == "encoder" and told["pooling"] == "mean" and told["loads"] is True


def test_it_is_not_chosen_for_chat(state):
    done = subprocess.run([BINARY, "model", "use", str(MODEL)], env=state.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "is an encoder" in done.stderr and "embedding.path" in done.stderr


@pytest.mark.parametrize("settings, says", [
    ({"HEARTH_MODEL_PATH": MODEL}, "is an encoder: it makes vectors of texts and does not chat"),
    ({"HEARTH_EMBEDDING_PATH": MODELS / "llama_tied.gguf"}, "embedding.path: "),
    ({"HEARTH_EMBEDDING_PATH": "/no/such/model"}, "there is no model at /no/such/model"),
])
def test_a_model_in_the_wrong_place_is_refused_before_the_start(state, tmp_path, settings, says):
    env = {**state.env, "HEARTH_SERVER_PORT": "0", "HEARTH_SERVER_SOCKET": str(tmp_path / "socket"), "HEARTH_MODEL_PATH": str(MODELS / "llama_tied.gguf"),
           **{name: str(value) for name, value in settings.items()}}
    for command in ("serve",), ("config", "check"):
        done = subprocess.run([BINARY, *command], env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and says in done.stderr, done.stderr


def test_numbers_are_finite(client):
    vector = client.embeddings.create(model="embedding", input="\u0000\ufffd 🜁 " + "!" * 50).data[0].embedding
    assert all(math.isfinite(value) for value in vector)


def test_what_was_said_gets_vectors_once_and_recall_goes_on(server):
    reply = server.call("POST", "/v1/chat/completions", {"model": "hearth", "messages": [user("The cello lesson is on Friday")]})
    assert reply.status == 200, reply.data
    made = server.call("POST", "/v1/memory/consolidate?seconds=30").json
    assert made["vectors"] >= 1 and "vector" not in (made["error"] or ""), "whatever becomes of summaries, of which the script makes none"
    assert server.call("POST", "/v1/memory/consolidate?seconds=30").json["vectors"] == 0
    found = server.call("GET", "/v1/memory/recall?question=When+is+the+cello+lesson").json["data"]
    assert any("cello lesson" in one["text"] for one in found)
