"""The heap profile of a recording against what its program is known to allocate."""
import json
import math
import subprocess

import jsonschema
import memlog_testing as mt

MIB = 1 << 20
HEAP = ("-q", "-r", "50ms", "--heap", "--heap-rate", "64KiB")
SCHEMA = mt.TESTS.parent / "docs/read.schema.json"


def profile(file, *options):
    done = subprocess.run([mt.MEMLOG, "read", "--json", "--heap", *options, file],
                          capture_output=True, text=True, timeout=mt.TIMEOUT_S)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    jsonschema.validate(report, json.loads(SCHEMA.read_text()))
    heap = report["heap"]
    for site in heap["sites"]:
        site["functions"] = [heap["calls"][c]["function"] for c in site["calls"]]
    return heap


def of(heap, function, rank=None, what="live"):
    """Bytes of the sites below FUNCTION, and five of their standard errors."""
    sites = [s for s in heap["sites"] if function in s["functions"] and rank in (None, s["rank"])]
    error = math.sqrt(sum(s[f"{what}_error_B"] ** 2 for s in sites))
    return sum(s[f"{what}_B"] for s in sites), 5 * error


def check(heap, function, wanted_B, **which):
    found_B, tolerance_B = of(heap, function, **which)
    assert abs(found_B - wanted_B) <= tolerance_B + 0.01 * wanted_B, (
        f"{function} {which}: {found_B / MIB:.1f} +- {tolerance_B / MIB:.1f}, not {wanted_B / MIB:.1f} MiB")
