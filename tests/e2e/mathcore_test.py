"""hearth mathcore bench: small runs of it; the bars are for the whole one."""
import json
import subprocess

import pytest
from support import BINARY


def bench(*arguments):
    done = subprocess.run([BINARY, "mathcore", "bench", *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stderr
    return done


def test_a_seed_gives_the_same_figures_on_any_number_of_threads():
    arguments = ("--part", "intraday", "--part", "routing", "--repetitions", "2", "--json")
    one, two, other = bench(*arguments), bench(*arguments, "--threads", "2"), bench(*arguments, "--seed", "2")
    assert one.stdout == two.stdout
    assert one.stdout != other.stdout


def test_figures_carry_their_bars():
    done = bench("--part", "routing", "--repetitions", "2", "--json")
    told = json.loads(done.stdout)
    judged = [figure for figure in told["figures"] if "pass" in figure]
    assert judged and told["missed"] == sum(not figure["pass"] for figure in judged)
    assert done.returncode == (1 if told["missed"] else 0)
    for figure in judged:
        bound = figure["at_least"] <= figure["value"] if "at_least" in figure else figure["value"] <= figure["at_most"]
        assert figure["pass"] == bound


def test_repetitions_are_dealt_out_over_seeds():
    arguments = ("--part", "intraday", "--repetitions", "2", "--json")
    both, first = json.loads(bench(*arguments, "--seeds", "2").stdout), json.loads(bench(*arguments).stdout)
    assert both["seeds"] == 2 and [figure["name"] for figure in both["figures"]] == [figure["name"] for figure in first["figures"]]
    assert both["figures"] != first["figures"]


def test_what_a_household_brings_is_judged():
    told = {figure["name"]: figure for figure in json.loads(bench("--part", "happenings", "--repetitions", "2", "--json").stdout)["figures"]}
    assert told["off for a week: within 14 days"]["at_most"] == 0.07 and told["refused 40 %: still known at the end"]["value"] == 1
    still = told["refused 40 %: still known at the end"]
    assert still["of"] == 2 and still["interval"][0] == pytest.approx(2 / (2 + 1.959964**2)) and still["interval"][1] == 1  # Wilson's: two tenants prove little


def test_a_night_of_a_year_is_the_same_again():
    told = {figure["name"]: figure for figure in json.loads(bench("--part", "nightly", "--json").stdout)["figures"]}
    assert told["rerun is the same, byte by byte"]["value"] == 1
    assert told["peak memory of the process"]["value"] < 200


@pytest.mark.parametrize("arguments, names", [(("--part", "everything"), "routing"), (("--family", "uniform"), "cold_warm"), (("--nodes", "3"), "5")])
def test_wrong_use_names_the_choices(arguments, names):
    done = subprocess.run([BINARY, "mathcore", "bench", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and names in done.stdout + done.stderr
