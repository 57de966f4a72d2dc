"""memlog export, and stacks in memlog read, at the command line; what is exported is opened by
programs of others: speedscope in a browser, go tool pprof, and checked against the schema."""
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import unicodedata

import pytest
import memlog_testing as mt

h5py = pytest.importorskip("h5py")

NPM = {"speedscope": "1.25.0", "playwright-core": "1.65.1"}
WORK = "std::vector<Element, std::allocator<Element> >::push_back(Element const&)"
STACKS, HEAPS = ("some", "hostile", "many"), ("owners", "villains")
USAGE = [
    (["export"], "name a format: --csv, --wide, --json, --openmetrics, --perfetto, --moose-csv, --folded, --speedscope or --pprof"),
    (["export", "some.h5"], "name a format"),
    (["export", "--folded"], "no file is named"),
    (["export", "--folded", "some.h5", "some.h5"], "one file at a time"),
    (["export", "--folded", "--pprof", "some.h5"], "--folded and --pprof: one format at a time"),
    (["export", "--folded", "--weight", "gold", "some.h5"], "'gold' is no weight"),
    (["export", "--pprof", "--weight", "growth", "some.h5"], "--weight goes with --folded"),
    (["export", "--heap", "some.h5"], "name a format"),
    (["export", "--heap", "--csv", "some.h5"], "--heap goes with the formats of stacks"),
    (["export", "--folded", "--heap", "--weight", "growth", "some.h5"], "its weights are live, allocated and leaked"),
    (["export", "--pprof", "--weight", "live", "some.h5"], "--weight goes with --folded"),
    (["export", "--folded", "--at", "noon", "some.h5"], "--at 'noon': write peak, end, or a time"),
    (["export", "--folded", "--heap", "--since", "9", "some.h5"], "--heap is of a moment: --at"),
    (["export", "--folded", "--heap", "--trigger", "growth", "some.h5"], "--trigger goes with stacks that were taken"),
    (["export", "--folded", "--rank", "1-", "some.h5"], "'1-' is no list of ranks"),
    (["export", "--folded", "--rank", "", "some.h5"], "'' is no list of ranks"),
    (["export", "--folded", "--trigger", "luck", "some.h5"], "'luck' is no trigger"),
    (["export", "--folded", "--since", "soon", "some.h5"], "'soon' is no time"),
    (["export", "--folded", "--since", "9", "--until", "3", "some.h5"], "--since 9 is after"),
    (["export", "--folded", "some.h5", "-o", "some.h5"], "-o some.h5 is the recording itself"),
    (["export", "--folded", "some.h5", "-o", "link.h5"], "-o link.h5 is the recording itself"),
    (["read", "--rank", "0", "some.h5"], "--rank goes with --stdout, --pstack, --tree or --heap"),
    (["read", "--pstack", "--rank", "x", "some.h5"], "'x' is no list of ranks"),
]
FAILURES = [
    (["export", "--folded", "vain.h5"], "no stacks: they were asked for, but the stack server did not answer in time"),
    (["export", "--folded", "none.h5"], "no stacks: none were recorded; memlog-mpi --pstack takes them"),
    (["export", "--folded", "--heap", "none.h5"], "no heap profile: the file is of a version that had none"),
    (["export", "--pprof", "--heap", "empty.h5"], "no heap profile was recorded; memlog-mpi --heap takes one"),
    (["export", "--speedscope", "--heap", "--rank", "99", "owners.h5"], "--rank: none of them is there; there are ranks 0 to 7"),
    (["export", "--folded", "owners.h5"], "no stacks: none were recorded"),
    (["export", "--folded", "--rank", "99", "some.h5"], "--rank: none of them is there; there are ranks 0 to 7"),
    (["export", "--csv", "--rank", "99", "some.h5"], "--rank: none of them is there; there are ranks 0 to 7"),
    (["export", "--folded", "gone.h5"], "not there, and no journal of it lies beside it"),
    (["export", "--folded", "broken.h5"], "of table stacks is of frame 1000"),
    (["export", "--folded", "some.h5", "-o", "nowhere/x"], "nowhere/x: cannot be written"),
    (["export", "--folded", "some.h5", "-o", "/dev/full"], "/dev/full: cannot be written"),
    (["export", "--pprof", "some.h5", "-o", "/dev/full"], "cannot be written"),
    (["read", "--tree", "broken.h5"], "of table stacks is of frame 1000"),
]


def memlog(*arguments, cwd, **how):
    env = dict(mt.base_environment(), TZ="UTC", **how.pop("env", {}))
    return subprocess.run([mt.MEMLOG, *arguments], cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          timeout=mt.TIMEOUT_S, **(how or {"capture_output": True}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Made-up runs, and what is exported of them."""
    path = tmp_path_factory.mktemp("stacks")
    runs = {"some": ["--stacks", "some"], "hostile": ["--stacks", "hostile"], "none": [],
            "vain": ["--no-stacks", "--set", "option_pstack=yes"],
            "many": ["--stacks", "many", "--nodes", "8", "--ranks-per-node", "8"],
            "owners": ["--heap", "some"], "villains": ["--heap", "hostile"], "empty": ["--heap", "empty"],
            "broken": ["--stacks", "some", "--break", "stray-frame"]}
    for name, options in runs.items():
        subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", path / f"{name}.h5",
                        *options], check=True)
    (path / "link.h5").symlink_to("some.h5")
    for name in (*STACKS, *HEAPS):
        heap = ["--heap"] * (name in HEAPS)
        for form, suffix in (("folded", "folded"), ("speedscope", "json"), ("pprof", "pb.gz")):
            done = memlog("export", f"--{form}", *heap, f"{name}.h5", "-o", f"{name}.{suffix}", cwd=path)
            assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return path


@pytest.mark.parametrize("code, arguments, message",
                         [(2, *c) for c in USAGE] + [(1, *c) for c in FAILURES])
def test_errors(folder, code, arguments, message):
    before = sorted(folder.iterdir()), (folder / "some.h5").read_bytes()
    done = memlog(*arguments, cwd=folder)
    text = done.stderr.decode()
    assert done.returncode == code and message in text, text
    assert text.startswith("memlog: ") and text.count("\n") == 1 and done.stdout == b""
    assert before == (sorted(folder.iterdir()), (folder / "some.h5").read_bytes())


@pytest.mark.parametrize("form", ["folded", "speedscope", "pprof"])
def test_stdout_is_the_same(folder, form):
    suffix = {"folded": "folded", "speedscope": "json", "pprof": "pb.gz"}[form]
    done = memlog("export", f"--{form}", "some.h5", cwd=folder)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (folder / f"some.{suffix}").read_bytes()


def test_binary_is_not_for_terminals(folder):
    master, slave = pty.openpty()
    done = memlog("export", "--pprof", "some.h5", cwd=folder, stdout=slave, stderr=subprocess.PIPE)
    os.close(slave)
    os.set_blocking(master, False)
    try:
        shown = os.read(master, 100)
    except OSError:                                 # EIO: closed, and nothing in it
        shown = b""
    os.close(master)
    assert done.returncode == 2 and b"--pprof is binary" in done.stderr and shown == b""


def weights(text):
    return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in text.splitlines()}


def test_choice(folder):
    def total(*options):
        done = memlog("export", "--folded", "some.h5", *options, cwd=folder)
        return sum(weights(done.stdout.decode()).values())
    assert total() == 81
    assert total("--rank", "0,4-5") == 30
    assert total("--trigger", "growth") == 1
    assert total("--since", "10s", "--until", "0:25") == 17
    assert total("--since", "2026-11-23 05:40:10", "--until", "2026-11-23 05:40:25") == 17
    assert total("--weight", "growth") > 2**20


def test_heap(folder):
    """Folded, and by rank, moment and weight; the same sums as memlog read."""
    def total(*options):
        done = memlog("export", "--folded", *options, "owners.h5", cwd=folder)
        assert (done.returncode, done.stderr) == (0, b"")
        return sum(weights(done.stdout.decode()).values())

    def told(*options):
        done = memlog("read", "--json", "--heap", *options, "owners.h5", cwd=folder)
        return json.loads(done.stdout)["heap"]["total"]
    peak, end, churn = told(), told("--at", "end"), told("--churn")
    assert total("--heap") == peak["live_B"] > 0
    assert total("--at", "end") == end["live_B"] != peak["live_B"]
    assert total("--heap", "--at", "36.5s") == told("--at", "36.5s")["live_B"] > peak["live_B"]
    assert total("--weight", "allocated") == churn["allocated_B"] > 2 * peak["live_B"]
    early = told("--churn", "--at", "peak")["allocated_B"]
    assert total("--weight", "allocated", "--at", "peak") == early < churn["allocated_B"]
    assert total("--heap", "--rank", "0-3") + total("--heap", "--rank", "4-7") == peak["live_B"]


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("options", [["--heap"], ["--heap", "--all"], ["--flat"], ["--churn"]])
@pytest.mark.parametrize("name", HEAPS)
def test_report_of_a_heap_fits(folder, name, options, locale, columns):
    done = memlog("read", *options, f"{name}.h5", cwd=folder,
                  env={"COLUMNS": str(columns), "LC_ALL": locale}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode("ascii" if locale == "C" else "utf-8")
    assert all(c == "\n" or c.isprintable() for c in text)
    assert max(width(line) for line in text.splitlines()) <= columns


def test_kinds_of_a_heap(folder):
    """What is more than blocks has a line; the kinds add up."""
    def told(*options):
        text = memlog("read", "--heap", *options, "owners.h5", cwd=folder).stdout.decode()
        return re.search(r"^blocks .*", text, re.M)[0]
    assert re.fullmatch(r"blocks \d+ MiB, mapped 54.3 MiB, shared 36.2 MiB", told())
    assert told("--rank", "0") == "blocks 44.0 MiB, mapped 6.00 MiB, shared 4.00 MiB"
    text = memlog("read", "--churn", "villains.h5", cwd=folder).stdout.decode()
    assert re.search(r"^blocks .*, mapped .*, shared .*, huge .*$", text, re.M)


def test_heap_says_its_moment(folder):
    names = {options: json.loads(memlog("export", "--speedscope", "--heap", *options, "owners.h5",
                                        cwd=folder).stdout)["name"]
             for options in ((), ("--at", "end"), ("--at", "10s"), ("--weight", "allocated"))}
    assert list(names.values()) == ["owners.h5: heap at the peak of the job, 0:22.1",
                                    "owners.h5: heap at the end of each process", "owners.h5: heap at 0:10.0",
                                    "owners.h5: allocated in all, freed or not"]


def width(line):
    """Columns on a terminal: wide characters have two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("name", ["some", "hostile", "many", "none"])
@pytest.mark.parametrize("options", [["--pstack"], ["--pstack", "--all"], ["--tree"],
                                     ["--pstack", "--tree", "--all"]])
def test_report_fits(folder, options, name, locale, columns):
    done = memlog("read", *options, f"{name}.h5", cwd=folder,
                  env={"COLUMNS": str(columns), "LC_ALL": locale}, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode("ascii" if locale == "C" else "utf-8")
    assert all(c == "\n" or c.isprintable() for c in text)
    assert max(width(line) for line in text.splitlines()) <= columns


# ------------------------------------------------------------------------------ other programs
@pytest.fixture(scope="module")
def modules():
    """speedscope and what drives a browser, from the npm registry, in the build folder."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("no npm here")
    place = mt.BIN_DIR.parent / "npm"
    place.mkdir(exist_ok=True)
    wanted = [f"{name}@{version}" for name, version in NPM.items()]
    for name, version in NPM.items():
        package = place / "node_modules" / name / "package.json"
        if not package.exists() or json.loads(package.read_text())["version"] != version:
            done = subprocess.run(["timeout", "100", "npm", "install", "--no-audit", "--no-fund",
                                   "--no-save", "--ignore-scripts", "--fetch-retries=0",
                                   "--prefix", place, *wanted], cwd=place, capture_output=True,
                                  text=True)
            if done.returncode:
                why = [line for line in done.stderr.splitlines() if "error" in line]
                pytest.skip("npm cannot install speedscope: " + (why or ["it takes too long"])[0])
            break
    return place / "node_modules"


@pytest.mark.parametrize("name", [*STACKS, *HEAPS])
def test_speedscope_schema(folder, modules, name):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((modules / "speedscope/dist/release/file-format-schema.json").read_text())
    profile = json.loads((folder / f"{name}.json").read_bytes())
    jsonschema.validate(profile, schema)
    with pytest.raises(jsonschema.ValidationError):     # it does say something
        jsonschema.validate({**profile, "profiles": [{"type": "sampled"}]}, schema)


def test_speedscope_opens(folder, modules):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("no chromium here")
    files = [f"{name}.{suffix}" for name in (*STACKS, *HEAPS) for suffix in ("json", "folded", "pb.gz")]
    done = subprocess.run(["node", mt.TESTS / "integration/speedscope_open.mjs", modules, chromium,
                           folder, *files], capture_output=True, text=True, timeout=5 * mt.TIMEOUT_S)
    pages = [json.loads(line) for line in done.stdout.splitlines()]
    assert [page["file"] for page in pages] == files, done.stderr
    for page in pages:
        name, _, suffix = page["file"].partition(".")
        assert page["errors"] == [] and page["dialogs"] == [], page
        shown = page["file"] if suffix != "json" else f"{name}.h5" + \
            ": heap at the peak of the job, 0:22.1" * (name in HEAPS)
        assert page["title"] == shown + " - speedscope"
        wanted = {"some": ["malloc", "MPI_Waitall", "Solver::run(int)"], "many": ["phase_1()"],
                  "owners": ["Matrix::reserve(int)", "Halo::resize(int)"],
                  **dict.fromkeys(("hostile", "villains"), ["</script><script>alert(1)</script>", "`touch PWNED`"])}[name]
        assert all(word in page["text"] for word in wanted), page["text"][:2000]
    assert "rank 0 (1/16)" in pages[0]["text"] and WORK in pages[0]["text"]
    assert "rank 0 (1/64)" in pages[6]["text"]


def go_pprof(folder, *options):
    if not shutil.which("go"):
        pytest.skip("no go here")
    done = subprocess.run(["go", "tool", "pprof", *options], cwd=folder, capture_output=True,
                          text=True, timeout=mt.TIMEOUT_S, env=dict(os.environ, HOME=str(folder)))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pprof_top(folder):
    text = go_pprof(folder, "-top", "-lines", "some.pb.gz")
    assert "Total samples = 81" in text and "Type: samples" in text
    assert "main.cpp:40" in text and "stl_vector.h:1285 (inline)" in text
    assert "libmpi.so.40+0x5d2c0" in text
    assert "10000 of 10000 total" in go_pprof(folder, "-top", "many.pb.gz").replace(", 100%", "")


def test_pprof_labels_and_values(folder):
    tags = go_pprof(folder, "-tags", "some.pb.gz")
    assert "node: Total 81.0" in tags and "n02" in tags and "rank: Total 81.0" in tags
    growth = go_pprof(folder, "-top", "-unit=B", "-sample_index=growth", "-tagfocus=rank=0",
                      "some.pb.gz")
    folded = memlog("export", "--folded", "--weight", "growth", "--rank", "0", "some.h5",
                    cwd=folder).stdout.decode()
    assert f"Showing nodes accounting for {sum(weights(folded).values())}B" in growth


def test_pprof_of_a_heap(folder):
    """inuse_space comes first, all four are there, and what is live adds up."""
    text = go_pprof(folder, "-top", "-unit=B", "owners.pb.gz")
    live = weights((folder / "owners.folded").read_text())
    assert "Type: inuse_space" in text and "Duration" not in text
    assert f"of {sum(live.values())}B total" in text
    for index in ("inuse_objects", "alloc_objects", "alloc_space"):
        assert f"Type: {index}" in go_pprof(folder, "-top", f"-sample_index={index}", "owners.pb.gz")
    tags = go_pprof(folder, "-tags", "owners.pb.gz")
    assert "n02" in tags and "rank: Total" in tags and "thread" not in tags


@pytest.mark.parametrize("name", ["hostile", "villains"])
def test_pprof_reads_hostile_names(folder, name):
    text = go_pprof(folder, "-raw", f"{name}.pb.gz")
    assert "</script><script>alert(1)</script>" in text and "\x1b" not in text
