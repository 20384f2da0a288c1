"""The default model through the whole path; skipped where it does not lie on the machine."""
import json
import os
import socket

import openai
import pytest
import support
from support import check_trace, user

WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "The weather in a city", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


def test_a_tool_reads_the_file(default_model, state):
    folder = state.folder / "reading"
    folder.mkdir()
    (folder / "shopping.txt").write_text("milk\nseventeen plums\n")
    answer = default_model.dev("What does shopping.txt say?", workspace=str(folder))
    assert answer["tools_used"] >= 1
    assert "plums" in answer["response"]
    check_trace(default_model.run(answer["run_id"]))


def test_a_run_is_taken_in_while_the_model_loads(default_model, own):
    server = support.Hearth(own, "loading", settings={"model.path": os.environ["HEARTH_MODEL"]})
    try:
        server.launch()
        assert server.chat("hearth", [user("Good morning!")]).status == 503
        accepted = server.call("POST", "/v1/runs", {"input": "Good morning!", "class": "fast"})
        assert accepted.status == 202 and accepted.json["status"] == "queued", accepted.data
        run = server.wait_for(lambda: (run := server.run(accepted.json["id"]))["finished"] and run, "the run's end", 120)
        assert run["status"] == "answered" and run["answer"].strip()
    finally:
        server.stop()


def test_a_run_waits_for_the_model_behind_an_upstream_that_fails(default_model, own):
    with socket.socket() as nobody:  # bound, and listens never: no connection
        nobody.bind(("127.0.0.1", 0))
        server = support.Hearth(own, "loading_behind", settings={"model.path": os.environ["HEARTH_MODEL"]})
        server.env["XDG_CONFIG_HOME"] = str(own.folder / "loading_behind-config")
        file = own.folder / "loading_behind-config/hearth/hearth.yaml"
        file.parent.mkdir(parents=True)
        file.write_text(f"upstreams: {{box: {{url: 'http://127.0.0.1:{nobody.getsockname()[1]}/v1', model: m}}}}\nroster: {{default: {{chain: [box]}}}}\n")
        try:
            server.launch()
            assert server.chat("hearth", [user("Good morning!")]).status == 503
            accepted = server.call("POST", "/v1/runs", {"input": "Good morning!", "class": "fast"})
            assert accepted.status == 202, accepted.data
            run = server.wait_for(lambda: (run := server.run(accepted.json["id"]))["finished"] and run, "the run's end", 120)
            assert run["status"] == "answered" and run["answer"].strip(), run["error"]
        finally:
            server.stop()


def test_a_greeting_needs_no_tool(default_model):
    answer = default_model.dev("Good morning!")
    assert answer["tools_used"] == 0 and answer["response"].strip()


def test_what_is_asked_in_plain_words_is_done(default_model):
    kept = default_model.chat("hearth", [user("Please remember that my parrot is called Coco.")])
    assert kept.json["choices"][0]["message"]["content"] == "I will remember that: my parrot is called Coco."
    assert [step["name"] for step in default_model.run(kept.headers["X-Hearth-Run"])["steps"]] == ["remember"]
    assert "my parrot is called Coco" in [fact["text"] for fact in default_model.call("GET", "/v1/memory/facts").json["data"]]
    set_for = default_model.chat("hearth", [user("Rappelle-moi demain à 8h de nourrir le perroquet.")]).json["choices"][0]["message"]["content"]
    assert set_for.startswith("Je vous le rappellerai le 20") and set_for.endswith(": nourrir le perroquet.")
    one, = [one for one in default_model.call("GET", "/v1/schedules").json["data"] if "perroquet" in one["prompt"]]
    assert default_model.call("POST", f"/v1/schedules/{one['id']}/run").status == 200
    last = default_model.wait_for(lambda: [fire for fire in default_model.call("GET", f"/v1/schedules/{one['id']}").json["fires"] if fire["run"]], "a run of it", 20)[0]
    assert default_model.wait_for(lambda: (run := default_model.run(last["run"]))["finished"] and run, "its end", 20)["answer"] == "Rappel : nourrir le perroquet."


@pytest.mark.parametrize("request_text,ends", [
    *((text, "refused") for text in ("Use bash to list the files in /etc", "bash: whoami", "In bash, count the lines of notes.txt", "Benutze bash, um die Dateien aufzulisten",
                                     "I want you to edit_file notes.txt and add a line", "How many .cpp files are there? Use bash.")),
    *((text, "answered") for text in ("Remember that I like bash", "Who wrote bash?", "My son is learning bash at school.", "Merke dir, dass ich bash mag",
                                      "Don't use bash, just tell me a story", "What does the write_file tool do?")),
])
def test_a_tool_of_another_scope_is_refused_where_it_is_asked_for(default_model, request_text, ends):
    assert default_model.chat("hearth", [user(request_text)]).json["hearth"]["state"] == ends


def test_the_second_turn_reuses_the_first(default_model):
    first = default_model.dev("My favourite number is 41. Please remember it.")
    second = default_model.dev("What is my favourite number?", conversation_id=first["conversation_id"])
    assert second["usage"]["cached_tokens"] > 0.9 * first["usage"]["prompt_tokens"]


def test_a_heavy_question_walks_the_phases_and_reuses_the_prefix(default_model):
    answer = default_model.chat("hearth", [user("Compare tea with coffee and explain step by step which is better in the evening.")])
    run = default_model.run(answer.headers["X-Hearth-Run"])
    check_trace(run)
    assert run["status"] in ("answered", "partial")  # where this model goes round in circles it is cut
    nodes = [event["node_id"] for event in run["events"]]
    assert {"arbiter", "intake", "retrieve", "thinking", "recompose", "write_memory"} <= set(nodes)
    models = [step for step in run["steps"] if step["kind"] == "model"]
    assert all(step["outcome"]["usage"]["cached_tokens"] > 0 for step in models[1:])


@pytest.mark.parametrize("question", ["Is the server running?", "Are the lights on?", "Did the backup finish?", "Who is logged in?"])
def test_what_only_a_look_can_tell_is_not_made_up(default_model, question):
    answer = default_model.dev(question)
    assert answer["tools_used"] == 0 and "I have not looked" in answer["response"] and "I can look" in answer["response"]


@pytest.mark.parametrize("question,knows", [("Is Paris in France?", "yes"), ("What is the capital of France?", "paris"), ("Is 7 a prime number?", "yes")])
def test_what_needs_no_look_is_answered(default_model, question, knows):
    assert knows in default_model.dev(question)["response"].lower()


@pytest.mark.parametrize("city", ["Rome", "Oslo", "Madrid"])
def test_a_call_written_as_plain_json_is_a_call(default_model, city):
    """This model leaves the tags of its template's calls out."""
    asked = {"temperature": 0, "tools": [WEATHER], "tool_choice": "auto"}
    text = f"What is the weather in {city}? Use the tool."
    choice, = default_model.chat("default", [user(text)], **asked).json["choices"]
    assert choice["finish_reason"] == "tool_calls" and not choice["message"]["content"]
    called, = choice["message"]["tool_calls"]
    assert called["function"]["name"] == "get_weather" and json.loads(called["function"]["arguments"])["city"].startswith(city)
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{default_model.port}/v1", api_key=default_model.key, max_retries=0)
    chunks = list(client.chat.completions.create(model="default", messages=[user(text)], stream=True, **asked))
    assert chunks[-1].choices[0].finish_reason == "tool_calls" and not any(chunk.choices[0].delta.content for chunk in chunks)
    pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or []]
    assert pieces[0].function.name == "get_weather"
    assert "".join(piece.function.arguments or "" for piece in pieces) == called["function"]["arguments"]
    none = default_model.chat("default", [user(text)], **dict(asked, tool_choice="none")).json["choices"][0]
    assert none["finish_reason"] == "stop" and none["message"]["content"] and not none["message"].get("tool_calls")
