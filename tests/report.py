"""Reads the logs of deploy/test and prints every failed and skipped test, then the counts.

A log holds what CTest (-V), GoogleTest binaries and pytest (-rfEs) print, and lines of deploy/test itself:
`@begin NAME`, `@end NAME STATUS`, `@skip NAME: reason`. One line a case is counted; a binary that ended
badly without naming a failed case counts as one failure.
"""
import re
import sys

CASE = re.compile(r"^\[\s+(OK|FAILED|SKIPPED)\s+\] ([\w/.]+\.[\w/.]+)(?:, where .*)? \(\d+ ms\)$")
RUN = re.compile(r"^\[ RUN\s+\] (\S+)")
CTEST = re.compile(r"^\s*\d+/\d+ Test\s+#(\d+): (.+) \.{3,}(?:   |\*\*\*)(\S.*?)\s+[\d.]+ sec$")
PYTEST = re.compile(r"^=+ (.*\d+ (?:passed|failed|skipped|error).*) in [\d.]+s.*=+$")
PYSKIP = re.compile(r"^SKIPPED \[\d+\] (.*)$")
PYSUMMARY = re.compile(r"^=+ short test summary info =+$")
PYFAIL = re.compile(r"^(FAILED|ERROR) (\S+\.py(?:::[^\s\[]+(?:\[.*?\])?)?)(?: - (.*))?$")


class Unit:
    """What one test process printed."""

    def __init__(self, stage, name):
        self.stage, self.name, self.lines, self.cases, self.reason = stage, name, [], {}, {}
        self.running = None
        self.summary = None  # where pytest's last section begins, which names what failed
        self.told = False    # the failures of pytest are counted

    def line(self, text):
        self.lines.append(text)
        if PYSUMMARY.match(text):
            self.summary = len(self.lines)
        if match := RUN.match(text):
            self.running = match[1]
        elif match := CASE.match(text):
            self.cases[match[2]] = match[1]
            self.running = None
        elif self.running and text.endswith(": Skipped"):
            self.reason[self.running] = ""
        elif self.running and self.reason.get(self.running) == "":
            self.reason[self.running] = text.strip()


class Report:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def close(self, unit, good, skipped=False):
        outcomes = list(unit.cases.values())
        self.passed += outcomes.count("OK")
        for case, outcome in unit.cases.items():
            name = f"{unit.stage}: {case}"
            if outcome == "SKIPPED":
                self.skipped.append(f"{name}: {unit.reason.get(case) or 'no reason given'}")
            elif outcome == "FAILED":
                self.failed.append((name, unit.lines))
        if skipped and not outcomes:
            self.skipped.append(f"{unit.stage}: {unit.name}: {' '.join(unit.lines[-3:]) or 'no reason given'}")
        elif not good and not skipped and "FAILED" not in outcomes and not unit.told:
            self.failed.append((f"{unit.stage}: {unit.name} (last case: {unit.running})", unit.lines))
        elif good and not outcomes and not unit.name.startswith("pytest"):
            self.passed += 1

    def pytest(self, unit, text):
        named = [match for line in unit.lines[unit.summary:] if (match := PYFAIL.match(line))] if unit.summary else []
        for word, case, reason in (match.groups() for match in named):
            self.failed.append((f"{unit.stage}: {case}" + (f": {reason}" if reason else ""), unit.lines))
        for count, word in re.findall(r"(\d+) (passed|failed|error)", text):
            if word == "passed":
                self.passed += int(count)
                continue
            unnamed = int(count) - sum(match[1].lower() == word for match in named)
            self.failed += [(f"{unit.stage}: pytest, {word}", unit.lines)] * unnamed
            unit.told = True

    def read(self, path):
        stage = path.rsplit("/", 1)[-1].removesuffix(".log")
        numbered, current = {}, None
        for line in open(path, errors="replace"):
            line = line.rstrip("\n")
            if line.startswith("@skip "):
                self.skipped.append(f"{stage}: {line[6:]}")
            elif line.startswith("@begin "):
                current = Unit(stage, line[7:])
            elif line.startswith("@end ") and current:
                self.close(current, line.split()[-1] == "0")
                current = None
            elif current:
                current.line(line)
                if match := PYSKIP.match(line):
                    self.skipped.append(f"{stage}: {match[1]}")
                elif match := PYTEST.match(line):
                    self.pytest(current, match[1])
            elif match := re.match(r"^(\d+): (.*)$", line):
                numbered.setdefault(match[1], Unit(stage, "")).line(match[2])
            elif match := CTEST.match(line):
                unit = numbered.setdefault(match[1], Unit(stage, ""))
                unit.name = match[2]
                self.close(unit, match[3] == "Passed", match[3] == "Skipped")
        if current:
            self.close(current, False)

    def show(self):
        shown = set()
        for name, lines in self.failed:
            print(f"--- failed: {name}")
            if id(lines) not in shown:
                print("\n".join(lines[-60:]))
            shown.add(id(lines))
        for name, _ in self.failed:
            print(f"failed: {name}")
        for entry in sorted(set(self.skipped)):
            print(f"skipped: {entry}")
        print(f"{self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped")


report = Report()
for log in sys.argv[1:]:
    report.read(log)
report.show()
sys.exit(1 if report.failed or not report.passed else 0)
