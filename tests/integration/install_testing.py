"""An installation of this build, beside that of the other MPI where there is one."""
import re
import shutil
import subprocess

import pytest
import memlog_testing as mt

SOURCE, OWN_BUILD = mt.TESTS.parent, mt.BIN_DIR.parent
NAMES = {"openmpi": "Open MPI", "mpich": "MPICH"}
VERSION = re.search(r"project\(memlog-mpi VERSION ([\d.]+)", (SOURCE / "CMakeLists.txt").read_text())[1]


def builds():
    """Ours, and where ours is the second one of scripts/check, the first, which nobody builds now."""
    first = OWN_BUILD.parent / "openmpi"
    found = {mt.BUILD: OWN_BUILD}
    if OWN_BUILD == OWN_BUILD.parent / "mpich" and (first / "bin/memlog-mpi.openmpi").exists():
        found["openmpi"] = first
    return found


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """Where all of them are installed."""
    if not shutil.which("cmake"):
        pytest.skip("no cmake")
    folder = tmp_path_factory.mktemp("prefix")
    for build in builds().values():
        subprocess.run(["cmake", "--install", build, "--prefix", folder], check=True, timeout=mt.TIMEOUT_S,
                       stdout=subprocess.DEVNULL)
    return folder


def run(command, **environment):
    return subprocess.run(command, env={**mt.base_environment(), **environment}, capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=mt.TIMEOUT_S)
