"""memlog check, and damage in a file that HDF5 itself does not see: a bit of a column."""
import re
import subprocess
import sys

import pytest
import memlog_testing as mt
from memlog_testing import memlog

h5py = pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("check")
    real = mt.run([mt.MEMLOG_MPI, "-q", "-r", "20ms", "--pstack", "-n", "2", "-o", path / "run.h5", "--",
                   *mt.program(mt.BUILD, "grow"), "1", "64"])
    assert real.code == 0, str(real)
    return path


def columns(path):
    """(table/column, offset in the file, bytes) of each that is contiguous and not empty."""
    found = []
    with h5py.File(path) as f:
        f.visititems(lambda name, d: found.append((name, d.id.get_offset(), d.id.get_storage_size()))
                     if isinstance(d, h5py.Dataset) and d.id.get_offset() is not None else None)
    return [c for c in found if c[2]]


def with_damage(folder, offset):
    data = bytearray((folder / "run.h5").read_bytes())
    data[offset] ^= 4
    (folder / "damaged.h5").write_bytes(data)


def test_an_undamaged_file(folder):
    text = memlog(folder, "check", "run.h5", "run.h5")
    assert len(re.findall(r"^run\.h5: 18 tables, \d+ columns, [\d.]+ \w+: as written$", text, re.M)) == 2


def test_each_column_is_checked(folder):
    """A bit in the middle of it is found, named, and shown by nobody who reads the column."""
    clean = memlog(folder, "read", "--json", "--ranks", "run.h5").replace("run.h5", "")
    told = 0
    for name, offset, size in columns(folder / "run.h5"):
        with_damage(folder, offset + size // 2)
        text = memlog(folder, "check", "damaged.h5", code=1)
        assert f"damaged.h5: column {name} is damaged" in text and text.count("\n") == 1, text
        done = subprocess.run([mt.MEMLOG, "read", "--json", "--ranks", "damaged.h5"], cwd=folder,
                              env=mt.base_environment(), capture_output=True, text=True,
                              timeout=mt.TIMEOUT_S)
        told += done.returncode
        if done.returncode:
            assert f"column {name} is damaged" in done.stderr and done.stdout == ""
        else:
            assert done.stdout.replace("damaged.h5", "") == clean, name
    assert told > 30


def test_compressed_columns(folder):
    """Of a file that one process wrote alone; zlib finds a damaged chunk when it is read."""
    subprocess.run([mt.BIN_DIR.parent / "tests/unit/journal_maker", folder / "long.h5", "2", "40", "4000", "0"],
                   check=True)
    memlog(folder, "recover", *sorted(folder.glob("long.h5.*.journal")), "-o", "long.h5")
    assert memlog(folder, "check", "long.h5").endswith(": as written\n")
    with h5py.File(folder / "long.h5") as f:
        chunk = f["samples/memory_B"].id.get_chunk_info(1)
    data = bytearray((folder / "long.h5").read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 4
    (folder / "long.h5").write_bytes(data)
    for words in (["check"], ["read"]):
        assert "column samples/memory_B is damaged" in memlog(folder, *words, "long.h5", code=1)


def test_without_checksums(folder):
    """Files of format 1.0 have none."""
    subprocess.run([sys.executable, mt.TESTS / "data/make_run.py", folder / "old.h5"], check=True)
    assert memlog(folder, "check", "old.h5").endswith(": readable, without checksums\n")


def test_what_the_format_says_of_it(folder):
    """docs/format.md: the sum of the hashes of the cells, each with its row as the seed."""
    xxhash = pytest.importorskip("xxhash", reason="no python3-xxhash here")
    with h5py.File(folder / "run.h5") as f:
        for table in f.values():
            for name, column in table.items():
                width = column.dtype.itemsize
                data = column[:].tobytes()
                cells = [data[k:k + width] for k in range(0, len(data), width)]
                total = sum(xxhash.xxh3_64_intdigest(c, seed=i) for i, c in enumerate(cells)) % 2**64
                assert column.attrs["checksum"].decode() == f"{total:016x}", name


def test_wrong_use(folder):
    assert "no file is named" in memlog(folder, "check", code=2)
    (folder / "text.h5").write_text("This is no run.\n")
    assert "text.h5: not an HDF5 file" in memlog(folder, "check", "text.h5", "run.h5", code=1)
