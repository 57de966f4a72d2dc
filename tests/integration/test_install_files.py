"""What is installed beside the programs, and the tarball of the sources: no MPI has a part in it."""
import fnmatch
import os
import re
import shutil
import subprocess
import tarfile

import pytest
import memlog_testing as mt
from install_testing import OWN_BUILD, SOURCE, VERSION, builds, prefix, run  # noqa: F401, a fixture


def test_header_by_pkg_config(prefix, tmp_path):
    compiler = shutil.which("cc")
    if not compiler or not shutil.which("pkg-config"):
        pytest.skip("no cc, or no pkg-config")
    how = run(["pkg-config", "--cflags", "--libs", "memlog"], PKG_CONFIG_PATH=str(prefix / "share/pkgconfig"))
    assert how.returncode == 0, how.stderr
    source = tmp_path / "phases.c"
    source.write_text('#include <memlog.h>\nint main(void) { memlog_mark("here"); return 0; }\n')
    done = run([compiler, source, "-o", tmp_path / "phases", *how.stdout.split()])
    assert done.returncode == 0 and run([tmp_path / "phases"]).returncode == 0, done.stderr
    version = run(["pkg-config", "--modversion", "memlog"], PKG_CONFIG_PATH=str(prefix / "share/pkgconfig"))
    assert version.stdout.strip() == VERSION


MODULE_COMMANDS = {
    "Environment Modules": ["/usr/lib/x86_64-linux-gnu/modulecmd.tcl", "bash"],
    "Lmod": ["/usr/share/lmod/lmod/libexec/lmod", "bash"],
}


@pytest.mark.parametrize("kind", MODULE_COMMANDS)
def test_module(prefix, kind):
    command = MODULE_COMMANDS[kind]
    if not os.path.exists(command[0]):
        pytest.skip(f"{kind} is not here")
    environment = {"MODULEPATH": str(prefix / "share/modulefiles"), "MANPATH": "/man", "PATH": os.environ["PATH"]}
    words = run([*command, "load", "memlog-mpi"], **environment)
    done = run(["bash", "-c", f'{words.stdout}\ncommand -v memlog-mpi; echo "$MANPATH"; cd "$CPATH"; ls memlog.h'],
               **environment)
    assert done.stdout == f"{prefix}/bin/memlog-mpi\n{prefix}/share/man:/man\nmemlog.h\n", (words, done)


def test_manual_pages(prefix):
    """Version and date, and a page under each program's name."""
    pages = {p.name: p.read_text() for p in (prefix / "share/man/man1").iterdir()}
    for program in (prefix / "bin").iterdir():
        assert f"{program.name}.1" in pages
    for name, text in pages.items():
        assert "@" not in text.splitlines()[0]
        if name in (f"memlog-mpi.{mpi}.1" for mpi in builds()):
            assert text == ".so man1/memlog-mpi.1\n"
        else:
            assert re.match(rf'\.TH \S+ 1 "\d{{4}}-\d\d-\d\d" "memlog-mpi {VERSION}" ', text), name


@pytest.mark.parametrize("shell, files", [
    ("bash", ["bash-completion/completions/memlog", "bash-completion/completions/memlog-mpi"]),
    ("zsh", ["zsh/site-functions/_memlog", "zsh/site-functions/_memlog-mpi"]),
    ("fish", ["fish/vendor_completions.d/memlog.fish", "fish/vendor_completions.d/memlog-mpi.fish"]),
])
def test_completions(prefix, shell, files):
    paths = [prefix / "share" / f for f in files]
    assert all(p.stat().st_size for p in paths)
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not here, to look at them")
    for path in paths:
        done = run([shell, "-n", path])
        assert done.returncode == 0 and done.stderr == "", done.stderr


def test_source_tarball(tmp_path):
    """All that git knows, and nothing that is built."""
    if not shutil.which("cpack"):
        pytest.skip("no cpack")
    known = subprocess.run(["git", "-C", SOURCE, "ls-files"], capture_output=True, text=True)
    if known.returncode or not known.stdout:
        pytest.skip("this is no checkout")
    done = run(["cpack", "--config", OWN_BUILD / "CPackSourceConfig.cmake", "-G", "TGZ", "-B", tmp_path])
    assert done.returncode == 0, done.stdout + done.stderr
    top = f"memlog-mpi-{VERSION}/"
    with tarfile.open(tmp_path / f"{top[:-1]}.tar.gz") as tar:
        names = {n[len(top):] for n in tar.getnames()}
    assert not {n for n in known.stdout.splitlines() if (SOURCE / n).exists()} - names
    assert not [n for n in names if n.startswith((".git/", "build/"))]


# ------------------------------------------------------------------------------ packages
PACKAGING = SOURCE / "scripts/packaging"
RPM_FOLDERS = {"_bindir": "usr/bin", "_libdir": "usr/lib", "_includedir": "usr/include", "_datadir": "usr/share",
               "_mandir": "usr/share/man", "_docdir": "usr/share/doc"}


def debian_patterns():
    """What goes into a package, and what is left out by a line of its own."""
    files = [*PACKAGING.glob("debian/*.install"), PACKAGING / "debian/not-installed"]
    return [line.split()[0].replace("/lib/*/", "/lib/") for f in files for line in f.read_text().splitlines()]


def rpm_patterns():
    files = (PACKAGING / "memlog-mpi.spec").read_text().split("\n%files")[1:]
    lines = "\n".join(files).split("%changelog")[0].splitlines()
    return [re.sub(r"%\{(_\w+)\}", lambda m: RPM_FOLDERS[m[1]], line) for line in lines if line.startswith("%{_")]


@pytest.mark.parametrize("patterns", [debian_patterns, rpm_patterns])
def test_packages_have_all_files(prefix, patterns):
    """Both refuse to be built where one is in none."""
    files = ["usr/" + str(p.relative_to(prefix)) for p in prefix.rglob("*") if not p.is_dir()]
    known = patterns()
    assert not [f for f in files
                if not any(fnmatch.fnmatch(f, p) or fnmatch.fnmatch(f, f"{p}/*") for p in known)]


@pytest.fixture
def unpacked(tmp_path):
    """What cpack packs, elsewhere. It builds what is not built, which is nothing here."""
    if not shutil.which("cpack"):
        pytest.skip("no cpack")
    done = run(["cpack", "--config", OWN_BUILD / "CPackConfig.cmake", "-G", "TGZ", "-B", tmp_path / "packed"])
    assert done.returncode == 0, done.stdout + done.stderr
    archive, = (tmp_path / "packed").glob("*.tar.gz")
    assert archive.name.startswith(f"memlog-mpi-{VERSION}-Linux-")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path)
    return tmp_path / archive.name.removesuffix(".tar.gz")


def test_tarball_of_the_programs(unpacked, file):
    outcome = mt.run([unpacked / "bin/memlog-mpi", "-q", "-o", file, "--", "sh", "-c", "exit 3"])
    assert outcome.code == 3, str(outcome)
    assert run([unpacked / "bin/memlog", "check", file]).returncode == 0


# ------------------------------------------------------------------------------ scripts
def test_packages_that_are_named_only(tmp_path):
    """As Debian 13 knows those of 12: one is gone, though others still name it, one has a new name and
    says so. Neither keeps the rest from being installed."""
    if os.geteuid() != 0:
        pytest.skip("not root: sudo might ask for something")
    stubs = {"apt-cache": '[ "$2" != there ] || echo "Package: there"',
             "apt-get": 'echo "$*" >>$ASKED; case "$*" in *gone*) exit 100;; esac',
             "dpkg-query": "exit 1"}
    for name, text in stubs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    asked = tmp_path / "asked"
    done = run(["bash", "-euc", f"source {SOURCE}/scripts/lib.sh; install_packages {tmp_path}/log there gone renamed"],
               PATH=f"{tmp_path}:{os.environ['PATH']}", ASKED=str(asked))
    assert done.returncode == 0 and "not in this distribution: gone\n" in done.stdout, done
    assert asked.read_text().splitlines()[-1].endswith("--no-install-recommends there renamed")
