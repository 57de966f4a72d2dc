"""The file: written at the end of a run, recovered, drawn."""
import re
import shutil
import subprocess
import sys
import time

from .base import ENVIRONMENT, PROJECT, run, say, verdict


def made_journals(f, nodes, processes, ticks, stacks):
    """Journals of a made-up run, in a folder of their own."""
    folder = f.folder / f"journals-{nodes}-{processes}-{ticks}-{stacks}"
    if not folder.exists():
        folder.mkdir()
        run([f.units / "journal_maker", folder / "run.h5", nodes, processes, ticks, stacks])
    return folder


def write_by_two(f, what, processes, ticks, stacks, goal_s):
    """The file of two nodes, each with a sampling rank here; without us there is no such file."""
    folder = made_journals(f, 2, processes, ticks, stacks)
    times = []
    for _ in range(3):
        _, output = run(f.plain(2, [f.units / "store_mpi_test", folder, processes, ticks, stacks]))
        times.append(max(map(float, re.findall(r"write ([\d.]+) s", output))))
        (folder / "run.h5").unlink()
    peak = max(map(int, re.findall(r"largest resident set (\d+) KiB", output))) / 1024
    say(f, what, f"{min(times):7.2f} s, {peak:.0f} MiB in a rank ({verdict(min(times), goal_s, 's')}); least of "
        f"{len(times)}")


def bench_hdf5(f):
    write_by_two(f, "HDF5 of 1e7 rows, 2 ranks", 64, 78125, 0, 1.35)


def bench_tree(f):
    write_by_two(f, "stacks of 64 ranks to one tree", 32, 1000, 50000, 0.62)


def bench_recover(f):
    for rows, ticks in (("2e6", 15625), ("1e7", 78125)):
        folder = made_journals(f, 2, 64, ticks, 0)
        seconds, mib = measured([f.memlog, "recover", *sorted(folder.glob("*.journal")), "-o", folder / "x.h5"])
        (folder / "x.h5").unlink()
        say(f, f"recover, {rows} rows", f"{seconds:7.2f} s {mib:6.0f} MiB, {float(rows) / seconds / 1e6:.2f}e6 rows/s "
            f"({verdict(mib, 100, 'MiB')}, 2e6 rows/s: {'met' if float(rows) / seconds >= 2e6 else 'NOT MET'})")


BY_H5PY = """import h5py, sys
with h5py.File(sys.argv[1]) as f:
    for name in ("time_s", "rss_B"):
        column = f["samples"][name]
        for i in range(0, len(column), 1 << 20):
            column[i:i + (1 << 20)].max()
"""
ALL_POINTS = """import h5py, sys
with h5py.File(sys.argv[1]) as f, open(sys.argv[2], "wb") as out:
    import numpy
    t, v = f["samples/time_s"], f["samples/rss_B"]
    for i in range(0, len(t), 1 << 20):
        numpy.column_stack((t[i:i + (1 << 20)], v[i:i + (1 << 20)])).astype("f8").tofile(out)
"""


def measured(command):
    """(seconds, MiB) of a command, its largest child included."""
    begin = time.monotonic()
    done = subprocess.run(["/usr/bin/time", "-f", "%M", *map(str, command)], env=ENVIRONMENT, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
    if done.returncode:
        sys.exit(f"bench: {command}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return time.monotonic() - begin, int(done.stderr.split()[-1]) / 1024


def bench_plot(f):
    if not all(map(shutil.which, ("gnuplot", "/usr/bin/time"))):
        return say(f, "pictures", "no gnuplot or no /usr/bin/time here")
    folder = f.folder
    file, points = folder / "long.h5", folder / "points"
    for rows, goal_s in (("1e7", 2), ("1e8", 15)):
        run(["/usr/bin/python3", str(PROJECT / "tests/bench/make_long_run.py"), str(file), rows])
        for words in ([], ["--by", "rank"], ["--stacked", "--by", "node"], ["--heatmap"]):
            seconds, mib = measured([f.memlog, "plot", file, *words, "-o", folder / "x.png"])
            say(f, f"plot, {rows} rows", f"{seconds:7.2f} s {mib:6.0f} MiB  {' '.join(words) or 'total'}"
                f" ({verdict(seconds, goal_s, 's')}, {verdict(mib, 200, 'MiB')})")
        seconds, mib = measured(["/usr/bin/python3", "-c", BY_H5PY, file])
        say(f, f"plot, {rows} rows", f"{seconds:7.2f} s {mib:6.0f} MiB  h5py, only reading both columns")
    run(["/usr/bin/python3", str(PROJECT / "tests/bench/make_long_run.py"), str(file), "1e7"])
    run(["/usr/bin/python3", "-c", ALL_POINTS, str(file), str(points)])
    seconds, mib = measured(["gnuplot", "-e", f"set term pngcairo size 2400,1360; set output '{folder}/x.png';"
                             f"plot '{points}' binary format='%double%double' using 1:2 with lines"])
    say(f, "plot, 1e7 rows", f"{seconds:7.2f} s {mib:6.0f} MiB  gnuplot, fed all points")


PARTS = {"hdf5": bench_hdf5, "tree": bench_tree, "recover": bench_recover, "plot": bench_plot}
