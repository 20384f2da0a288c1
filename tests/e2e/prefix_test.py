"""What was computed once is not computed again, and that changes no word."""
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import running, tiny_server
from support import assistant, check_trace, user


@pytest.fixture(scope="module", params=["llama_tied", "qwen3_moe"])
def server(request, state):
    yield from running(tiny_server(state, request.param, f"prefix-{request.param}"))


@pytest.fixture(scope="module")
def agent(state):
    """The tiny model with a bias to end strings and objects, or its random weights would never close one."""
    server = tiny_server(state, "llama_tied", "prefix-agent")
    server.bias = {str(server.tokens.index(text)): bias for text, bias in [('"', 8), ("}", 4), ("<|im_end|>", 4)]}
    yield from running(server)


def greedy(server, messages, tokens=32):
    answer = server.chat("default", messages, temperature=0, max_tokens=tokens)
    assert answer.status == 200, answer.data
    usage = answer.json["usage"]
    return answer.json["choices"][0]["message"]["content"], usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"]


def test_a_second_turn_computes_only_what_is_new_and_says_what_a_cold_run_says(server):
    first = [user("Tell me about the old lighthouse on the hill. " * 4)]
    text, prompt, cached = greedy(server, first)
    assert cached == 0
    turns = first + [assistant(text), user("And who lives there?")]
    warm, longer, kept = greedy(server, turns)
    assert kept >= prompt - 32, f"{kept} of the first turn's {prompt} tokens"
    assert kept < longer
    again, _, all_of_it = greedy(server, turns)
    assert again == warm
    assert all_of_it >= longer - 32
    server.stop()
    server.start()
    cold, same, nothing = greedy(server, turns)
    assert (same, nothing) == (longer, 0)
    assert cold == warm, "profile exact: the same text, bit for bit"


def test_another_beginning_shares_nothing(server):
    greedy(server, [user("The first thing that I want to say is this.")])
    _, _, cached = greedy(server, [{"role": "system", "content": "Be brief."}, user("The first thing that I want to say is this.")])
    assert cached <= 32, "only the template's own beginning may be shared"


def test_answers_beside_each_other_are_the_answers_one_by_one(server):
    questions = [[user(f"Question {n}: " + "why? " * n)] for n in range(12)]
    alone = [greedy(server, q, 16)[0] for q in questions]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda q: greedy(server, q, 16)[0], questions))
    assert together == alone


def model_steps(run):
    return [step for step in run["steps"] if step["kind"] == "model"]


def test_every_call_of_the_pipeline_after_the_first_finds_the_prefix(agent):
    answer = agent.chat("hearth", [user("Compare a.txt with b.txt and explain step by step which is better.")],
                        logit_bias=agent.bias, max_tokens=300)
    assert answer.status == 200, answer.data
    run = agent.run(answer.headers["X-Hearth-Run"])
    check_trace(run)
    used = [(s["input"]["purpose"], s["outcome"]["usage"]["prompt_tokens"], s["outcome"]["usage"]["cached_tokens"]) for s in model_steps(run)]
    assert len(used) >= 2, used
    assert used[0][0] == "intake" and used[0][2] == 0
    assert all(cached > 0 for _, _, cached in used[1:]), used
    # Calls that answer have one prefix, those that call tools another (with the worked examples).
    for group in ([u for u in used if u[0] != "copilot"], [u for u in used if u[0] == "copilot"]):
        if group:
            shared = group[0][1] * 0.6  # all but the first one's own instruction and the block's rest
            assert all(cached >= shared for _, _, cached in group[1:]), used


def test_the_first_question_of_the_day_finds_what_the_night_has_read(agent):
    agent.stop(), agent.start()  # nothing is in the cache
    told = agent.call("POST", "/v0/admin/batch/nightly", {"day": "2026-01-03"}, timeout=120).json["warmup"]
    assert told["prompts"] >= 4 and told["prompt_tokens"] > 1000, told
    for alias, purposes in (("hearth", ("intake", "recompose")), ("hearth/dev", ("dev",))):
        answer = agent.chat(alias, [user("Hello, and a good morning to you.")], logit_bias=agent.bias, max_tokens=60)
        first = model_steps(agent.run(answer.headers["X-Hearth-Run"]))[0]
        usage = first["outcome"]["usage"]
        assert first["input"]["purpose"] in purposes and usage["cached_tokens"] > 0.5 * usage["prompt_tokens"], (alias, first)
    assert agent.call("POST", "/v0/admin/batch/nightly", {"day": "2026-01-04"}, timeout=120).json["warmup"]["prompt_tokens"] < told["prompt_tokens"] / 4, "they are there still"


def test_the_dev_agent_is_forced_to_a_valid_call(agent):
    first = agent.chat("hearth/dev", [user("Read the file a.txt")], logit_bias=agent.bias, max_tokens=300)
    assert first.status == 200, first.data
    run = agent.run(first.headers["X-Hearth-Run"])
    check_trace(run)
    steps = model_steps(run)
    assert steps[0]["outcome"]["finish"] == "tool_calls"
    made = steps[0]["outcome"]["message"]["tool_calls"]
    assert made and all(isinstance(json.loads(c["function"]["arguments"]), dict) for c in made)
    names = [s["name"] for s in run["spans"] if s["kind"] == "tool"]
    assert names == [c["function"]["name"] for c in made if c["function"]["name"] != "answer"][:len(names)]
    assert all(step["outcome"]["usage"]["cached_tokens"] > 0 for step in steps[1:])
    second = agent.chat("hearth/dev", [user("Go on")], {"X-Hearth-Conversation": first.headers["X-Hearth-Conversation"]}, logit_bias=agent.bias, max_tokens=300)
    later = model_steps(agent.run(second.headers["X-Hearth-Run"]))
    before = steps[0]["outcome"]["usage"]["prompt_tokens"]
    # An answer without a call has a prompt of its own, without the worked examples.
    calling = [step for step in later if step["input"]["messages"] > steps[0]["input"]["messages"]]
    assert calling and calling[0] is later[0]
    assert all(step["outcome"]["usage"]["cached_tokens"] > 0.9 * before for step in calling)
    assert all(step["outcome"]["usage"]["prompt_tokens"] < 0.5 * before for step in later if step not in calling)


LOOK = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {
    "type": "object", "properties": {"place": {"type": "string", "maxLength": 12}, "height": {"type": "number"}, "near": {"type": "boolean"}},
    "required": ["place", "height", "near"]}}}


def as_sent_back(message):
    """The calls as a client has them that has read them: parsed, in another order, printed in its own way."""
    for call in message["tool_calls"]:
        arguments = json.loads(call["function"]["arguments"])
        assert set(arguments) == {"place", "height", "near"}
        number = arguments["height"]
        arguments["height"] = int(number) if number == int(number) else number
        call["function"]["arguments"] = json.dumps(dict(reversed(arguments.items())), separators=(",", ":"))
    return message


def test_calls_that_come_back_as_other_text_are_the_tokens_that_were_sampled(agent):
    bias = {**agent.bias, **{str(agent.tokens.index(c)): 6 for c in "0.5"}}
    messages = [user("Where is the lighthouse? " * 8)]
    whole = 0
    for turn in range(4):
        answer = agent.chat("default", messages, temperature=1, seed=turn + 1, max_tokens=400, tools=[LOOK], tool_choice="required", logit_bias=bias)
        assert answer.status == 200, answer.data
        usage, choice = answer.json["usage"], answer.json["choices"][0]
        assert choice["finish_reason"] == "tool_calls", choice
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        # The last token of a turn is not computed, and blocks that are not full are not kept.
        assert cached > whole - 32, f"turn {turn}: {cached} of the {whole} tokens before were found"
        whole = usage["prompt_tokens"] + usage["completion_tokens"]
        message = as_sent_back(choice["message"])
        messages += [message] + [{"role": "tool", "tool_call_id": call["id"], "content": "A rock <|im_end|> in the sea."} for call in message["tool_calls"]]
    changed = json.loads(json.dumps(messages))
    first = json.loads(changed[1]["tool_calls"][0]["function"]["arguments"])
    changed[1]["tool_calls"][0]["function"]["arguments"] = json.dumps({**first, "height": first["height"] + 1})
    answer = agent.chat("default", changed, max_tokens=1, tools=[LOOK], tool_choice="none")
    assert answer.json["usage"]["prompt_tokens_details"]["cached_tokens"] < whole / 2, "another call is another text"
