"""The file: written at the end of a run, recovered, drawn."""
import re
import shutil

from .base import PROJECT, Pairs, cost_of, cpu_of, run, say, verdict


def made_journals(f, nodes, processes, ticks, stacks):
    """Journals of a made-up run, in a folder of their own."""
    folder = f.folder / f"journals-{nodes}-{processes}-{ticks}-{stacks}"
    if not folder.exists():
        folder.mkdir()
        run([f.units / "journal_maker", folder / "run.h5", nodes, processes, ticks, stacks])
    return folder


def seconds_by_two(f, folder, *numbers):
    """(seconds, MiB in a rank) of two ranks that write the file of two nodes."""
    _, output = run(f.plain(2, [f.units / "store_mpi_test", folder, *numbers]))
    (folder / "run.h5").unlink()
    return (max(map(float, re.findall(r"write ([\d.]+) s", output))),
            max(map(int, re.findall(r"largest resident set (\d+) KiB", output))) / 1024)


def recovery(f, folder):
    return [f.memlog, "recover", *sorted(folder.glob("*.journal")), "-o", folder / "x.h5"]


def cost_of_recovery(f, folder):
    cost = cost_of(recovery(f, folder))
    (folder / "x.h5").unlink()
    return cost


def bench_hdf5(f):
    """By two ranks together, beside memlog recover, which does it alone."""
    numbers = (64, 78125, 0)
    folder, peaks = made_journals(f, 2, *numbers), []

    def seconds(together):
        if not together:
            return cost_of_recovery(f, folder).seconds
        took_s, mib = seconds_by_two(f, folder, *numbers)
        peaks.append(mib)
        return took_s

    pairs = Pairs(False, True, 3, seconds)
    say(f, "HDF5 of 1e7 rows, 2 ranks", f"{pairs.text('s', 'by one process')}, {max(peaks):.0f} MiB in a rank "
        f"({verdict(min(pairs.hosted), 1.35, 's')} at best)")


def bench_tree(f):
    """Two nodes of 32 ranks; without: the same journals but for the stacks."""
    bare, full = (32, 1000, 0), (32, 1000, 50000)
    pairs = Pairs(bare, full, 5, lambda numbers: seconds_by_two(f, made_journals(f, 2, *numbers), *numbers)[0])
    say(f, "stacks of 64 ranks to one tree", f"{pairs.text('s')} ({verdict(min(pairs.hosted), 0.62, 's')} at best)")


REWRITE = """import h5py, sys
with h5py.File(sys.argv[1]) as f, h5py.File(sys.argv[2], "w") as out:
    for name, column in f["samples"].items():
        copy = out.create_dataset(name, column.shape, column.dtype, chunks=column.chunks, shuffle=True, compression=1)
        for i in range(0, len(column), 1 << 20):
            copy[i:i + (1 << 20)] = column[i:i + (1 << 20)]
"""


def bench_recover(f):
    """Beside h5py, which reads the columns of the samples and writes them anew."""
    for rows, ticks in (("2e6", 15625), ("1e7", 78125)):
        folder, peaks = made_journals(f, 2, 64, ticks, 0), []
        recovered = folder / "recovered.h5"
        if not recovered.exists():
            run([*recovery(f, folder)[:-1], recovered])

        def cpu_s(ours):
            if not ours:
                return cpu_of(["/usr/bin/python3", "-c", REWRITE, recovered, folder / "copy.h5"])
            cost = cost_of_recovery(f, folder)
            peaks.append(cost.mib)
            return cost.cpu_s

        pairs = Pairs(False, True, 5, cpu_s)
        a_second = float(rows) / pairs.with_us
        say(f, f"recover, {rows} rows", f"{pairs.text('s of CPU', 'h5py rewrites')}, {max(peaks):.0f} MiB "
            f"({verdict(max(peaks), 100, 'MiB')}), {a_second / 1e6:.2f}e6 rows/s "
            f"(goal 2e6: {'met' if a_second >= 2e6 else 'NOT MET'})")


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


def bench_plots(f, rows, goal_s, pairs_each):
    """Beside h5py, which only reads the two columns that are drawn."""
    if not all(map(shutil.which, ("gnuplot", "/usr/bin/time"))):
        return say(f, "pictures", "no gnuplot or no /usr/bin/time here")
    file = f.folder / "long.h5"
    run(["/usr/bin/python3", PROJECT / "tests/bench/make_long_run.py", file, rows])
    by_h5py = ["/usr/bin/python3", "-c", BY_H5PY, file]
    for words in ([], ["--by", "rank"], ["--stacked", "--by", "node"], ["--heatmap"]):
        plot, peaks = [f.memlog, "plot", file, *words, "-o", f.folder / "x.png"], [0]

        def cpu_s(command):
            cost = cost_of(command)
            peaks.append(cost.mib if command is plot else 0)
            return cost.cpu_s

        pairs = Pairs(by_h5py, plot, pairs_each, cpu_s)
        say(f, f"plot, {rows} rows, {' '.join(words) or 'total'}", f"{pairs.text('s of CPU', 'h5py reads')}, "
            f"{max(peaks):.0f} MiB ({verdict(pairs.with_us, goal_s, 's')}, {verdict(max(peaks), 200, 'MiB')})")


def bench_plot(f):
    bench_plots(f, "1e7", 2, 5)
    points = f.folder / "points"
    run(["/usr/bin/python3", "-c", ALL_POINTS, f.folder / "long.h5", points])
    cost = cost_of(["gnuplot", "-e", f"set term pngcairo size 2400,1360; set output '{f.folder}/x.png';"
                    f"plot '{points}' binary format='%double%double' using 1:2 with lines"])
    points.unlink()
    say(f, "plot, 1e7 rows, gnuplot alone", f"{cost.cpu_s:.2f} s of CPU, {cost.mib:.0f} MiB, fed all points")


def bench_large_plot(f):
    bench_plots(f, "1e8", 15, 1)


PARTS = {"hdf5": bench_hdf5, "tree": bench_tree, "recover": bench_recover, "plot": bench_plot,
         "large-plot": bench_large_plot}
