"""The preloaded heap profiler, without the recorder: estimates beside what programs of known
allocations tell of themselves, and programs that must not notice it."""
import math
import os
import shutil
import stat
import subprocess

import pytest
import memlog_testing as mt
from heap_testing import (FLAGS, HEAP, LIBRARY, LIBRARY_NEW, MEAN_B, SIGMAS, deviation, errors,
                          functions, lines_told, run, sigmas_of)


def known(tmp_path, program, *args, **how):
    """(what it tells of itself, its page, all pages)"""
    if not (HEAP / program).exists():
        pytest.skip(f"{program} was not built: no compiler for it")
    outcome, pages = run(tmp_path, [HEAP / program, *args], **how)
    assert outcome.code == 0, outcome
    return lines_told(outcome.stdout), next(iter(pages.values())) if pages else None, pages


def assert_near(told, page, program, sigmas=SIGMAS):
    found = errors(told, page, functions(HEAP / program))
    beyond = {what: of for what, of in found.items() if abs(sigmas_of(*of)) >= sigmas}
    assert found and not beyond, (beyond, page.head)


SCENARIOS = [("known", "mixed"), ("known", "many"), ("known", "leak"), ("known", "chain"),
             ("known", "hand"), ("known", "brief"), ("known", "aligned"), ("known", "giant"),
             ("known", "around"), ("known_cxx",), ("known_fortran",), ("known_omp",)]


@pytest.mark.parametrize("words", SCENARIOS, ids="-".join)
def test_estimates(tmp_path, words):
    told, page, _ = known(tmp_path, *words)
    assert_near(told, page, words[0])
    # A thread that gets no CPU may hold the books for longer than another waits.
    assert page.head["flags"] == 0 and page.head["lost"] <= (2 if words[0] == "known_omp" else 0)


def test_truth(tmp_path):
    """Maps count exactly, by lines, too; the rest of the campaign is a long test."""
    parts = ["--runs", "100"] if mt.LONG else ["--runs", "1", "arenas"]
    done = subprocess.run([mt.TESTS.parent / "scripts/heap-truth", "--build", mt.BIN_DIR.parent, *parts],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "| 0 of 4 |" in done.stdout, done


def test_blocks_are_estimated_too(tmp_path):
    told, page, _ = known(tmp_path, "known", "mixed")
    sums = page.sums("own_small", functions(HEAP / "known"))
    error = SIGMAS * deviation(64, 50000, MEAN_B) / 64
    assert abs(sums["live_blocks"] - 50000) < error
    assert abs(sums["allocated_blocks"] - 100000) < math.sqrt(2) * error


def test_variances_are_told(tmp_path):
    """The error that a page tells of itself is that of theory."""
    told, page, _ = known(tmp_path, "known", "leak")
    names = functions(HEAP / "known")
    assert math.sqrt(page.variance("own_leak", names, "live")) == pytest.approx(deviation(64, 100000, MEAN_B), rel=0.5)


def test_more_live_blocks_than_have_room(tmp_path):
    """The mean distance grows; what is there already is thinned out. Nothing is lost."""
    told, page, _ = known(tmp_path, "known", "crowd", mean_B=100)
    assert page.head["mean_B"] > 1000 and page.head["lost"] == 0
    live = [row for row in told if row["owner"] == "own_small"]
    assert_near(live, page, "known")


def test_maps(tmp_path):
    """Not sampled, so exact: cut, grown, moved, replaced, shared ones."""
    told, page, _ = known(tmp_path, "known", "maps")
    names = functions(HEAP / "known")
    for owner in {row["owner"] for row in told}:
        rows, sums = [r for r in told if r["owner"] == owner], page.sums(owner, names)
        assert sums["live_B"] == sum(r["size"] * r["live"] for r in rows), owner
        assert sums["allocated_B"] == sum(r["size"] * r["allocated"] for r in rows), owner
    kinds = page.kinds()
    assert kinds["shared"] == (32 + 16 + 8) << 20 and kinds["mapped"] >= (48 + 28) << 20


def test_more_maps_than_have_room(tmp_path):
    told, page, _ = known(tmp_path, "known", "many_maps")
    names = functions(HEAP / "known")
    shared, arenas = page.sums("own_shared", names), page.sums("own_arena", names)
    assert shared["live_B"] == 256 << 20
    # 8 KiB each, of a mean of 64 KiB at first, and longer than 1 MiB never
    assert abs(arenas["live_B"] - 12000 * 8192) < SIGMAS * deviation(8192, 12000, 1 << 20)
    assert page.head["lost"] == 0


def test_fork(tmp_path):
    """A child's books are its own: the parent's page does not tell of it, but of a vfork's."""
    told, page, pages = known(tmp_path, "known", "forks")
    child = next(row["pid"] for row in told if "pid" in row)
    assert_near([row for row in told if "pid" not in row], page, "known")
    assert len(pages) == 2 and child != page.head["pid"]
    assert_near([row for row in told if "pid" in row], pages[child], "known")
    assert pages[child].sums("own_medium", functions(HEAP / "known"))["live_B"] == 0


@pytest.mark.parametrize("mean_B", [1, 1000])
def test_forks_among_threads(tmp_path, mean_B):
    """Children that begin while other threads hold locks of ours; more of them than pages."""
    told, page, pages = known(tmp_path, "known", "storm", mean_B=mean_B)
    names = functions(HEAP / "known")
    assert told[0]["allocated"] == 0 and len(pages) > 10        # none has failed
    assert page.sums("own_small", names)["allocated_B"] == 0
    assert page.sums("own_churn", names)["allocated_B"] > 0


def test_execve(tmp_path):
    """The same process with another image: nothing stays of the former one."""
    told, page, pages = known(tmp_path, "known", "executes")
    assert len(pages) == 1
    assert_near(told, page, "known")


def test_library_that_is_unloaded(tmp_path):
    told, page, _ = known(tmp_path, "known", "plugin", str(HEAP / "plugin.so"))
    assert_near(told, page, "known")


@pytest.mark.parametrize("flavour", mt.FLAVOURS)
def test_maps_of_mpi(tmp_path, flavour):
    """UCX and Open MPI overwrite the functions that map, as dlsym finds them: not ours."""
    program = mt.PROGRAMS / flavour / "window"
    outcome, pages = run(tmp_path, [*mt.mpiexec(flavour, 2), program])
    assert outcome.code == 0, outcome
    assert sum(page.kinds("allocated_B")["shared"] > 1 << 20 for page in pages.values()) >= 2


def test_python(tmp_path):
    script = "keep = [bytearray(100000) for i in range(2000)]\ndel keep[::2]\nimport os\nos._exit(0)"
    outcome, pages = run(tmp_path, ["/usr/bin/python3", "-c", script])
    assert outcome.code == 0, outcome
    (page,) = pages.values()
    assert page.kinds()["blocks"] == pytest.approx(1e8, rel=0.15)
    assert page.kinds()["mapped"] > 0                               # arenas of its own allocator


def test_budget(tmp_path):
    """With next to no CPU time to spend, the mean distance grows, and the sums stay right."""
    told, page, _ = known(tmp_path, "known", "many", mean_B=1024, share=0.001)
    assert page.head["mean_B"] > 4 * 1024
    names = functions(HEAP / "known")
    allocated = page.sums("own_small", names)["allocated_B"]
    assert abs(allocated - 640e6) < SIGMAS * deviation(64, 1e7, page.head["mean_B"])


def test_allocator_tells(tmp_path):
    told, page, _ = known(tmp_path, "known", "mixed", mean_B=1)
    assert 0 < page.head["in_use_B"] <= page.head["held_B"]


# ------------------------------------------------------------------------------ other allocators
ALLOCATORS = ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2", "libmimalloc.so.3"]


def allocator(name):
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"):
        if os.path.exists(f"{folder}/{name}"):
            return f"{folder}/{name}"
    return pytest.skip(f"no {name} here")


@pytest.mark.parametrize("name", ALLOCATORS)
@pytest.mark.parametrize("words", [("known", "mixed"), ("known_omp",), ("known", "chain")],
                         ids="-".join)
def test_other_allocators(tmp_path, name, words):
    """It stays in use; what it maps is not counted twice."""
    told, page, _ = known(tmp_path, *words, preload=allocator(name))
    assert_near(told, page, words[0])
    assert page.head["flags"] & FLAGS["own_allocator"] and page.head["in_use_B"] == -1
    assert page.kinds()["mapped"] == 0


@pytest.mark.parametrize("name", ALLOCATORS)
def test_operators_of_other_allocators(tmp_path, name):
    """The first library says that operator new goes by it, the second one stands before that."""
    _, page, _ = known(tmp_path, "known_cxx", preload=allocator(name))
    assert page.head["flags"] & FLAGS["new_bypassed"]
    told, page, _ = known(tmp_path, "known_cxx", preload=allocator(name), library=LIBRARY_NEW)
    assert page.head["flags"] == FLAGS["own_allocator"]
    assert_near(told, page, "known_cxx")


def test_operators_of_the_standard_library(tmp_path):
    """Nothing is counted twice where the second library is not needed."""
    told, page, _ = known(tmp_path, "known_cxx", library=LIBRARY_NEW)
    assert_near(told, page, "known_cxx")


def test_allocator_before_us(tmp_path):
    told, page, _ = known(tmp_path, "known", "mixed", preload=allocator(ALLOCATORS[0]),
                          library=f"+{LIBRARY}")
    assert page.head["flags"] == FLAGS["own_allocator"] | FLAGS["bypassed"]
    assert page.kinds()["blocks"] == 0


@pytest.mark.parametrize("mean_B", [1, 100, 1000])
def test_signal_handlers(tmp_path, mean_B):
    """Handlers allocate and free, at any instant of ours. All blocks are freed at the end, and no
    sample stays."""
    told, page, _ = known(tmp_path, "signals", "300000", preload=HEAP / "bump.so", mean_B=mean_B)
    assert told == [{"handled": 1}]
    names = functions(HEAP / "signals")
    assert page.head["samples"] > 100
    assert page.sums("own_main", names)["live_B"] <= 200 / -math.expm1(-100 / mean_B)
    assert page.sums("own_handler", names)["allocated_B"] > 0


# ------------------------------------------------------------------------------ unnoticed
def seen(tmp_path, program, library, **how):
    outcome, pages = run(tmp_path, [HEAP / program], library=library, **how)
    return (outcome.code, outcome.stdout, outcome.stderr), pages


@pytest.mark.parametrize("mean_B", [1, MEAN_B])
@pytest.mark.parametrize("library", [LIBRARY, LIBRARY_NEW], ids=["heap", "heap_new"])
def test_unnoticed(tmp_path, library, mean_B):
    """Results, errno, usable sizes, output and exit code."""
    plain, _ = seen(tmp_path, "seen", None)
    assert plain[0] == 5
    watched, pages = seen(tmp_path, "seen", library, mean_B=mean_B)
    assert watched == plain and len(pages) == 1


@pytest.mark.parametrize("name", [None, "libjemalloc.so.2", "libtcmalloc_minimal.so.4"])
def test_exceptions_pass(tmp_path, name):
    """operator new throws through us."""
    for library in (LIBRARY, LIBRARY_NEW):
        outcome, _ = run(tmp_path, [HEAP / "known_cxx", "refuse"], library=library, mean_B=1,
                         preload=name and allocator(name))
        assert outcome.code == 0, outcome


def test_without_a_file(tmp_path):
    """Preloaded by hand, or after the recorder has gone: nothing happens."""
    plain = mt.run([HEAP / "seen"])
    for value in ("", "/proc/1/fd/99", "/dev/null", "/proc/self/exe", "x" * 1000):
        env = {**mt.base_environment(), "LD_PRELOAD": str(LIBRARY), "MEMLOG_HEAP_PAGES": value}
        assert mt.run([HEAP / "seen"], env=env).stdout == plain.stdout


def test_static_program(tmp_path):
    plain, _ = seen(tmp_path, "static", None)
    assert seen(tmp_path, "static", LIBRARY) == (plain, {})


@pytest.mark.skipif(not shutil.which("gdb"), reason="no gdb here")
def test_first_allocation_under_a_lock(tmp_path):
    """gdb's first one comes from newlocale, in a constructor before ours. What we do then may not
    want the C library's lock of locales, as dlerror does."""
    outcome, pages = run(tmp_path, ["gdb", "-nx", "-batch", "-ex", "show version"], timeout_s=60)
    assert outcome.code == 0 and pages


def test_descriptors(tmp_path):
    """The program's are as they were."""
    program = mt.PROGRAMS / mt.BUILD / "fds"
    outcomes = [run(tmp_path, [program], library=library, mean_B=1)[0]
                for library in (None, LIBRARY)]
    assert outcomes[0].stdout == outcomes[1].stdout


OF_ASAN = "detect_leaks=0:allocator_may_return_null=1"


def test_address_sanitizer(tmp_path):
    """Its allocator is its own: we step back. Its library wants to be the first."""
    libasan = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                             check=True).stdout.strip()
    for preload, library, options in ((libasan, f"+{LIBRARY}", ""),
                                      (None, LIBRARY, ":verify_asan_link_order=0")):
        env_here = {**mt.base_environment(), "ASAN_OPTIONS": OF_ASAN + options}
        outcome, pages = run(tmp_path, [HEAP / "asan"], library=library, preload=preload, env=env_here)
        assert outcome.code == 5 and b"ERROR" not in outcome.stderr, outcome
        (page,) = pages.values()
        assert page.head["flags"] & FLAGS["stepped_back"] and page.kinds("allocated_B").total() == 0


def test_thread_sanitizer(tmp_path):
    """As its allocator is its own, too. What it finds is an exit code of 66."""
    for library in (LIBRARY, LIBRARY_NEW):
        outcome, pages = run(tmp_path, [HEAP / "tsan"], library=library, mean_B=1000)
        assert outcome.code == 5 and b"WARNING" not in outcome.stderr, outcome
        page = next(iter(pages.values()))
        assert page.head["flags"] & FLAGS["stepped_back"] and page.kinds("allocated_B").total() == 0


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind here")
def test_valgrind(tmp_path):
    outcome, pages = run(tmp_path, ["valgrind", "-q", "--error-exitcode=9", HEAP / "known", "hand"])
    assert outcome.code == 0, outcome
    assert any(page.head["flags"] & FLAGS["stepped_back"] for page in pages.values())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a setuid program here")
def test_setuid_program(tmp_path):
    program = tmp_path / "setuid"
    shutil.copy(HEAP / "seen", program)
    os.chown(program, 65534, 65534)
    program.chmod(stat.S_ISUID | 0o755)
    outcome, pages = run(tmp_path, [program])
    assert outcome.code == 5 and not pages


@pytest.mark.parametrize("library", [LIBRARY, LIBRARY_NEW], ids=["heap", "heap_new"])
def test_symbols(library):
    """Nothing but what stands before others is exported, and nothing is wanted that a C library of
    2012 does not have."""
    text = subprocess.run(["objdump", "-T", library], capture_output=True, text=True,
                          check=True).stdout
    rows = [line.split() for line in text.splitlines() if "*UND*" in line or " g " in line]
    exported = {row[-1] for row in rows if "*UND*" not in row and "*ABS*" not in row}
    operators = {name for name in exported if name.startswith(("_Zn", "_Zd"))}
    assert exported - operators == {
        "malloc", "calloc", "realloc", "reallocarray", "free", "free_sized", "free_aligned_sized",
        "posix_memalign", "aligned_alloc", "memalign", "valloc", "pvalloc", "mmap", "mmap64",
        "munmap", "mremap", "shmat", "shmdt", "execve", "execv", "execvp", "execl", "execlp", "execle"}
    hidden = {row[-1] for row in rows if "*UND*" not in row and row[-2].startswith("(GLIBC")}
    assert hidden == {"mmap", "mmap64", "munmap", "mremap", "shmat", "shmdt"}
    assert len(operators) == (20 if library == LIBRARY_NEW else 0)
    wanted = [row for row in rows if "*UND*" in row and "w" not in row]
    versions = {tuple(map(int, word.strip("()").removeprefix("GLIBC_").split(".")))
                for row in wanted for word in row if "GLIBC_" in word}
    assert versions and max(versions) <= (2, 17), wanted
