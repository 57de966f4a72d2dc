"""Reads a recording for the tests: tables as dicts of columns, by h5py."""
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


def text(value):
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else value


def column(dataset):
    values = dataset[:]
    return [text(v) for v in values] if values.dtype.kind in "SO" else values.tolist()
