#!/usr/bin/env python3
"""Makes up the file of a long run, for measurements: make_long_run.py run.h5 ROWS [PROCESSES]

Each process has a slow wave and one-sample spikes that no reader may lose."""
import sys

import h5py
import numpy as np

path, rows, processes = sys.argv[1], int(float(sys.argv[2])), int(sys.argv[3:] and sys.argv[3] or 512)
ticks, nodes, slab = rows // processes, max(1, processes // 64), 1 << 16
how = {"chunks": (slab,), "shuffle": True, "compression": 1}
with h5py.File(path, "w", track_order=True) as file:
    n = ticks * processes
    time = np.arange(ticks) * 0.25 + 0.125
    samples = file.create_group("samples", track_order=True)
    columns = {name: samples.create_dataset(name, (n,), dtype, **how) for name, dtype in
               (("time_s", "f8"), ("process", "i4"), ("rss_B", "i8"))}
    wave = 2.0**30 * (1 + 0.4 * np.sin(np.arange(ticks) * 20 / ticks))
    noise = np.random.default_rng(1).integers(0, 1 << 24, ticks) // 4096 * 4096
    held, at = {name: [] for name in columns}, 0
    for p in range(processes):
        rss = (wave * (1 + p % 7 / 10)).astype("i8") // 4096 * 4096 + np.roll(noise, p * 977)
        rss[(p + 1) * 131 % ticks] += 1 << 33  # the spike
        for name, values in (("time_s", time), ("process", np.full(ticks, p)), ("rss_B", rss)):
            held[name].append(values)
        if sum(map(len, held["rss_B"])) < 16 * slab and p + 1 < processes:
            continue
        for name, parts in held.items():
            values = np.concatenate(parts)
            columns[name][at:at + len(values)] = values
            held[name] = []
        at += len(values)
    number = np.arange(processes)
    for name, table in {
        "nodes": {"node": np.arange(nodes), "name": np.array([b"n%02d" % i for i in range(nodes)]),
                  "ticks": np.full(nodes, ticks), "ended": np.zeros(nodes, "i4")},
        "processes": {"process": number, "rank": number, "node": number * nodes // processes,
                      "parent": np.full(processes, -1), "end_s": np.full(processes, -1.0),
                      "first_row": number * ticks, "n_rows": np.full(processes, ticks)},
        "node_samples": {"time_s": np.repeat(time[-1], nodes), "node": np.arange(nodes),
                         "rss_B": np.zeros(nodes, "i8")},
        "job_samples": {"time_s": time[:1], "rss_B": np.zeros(1, "i8")},
    }.items():
        group = file.create_group(name, track_order=True)
        for column, values in table.items():
            group.create_dataset(column, data=values)
    file.attrs.update({"format": np.bytes_("memlog"), "format_version": np.bytes_("1.0"),
                       "complete": 1, "command": np.bytes_("made up"), "time_origin": 1.8e9})
