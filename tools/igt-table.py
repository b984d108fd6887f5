#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes a table of IGT results, and judges the first driver's.

usage: igt-table.py RESULTS EXPECTATIONS OUTPUT DRIVER...

RESULTS/DRIVER/PROGRAM.*.json are igt_results' files, DRIVER/again.*.json those of the second try of
what failed; RESULTS/again is written for that. OUTPUT gets a line `pass|fail|skip NAME` for
each subtest of the first driver. A subtest fails if it neither passes nor is expected:
  - EXPECTATIONS/skips holds what may skip, EXPECTATIONS/fails what may fail,
    one `REGEX  # reason` a line;
  - what the second driver skips, too, may skip.
An expected failure counts as skipped and is named; one that passes now is named, too.
"""

import json
import pathlib
import re
import sys

GOOD = {"pass", "dmesg-warn", "warn"}
KINDS = ("pass", "skip", "fail")


def kind(result):
    """Reduces IGT's verdicts to three."""
    if result in GOOD:
        return "pass"
    return "skip" if result in ("skip", "notrun") else "fail"


def tests_of(path):
    """Returns {test: verdict} of a file of igt_results."""
    return {name: test["result"] for name, test in json.loads(path.read_text())["tests"].items()}


def load(folder):
    """Returns {program: {test: verdict}}, subtests and dynamic subtests."""
    programs = {}
    for path in sorted(folder.glob("*.json")):
        if path.stem.split(".")[0] != "again":
            programs.setdefault(path.stem.split(".")[0], {}).update(tests_of(path))
    for path in sorted(folder.glob("*.failed")):
        # The guest died, or its kernel complained, which no single test stands for.
        program = path.stem.split(".")[0]
        programs.setdefault(program, {})[f"igt@{path.stem}@guest"] = "see-" + path.name
    return programs


def expectations(path):
    """Reads lines of `REGEX  # reason`."""
    found = []
    if path.exists():
        for line in path.read_text().splitlines():
            pattern, _, reason = line.partition("#")
            if pattern.strip():
                if not reason.strip():
                    sys.exit(f"{path}: no reason is given: {line}")
                found.append((re.compile(pattern.strip()), reason.strip()))
    return found


def expected(test, patterns):
    """Returns the reason, or None."""
    return next((reason for pattern, reason in patterns if pattern.search(test)), None)


def table(drivers, results):
    """Prints a line for each program."""
    programs = sorted(set().union(*(results[driver] for driver in drivers)))
    print(f"{'program':<28}" + "".join(f"| {driver:<8} pass skip fail " for driver in drivers))
    sums = {driver: dict.fromkeys(KINDS, 0) for driver in drivers}
    for program in programs + ["all"]:
        line = f"{program:<28}"
        for driver in drivers:
            counts = dict.fromkeys(KINDS, 0)
            for verdict in results[driver].get(program, {}).values():
                counts[kind(verdict)] += 1
                sums[driver][kind(verdict)] += 1
            if program == "all":
                counts = sums[driver]
            line += "|          " + " ".join(f"{counts[k]:>4}" for k in KINDS) + " "
        print(line)


def judge(driver, results, again, folder):
    """Yields (verdict, test, note) for each test of the driver."""
    skips = expectations(folder / "skips")
    fails = expectations(folder / "fails")
    others = {
        test: verdict
        for name, programs in results.items()
        if name != driver
        for tests in programs.values()
        for test, verdict in tests.items()
    }
    for tests in results[driver].values():
        for test, verdict in tests.items():
            outcome, other = kind(verdict), others.get(test)
            if outcome == "fail" and kind(again.get(test, verdict)) == "pass":
                yield "pass", test, f"{verdict} at first, passed when tried again alone"
                continue
            if outcome == "pass":
                note = "expected to fail, but passes" if expected(test, fails) else None
                yield "pass", test, note
            elif outcome == "skip":
                fine = expected(test, skips) or (other is not None and kind(other) == "skip")
                yield ("skip", test, None) if fine else ("fail", test, "skips unexpectedly")
            elif reason := expected(test, fails):
                yield "skip", test, f"{verdict}, expected: {reason}"
            else:
                yield "fail", test, f"{verdict}, other driver: {other or 'not run'}"


def main():
    """Prints the table and what is to be noticed; fails if a test failed."""
    base, folder, output = map(pathlib.Path, sys.argv[1:4])
    drivers = sys.argv[4:]
    results = {driver: load(base / driver) for driver in drivers}
    table(drivers, results)
    again = {}
    for path in (base / drivers[0]).glob("again.*.json"):
        again.update(tests_of(path))
    failed = {}
    with output.open("w", encoding="utf-8") as lines:
        for verdict, test, note in judge(drivers[0], results, again, folder):
            if verdict == "fail":
                # A dynamic subtest cannot be asked for alone.
                failed["@".join(test.split("@")[:3])] = note
            lines.write(f"{verdict} {test}" + (f": {note}" if note else "") + "\n")
            if note:
                print(f"  {verdict} {test}: {note}")
    if not any(results[drivers[0]].values()):
        sys.exit("no test has run")
    if not again:
        names = [
            name
            for name, note in failed.items()
            if not note.startswith("skips") and not name.endswith("@guest")
        ]
        (base / "again").write_text("".join(name + "\n" for name in names))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
