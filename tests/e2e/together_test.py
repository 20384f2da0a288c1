"""Everything at once: people, adapters and models beside each other, some taken away in the midst, change nobody's words."""
import contextlib
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import tiny_model
from adapter_test import write_adapter
from conftest import running
from support import MODELS, Rostered, user

SERVED = ("default", "poet", "clerk", "moe")
ASKED = 32


@pytest.fixture(scope="module")
def server(state):
    files = {name: state.folder / f"together-{name}.gguf" for name in ("llama_tied", "qwen3_moe")}
    for name, file in files.items():
        tiny_model.make(MODELS / f"{name}.gguf", file)
    adapters = ",".join(f"{name}={write_adapter(state.folder / f'together-{name}', seed)}" for seed, name in enumerate(("poet", "clerk")))
    settings = f"""models:
  moe: {{path: {files["qwen3_moe"]}, context: 4096}}
  passing: {{path: {files["qwen3_moe"]}, context: 512, loaded: false}}
  vectors: {{path: {MODELS / "bert_minilm.gguf"}}}
"""
    made = Rostered(state, "together", settings, settings={"model.path": files["llama_tied"], "model.profile": "exact", "model.adapters": adapters, "server.socket": state.folder / "together.sock"})
    yield from running(made)


def request(number):
    draw = random.Random(number)
    return {"model": SERVED[number % len(SERVED)], "messages": [user(f"word{draw.randrange(5)} " * draw.choice([3, 40, 200]))],
            "max_tokens": draw.choice([5, 30, 80]), "temperature": draw.choice([0, 0.9]), "seed": number + 1}


def answer(server, number):
    got = server.call("POST", "/v1/chat/completions", request(number))
    return got.status, got.json["choices"][0]["message"]["content"] if got.status == 200 else got.data


def state_of(server, name):
    return server.call("GET", "/health").json["backends"][name]["state"]


def test_nobody_notices_the_others(server):
    server.wait_for(lambda: state_of(server, "moe") == state_of(server, "vectors") == "ready", "they load", 60)
    alone = [answer(server, number) for number in range(ASKED)]
    assert all(status == 200 for status, _ in alone)
    over, wrong, loads = threading.Event(), [], []

    def load_and_unload():
        while not over.is_set():
            for word, state in (("load", "ready"), ("unload", "unloaded")):
                assert server.call("POST", f"/v1/models/passing/{word}").status == 202
                server.wait_for(lambda: state_of(server, "passing") == state, word, 60)
            loads.append(1)

    def break_off():
        draw = random.Random(1)
        while not over.is_set():
            with contextlib.closing(server.stream("/v1/chat/completions", {**request(draw.randrange(ASKED)), "max_tokens": 500})) as stream:
                for _, _ in zip(range(draw.randrange(1, 20)), stream):
                    pass

    def embed():
        while not over.is_set():
            made = server.call("POST", "/v1/embeddings", {"model": "vectors", "input": ["a text", "another " * 30]})
            if made.status != 200:
                wrong.append(made.data)

    with ThreadPoolExecutor(4) as others:
        busy = [others.submit(work) for work in (load_and_unload, break_off, break_off, embed)]
        try:
            for _ in range(2):
                with ThreadPoolExecutor(ASKED) as people:
                    together = list(people.map(lambda number: answer(server, number), range(ASKED)))
                wrong += [(number, alone[number], together[number]) for number in range(ASKED) if together[number] != alone[number]]
        finally:
            over.set()
        for one in busy:
            one.result()
    assert not wrong and loads, wrong[:3]
    server.wait_for(lambda: server.facts()["running"] == server.facts()["waiting"] == server.facts()["kv_used_tokens"] == 0, "all that was broken off is gone")
