"""Programs that enter another root, where our libraries are not to be seen: nothing of the loader's
words about them reaches the application's output. And the libraries load with any C library."""
import os
import re
import shutil
import subprocess

import pytest
import memlog_testing as mt
from memlog_file import Recording

LIBRARIES = sorted((mt.BIN_DIR.parent / "lib/memlog-mpi").glob("libmemlog_*.so"))
SHELL = "/bin/sh"


def needs_of(program):
    """The files that the loader maps for a program, itself among them."""
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(/\S+)", text)


@pytest.fixture
def root(tmp_path):
    """A shell, its C library and the loader, and nothing else."""
    folder = tmp_path / "root"
    for path in [SHELL, *needs_of(SHELL)]:
        target = folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(path), target)
    return folder


def have(*command):
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]}")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{' '.join(map(str, command))}: {done.stderr.strip()}")


def enter(how, root):
    """The words that start what follows them in ROOT; skips where that cannot be."""
    words = {"chroot": ["chroot", root],
             "unshare": ["unshare", "--map-root-user", f"--root={root}"],
             "bwrap": ["bwrap", "--bind", root, "/", "--dev", "/dev"]}[how]
    have(*words, SHELL, "-c", ":")
    return [str(word) for word in words]


# By execvp, in the shell's place; as the shell's child; and by execve of a shell that is in there.
SCRIPTS = {"direct": None, "exec": "exec {enter} {shell} -c 'echo inside; echo too >&2'",
           "child": "{enter} {shell} -c '({shell} -c \"echo inside\"); echo too >&2'; echo out"}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("how", ["chroot", "unshare", "bwrap"])
@pytest.mark.parametrize("options", [[], ["--heap", "--no-hooks"]], ids=["hooks", "heap"])
def test_another_root(how, script, options, root, file):
    words = enter(how, root)
    command = ([*words, SHELL, "-c", "echo inside; echo too >&2"] if script == "direct" else
               [SHELL, "-c", SCRIPTS[script].format(enter=" ".join(words), shell=SHELL)])
    plain = mt.run(command)
    hosted = mt.run([*mt.mpiexec(mt.BUILD, 1), mt.MEMLOG_MPI, "-q", *options, "-o", file, "--",
                     *command])
    assert plain.code == hosted.code == 0, f"{plain}\n{hosted}"
    assert (hosted.stdout, hosted.stderr) == (plain.stdout, plain.stderr) and plain.stderr == b"too\n"
    assert Recording(file).ranks()


def test_what_the_user_preloads_stays(root, tmp_path, file):
    """The loader's words about a library of the user's are as without us."""
    words = enter("chroot", root)
    own = str(mt.PROGRAMS / mt.BUILD / "hooks_pmpi.so")
    env, show = {"LD_PRELOAD": own}, [*words, SHELL, "-c", "echo $LD_PRELOAD"]
    plain = mt.run(show, env=env)
    hosted = mt.run([*mt.mpiexec(mt.BUILD, 1), mt.MEMLOG_MPI, "-q", "-o", file, "--", *show], env=env)
    assert hosted.stdout == plain.stdout == f"{own}\n".encode()
    assert hosted.stderr.count(b"cannot be preloaded") == plain.stderr.count(b"cannot be preloaded") == 1


def test_container_behind_a_script(tmp_path, file):
    """It is told by its name: the loader of its image would complain."""
    script = tmp_path / "apptainer"
    script.write_text("#!/bin/sh\n: ${LD_PRELOAD+preloaded}\necho in${LD_PRELOAD}\n")
    script.chmod(0o755)
    done = mt.run([*mt.mpiexec(mt.BUILD, 1), mt.MEMLOG_MPI, "-q", "-o", file, "--",
                   SHELL, "-c", f"{script} exec image; echo out"])
    assert done.stdout == b"in\nout\n" and done.stderr == b"", done


# One line for each function of exec(3): the environment that is given, or that of the process.
EXECS = r'''
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    char *words[] = {"sh", "-c", "echo $0 $1 $EXTRA", "zero", "one", NULL};
    char preload[4096], *environment[] = {"EXTRA=given", preload, NULL};
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", getenv("LD_PRELOAD"));
    setenv("EXTRA", "own", 1);
    if (chroot(argv[1]) || chdir("/"))
        return 1;
    const char *how = argv[2];
    if (!strcmp(how, "execve")) execve("/bin/sh", words, environment);
    if (!strcmp(how, "execv")) execv("/bin/sh", words);
    if (!strcmp(how, "execvp")) execvp("sh", words);
    if (!strcmp(how, "execl")) execl("/bin/sh", "sh", "-c", words[2], "zero", "one", NULL);
    if (!strcmp(how, "execlp")) execlp("sh", "sh", "-c", words[2], "zero", "one", NULL);
    if (!strcmp(how, "execle")) execle("/bin/sh", "sh", "-c", words[2], "zero", "one", NULL, environment);
    return 2;
}
'''


@pytest.mark.parametrize("how", ["execve", "execv", "execvp", "execl", "execlp", "execle"])
def test_each_function(how, root, tmp_path, file):
    enter("chroot", root)
    source, program = tmp_path / "execs.c", tmp_path / "execs"
    source.write_text(EXECS)
    subprocess.run(["cc", "-w", "-D_GNU_SOURCE", "-o", program, source], check=True)
    done = mt.run([*mt.mpiexec(mt.BUILD, 1), mt.MEMLOG_MPI, "-q", "-o", file, "--", program, root, how])
    extra = "given" if how in ("execve", "execle") else "own"
    assert (done.code, done.stdout, done.stderr) == (0, f"zero one {extra}\n".encode(), b""), done


# ------------------------------------------------------------------------------ C libraries
@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.stem)
def test_any_c_library(library):
    """Nothing is wanted that glibc 2.17 of 2012 does not have."""
    text = subprocess.run(["objdump", "-T", library], capture_output=True, text=True, check=True).stdout
    versions = {tuple(map(int, v.split("."))): line for line in text.splitlines() if "*UND*" in line
                for v in re.findall(r"GLIBC_([\d.]+)", line)}
    assert versions and max(versions) <= (2, 17), versions[max(versions)]


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.stem)
def test_musl(library, tmp_path):
    """A program of musl's that a script starts ends if something of a preloaded library is missing."""
    have("musl-gcc", "--version")
    source, program = tmp_path / "m.c", tmp_path / "m"
    source.write_text('#include <stdio.h>\nint main(void) { return puts("ran") < 0; }\n')
    subprocess.run(["musl-gcc", "-o", program, source], check=True)
    done = subprocess.run([program], env={"LD_PRELOAD": str(library)}, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"ran\n", b"")
