"""Generated models, as benches have them: each shape runs."""
import json
import subprocess
import sys

import pytest
from faults import run
from support import ROOT

SCRIPT = ROOT / "tests/bench/random_model.py"


@pytest.mark.parametrize("shape,form,more", [("granitemoe", "Q4_0", []), ("qwen3moe", "Q4_K_M", ["--inner", "256", "--uneven"]), ("qwen3next", "Q8_0", []), ("granitemoe", "BF16", []), ("qwen3", "BF16", [])])
def test_it_runs(env, state, shape, form, more):
    file = state.folder / f"{shape}-{form}.gguf"
    subprocess.run([sys.executable, SCRIPT, shape, form, file, "--layers", "4", "--vocabulary", "300", *more], check=True, timeout=60)
    told = json.loads(run(env, "model", "inspect", "--json", str(file)).stdout)
    assert told["architecture"] == shape and told["format"] == form and told["loads"] is True and told["experts"] == (0 if shape == "qwen3" else 32) and told["layers"] == 4
    figures = json.loads(run(env, "bench", "--model", str(file), "--prefill", "16", "--decode", "4", "--repeat", "1", "--json").stdout)
    assert figures["prefill_tps"] > 0 and figures["decode_tps"] > 0
    file.unlink()
