"""FILE appears under its name, and nobody's is replaced, also on file systems that have no links, no
renameat2 or no locks. tests/support/poor_fs.c plays them."""
import errno
import itertools
import os
import random
import signal
import time

import pytest
import memlog_testing as mt
from publish_testing import (TRIES, check_nothing_left, dead_run, drafts_of, end, is_complete, job,
                             recover, wait_for_journal)

SHIM = mt.PROGRAMS.parent / "support/poor_fs.so"
LINKLESS = {
    "nfs_links": {"REMOTE": 1},
    "fat": {"LINK": errno.EPERM, "RENAME": 0},
    "fuse": {"LINK": errno.ENOSYS, "RENAME": errno.EINVAL},
    "nfs": {"LINK": errno.EOPNOTSUPP, "RENAME": errno.EINVAL, "REMOTE": 1},
    "old_kernel": {"LINK": errno.EPERM, "RENAME": errno.ENOSYS},
}
LOCKLESS = {
    "lustre": {"LOCK": errno.ENOSYS, "REMOTE": 1},
    "nolock": {"LOCK": errno.ENOLCK, "REMOTE": 1},
    "nothing": {"LOCK": errno.EINVAL, "LINK": errno.EPERM, "RENAME": errno.EINVAL, "REMOTE": 1},
}
moments = random.Random(8)
turns = itertools.count()


@pytest.fixture(autouse=True)
def file_system(request, monkeypatch):
    if not SHIM.exists():
        pytest.skip("poor_fs.so is not built")
    monkeypatch.setenv("LD_PRELOAD", str(SHIM))
    for what, number in {**LINKLESS, **LOCKLESS}[request.param].items():
        monkeypatch.setenv(f"POOR_FS_{what}", str(number))


def on(*kinds):
    """On all of them; in a short check on one of each kind, others for the next test."""
    turn = next(turns)
    chosen = [k for kind in kinds for k in mt.some(turned(list(kind), turn), len(kind))]
    return pytest.mark.parametrize("file_system", chosen, indirect=True)


def turned(names, turn):
    first = turn % len(names)
    return names[first:] + names[:first]


def grow_old(journals):
    """They have been silent for long."""
    for journal in journals:
        os.utime(journal, (0, 0))


def silent_run(file):
    journals = dead_run(file)
    grow_old(journals)
    return journals


# ---------------------------------------------------------------- never over another file
@on(LINKLESS, LOCKLESS)
def test_published(file):
    with job(file, "true") as running:
        outcome = running.finish()
    assert outcome.code == 0 and is_complete(file), outcome
    assert file.stat().st_nlink == 1 and file.stat().st_size > 10000
    check_nothing_left(file.parent, "run.h5")


@on(LINKLESS, LOCKLESS)
def test_file_made_meanwhile(file):
    with job(file, "sleep", "1") as running:
        wait_for_journal(file)
        file.write_text("somebody's")
        outcome = running.finish()
    assert outcome.code == 0, outcome
    assert file.read_text() == "somebody's" and is_complete(file.with_name("run-2.h5"))
    check_nothing_left(file.parent, "run.h5", "run-2.h5")


@on(LINKLESS, LOCKLESS)
def test_folder_made_meanwhile(file):
    with job(file, "sleep", "1", options=("--force",)) as running:
        wait_for_journal(file)
        file.mkdir()
        outcome = running.finish()
    assert outcome.code == 0 and is_complete(file.with_name("run-2.h5")), outcome


@on(LINKLESS, LOCKLESS)
def test_two_jobs_at_once(file, tmp_path):
    """Journals elsewhere: neither sees the other before the end. Both keep their records."""
    folders = [tmp_path / "j1", tmp_path / "j2"]
    jobs = []
    for folder in folders:
        folder.mkdir()
        jobs.append(job(file, "sleep", "1", options=("--journal-dir", folder)))
    outcomes = [j.finish() for j in jobs]
    kept = list(tmp_path.glob("run*.h5"))
    assert [o.code for o in outcomes] == [0, 0], outcomes
    assert len(kept) == 2 and all(map(is_complete, kept)), outcomes


# ---------------------------------------------------------------- recoveries
@on(LINKLESS)
def test_two_recoveries(file):
    journals = silent_run(file)
    for _ in range(TRIES * 3):
        both = [recover(file) for _ in range(2)]
        said = [end(p) for p in both]
        assert sorted(s[0] for s in said) == [0, 1], said
        check_nothing_left(file.parent, "run.h5", *(j.name for j in journals))
        file.unlink()


@on(LOCKLESS)
def test_two_recoveries_without_locks(file):
    """One makes it. That the other lives is not seen, so that its folder is left alone."""
    journals = silent_run(file)
    for _ in range(TRIES * 3):
        both = [recover(file) for _ in range(2)]
        said = [end(p) for p in both]
        assert sorted(s[0] for s in said) == [0, 1], said
        check_nothing_left(file.parent, "run.h5", *(j.name for j in journals))
        file.unlink()


@on(LOCKLESS)
def test_young_journal_without_locks(file):
    """Its run may go on."""
    for journal in dead_run(file):
        os.utime(journal)
    code, _, said = end(recover(file))
    assert code == 1 and "its run may go on; try again in" in said
    code, _, said = end(recover(file, "--force"))
    assert code == 0, said


def kill_recovery(file):
    process = recover(file)
    if moments.random() < 0.5:
        while not drafts_of(file) and process.poll() is None:
            pass
        time.sleep(moments.uniform(0, 0.01))
    else:
        time.sleep(moments.uniform(0, 0.03))
    process.send_signal(signal.SIGKILL)
    end(process)


@on(LINKLESS)
def test_killed_recovery(file):
    """What a recovery leaves that is killed is cleared by the next one, and no less than the whole
    record ever has the name of the file."""
    journals = silent_run(file)
    for _ in range(TRIES * 5):
        kill_recovery(file)
        if not file.exists():
            code, _, said = end(recover(file))
            assert code == 0, said
        check_record(file)
        end(recover(file, "--force"))
        check_nothing_left(file.parent, "run.h5", *(j.name for j in journals))
        file.unlink()


@on(LOCKLESS)
def test_killed_recovery_without_locks(file):
    """Nobody knows whether it lives: what it left is named, and --force goes on."""
    journals = silent_run(file)
    refused = 0
    for _ in range(TRIES * 5):
        kill_recovery(file)
        if not file.exists():
            code, _, said = end(recover(file))
            if code:
                refused += 1
                assert "remove the folder if none does" in said
                assert len(drafts_of(file)) >= 1
            code, _, said = end(recover(file, "--force"))
            assert code == 0, said
        check_record(file)
        end(recover(file, "--force"))
        check_nothing_left(file.parent, "run.h5", *(j.name for j in journals))
        file.unlink()
    assert refused, "none was killed in time"


@on({k: LINKLESS[k] for k in ("fuse", "nfs", "old_kernel")})
def test_killed_with_the_name(file, monkeypatch):
    """Between its taking of the name and the file's getting it: the journals tell, and --force goes
    on."""
    journals = silent_run(file)
    monkeypatch.setenv("POOR_FS_DIE", "1")
    assert end(recover(file))[0] == -signal.SIGKILL
    monkeypatch.delenv("POOR_FS_DIE")
    assert file.stat().st_size == 0
    check_record(file)
    code, _, said = end(recover(file))
    assert code == 1 and "exists already; --force replaces it" in said
    code, _, said = end(recover(file, "--force"))
    assert code == 0, said
    check_record(file)
    check_nothing_left(file.parent, "run.h5", *(j.name for j in journals))


def check_record(file):
    assert "sleep" in mt.memlog(file.parent, "read", file)
