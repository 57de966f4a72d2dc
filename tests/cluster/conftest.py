"""Fixtures of the tests on three isolated hosts."""
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "integration"))

import bed as beds                              # noqa: E402
import memlog_testing as mt                     # noqa: E402
from memlog_testing import pytest_sessionfinish     # noqa: E402, F401, a hook

USER = os.environ.get("MEMLOG_TEST_USER", "nobody")


def open_bed(user=None, options=(), n=len(beds.HOSTS)):
    if not mt.MEMLOG_MPI.exists():
        pytest.exit(f"{mt.MEMLOG_MPI} is not there: set MEMLOG_BIN_DIR", 1)
    reason = beds.check(user)
    if reason:
        pytest.skip(f"no isolated hosts on this machine: {reason}")
    if user and subprocess.run([*beds.as_user(user), "test", "-x", mt.MEMLOG_MPI]).returncode:
        pytest.skip(f"the user {user} cannot reach {mt.MEMLOG_MPI}")
    return beds.Bed(user, options, n)


@pytest.fixture(scope="session")
def shared_bed():
    bed = open_bed()
    yield bed
    bed.close()


@pytest.fixture
def bed(shared_bed):
    """Hosts for tests that leave them as they were; that is checked."""
    yield shared_bed
    try:
        shared_bed.wait_until_empty()
    finally:
        for host in beds.HOSTS:
            shared_bed.sh(host, "kill -9 -1")


@pytest.fixture
def own_bed():
    """Hosts for a test that breaks them."""
    bed = open_bed()
    yield bed
    bed.close()


@pytest.fixture
def long_names_bed():
    """Hosts whose host name is the full one."""
    bed = open_bed(options=["--full-names"])
    yield bed
    bed.close()


@pytest.fixture
def user_bed():
    """Hosts of an ordinary user."""
    bed = open_bed(USER if os.geteuid() == 0 else None)
    yield bed
    bed.close()


@pytest.fixture
def name():
    """A new name for a recording, in the shared folder."""
    return f"{uuid.uuid4().hex[:8]}.h5"


@pytest.fixture(params=mt.FLAVOURS)
def flavour(request):
    """The MPI of the application."""
    return request.param
