"""hearth memory bench: its BM25 and its measures against an implementation of their own here, and its bars on the vectors."""
import collections
import json
import math
import os
import pathlib
import random
import shutil
import subprocess
import tempfile

import pytest
from support import BINARY, MODELS, ROOT, cluster_user

VECTORS = pathlib.Path(os.environ.get("HEARTH_VECTORS", ROOT / ".." / "shared" / "vectors")) / "memory_bench" / "locomo"


def bench(folder, *more):
    return subprocess.run([BINARY, "memory", "bench", "--data", str(folder), *more], capture_output=True, text=True, timeout=300)


def conversation(number, rng):
    """Words that no stemmer changes, as often as words are: the n-th 1/n as often as the first."""
    words = [f"w{i}" for i in range(80)]
    weights = [1 / (i + 1) for i in range(80)]
    say = lambda most: " ".join(rng.choices(words, weights, k=rng.randint(1, most)))
    talk, ids = {}, []
    for session in range(1, rng.randint(12, 16)):
        talk[f"session_{session}_date_time"] = f"1:56 pm on {session} May, 2023"
        turns = [{"speaker": rng.choice(["Ann", "Ben"]), "dia_id": f"D{session}:{i}", "text": say(12)} for i in range(1, rng.randint(3, 12))]
        talk[f"session_{session}"] = turns
        ids += [turn["dia_id"] for turn in turns]
    asked = [{"question": say(5), "category": rng.randint(1, 5), "evidence": rng.sample(ids, rng.randint(1, 4))} for _ in range(120)]
    return {"sample_id": f"made-{number}", "conversation": talk, "qa": asked}


def bm25(texts, question, k1=1.2, b=0.75):
    """Robertson's formula, straight down."""
    lengths = [len(text) for text in texts]
    mean = sum(lengths) / len(texts)
    scores = [0.0] * len(texts)
    for word, count in collections.Counter(question).items():
        with_it = sum(word in text for text in texts)
        if not with_it:
            continue
        idf = math.log(1 + (len(texts) - with_it + 0.5) / (with_it + 0.5))
        for i, text in enumerate(texts):
            f = text.count(word)
            scores[i] += count * idf * (f * (k1 + 1) / (f + k1 * (1 - b + b * lengths[i] / mean)))
    return sorted(range(len(texts)), key=lambda i: (-scores[i], -i))


def measured(one):
    turns = [turn for name, session in one["conversation"].items() if not name.endswith("time") for turn in session]
    texts = [turn["text"].split() for turn in turns]
    sums, gains = collections.Counter(), collections.defaultdict(list)
    for asked in one["qa"]:
        ranked = [turns[i]["dia_id"] for i in bm25(texts, asked["question"].split())]
        evidence = set(asked["evidence"])
        gain = sum(1 / math.log2(i + 2) for i, turn in enumerate(ranked[:10]) if turn in evidence)
        gains[asked["category"]].append(gain / sum(1 / math.log2(i + 2) for i in range(min(10, len(evidence)))))
        sessions = list(dict.fromkeys(turn.split(":")[0] for turn in ranked))
        wanted = {turn.split(":")[0] for turn in evidence}
        for most in (5, 10):
            sums[f"turn_recall_{most}"] += len(evidence & set(ranked[:most])) / len(evidence)
            sums[f"session_recall_{most}"] += len(wanted & set(sessions[:most])) / len(wanted)
    means = {name: value / len(one["qa"]) for name, value in sums.items()}
    return means | {"turn_ndcg_10": sum(sum(g) / len(g) for g in gains.values()) / len(gains), "turn_ndcg_10_micro": sum(map(sum, gains.values())) / len(one["qa"])}


def test_plain_bm25_and_the_measures_are_those_of_another_implementation(tmp_path):
    rng = random.Random(20260311)
    made = [conversation(i, rng) for i in range(3)]
    (tmp_path / "one.json").write_text(json.dumps(made[0]))
    (tmp_path / "two.json").write_text(json.dumps(made[1:]))
    told = json.loads(bench(tmp_path, "--json").stdout)
    assert [one["id"] for one in told["conversations"]] == ["made-0", "made-1", "made-2"]
    for one, expected in zip(told["conversations"], map(measured, made)):
        assert one["questions"] == 120
        for name, value in expected.items():
            assert one["bm25"][name] == pytest.approx(value, abs=1e-9), (one["id"], name)
    assert told["all"]["bm25"]["turn_recall_10"] == pytest.approx(sum(one["bm25"]["turn_recall_10"] for one in told["conversations"]) / 3, abs=1e-9)


def test_a_folder_without_conversations_is_told_with_what_to_do(tmp_path):
    for name, text, says in ((None, "", "no conversation lies in"), ("a.json", "{", "a.json"), ("b.json", "[{}]", "an object with conversation and a list qa is expected")):
        if name:
            (tmp_path / name).write_text(text)
        done = bench(tmp_path)
        assert done.returncode == 1 and says in done.stderr and "--data" in done.stderr, done.stderr
        if name:
            (tmp_path / name).unlink()
    assert "cannot be read" in bench(tmp_path / "nowhere").stderr


def test_the_bars_hold_on_the_vectors():
    if not VECTORS.is_dir():
        pytest.skip("no vectors: set HEARTH_VECTORS")
    told = json.loads(bench(VECTORS, "--json").stdout)
    assert len(told["conversations"]) == 5 and told["all"]["questions"] == 997
    assert all(bar["met"] for bar in told["bars"]), told["bars"]
    for one in told["conversations"]:
        assert one["recall"]["turn_ndcg_10"] >= one["bm25"]["turn_ndcg_10"] + 0.05, one
    shown = bench(VECTORS)
    assert shown.returncode == 0 and "turn nDCG@10" in shown.stdout and ": met" in shown.stdout
    assert "mteb_bm25s_LoCoMo.json" in shown.stderr, "what is no conversation is named"


def test_at_size_the_times_of_two_people_are_told_and_nothing_is_left():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="size-"))
    folder.chmod(0o711)  # the database's user passes through
    env = {name: value for name, value in os.environ.items() if not name.startswith("HEARTH_")}
    env.update(TMPDIR=str(folder), HEARTH_STATE_FOLDER=str(folder / "state"), XDG_CONFIG_HOME=str(folder / "config"), HEARTH_DATABASE_RUN_AS=cluster_user())
    done = subprocess.run([BINARY, "memory", "bench", "--facts", "2000", "--person", "500", "--questions", "20", "--json"], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert [one["facts"] for one in told["people"]] == [500, 20]
    for one in told["people"]:
        assert 0 < one["warm_ms"]["p50"] <= one["warm_ms"]["p95"] and one["met"] == (one["warm_ms"]["p95"] <= one["bar_ms"])
    assert told["people"][0]["found"] > 0 and list(folder.iterdir()) == []
    refused = subprocess.run([BINARY, "memory", "bench", "--facts", "2000", "--person", "1990"], env=env, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 1 and "--person 1990" in refused.stderr
    shutil.rmtree(folder)


def test_vectors_of_an_encoder_are_measured_beside_words():
    with tempfile.TemporaryDirectory() as folder:
        one = conversation(1, random.Random(4))
        one["qa"] = one["qa"][:20]
        pathlib.Path(folder, "one.json").write_text(json.dumps(one))
        plain = json.loads(bench(folder, "--json").stdout)["all"]
        both = json.loads(bench(folder, "--json", "--encoder", str(MODELS / "bert_minilm.gguf")).stdout)["all"]
        assert plain["vectors"] is None and both["recall"] == plain["recall"]
        assert 0 < both["vectors"]["turn_ndcg_10"] <= 1 and both["vectors"] != both["recall"]
        refused = bench(folder, "--encoder", str(MODELS / "llama_tied.gguf"))
        assert refused.returncode == 1 and "vectors" in refused.stderr
