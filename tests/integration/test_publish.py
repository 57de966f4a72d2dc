"""The file of a run appears under its name when it is complete, never over another one, and one
process alone makes it: the run at its end, or a recovery.

MEMLOG_TRIES: how often what depends on the moment is tried (3).
"""
import os
import random
import shutil
import signal
import subprocess
import threading
import time

import h5py
import pytest
import memlog_testing as mt
from publish_testing import (TRIES, check_nothing_left, dead_run, drafts_of, end, is_complete, job,
                             recover, wait_for_journal)

NOBODY = 65534
MAKER = mt.BIN_DIR.parent / "tests/unit/journal_maker"
moments = random.Random(7)

as_root = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"),
                             reason="another user is played with setpriv, by root")


# ---------------------------------------------------------------- never over another file
def test_file_made_meanwhile(file):
    with job(file, "sleep", "1") as running:
        wait_for_journal(file)
        file.write_text("somebody's")
        outcome = running.finish()
    assert outcome.code == 0, outcome
    assert file.read_text() == "somebody's"
    assert is_complete(file.with_name("run-2.h5"))
    assert b"recorded in %s; %s was made meanwhile by somebody else" % (
        bytes(file.with_name("run-2.h5")), bytes(file)) in outcome.stderr, outcome
    check_nothing_left(file.parent, "run.h5", "run-2.h5")


def test_force_replaces(file):
    file.write_text("old")
    with job(file, "sleep", "1", options=("--force",)) as running:
        wait_for_journal(file)
        outcome = running.finish()
    assert outcome.code == 0 and is_complete(file), outcome
    check_nothing_left(file.parent, "run.h5")


def test_folder_made_meanwhile(file):
    """--force, too, replaces no folder."""
    with job(file, "sleep", "1", options=("--force",)) as running:
        wait_for_journal(file)
        file.mkdir()
        outcome = running.finish()
    assert outcome.code == 0 and is_complete(file.with_name("run-2.h5")), outcome


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_second_job_refuses(file, force):
    with job(file, "sleep", "2") as running:
        wait_for_journal(file)
        with job(file, "true", options=force) as second:
            said = second.finish()
        outcome = running.finish()
    assert said.code == 2 and b"of a run that goes on; name another FILE with -o" in said.stderr, said
    assert outcome.code == 0 and is_complete(file), outcome
    check_nothing_left(file.parent, "run.h5")


def test_two_jobs_at_once(file, tmp_path):
    """Journals elsewhere: neither sees the other before the end. Both keep their records."""
    folders = [tmp_path / "j1", tmp_path / "j2"]
    for _ in range(TRIES):
        jobs = []
        for folder in folders:
            folder.mkdir()
            jobs.append(job(file, "sleep", "1", options=("--journal-dir", folder)))
        outcomes = [j.finish() for j in jobs]
        kept = list(tmp_path.glob("run*.h5"))
        assert [o.code for o in outcomes] == [0, 0], outcomes
        assert len(kept) == 2 and all(map(is_complete, kept)), outcomes
        for path in kept:
            path.unlink()
        for folder in folders:
            folder.rmdir()
        check_nothing_left(tmp_path)


@as_root
def test_exchanged_folder(file, tmp_path):
    """In a folder that others may write, somebody exchanges what is under way for a link."""
    victim = tmp_path / "elsewhere"
    victim.mkdir()
    (victim / "record.h5").write_text("precious")
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(path.stat().st_mode | 0o011)
    script = ("import os,time\nend = time.time() + 8\nwhile time.time() < end:\n"
              " for n in os.listdir('.'):\n"
              "  if n.endswith('.part') or n.startswith('.run.h5.'):\n"
              "   if not os.path.islink(n):\n"
              "    try: os.rename(n, n + '-away'); os.symlink(%r, n)\n"
              "    except OSError: pass\n")
    for _ in range(TRIES):
        with subprocess.Popen(["setpriv", f"--reuid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c",
                               script % str(victim)], cwd=folder) as other:
            with job(folder / "run.h5", "sleep", "0.5") as running:
                outcome = running.finish()
            other.kill()
        assert outcome.code == 0, outcome
        assert (victim / "record.h5").read_text() == "precious", outcome
        assert [p.name for p in victim.iterdir()] == ["record.h5"]
        shutil.rmtree(folder)
        folder.mkdir()
        folder.chmod(0o777)


# ---------------------------------------------------------------- MPI-IO
def test_no_shared_file_pointer(file, tmp_path):
    """Nothing of a name that anybody could make first is opened in /dev/shm."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    trace = tmp_path / "trace"
    outcome = mt.run(mt.mpiexec(mt.BUILD, 2) + ["strace", "-f", "-o", trace, "-e", "trace=openat,link",
                                                mt.MEMLOG_MPI, "-o", file, "--", "true"])
    assert outcome.code == 0 and is_complete(file), outcome
    text = trace.read_text(errors="replace")
    assert "record.h5" in text and "sem.OMPIO" not in text and ".part" not in text


@as_root
@pytest.mark.skipif(mt.BUILD != "openmpi", reason="of Open MPI")
def test_semaphore_of_another(file):
    """A semaphore of the name that OMPIO would take does not hold the end of the job up."""
    names = ["sem.OMPIO_run.h5.part", "sem.OMPIO_record.h5", "sem.OMPIO_run.h5"]
    made = [f"/dev/shm/{name}" for name in names]
    subprocess.run(["setpriv", f"--reuid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c",
                    f"for n in {made!r}: open(n, 'wb').write(bytes(32))"], check=True)
    try:
        outcome = mt.run(mt.mpiexec(mt.BUILD, 2) + [mt.MEMLOG_MPI, "-o", file, "--", "true"],
                         timeout_s=30)
    finally:
        for name in made:
            os.unlink(name)
    assert outcome.code == 0 and is_complete(file), outcome


def test_application_keeps_its_mpi_io(file):
    with job(file, "env", options=()) as running:
        outcome = running.finish()
    assert b"sharedfp" not in outcome.stdout, outcome


# ---------------------------------------------------------------- a run and its recoveries
def test_recover_while_it_runs(file):
    with job(file, "sleep", "2") as running:
        wait_for_journal(file)
        code, _, said = end(recover(file))
        assert code == 1 and "its run goes on" in said and said.count("\n") == 1
        outcome = running.finish()
    assert outcome.code == 0 and is_complete(file), outcome
    check_nothing_left(file.parent, "run.h5")


def test_forced_recover_while_it_runs(file):
    """Both records are kept."""
    with job(file, "sleep", "2") as running:
        wait_for_journal(file)
        code, _, said = end(recover(file, "--force"))
        assert code == 0, said
        outcome = running.finish()
    assert outcome.code == 0 and is_complete(file.with_name("run-2.h5")), outcome


def test_recover_at_the_end(file):
    """Recoveries all through the end of a run: the run makes the file, whole, and none of them
    makes a lesser one."""
    for _ in range(TRIES):
        with job(file, "sleep", "0.3") as running:
            wait_for_journal(file)
            said = []
            while running.process.poll() is None:
                if mt.journals_of(file):
                    said.append(end(recover(file)))
            outcome = running.finish()
        assert outcome.code == 0 and is_complete(file), outcome
        assert b"recorded in" in outcome.stderr and b"meanwhile" not in outcome.stderr, outcome
        assert said and not [s for s in said if s[0] == 0], said
        check_nothing_left(file.parent, "run.h5")
        file.unlink()


def test_two_recoveries(file):
    journals = dead_run(file)
    for _ in range(TRIES * 5):
        both = [recover(file) for _ in range(2)]
        time.sleep(moments.uniform(0, 0.01))
        said = [end(p) for p in both]
        assert sorted(s[0] for s in said) == [0, 1], said
        with h5py.File(file) as f:
            assert f.attrs["complete"] == 1 and len(f["samples/time_s"]) > 0
        check_nothing_left(file.parent, "run.h5", *(j.name for j in journals))
        file.unlink()


def test_killed_recovery(file):
    """What a recovery leaves that is killed is cleared by the next one."""
    journals = dead_run(file)
    for _ in range(TRIES * 5):
        process = recover(file)
        time.sleep(moments.uniform(0, 0.03))
        process.send_signal(signal.SIGKILL)
        end(process)
        code, _, said = end(recover(file, "--force"))
        assert code == 0, said
        check_nothing_left(file.parent, "run.h5", *(j.name for j in journals))
        file.unlink()


def test_killed_at_the_end(file):
    """A run that is killed while it makes the file: nothing is lost, and its leavings go."""
    for _ in range(TRIES):
        with job(file, "sleep", "0.3") as running:
            wait_for_journal(file)
            mt.wait_for(lambda: drafts_of(file) or file.exists(), 20, "the end")
            time.sleep(moments.uniform(0, 0.02))
            running.kill_all()
        if mt.journals_of(file):
            code, _, said = end(recover(file, "--force"))
            assert code == 0, said
        assert is_complete(file)
        for path in [file, *mt.journals_of(file), *file.parent.glob("run-2.h5")]:
            path.unlink(missing_ok=True)
        with job(file, "true", ranks=1) as running:
            running.finish()
        check_nothing_left(file.parent, "run.h5")
        file.unlink()


def test_unreadable_journal(file):
    """Not all that was named is in the file: the exit code says so."""
    dead_run(file)
    broken = file.with_name("run.h5.broken.journal")
    broken.write_text("no journal")
    code, out, said = end(recover(file))
    assert code == 1 and "not a memlog journal" in out and file.exists(), out + said


# ---------------------------------------------------------------- journals that somebody touches
def test_journal_removed(file):
    """It is still open, so nothing is lost."""
    with job(file, "sleep", "1") as running:
        wait_for_journal(file).unlink()
        outcome = running.finish()
    assert outcome.code == 0 and is_complete(file), outcome
    check_nothing_left(file.parent, "run.h5")


@pytest.mark.parametrize("keep_B", [0, 3000])
def test_journal_cut(file, keep_B):
    with job(file, "sh", "-c", "sleep 1; exit 3") as running:
        journal = wait_for_journal(file)
        time.sleep(0.5)
        os.truncate(journal, keep_B)
        outcome = running.finish()
    assert outcome.code == 3, outcome
    assert b"the record is in the journals" not in outcome.stderr, outcome
    assert b"lost" in outcome.stderr, outcome


class Cutter(threading.Thread):
    """Takes a tenth of a file away, again and again, as soon as WHEN says so."""

    def __init__(self, journal, when):
        super().__init__()
        self.journal, self.when = os.open(journal, os.O_RDWR), when
        self.cuts, self.over = 0, False
        self.start()

    def run(self):
        while not self.over and self.cuts < 5:
            if self.when():
                time.sleep(moments.uniform(0, 0.05))
                os.truncate(self.journal, os.fstat(self.journal).st_size * 9 // 10)
                self.cuts += 1
            time.sleep(0.001)

    def end(self):
        self.over = True
        self.join()
        os.close(self.journal)


def test_journal_cut_while_it_is_recovered(file, tmp_path):
    """What is left of it is recovered; whose it was is said."""
    for _ in range(TRIES * 2):
        subprocess.run([MAKER, file, "1", "40", "4000", "200"], check=True, timeout=mt.TIMEOUT_S)
        journal, = mt.journals_of(file)
        os.utime(journal, (0, 0))              # it has been silent
        process = recover(file)
        cutter = Cutter(journal, lambda: True)
        code, out, said = end(process)
        cutter.end()
        assert code == 0, said
        if "torn off at its end" in out:
            assert "n0app " in out
            with h5py.File(file) as f:
                assert 0 < len(f["samples/time_s"]) < 160000
                assert (f["samples/time_s"][:] >= 0).all() and (f["samples/rss_B"][:] > 0).all()
        assert mt.memlog(tmp_path, "check", file)
        file.unlink()
        journal.unlink()


def test_journal_cut_while_it_is_read(file):
    for _ in range(TRIES):
        subprocess.run([MAKER, file, "1", "40", "4000", "0"], check=True, timeout=mt.TIMEOUT_S)
        journal, = mt.journals_of(file)
        with subprocess.Popen([mt.MEMLOG, "read", journal], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            cutter = Cutter(journal, lambda: True)
            code, out, said = end(process)
            cutter.end()
        assert code == 0 and "peak" in out, said


def test_journal_cut_while_the_file_is_written(file):
    """The exit code is the application's, and the end says which journal was cut."""
    cuts = 0
    for _ in range(TRIES * 2):
        with job(file, "sh", "-c", "yes 0123456789abcdef | head -c 8000000; sleep 0.5; exit 3",
                 options=()) as running:
            journal = wait_for_journal(file)
            cutter = Cutter(journal, lambda: drafts_of(file))
            outcome = running.finish()
            cutter.end()
        assert outcome.code == 3 and file.exists(), outcome
        if b"a part of" in outcome.stderr:
            assert bytes(journal) in outcome.stderr, outcome
            cuts += 1
        for path in (file, *mt.journals_of(file)):
            path.unlink()
        check_nothing_left(file.parent)
    assert cuts, "none came in time"


def test_read_of_a_draft(file):
    """memlog read of what is under way reads the journals."""
    dead_run(file)
    draft = file.with_name(".run.h5.0123456789abcdef")
    draft.mkdir()
    for name in (file, draft, draft / "record.h5"):
        assert "sleep" in mt.memlog(file.parent, "read", name)
