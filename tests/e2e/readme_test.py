"""Every command that README.md and docs/*.md name is run: here, or by the test that the table tells.

A command is a line of an indented or fenced block, or inline code that begins as one does. One that the table
does not know fails, so that no page promises what nobody has tried.
"""
import json
import re
import shutil
import subprocess

import must_show_test
import pytest
import threads_test
import tiny_model
import tour_test
from conftest import running
from support import BINARY, MODELS, ROOT, Hearth, call, check_trace

SCRIPT = [
    {"when": "in this folder", "tool_calls": [call("list_dir", path=".")]},
    {"when": "in this folder", "text": "There is note.txt."},
]

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
STARTS = ("hearth ", "deploy/", "cmake ", "ninja ", "curl ", "tests/bench/")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")


def commands_of(text):
    for language, block in FENCE.findall(text):
        if language in ("", "sh", "bash"):
            yield from block.splitlines()
        if language == "console":  # with what they print
            yield from (line for line in block.splitlines() if line.startswith("$ "))
    text = FENCE.sub("", text)
    yield from (line for line in text.splitlines() if line.startswith("    "))
    yield from (code for code in INLINE.findall(text) if code.startswith(STARTS) and not re.fullmatch(r"(deploy|tests/bench)/[\w.]*", code))


def named_commands():
    found = {}
    for page in PAGES:
        for line in commands_of(page.read_text()):
            command = re.sub(r"\s{2,}#.*", "", line).strip().removeprefix("$ ")
            if command:
                found.setdefault(command, page.name)
    return found


COMMANDS = named_commands()


def run(hearth, folder, arguments, status=0):
    done = subprocess.run([BINARY, *arguments], env=hearth.env, cwd=folder, input="What is in this folder?", capture_output=True, text=True, timeout=300)
    assert done.returncode == status, f"hearth {' '.join(arguments)}: exit {done.returncode}\n{done.stderr}"
    return done


def chats(hearth, folder):
    done = run(hearth, folder, ["chat"])
    assert done.stdout == "There is note.txt.\n"
    return hearth.run(hearth.call("GET", "/v1/runs?limit=1").json["data"][0]["id"])


def shows_a_trace(hearth, folder):
    check_trace(chats(hearth, folder))
    shown = run(hearth, folder, ["trace", "show"]).stdout
    assert re.search(r"^run [0-9a-f-]{36}  hearth/dev  answered$", shown, re.MULTILINE)
    assert "> What is in this folder?\n\nThere is note.txt.\n" in shown and "tool list_dir" in shown and "chain: whole" in shown
    assert max(map(len, shown.splitlines())) <= 80 and "\x1b" not in shown


def lists_runs(hearth, folder):
    newest = chats(hearth, folder)
    run(hearth, folder, ["chat", "And now, in this folder?"])
    heading, last, before = run(hearth, folder, ["trace", "list", "--limit", "2"]).stdout.splitlines()
    assert heading.split() == ["TIME", "RUN", "SCOPE", "STATUS", "TOOK", "TOKENS", "QUESTION"]
    assert " dev " in last and " answered " in last and "And now" in last and "What is in" in before and max(len(last), len(before)) <= 80
    assert newest["id"].startswith(before.split()[3])
    assert run(hearth, folder, ["trace", "show", before.split()[3]]).stdout.startswith(f"run {newest['id']} ")
    told = json.loads(run(hearth, folder, ["trace", "list", "--json"]).stdout)
    assert [entry["id"] for entry in told] == [entry["id"] for entry in hearth.call("GET", "/v1/runs?limit=20").json["data"]]


def looks_at_the_machine(hearth, folder):
    found = json.loads(run(hearth, folder, ["doctor", "--json"]).stdout)
    assert {"PostgreSQL", "model", "server", "disk"} <= {probe["name"] for probe in found}
    assert "PostgreSQL" in run(hearth, folder, ["doctor"]).stdout


def measures(hearth, folder, *more):
    more += "--prefill", "128", "--decode", "32"  # the tiny model's context holds 512
    figures = json.loads(run(hearth, folder, ["bench", *more, "--json"]).stdout)
    assert figures["prefill_tps"] > 0 and figures["decode_tps"] > 0
    assert figures["threads"] >= 1
    assert f"), {figures['threads']} threads\n" in run(hearth, folder, ["bench", *more]).stdout


def compares_profiles(hearth, folder):
    figures = json.loads(run(hearth, folder, ["bench", "--fidelity", "--prefill", "300", "--json"]).stdout)
    assert figures["positions"] == 300 and 0 < figures["kl_mean"] < 0.01 and 0 <= figures["top1_disagreement"] < 0.1
    assert "fast against exact at 64 positions" in run(hearth, folder, ["bench", "--fidelity", "--prefill", "64", "--text", "/proc/self/exe"]).stdout


def compares_speculation(hearth, folder, *more, sources=("prompt",)):
    model = folder / "fit-to-chat.gguf"
    tiny_model.make(MODELS / "llama_tied.gguf", model)
    figures = json.loads(run(hearth, folder, ["bench", "--speculation", "--decode", "64", "--repeat", "1", "--profile", "exact", "--model", str(model), *more, "--json"]).stdout)
    assert [w["name"] for w in figures["workloads"]] == ["prose", "tool-call", "code-edit"]
    for workload in figures["workloads"]:
        assert workload["pairs"] > 1 and workload["differing_texts"] == 0
        assert 0 < workload["lower_95"] <= workload["ratio"] and workload["accepted_tokens"] <= workload["drafted_tokens"]
        assert set(workload["sources"]) == set(sources)
        assert sum(source["guessed_tokens"] for source in workload["sources"].values()) == workload["drafted_tokens"]


def keeps_a_secret(hearth, folder):
    (folder / "key.txt").write_text("sk-a-key-of-an-upstream-1\n")
    done = subprocess.run(f"{BINARY} secret set openai --host api.openai.com < key.txt", shell=True, env=hearth.env, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "secret:openai stands for it" in done.stdout, done.stderr
    assert "api.openai.com" in run(hearth, folder, ["secret", "list"]).stdout
    run(hearth, folder, ["secret", "rm", "openai"])


def sets_a_rule(words):
    def check(hearth, folder):
        run(hearth, folder, ["rule", "set", *words.split()])
        assert words.split()[0] in run(hearth, folder, ["rule", "list"]).stdout
        run(hearth, folder, ["rule", "rm", words.split()[0]])
    return check


def verifies_a_trace(hearth, folder):
    made = chats(hearth, folder)
    assert ": whole" in run(hearth, folder, ["trace", "verify", made["id"][:23]]).stdout
    assert ": whole" in run(hearth, folder, ["trace", "verify"]).stdout


def converts(hearth, folder):
    shutil.copy(MODELS / "llama_tied.gguf", folder / "model.gguf")
    run(hearth, folder, ["model", "convert", "model.gguf", "model.hearth"])
    assert json.loads(run(hearth, folder, ["model", "inspect", "--json", "model.hearth"]).stdout)["loads"] is True


def shows_settings(hearth, folder):
    assert re.search(r"^server\.port +0 +HEARTH_SERVER_PORT", run(hearth, folder, ["config", "show"]).stdout, re.MULTILINE)


def embeds(hearth, folder):
    """As it is written but for the port and the key's place, by a server with such a model."""
    (folder / ".config/hearth").mkdir(parents=True)
    (folder / ".config/hearth/key").write_text(hearth.key)
    server = Hearth(hearth.state, "readme_embedding", SCRIPT, {"embedding.path": MODELS / "bert_minilm.gguf", "server.socket": folder / "socket"})
    for started in running(server):
        done = subprocess.run(EMBED.replace(":8080", f":{started.port}"), shell=True, env=dict(hearth.env, HOME=str(folder)), capture_output=True, text=True, timeout=60)
        assert [len(one["embedding"]) for one in json.loads(done.stdout)["data"]] == [64, 64], done.stdout + done.stderr


def begins_a_run(hearth, folder):
    """As it is written but for the port and the key's place."""
    (folder / ".config/hearth").mkdir(parents=True)
    (folder / ".config/hearth/key").write_text(hearth.key)
    done = subprocess.run(BEGIN.replace(":8080", f":{hearth.port}"), shell=True, env=dict(hearth.env, HOME=str(folder)), capture_output=True, text=True, timeout=60)
    run_id = json.loads(done.stdout)["id"]
    ended = hearth.wait_for(lambda: (one := hearth.run(run_id))["finished"] and one, "the run's end")
    assert ended["answer"] == "There is note.txt.", ended


def inspects_a_folder(hearth, folder, link="folder"):
    (folder / link).symlink_to(ROOT / "tests/data/golden/minimax_m2")
    shown = run(hearth, folder, ["model", "inspect", f"./{link}"]).stdout
    assert "architecture  minimax-m2 (model_type minimax_m2), 3 layers" in shown and "(2 of 8 experts)" in shown and "memory  " in shown, shown


def uses_a_folder(hearth, folder):
    (folder / "folder").symlink_to(ROOT / "tests/data/golden/olmo3")
    env = dict(hearth.env, HEARTH_STATE_FOLDER=str(folder / "state"))
    del env["HEARTH_MODEL_PATH"]
    for arguments, says in ((["use", "./folder"], "serve loads"), (["inspect"], "architecture  olmo2 (model_type olmo3), 4 layers")):
        done = subprocess.run([BINARY, "model", *arguments], env=env, cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and says in done.stdout, done.stdout + done.stderr


EMBED = ("""curl -d '{"model": "embedding", "input": ["a text", "another"]}' -H "Authorization: Bearer $(cat ~/.config/hearth/key)" """
         "http://127.0.0.1:8080/v1/embeddings")
BEGIN = ("""curl -d '{"agent": "hearth/dev", "input": "What is in this folder?"}' -H "Authorization: Bearer $(cat ~/.config/hearth/key)" """
         "http://127.0.0.1:8080/v1/runs")
ENGINE_ALONE = "cmake -S . -B build/engine -G Ninja -DCMAKE_BUILD_TYPE=Release -DHEARTH_ENGINE_ONLY=ON"
ENGINE_BUILD = "ninja -C build/engine engine"


def configures_the_engine_alone(_, folder):
    """As it is written but for the folder; compiling it is the work of deploy/stages.sh."""
    for line in (ENGINE_ALONE, ENGINE_BUILD.replace(" engine", " -t commands engine")):
        done = subprocess.run(line.replace("build/engine", str(folder / "engine")).split(), cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "engine/engine.cpp" in done.stdout and "server/" not in done.stdout, done.stdout


def proven_in(file, text):
    """The command needs a machine or a build of its own: another test runs it, in that file."""
    def look(*_):
        assert text in (ROOT / file).read_text(), f"{file} no longer runs {text}"
    return look


HOW = {
    "ninja -C build/engine hearth_engine": proven_in("engine/CMakeLists.txt", "add_library(hearth_engine SHARED"),
    "cc -I. tests/embed/embed_example.c build/engine/engine/libhearth_engine.so -Wl,-rpath,$PWD/build/engine/engine -o embed_example": proven_in("tests/CMakeLists.txt", "embed/embed_example.c"),
    "python3 tests/embed/embed_example.py build/engine/engine/libhearth_engine.so MODEL.gguf TEXT": proven_in("tests/CMakeLists.txt", "embed/embed_example.py"),
    **dict.fromkeys(tour_test.COMMANDS, proven_in("tests/e2e/tour_test.py", "for kind, what, expected in STEPS:")),
    **{command: proven_in("tests/e2e/must_show_test.py", "assert me.left == []") for command in must_show_test.TRYING},
    "deploy/run": proven_in("tests/e2e/fresh_machine_steps.sh", "deploy/run >"),
    'deploy/run --once "What is in this folder?"': proven_in("tests/e2e/fresh_machine_steps.sh", 'deploy/run --once "$QUESTION"'),
    "deploy/run --stop": proven_in("tests/e2e/fresh_machine_steps.sh", "deploy/run --stop"),
    "hearth open": proven_in("tests/e2e/sign_in_test.py", '"open", *more'),
    "hearth open --qr": proven_in("tests/e2e/open_test.py", '"open", "--qr"'),
    "deploy/test": proven_in(".ci/run", "exec deploy/test"),
    "python3 tests/models_page.py --write build/golden.jsonl": proven_in("tests/e2e/models_page_test.py", '"--write"'),
    "deploy/test --full": proven_in("deploy/test", "--full)"),
    "HEARTH_TEST_STAGES=fuzz deploy/test": proven_in("deploy/test", 'stages="unit asan fuzz cuda e2e"'),
    "tests/fuzz/run gguf -runs=1000000": proven_in("deploy/stages.sh", 'tests/fuzz/run "$1"'),
    ENGINE_ALONE: configures_the_engine_alone,
    ENGINE_BUILD: configures_the_engine_alone,
    "ninja engine_bench ops_bench": proven_in("tests/bench/CMakeLists.txt", "engine_bench"),
    "tests/bench/grammar_bench MODEL.gguf": proven_in("tests/bench/CMakeLists.txt", "grammar_bench"),
    "ninja template_bench": proven_in("tests/bench/CMakeLists.txt", "template_bench"),
    "tests/bench/template_bench FOLDER": proven_in("tests/bench/CMakeLists.txt", "template_bench"),
    "ninja sandbox_bench": proven_in("tests/bench/CMakeLists.txt", "sandbox_bench"),
    "ninja route_bench": proven_in("tests/bench/CMakeLists.txt", "route_bench"),
    "tests/bench/sandbox_bench RUNS FOLDER": proven_in("tests/bench/CMakeLists.txt", "sandbox_bench"),
    "tests/bench/visible_bench.py 20": proven_in("tests/bench/visible_bench.py", "def watch("),
    "tests/bench/stop_bench.py 200": proven_in("tests/bench/stop_bench.py", "two_servers"),
    "ninja pair_bench": proven_in("tests/bench/CMakeLists.txt", "pair_bench"),
    "tests/bench/pair_bench ONE.gguf OTHER.gguf 2": proven_in("tests/bench/CMakeLists.txt", "pair_bench"),
    "tests/bench/experts_bench.py HEARTH LLAMA_BENCH FOLDER 2 2": proven_in("tests/bench/experts_bench.py", "def main("),
    "ninja durable_bench": proven_in("tests/bench/CMakeLists.txt", "durable_bench"),
    "ninja trace_bench": proven_in("tests/bench/CMakeLists.txt", "trace_bench"),
    "ninja gateway_bench": proven_in("tests/bench/CMakeLists.txt", "gateway_bench"),
    "tests/bench/gateway_bench 500 5": proven_in("tests/bench/CMakeLists.txt", "gateway_bench"),
    "ninja grammar_bench": proven_in("tests/bench/CMakeLists.txt", "grammar_bench"),
    "ninja call_bench": proven_in("tests/bench/CMakeLists.txt", "call_bench"),
    "tests/bench/call_bench MODEL.gguf 2 9": proven_in("tests/bench/CMakeLists.txt", "call_bench"),
    "tests/bench/engine_bench MODEL.gguf": proven_in("tests/bench/CMakeLists.txt", "engine_bench"),
    EMBED: embeds,
    BEGIN: begins_a_run,
    "hearth chat": chats,
    "hearth chat --agent hearth": proven_in("tests/e2e/terminal_test.py", '"--agent", "hearth", "--json"'),
    'hearth chat --agent default "What is the capital of France?"': proven_in("tests/e2e/terminal_test.py", '"--agent", "default", "my name is Ada"'),
    "hearth trace show": shows_a_trace,
    "hearth trace list": lists_runs,
    "hearth doctor": looks_at_the_machine,
    "hearth bench --fidelity": compares_profiles,
    "hearth bench --speculation": compares_speculation,
    "hearth bench --speculation --draft small.gguf": lambda hearth, folder: compares_speculation(hearth, folder, "--draft", str(MODELS / "llama_tied.gguf"), sources=("prompt", "draft")),
    "hearth bench": measures,
    "hearth bench --prefill 512 --decode 64": measures,
    'hearth bench --threads 1 --streams 8 --ops --against "llama.cpp=build/bin/llama-bench -lm none"': proven_in("tests/e2e/bench_test.py", '"--streams", "4", "--ops"'),
    "hearth bench --threads 1 --prefill 128 --decode 32 --repeat 1": lambda hearth, folder: measures(hearth, folder, "--threads", "1", "--repeat", "1"),
    'hearth bench --threads 1 --prefill N --decode 48 --against "llama.cpp=… -lm none,ik=… -rtr 1"': proven_in("tests/e2e/bench_test.py", '"--against", f"one={peer}/llama-bench -mmp 0,two={peer}/llama-bench -rtr 1"'),
    "hearth bench --threads 1 --prefill 16 --decode 16 --streams 8 --repeat 12": lambda hearth, folder: measures(hearth, folder, "--threads", "1", "--streams", "8", "--repeat", "1"),
    "hearth bench --threads 1 --prefill 64 --decode 16 --repeat 7": proven_in("tests/e2e/adapter_test.py", '"bench", "--prefill", "16", "--decode", "8", "--repeat", "3"'),
    "hearth bench --threads 1 --turns --repeat 2": proven_in("tests/e2e/bench_test.py", '"--repeat", "2", "--turns"'),
    "hearth bench --threads 1 --json": lambda hearth, folder: measures(hearth, folder, "--threads", "1"),
    "hearth config show": shows_settings,
    **{f"hearth model {word} small": proven_in("tests/e2e/model_load_test.py", f'"model", "{word}", "small"') for word in ("load", "unload")},
    "hearth model list": lambda hearth, folder: run(hearth, folder, ["model", "list"]),
    "hearth model pull": proven_in("tests/e2e/faults_models_test.py", '"model", "pull"'),
    "hearth model inspect ./folder": inspects_a_folder,
    "hearth model use ./folder": uses_a_folder,
    "hearth model inspect": proven_in("tests/e2e/faults_models_test.py", '"model", "inspect"'),
    "hearth model convert": proven_in("tests/e2e/convert_test.py", '"model", "convert"'),
    "hearth model convert model.gguf model.hearth": converts,
    "hearth model convert ./folder mixture.hearth": proven_in("tests/e2e/convert_test.py", '"model", "convert", str(source)'),
    "hearth model use": proven_in("tests/e2e/convert_test.py", '"model", "use"'),
    "hearth config check": proven_in("tests/e2e/faults_settings_test.py", '"config", "check"'),
    "hearth key revoke": proven_in("tests/e2e/refusal_test.py", '"key", "revoke"'),
    **{f"hearth prompt {words}": proven_in("tests/e2e/prompt_test.py", f'prompt(hearth, "{words.split()[0]}"') for words in
       ("list", "show recompose > recompose.md", "save recompose recompose.md", "diff recompose", 'release recompose 2 --override "shorter answers"',
        "rollback recompose", "versions recompose", "release recompose 2")},
    **{f"hearth prompt {words}": proven_in("tests/e2e/agents_test.py", f'prompt(garden, "{words.split()[0]}"') for words in
       ("save --new garden_system garden.md", 'release garden_system 1 --override "a new agent"')},
    'hearth chat --write-tier prompts "make the greeting shorter"': proven_in("tests/e2e/terminal_test.py", '"--write-tier", tier'),
    "hearth quality run": proven_in("tests/e2e/quality_test.py", "shown = quality(hearth)"),
    "hearth quality run --prompt recompose@draft": proven_in("tests/e2e/quality_test.py", 'quality(hearth, "--prompt", "recompose@draft")'),
    "hearth quality run --case 'files/*'": proven_in("tests/e2e/quality_test.py", 'quality(hearth, "--case", "files/*"'),
    "hearth quality run --bfcl FOLDER --each 4": proven_in("tests/e2e/quality_test.py", 'quality(hearth, "--bfcl", str(tmp_path), "--each"'),
    "hearth memory list": proven_in("tests/e2e/forget_test.py", 'memory(house, "list"'),
    "hearth memory show 0190…": proven_in("tests/e2e/forget_test.py", 'memory(house, "show"'),
    'hearth memory why "wifi password"': proven_in("tests/e2e/forget_test.py", 'memory(house, "why"'),
    "hearth memory forget 0190…": proven_in("tests/e2e/forget_test.py", 'memory(house, "forget", fact["id"])'),
    "hearth memory forget 0190… --yes": proven_in("tests/e2e/forget_test.py", 'memory(house, "forget", fact["id"], "--yes"'),
    "hearth memory consolidate --seconds 60": proven_in("tests/e2e/talk_test.py", '"memory", "consolidate", "--seconds", "60"'),
    "hearth memory consolidate": proven_in("tests/e2e/talk_test.py", '"memory", "consolidate"'),
    "hearth memory ingest manual.md": proven_in("tests/e2e/documents_test.py", 'memory(house, "ingest"'),
    "hearth memory ingest": proven_in("tests/e2e/documents_test.py", 'memory(house, "ingest"'),
    "hearth memory documents": proven_in("tests/e2e/documents_test.py", 'memory(house, "documents")'),
    "hearth memory forget": proven_in("tests/e2e/documents_test.py", 'memory(house, "forget"'),
    "hearth group set family --person Anna --person Ben": proven_in("tests/e2e/group_test.py", '"group", "set", "family", "--person"'),
    "hearth group list": proven_in("tests/e2e/group_test.py", '"group", "list"'),
    "hearth memory archive": proven_in("tests/e2e/archive_test.py", 'memory(house, "archive")'),
    "hearth memory archive show 0190…": proven_in("tests/e2e/archive_test.py", 'memory(house, "archive", "show"'),
    "hearth memory archive show ID": proven_in("tests/e2e/archive_test.py", 'memory(house, "archive", "show"'),
    """hearth memory collection create recipes '{"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}'""": proven_in("tests/e2e/collections_test.py", 'collection(house, "create", "recipes"'),
    """hearth memory collection add recipes '{"title": "Bread"}'""": proven_in("tests/e2e/collections_test.py", 'collection(house, "add", "recipes"'),
    "hearth memory collection add": proven_in("tests/e2e/collections_test.py", 'collection(house, "add", "recipes"'),
    "hearth memory collection list": proven_in("tests/e2e/collections_test.py", 'collection(house, "list")'),
    "hearth memory collection show recipes": proven_in("tests/e2e/collections_test.py", 'collection(house, "show", "recipes")'),
    "hearth memory collection remove recipes": proven_in("tests/e2e/collections_test.py", 'collection(house, "remove", "recipes")'),
    "hearth memory export pairs.jsonl": proven_in("tests/e2e/archive_test.py", 'memory(house, "export"'),
    "hearth memory export FILE.jsonl": proven_in("tests/e2e/archive_test.py", 'memory(house, "export"'),
    "hearth memory health": proven_in("tests/e2e/talk_test.py", '"memory", "health"'),
    "hearth memory bench": proven_in("tests/e2e/memory_bench_test.py", '"memory", "bench"'),
    "hearth memory bench --data FOLDER": proven_in("tests/e2e/memory_bench_test.py", '"memory", "bench", "--data"'),
    "hearth memory bench --facts 1000000 --person 250000": proven_in("tests/e2e/memory_bench_test.py", '"--facts", "2000", "--person", "500"'),
    "hearth person list": lambda hearth, folder: run(hearth, folder, ["person", "list"]),
    "hearth person add Clara": proven_in("tests/e2e/person_test.py", 'person(hearth, "add", "Clara", "--json")'),
    "hearth person set Clara --replies plain": proven_in("tests/e2e/person_test.py", '"--replies", "plain"'),
    "hearth person set Clara --language fr": proven_in("tests/e2e/chat_words_test.py", '"--language", "de"'),
    "hearth person set Clara --effort heavy": proven_in("tests/e2e/person_test.py", '"--effort", "normal"'),
    "hearth person set Clara --tone \"simply, without technical words\"": proven_in("tests/e2e/directive_test.py", '"--tone", "simply, without technical words"'),
    "hearth prompt show identity": proven_in("tests/e2e/directive_test.py", '"prompt", "show", "identity"'),
    **{f"hearth directive {words}": proven_in("tests/e2e/directive_test.py", f'directive(hearth, "{words.split()[0]}"') for words in
       ("list", "add no_names \"Never write the children's names into files.\" --days 30", 'add captain "Call me captain." --person Clara', "remove no_names")},
    **{f"hearth directive {words} --key my.key": proven_in("tests/e2e/directive_test.py", f'own(hearth, key, "{words.split()[0]}"') for words in
       ('add captain "Call me captain."', "list", "remove captain")},
    "hearth secret set openai --host api.openai.com < key.txt": keeps_a_secret,
    "hearth secret set github --for bash < token.txt": proven_in("tests/e2e/secret_tool_test.py", 'secret(own, "set", "github", "--for", "bash"'),
    "HEARTH_UPSTREAM_KEY=secret:openai hearth serve": proven_in("tests/e2e/secret_test.py", '"upstream.key": "secret:up"'),
    "hearth secret list": lambda hearth, folder: run(hearth, folder, ["secret", "list"]),
    "hearth secret rotate": proven_in("tests/e2e/secret_test.py", 'secret(own, "rotate")'),
    "hearth secret rotate --master": proven_in("tests/e2e/secret_test.py", '"rotate", "--master"'),
    "hearth secret rm openai": proven_in("tests/e2e/secret_test.py", 'secret(own, "rm", "mail")'),
    "hearth secret rm": proven_in("tests/e2e/secret_test.py", 'secret(own, "rm", "mail")'),
    "hearth trace verify": verifies_a_trace,
    "hearth trace verify --all": proven_in("tests/e2e/trace_test.py", 'verify(own, "--all", "--json")'),
    **{f"hearth trace replay{words}": proven_in("tests/e2e/trace_test.py", '"trace", "replay"') for words in ("", " --model other", " --prompt recompose@draft")},
    **{f"hearth mathcore {word} thinking": proven_in("tests/e2e/nightly_test.py", f'own.command("mathcore", "{word}", "thinking"') for word in ("accept", "freeze", "unfreeze")},
    "hearth mathcore show": proven_in("tests/e2e/nightly_test.py", 'own.command("mathcore", "show")'),
    **{f"hearth mathcore simulate {words}": proven_in("tests/e2e/mathcore_days_test.py", '"mathcore", "simulate"') for words in
       ("--days 45 --ago 16 > calm.jsonl", "--days 7 --ago 9 --slow thinking=5 > slow.jsonl", "--days 8 > well.jsonl", '--days 21 --calm 14 --scenario "off for a week" > away.jsonl')},
    **{f"hearth mathcore import {days}.jsonl": proven_in("tests/e2e/mathcore_days_test.py", '"mathcore", "import"') for days in ("calm", "slow", "well")},
    **{f"hearth nightly --day $(date -d '{days} days ago' +%F)": proven_in("tests/e2e/mathcore_days_test.py", f"batch(server, {days})") for days in (15, 8)},
    "hearth mathcore bench": proven_in("tests/e2e/mathcore_test.py", '"mathcore", "bench"'),
    **{f"hearth mathcore bench {words}": proven_in("tests/e2e/mathcore_test.py", '"--seeds", "2"') for words in ("--seeds 20", "--seed 101 --seeds 20")},
    "hearth mathcore bench --part routing --repetitions 20": proven_in("tests/e2e/mathcore_test.py", '"--part", "routing"'),
    **{f"hearth nightly{words}": proven_in("tests/e2e/nightly_test.py", 'own.command("nightly", "--day"') for words in ("", " --day 2026-03-10")},
    "hearth drill": proven_in("tests/e2e/drill_test.py", 'drill(started)'),
    "hearth drill --list": proven_in("tests/e2e/drill_test.py", 'drill(started, "--list"'),
    "hearth thread list": proven_in("tests/e2e/threads_test.py", 'command(hearth, "list")'),
    **{f"hearth thread {word} ID": proven_in("tests/e2e/threads_test.py", f'command(hearth, "{word}", run["conversation_id"])') for word in ("show", "stop")},
    threads_test.BEGIN: proven_in("tests/e2e/threads_test.py", "BEGIN.replace("),
    threads_test.STEER: proven_in("tests/e2e/threads_test.py", "STEER.replace("),
    'hearth run "Count the files here."': proven_in("tests/e2e/run_test.py", 'run(hearth, folder, "at length")'),
    'hearth run "Count the files here." --detach': proven_in("tests/e2e/run_test.py", 'run(hearth, folder, message, "--detach", *arguments)'),
    'hearth run "What is due today?" --agent hearth': proven_in("tests/e2e/run_test.py", '"--agent", "hearth")'),
    "hearth run": proven_in("tests/e2e/run_test.py", '[BINARY, "run", *arguments]'),
    "hearth run list": proven_in("tests/e2e/run_test.py", '"list", "--limit"'),
    **{f"hearth run {words}": proven_in("tests/e2e/run_test.py", f'"{words.split()[0]}", run_id') for words in
       ("show ID", "follow ID", 'steer ID "and tell me the largest"', "approve ID grant", 'fork ID --step 3 "and in French"', "stop ID")},
    "hearth approval list": proven_in("tests/e2e/approval_test.py", 'approval(hearth, "list")'),
    **{f"hearth approval {word} ID": proven_in("tests/e2e/approval_test.py", '["grant", "deny"]') for word in ("grant", "deny")},
    "hearth rule set ask_before_programs ask --tool bash": proven_in("tests/e2e/rule_test.py", '"set", "ask_before_programs", "ask", "--tool", "bash"'),
    **{f"hearth rule set {words}": sets_a_rule(words) for words in
       ("no_programs_at_night deny --permission execute --hours 22:00-07:00 --role member", "few_programs ask --tool bash --after-calls 50")},
    "hearth rule list": proven_in("tests/e2e/rule_test.py", 'rule(hearth, "list")'),
    "hearth rule rm ask_before_programs": proven_in("tests/e2e/rule_test.py", '"rm", "ask_before_programs"'),
    "hearth secret set telegram --host api.telegram.org < token.txt": proven_in("tests/e2e/telegram_test.py", 'command(server, "secret", "set", secret, input=value)'),
    "HEARTH_TELEGRAM_TOKEN=secret:telegram hearth serve": proven_in("tests/e2e/telegram_test.py", '"telegram.token": "secret:bot"'),
    **{f"hearth secret set {words}": proven_in("tests/e2e/whatsapp_test.py", 'command(server, "secret", "set", secret, input=value)') for words in
       ("whatsapp --host graph.facebook.com < token.txt", "whatsapp_app < app_secret.txt", "whatsapp_verify < verify_token.txt")},
    "hearth pair list": proven_in("tests/e2e/telegram_test.py", '"pair", "list"'),
    "hearth pair approve ABCD-EFGH --person Clara": proven_in("tests/e2e/telegram_test.py", '"pair", "approve", code, "--person", "Clara"'),
    "hearth pair rm telegram 123456789": proven_in("tests/e2e/telegram_test.py", '"pair", "rm", "telegram"'),
    "hearth outbox silence --until 07:30": proven_in("tests/e2e/outbox_test.py", '"outbox", "silence", "--until", "07:30"'),
    "hearth outbox resume": proven_in("tests/e2e/outbox_test.py", '"outbox", "resume"'),
    **{f"hearth outbox {word} 0199f3c2-7a51-7c3e-9d21-5b8f6a0c4e17": proven_in("tests/e2e/outbox_test.py", f'"outbox", "{word}"') for word in ("allow", "deny", "sent")},
    "hearth outbox unsent 0199f3c2-7a51-7c3e-9d21-5b8f6a0c4e17 --again": proven_in("tests/e2e/outbox_test.py", '"outbox", "unsent", lost["id"], "--again"'),
    "hearth person quiet Clara 22:00-07:00 --zone Europe/Berlin": proven_in("tests/e2e/outbox_test.py", '"person", "quiet", "Clara", "00:00-23:59", "--zone", "Europe/Berlin"'),
    "hearth person quiet Clara none": proven_in("tests/e2e/outbox_test.py", '"person", "quiet", "Clara", "none"'),
    "hearth blob list": proven_in("tests/e2e/blobs_test.py", '"blob", "list"'),
    "hearth blob show 0190…": proven_in("tests/e2e/blobs_test.py", '"blob", "show", blob["id"]'),
    "hearth blob save 0190… picture.jpg": proven_in("tests/e2e/blobs_test.py", '"blob", "save", blob["id"], str(saved)'),
    "hearth blob remember": proven_in("tests/e2e/blobs_test.py", '"blob", "remember"'),
    "hearth blob remember 0190…": proven_in("tests/e2e/blobs_test.py", '"blob", "remember", blob["id"]'),
    "hearth blob forget 0190…": proven_in("tests/e2e/blobs_test.py", '"blob", "forget"'),
    "hearth outbox list": proven_in("tests/e2e/support.py", '"outbox", "list"'),
    'hearth schedule add "every weekday at 8am" "What is in the news?"': proven_in("tests/e2e/schedule_test.py", 'add(hearth, "every weekday at 8am", "What is in the news?"'),
    'hearth schedule add "tous les lundis à 9h" "Rappelle-moi les poubelles." --channel telegram': proven_in("tests/e2e/schedule_test.py", '"What is in the news?", "--channel", "telegram"'),
    'hearth schedule add --silent "*/30 * * * *" "Is the disk nearly full?"': proven_in("tests/e2e/schedule_test.py", '"--channel", "telegram", "--silent"'),
    "hearth schedule list": proven_in("tests/e2e/schedule_test.py", 'schedule(hearth, "list")'),
    "hearth schedule show": proven_in("tests/e2e/schedule_test.py", 'schedule(server, "show", job["id"]'),
    "hearth schedule show ID": proven_in("tests/e2e/schedule_test.py", 'schedule(server, "show", job["id"]'),
    **{f"hearth schedule {word} ID": proven_in("tests/e2e/schedule_test.py", f'schedule(hearth, "{word}", ') for word in ("run", "pause", "resume", "rm")},
    "hearth heartbeat": proven_in("tests/e2e/review_test.py", 'command(server, "heartbeat")'),
    "hearth review run": proven_in("tests/e2e/review_test.py", 'command(server, "review", "run")'),
    "hearth review list": proven_in("tests/e2e/review_test.py", 'command(server, "review", "list")'),
    **{f"hearth review {words}": proven_in("tests/e2e/review_test.py", f'"review", "{words.split()[0]}", issue["id"]') for words in ("show ID", "mark ID fixed-locally", "close ID")},
    "hearth serve": proven_in("tests/e2e/support.py", '"serve"'),
    "hearth db start": proven_in("tests/e2e/support.py", '"db", "start"'),
    "hearth db stop": proven_in("tests/e2e/support.py", '"db", "stop"'),
    "hearth db status": proven_in("tests/e2e/faults_database_test.py", '"db", "status"'),
    "hearth db migrate": proven_in("tests/e2e/support.py", '"db", "migrate"'),
    "hearth db roles > roles.sql": proven_in("tests/e2e/faults_database_test.py", '"db", "roles"'),
    "psql -U postgres -f roles.sql": proven_in("tests/e2e/faults_database_test.py", '"-U", "postgres", "-f"'),
    "HEARTH_DATABASE_URL=… HEARTH_DATABASE_OWNER_URL=… hearth db migrate": proven_in("tests/e2e/faults_database_test.py", 'run(dict(serving, **told), "db", "migrate")'),
    "HEARTH_DATABASE_URL=… hearth serve": proven_in("tests/e2e/faults_database_test.py", 'HEARTH_DATABASE_URL=told["HEARTH_DATABASE_URL"])'),
}


@pytest.fixture
def folder(state, tmp_path):
    (tmp_path / "note.txt").write_text("hi\n")
    return tmp_path


def test_the_pages_name_commands():
    assert len(COMMANDS) >= 10


@pytest.mark.parametrize("command", COMMANDS)
def test_a_named_command_works(hearth, folder, command):
    assert command in HOW, f"{COMMANDS[command]} names a command that no test runs: {command}"
    hearth.env.setdefault("HEARTH_MODEL_PATH", str(MODELS / "llama_tied.gguf"))
    HOW[command](hearth, folder)


@pytest.mark.parametrize("command", HOW)
def test_the_table_holds_only_named_commands(command):
    assert command in COMMANDS, f"no page names {command} any more"


def test_named_routes_exist(hearth):
    known = hearth.call("GET", "/openapi.json").json["paths"]
    named = {route for page in PAGES for route in re.findall(r"`(GET|POST) (/[^`\s]*)`", page.read_text())}
    assert named
    for method, path in named:
        assert method.lower() in known.get(path, {}), f"{method} {path}"
