#!/usr/bin/python3
"""tally.py NAME JUNIT COUNTS FAILURES [PRESET AGAIN UNSTEADY]

Says in a few lines how a CTest run went, by its JUnit file.

One line a test that passed, what failed in one that failed, the reasons of what was skipped.
Counts single cases where a test tells of them (pytest, cmocka), and appends
"passed failed skipped" to the file COUNTS, and what failed to the file FAILURES. With AGAIN, failing
cases of pytest are not counted: "PRESET TEST" goes to the file AGAIN, what failed to the file
UNSTEADY. Exit status 1 if a failure was counted."""
import re
import sys
import xml.etree.ElementTree as ET

LINES_OF_A_FAILURE, LINES_OF_A_CASE = 60, 20


def counts_in(output):
    """(passed, failed, skipped) as the output says, or None."""
    summaries = re.findall(r"^=+ (.*\bin [\d.]+s.*?) =+$", output, re.M)
    if summaries:
        found = {word: int(n) for n, word in re.findall(r"(\d+) (\w+)", summaries[-1])}
        return (found.get("passed", 0) + found.get("xfailed", 0),
                sum(found.get(w, 0) for w in ("failed", "error", "errors", "xpassed")),
                found.get("skipped", 0))
    cmocka = [sum(map(int, re.findall(rf"^\[  {word}  \] (\d+) test\(s\)", output, re.M)))
              for word in ("PASSED", "FAILED", "SKIPPED")]
    return tuple(cmocka) if any(cmocka) else None


def reasons_in(output):
    """Why pytest (-rs) or cmocka skipped something."""
    pytest = re.findall(r"^SKIPPED \[(\d+)\] ([^:\s]+)(?::\d+)?: (.*)$", output, re.M)
    cmocka = re.findall(r"^\[  SKIPPED \] (.*)$", output, re.M)
    return ([f"{n} × {where.rpartition('/')[2]}: {why}" for n, where, why in pytest]
            + [line for line in cmocka if "test(s)" not in line])


def failures_in(output):
    """What pytest says of each failing case; else the end of the output."""
    parts = re.split(r"^_{3,} (?:ERROR at \w+ of )?(\S.*?) _{3,}$", output, flags=re.M)[1:]
    lines = []
    for name, text in zip(parts[::2], parts[1::2]):
        lines += [name] + re.findall(r"^E .*$", text, re.M)[:LINES_OF_A_CASE]
    return lines or output.strip().splitlines()[-LINES_OF_A_FAILURE:]


def tally(case):
    """(passed, failed, skipped, output) of a CTest test."""
    output = "".join(case.itertext())
    passed, failed, skipped = counts_in(output) or (0, 0, 0)
    status = case.get("status")
    if status == "fail" and not failed:                 # a crash, a time-out
        failed = 1
    elif status in ("notrun", "disabled") and not skipped:
        skipped = 1
    elif status == "run" and not (passed or failed or skipped):
        passed = 1
    return passed, failed, skipped, output


def main(name, junit, counts, failures, preset=None, again=None, unsteady=None):
    total = [0, 0, 0]
    failed_lines, again_lines, unsteady_lines = [], [], []
    for case in ET.parse(junit).getroot().iter("testcase"):
        passed, failed, skipped, output = tally(case)
        later = again and failed and is_pytest(output)
        total = [a + b for a, b in zip(total, (passed, 0 if later else failed, skipped))]
        words = [f"{n} {w}" for n, w in ((passed, "passed"), (failed, "FAILED"),
                                         (skipped, "skipped")) if n]
        line = (f"  {name:<16} {case.get('name'):<26} {float(case.get('time')):6.1f} s  "
                + ", ".join(words))
        print(line)
        for reason in reasons_in(output):
            print(f"      skipped: {reason}")
        if case.get("status") in ("notrun", "disabled"):
            print(f"      skipped: {reason_of(case)}")
        if failed:
            lines = [f"      | {said}" for said in failures_in(output)]
            print(*lines, sep="\n")
            (unsteady_lines if later else failed_lines).extend([line, *lines])
        if later:
            again_lines.append(f"{preset} {case.get('name')}")
    append(counts, [" ".join(map(str, total))])
    append(failures, failed_lines)
    if again:
        append(again, again_lines)
        append(unsteady, unsteady_lines)
    return 1 if total[1] else 0


def append(path, lines):
    with open(path, "a") as file:
        file.writelines(f"{line}\n" for line in lines)


def is_pytest(output):
    return re.search(r"^\s*=+ test session starts =+$", output, re.M) is not None


def reason_of(case):
    skipped = case.find("skipped")
    return (skipped.get("message") if skipped is not None else None) or "no reason given"


sys.exit(main(*sys.argv[1:]))
