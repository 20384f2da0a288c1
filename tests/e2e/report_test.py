"""What deploy/test says at its end."""
import re
import subprocess
import sys

from support import ROOT


def report(log):
    ran = subprocess.run([sys.executable, str(ROOT / "tests/report.py"), str(log)], capture_output=True, text=True, timeout=60)
    return ran.returncode, ran.stdout.splitlines()


def test_the_end_of_a_test_run_names_what_failed(tmp_path):
    (tmp_path / "some_test.py").write_text(
        "import pytest\n"
        "@pytest.fixture\n"
        "def broken(): raise RuntimeError('no - such thing')\n"
        "@pytest.mark.parametrize('x', ['a b', 'c - d'])\n"
        "def test_fails(x): assert x == '1'\n"
        "def test_errs(broken): pass\n"
        "def test_passes(): print('FAILED lies.py::test_lies')\n"
        "def test_skips(): pytest.skip('there is no reason')\n")
    options = re.search(r"-m pytest (.*) tests/e2e", (ROOT / "deploy/stages.sh").read_text())[1].split()
    options.remove('"${beside[@]}"')
    ran = subprocess.run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, "."], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    log = tmp_path / "e2e.log"
    log.write_text(f"@begin pytest\n{ran.stdout}\n@end pytest {ran.returncode}\n")
    status, lines = report(log)
    assert status == 1 and lines[-1] == "1 passed, 3 failed, 1 skipped"
    failed = [line for line in lines if line.startswith("failed: ")]
    assert [line.split(": ")[2] for line in failed] == ["some_test.py::test_fails[a b]", "some_test.py::test_fails[c - d]", "some_test.py::test_errs"]
    assert "no - such thing" in failed[2]
    assert "there is no reason" in lines[-2]


def test_what_ctest_says_is_counted_whatever_a_test_is_called(tmp_path):
    says = {"plain": "exit 0", "with  # spaces = <1-2>": "exit 0", "dots ... end": "exit 0", "fails": "exit 1", "killed here": "kill -SEGV $$", "skipped one": "exit 4"}
    (tmp_path / "CTestTestfile.cmake").write_text("".join(
        f'add_test([=[{name}]=] "sh" "-c" "{script.replace("$", chr(92) + "$")}")\nset_tests_properties([=[{name}]=] PROPERTIES SKIP_RETURN_CODE 4)\n'
        for name, script in says.items()))
    log = tmp_path / "unit.log"
    log.write_text(subprocess.run(["ctest", "-V", "-j2"], cwd=tmp_path, capture_output=True, text=True, timeout=60).stdout)
    status, lines = report(log)
    assert status == 1 and lines[-1] == "3 passed, 2 failed, 1 skipped", "\n".join(lines)
    assert sorted(line for line in lines if line.startswith("failed: ")) == ["failed: unit: fails (last case: None)", "failed: unit: killed here (last case: None)"]
    assert lines[-2].startswith("skipped: unit: skipped one: ")
