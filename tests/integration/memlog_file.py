"""Reads a recording for the tests: tables as dicts of columns, by h5py."""
import os

import pytest

h5py = pytest.importorskip("h5py", reason="h5py (python3-h5py) is needed to look into the file")


class Recording:
    def __init__(self, path):
        self.path = path
        with h5py.File(path, "r") as f:
            self.attributes = {k: text(v) for k, v in f.attrs.items()}
            self.tables = {name: {k: column(v) for k, v in group.items()}
                           for name, group in f.items()}

    def __getitem__(self, table):
        return self.tables[table]

    def rows(self, table):
        """The rows of a table as dicts."""
        columns = self.tables[table]
        return [dict(zip(columns, row)) for row in zip(*columns.values())]

    def ranks(self):
        """The application's ranks: rank -> its row of /processes."""
        return {r["rank"]: r for r in self.rows("processes") if r["rank"] >= 0}

    def helpers(self):
        return [r for r in self.rows("processes") if r["rank"] < 0]

    def output(self, rank, stream):
        """The recorded lines of a rank's stream (1: stdout, 2: stderr)."""
        lines = []
        for row in self.rows("output"):
            if (row["rank"], row["stream"]) == (rank, stream):
                if row["continued"]:
                    lines[-1] += row["text"]
                else:
                    lines.append(row["text"])
        return lines


TRIGGER = {1: "interval", 2: "growth", 3: "signal", 4: "low_memory"}


class Stacks(Recording):
    """A recording whose stacks are spelled out."""

    def functions(self, stack):
        """Innermost first; module+offset where nobody knows the name."""
        stacks, frames, found = self["stacks"], self["frames"], []
        while stack >= 0:
            i = stacks["frame"][stack]
            found.append(frames["function"][i] or
                         f"{os.path.basename(frames['module'][i])}+{frames['offset_B'][i]:#x}")
            assert stacks["parent"][stack] < stack
            stack = stacks["parent"][stack]
        return found

    def samples(self, trigger=None):
        """Rows of /stack_samples with the rank (of the process or of its parents) and functions."""
        processes = self.rows("processes")
        found = []
        for row in self.rows("stack_samples"):
            process = processes[row["process"]]
            while process["rank"] < 0 and process["parent"] >= 0:
                process = processes[process["parent"]]
            row["rank"], row["functions"] = process["rank"], self.functions(row["stack"])
            row["trigger"] = TRIGGER[row["trigger"]]
            if trigger in (None, row["trigger"]):
                found.append(row)
        return found


def text(value):
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value


def column(dataset):
    values = dataset[:]
    return [text(v) for v in values] if values.dtype.kind in "SO" else values.tolist()
