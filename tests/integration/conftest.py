"""Fixtures of the integration tests. A test that hosts a program needs the recorder under test."""
import pytest
import memlog_testing as mt
from memlog_testing import pytest_sessionfinish  # noqa: F401, a hook


def pytest_report_header():
    return (f"memlog-mpi: {mt.MEMLOG_MPI} (built for {mt.BUILD}), "
            f"applications: {', '.join(mt.FLAVOURS) or 'none'}")


@pytest.fixture(scope="session", autouse=True)
def recorder():
    if not mt.MEMLOG_MPI.exists():
        pytest.exit(f"{mt.MEMLOG_MPI} is not there: set MEMLOG_BIN_DIR", 1)
    if mt.BUILD not in mt.FLAVOURS:
        pytest.exit(f"no mpiexec or no test programs of {mt.BUILD}: set MEMLOG_PROGRAMS", 1)


@pytest.fixture
def file(tmp_path):
    """Where the recording of a test goes."""
    return tmp_path / "run.h5"


@pytest.fixture
def flavour(request):
    """The MPI of the application: each one that is here."""
    return request.param


def pytest_generate_tests(metafunc):
    """With MEMLOG_OWN, what knows no pairing of two MPIs (PAIRINGS in its module) takes that of the
    recorder alone: the other build's tests have the rest."""
    named = {name for mark in metafunc.definition.iter_markers("parametrize") for name in
             str(mark.args[0]).replace(" ", "").split(",")}
    if "flavour" in metafunc.fixturenames and "flavour" not in named:
        pairings = getattr(metafunc.module, "PAIRINGS", False)
        metafunc.parametrize("flavour", [mt.BUILD] if mt.OWN and not pairings else mt.FLAVOURS,
                             indirect=True)
