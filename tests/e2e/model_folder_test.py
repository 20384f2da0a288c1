"""A model in a folder, as Hugging Face has it, does what its GGUF does."""
import json
import shutil

import pytest
import tiny_model
from conftest import model_server, running, tiny_server
from faults import refused, run
from support import MODELS, user


@pytest.fixture(scope="module")
def folder(state):
    out = state.folder / "llama_tied"
    shutil.copytree(MODELS / "llama_tied", out)
    (out / "chat_template.jinja").write_text(tiny_model.TEMPLATE)
    config = json.loads((out / "config.json").read_text())
    config["max_position_embeddings"] = tiny_model.CONTEXT
    (out / "config.json").write_text(json.dumps(config))
    return out


@pytest.fixture(scope="module")
def server(state, folder):
    yield from running(model_server(state, folder, "model-folder"))


@pytest.fixture(scope="module")
def twin(state):
    yield from running(tiny_server(state, "llama_tied", "model-twin"))


def test_it_answers_as_the_gguf_does(server, twin):
    question = [user("Tell me about the old lighthouse on the hill.")]
    ours, theirs = (s.chat("default", question, temperature=0, max_tokens=32) for s in (server, twin))
    assert ours.status == 200, ours.data
    assert ours.json["usage"] == theirs.json["usage"]
    assert ours.json["choices"][0]["message"]["content"] == theirs.json["choices"][0]["message"]["content"]


def test_it_is_described_and_measured(env, folder):  # noqa: F811
    described = json.loads(run(env, "model", "inspect", "--json", str(folder)).stdout)
    twin = json.loads(run(env, "model", "inspect", "--json", str(MODELS / "llama_tied.gguf")).stdout)
    same = ("architecture", "parameters", "active_parameters", "layers", "hidden", "vocabulary", "experts", "loads")
    assert {key: described[key] for key in same} == {key: twin[key] for key in same}
    assert described["name"] == "llama_tied" and described["format"] == "F16" and described["chat_template"] is True
    assert run(env, "model", "inspect", str(folder / "config.json")).returncode == 0
    measured = run(env, "bench", "--model", str(folder), "--prefill", "16", "--decode", "8", "--json")
    assert measured.returncode == 0, measured.stderr
    assert json.loads(measured.stdout)["model"] == "llama_tied"


def test_it_can_be_chosen(env, folder):  # noqa: F811
    assert run(env, "model", "use", str(folder)).returncode == 0
    assert json.loads(run(env, "model", "inspect", "--json").stdout)["name"] == "llama_tied"


def test_one_without_weights_is_refused_by_name(env, folder, tmp_path):  # noqa: F811
    shutil.copytree(folder, tmp_path / "model")
    (tmp_path / "model/model.safetensors").unlink()
    for command in (["model", "inspect", str(tmp_path / "model")], ["bench", "--model", str(tmp_path / "model")]):
        refused(env, *command, says=[str(tmp_path / "model"), "model.safetensors"], seconds=20)


def test_what_a_file_leaves_unsaid_is_told(env, tmp_path):  # noqa: F811
    """A GGUF has no window for Mistral: one that may be of it is told from the key on to the remedy, in both forms."""
    data = (MODELS / "llama_tied.gguf").read_bytes()
    for key, skip, value in ((b"general.name", 12, b"Mistral_7b"), (b"llama.context_length", 4, (8192).to_bytes(4, "little"))):
        at = data.index(key) + len(key) + skip
        data = data[:at] + value + data[at + len(value):]
    file = tmp_path / "m.gguf"
    file.write_bytes(data)
    told = run(env, "model", "inspect", str(file))
    assert told.returncode == 0, told.stderr
    assert "unsaid        llama.attention.sliding_window: " in told.stdout and "→ load the checkpoint's folder of safetensors, or a context of at most 4096" in told.stdout
    [unsaid] = json.loads(run(env, "model", "inspect", "--json", str(file)).stdout)["unsaid"]
    assert unsaid["key"] == "llama.attention.sliding_window" and "4096" in unsaid["taken"] and "4096" in unsaid["remedy"]
    assert json.loads(run(env, "model", "inspect", "--json", str(MODELS / "llama_tied.gguf")).stdout)["unsaid"] == []


def test_what_a_folder_says_that_is_not_followed_is_told(env, folder, tmp_path):  # noqa: F811
    """A checkpoint for a KV cache of FP8: its scales are left out, by name, and it loads."""
    shutil.copytree(folder, tmp_path / "model")
    weights = tmp_path / "model/model.safetensors"
    data = weights.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    end = len(data) - 8 - length
    for i, scale in enumerate(("k_scale", "v_scale")):
        header[f"model.layers.0.self_attn.{scale}"] = {"dtype": "F32", "shape": [], "data_offsets": [end + 4 * i, end + 4 * i + 4]}
    head = json.dumps(header).encode()
    weights.write_bytes(len(head).to_bytes(8, "little") + head + data[8 + length:] + b"\0\0\x80\x3f" * 2)
    told = run(env, "model", "inspect", str(tmp_path / "model"))
    assert told.returncode == 0, told.stderr
    assert "left out      model.layers.N.self_attn.k_scale: " in told.stdout and "left out      model.layers.N.self_attn.v_scale: " in told.stdout
    told = json.loads(run(env, "model", "inspect", "--json", str(tmp_path / "model")).stdout)["unsaid"]
    assert [(one["key"], one["left_out"]) for one in told] == [("model.layers.N.self_attn.k_scale", True), ("model.layers.N.self_attn.v_scale", True)]


def test_which_templates_a_folder_has_is_told(env, folder, tmp_path):  # noqa: F811
    shutil.copytree(folder, tmp_path / "model")
    more = tmp_path / "model/additional_chat_templates"
    more.mkdir()
    for name in ("tool_use", "rag"):
        (more / f"{name}.jinja").write_text(tiny_model.TEMPLATE + name)
    told = run(env, "model", "inspect", str(tmp_path / "model"))
    assert "of default, rag, tool_use: default without tools, tool_use with them" in told.stdout, told.stdout
    template = json.loads(run(env, "model", "inspect", "--json", str(tmp_path / "model")).stdout)["template"]
    assert (template["names"], template["plain"], template["with_tools"]) == (["default", "rag", "tool_use"], "default", "tool_use")


def test_a_folder_without_a_default_template_says_so(env, folder, tmp_path):  # noqa: F811
    shutil.copytree(folder, tmp_path / "model")
    config = json.loads((tmp_path / "model/tokenizer_config.json").read_text())
    config["chat_template"] = [{"name": "tool_use", "template": tiny_model.TEMPLATE}]
    (tmp_path / "model/tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "model/chat_template.jinja").unlink(missing_ok=True)
    told = run(env, "model", "inspect", str(tmp_path / "model"))
    assert "of tool_use: none without tools, tool_use with them" in told.stdout, told.stdout
