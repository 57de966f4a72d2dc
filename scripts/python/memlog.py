"""What memlog-mpi recorded, for Python: h5py is needed, pandas is used where it is there.

    import memlog
    run = memlog.open("run.h5")
    run.memory(by="rank")       # a table: time down, a column a rank, bytes, filled in
    run.verdict                 # why the job ended, in words
    run.stacks_at_peak()        # what the ranks were doing when the job had most memory
    run.table("samples")        # any table of the file as it stands

Times are seconds since the run's start, sizes are bytes; what was not measured is NaN. The file's
tables and columns are described in docs/format.md. memory() counts as `memlog export --wide` does.
"""
import html
from collections import namedtuple

import h5py
import numpy as np

try:
    import pandas
except ImportError:
    pandas = None

__all__ = ["open", "Run", "Stack", "Call", "Table"]

IDS = {"process", "rank", "of_rank", "node", "parent", "frame", "stack", "call", "mpi_call", "number",
       "exit_code", "signal", "largest_rank", "least_node", "site"}     # -1 is a value of these
NEAR_S = 0.25                                       # stacks so close were taken together

Call = namedtuple("Call", "function file line module")
Call.__doc__ = "A call: names, '' where nobody knows them; the line or -1."
Stack = namedtuple("Stack", "time_s rank thread first_thread calls")
Stack.__doc__ = "A thread's calls, the innermost first. rank -1: of a process of no rank."


def open(path):
    """The run that memlog-mpi recorded into the file PATH."""
    return Run(path)


class Table(dict):
    """Columns by name, numpy arrays of one length. What pandas.DataFrame takes, where it is there."""

    def __init__(self, columns, index=None):
        super().__init__(columns)
        self.index = index


def _table(columns, index=None, index_name=None):
    if pandas is None:
        return Table(columns, index)
    if index is not None:
        index = pandas.Index(index, name=index_name)
    return pandas.DataFrame(columns, index=index)


def _text(value):
    return value.decode(errors="replace") if isinstance(value, bytes) else value


class Run:
    """A recorded run. `attributes` are those of the file: command, job_id, verdict and so on."""

    def __init__(self, path):
        self.path = str(path)
        self._columns = {}
        with h5py.File(self.path, "r") as file:
            self.attributes = {name: _text(value) for name, value in file.attrs.items()}
            self._tables = {name: list(group) for name, group in file.items()}
        if self.attributes.get("format") != "memlog":
            raise ValueError(f"{self.path}: no file of memlog-mpi")

    # ------------------------------------------------------------------ what the file says
    @property
    def tables(self):
        """Names of the tables in the file."""
        return sorted(self._tables)

    def _column(self, table, name, default=None):
        key = table, name
        if key not in self._columns:
            if name not in self._tables.get(table, ()):
                return default
            with h5py.File(self.path, "r") as file:
                self._columns[key] = file[table][name][:]
        return self._columns[key]

    def table(self, name):
        """The table NAME of the file. Codes are words, numbers that were not measured NaN."""
        if name not in self._tables:
            raise KeyError(f"{self.path} has no table {name!r}; it has {', '.join(self.tables)}")
        columns = {}
        with h5py.File(self.path, "r") as file:
            for column, data in file[name].items():
                columns[column] = _values(column, data)
        return _table(columns)

    @property
    def verdict(self):
        """How the job ended and why, in words; '' where the file does not say."""
        return self.attributes.get("verdict", "")

    @property
    def ranks(self):
        """A row a rank: node, pid, name, when it began and ended, and its largest memory."""
        processes = self.table("processes")
        keep = np.asarray(processes["rank"]) >= 0
        order = np.argsort(np.asarray(processes["rank"])[keep], kind="stable")
        columns = {name: np.asarray(processes[name])[keep][order] for name in processes}
        nodes = [_text(n) for n in self._column("nodes", "name", [])]
        columns["node_name"] = np.array([nodes[i] if 0 <= i < len(nodes) else "" for i in columns["node"]],
                                        dtype=object)
        return _table(columns)

    # ------------------------------------------------------------------ memory over time
    def memory(self, by="job"):
        """Memory in bytes over time: by "job", "node", "rank" or "process". A column each, a row
        whenever one of them changed, filled in with what was last measured. A rank has the memory
        of the processes that it started too; "no rank" is what belongs to none. NaN: not there."""
        columns = self._groups(by)
        times, process, memory = self._samples()
        gone = self._gone()
        ends = np.flatnonzero(np.isfinite(gone) & np.isin(np.arange(len(gone)), process))
        time = np.concatenate([times, gone[ends]])
        who = np.concatenate([process, ends])
        what = np.concatenate([memory, np.full(len(ends), np.nan)])
        # An end comes before the samples of its time.
        order = np.lexsort((np.concatenate([np.ones(len(times)), np.zeros(len(ends))]), time))
        return self._filled(columns, time[order], who[order], what[order])

    @staticmethod
    def _filled(columns, time, who, what):
        groups = list(dict.fromkeys(g for _, g in sorted(columns.items(), key=lambda c: _by_group(c[1]))))
        place = {name: i for i, name in enumerate(groups)}
        last, total, count = {}, np.zeros(len(groups)), np.zeros(len(groups), int)
        index, rows = [], []
        for i in range(len(time)):
            process, value = int(who[i]), what[i]
            group = place[columns[process]]
            before = last.get(process)
            if before is not None:
                total[group] -= before
                count[group] -= 1
            last[process] = None if np.isnan(value) else value
            if last[process] is not None:
                total[group] += value
                count[group] += 1
            if i + 1 == len(time) or time[i + 1] != time[i]:
                index.append(time[i])
                rows.append(np.where(count > 0, total, np.nan))
        values = np.array(rows).reshape(len(index), len(groups))
        return _table({g: values[:, i] for i, g in enumerate(groups)}, np.array(index), "time_s")

    def _samples(self):
        time = self._column("samples", "time_s", np.empty(0))
        process = self._column("samples", "process", np.empty(0, int))
        memory = self._column("samples", "memory_B")
        if memory is None:                          # files before format 1.2
            memory = self._column("samples", "rss_B", np.empty(0, int))
        keep = (memory >= 0) & (process >= 0) & (process < self._n_processes)
        return time[keep], process[keep].astype(int), memory[keep].astype(float)

    @property
    def _n_processes(self):
        return len(self._column("processes", "rank", []))

    def _groups(self, by):
        """The column of each process."""
        if by == "job":
            return dict.fromkeys(range(self._n_processes), "job")
        if by == "process":
            return {i: i for i in range(self._n_processes)}
        if by == "rank":
            return {i: r if r >= 0 else "no rank" for i, r in enumerate(self._owner_ranks())}
        if by == "node":
            nodes = [_text(n) for n in self._column("nodes", "name", [])]
            return {i: nodes[n] if 0 <= n < len(nodes) else str(n)
                    for i, n in enumerate(self._column("processes", "node", []))}
        raise ValueError(f"by={by!r}: write job, node, rank or process")

    def _owner_ranks(self):
        ranks = self._column("processes", "rank", [])
        parents = self._column("processes", "parent", np.full(len(ranks), -1))
        owners = []
        for i in range(len(ranks)):
            for _ in range(65):
                if ranks[i] >= 0 or not 0 <= parents[i] < len(ranks):
                    break
                i = parents[i]
            owners.append(int(ranks[i]))
        return owners

    def _gone(self):
        """When each process counts no more: at its end, or where its node's record breaks off; inf:
        it counts to the end of the run. The same rule as in memlog's own sums."""
        ends = self._column("processes", "end_s", np.full(self._n_processes, -1.0)).astype(float)
        node = self._column("processes", "node", np.zeros(self._n_processes, int))
        time, of = (self._column("node_samples", name, np.empty(0)) for name in ("time_s", "node"))
        if not len(time):
            time, process, _ = self._samples()
            of = node[process]
        end_s = float(np.max(time)) if len(time) else 0.0
        gone = ends.copy()
        for i in np.flatnonzero(ends < 0):
            seen = time[of == node[i]]
            gone[i] = np.inf
            if len(seen) >= 2:
                period = (seen.max() - seen.min()) / (len(seen) - 1)
                if end_s - seen.max() > 2 * period:
                    gone[i] = seen.max() + period
        last = max([end_s if e < 0 else e for e in ends], default=0)
        if end_s / 2 < last < end_s:                # the run ends with its application
            end_s = last
        gone[~(gone < end_s - end_s / 50)] = np.inf
        return gone

    @property
    def peak(self):
        """(time_s, bytes) at which the job had most memory."""
        job = self.memory("job")
        values = np.asarray(job["job"], float) if "job" in job else np.empty(0)
        if not len(values) or np.all(np.isnan(values)):
            return float("nan"), float("nan")
        best = int(np.nanargmax(values))
        return float(np.asarray(job.index)[best]), float(values[best])

    # ------------------------------------------------------------------ stacks
    def stacks(self):
        """All stacks that were taken, in the order of time."""
        return [stack for _, stack in self._stacks()]

    def _stacks(self):
        """(row of the process, stack), in the order of time."""
        time, process, thread, stack = (self._column("stack_samples", c, []) for c in
                                        ("time_s", "process", "thread", "stack"))
        owners, pids = self._owner_ranks(), self._column("processes", "pid", [])
        known = {}
        found = []
        for i in np.argsort(time, kind="stable"):
            if stack[i] not in known:
                known[stack[i]] = self._calls(stack[i])
            found.append((int(process[i]), Stack(float(time[i]), owners[process[i]], int(thread[i]),
                                                 bool(thread[i] == pids[process[i]]), known[stack[i]])))
        return found

    def stacks_at(self, time_s):
        """Of each process those that were taken nearest to TIME_S, the ranks in order."""
        by_process, found = {}, []
        for process, stack in self._stacks():
            by_process.setdefault(process, []).append(stack)
        for stacks in by_process.values():
            nearest = min(stacks, key=lambda s: abs(s.time_s - time_s)).time_s
            found += [s for s in stacks if abs(s.time_s - nearest) <= NEAR_S]
        return sorted(found, key=lambda s: (s.rank < 0, s.rank, not s.first_thread, s.thread))

    def stacks_at_peak(self):
        """Those that were taken nearest to the peak of the job's memory."""
        return self.stacks_at(self.peak[0])

    def _calls(self, stack):
        parent, frame = (self._column("stacks", c) for c in ("parent", "frame"))
        calls = []
        while 0 <= stack < len(parent) and len(calls) < 4096:
            calls.append(Call(*(self._frame(frame[stack], name) for name in Call._fields)))
            stack = parent[stack]
        return calls

    def _frame(self, row, name):
        value = _text(self._column("frames", name)[row])
        return int(value) if name == "line" else value

    # ------------------------------------------------------------------ in a notebook
    def __repr__(self):
        time_s, peak = self.peak
        ranks = sum(r >= 0 for r in self._column("processes", "rank", []))
        return f"<memlog.Run {self.path!r}: {ranks} ranks, peak {_size(peak)} at {time_s:.1f} s>"

    def _repr_html_(self):
        time_s, peak = self.peak
        facts = [("command", self.attributes.get("command", "")), ("verdict", self.verdict),
                 ("ranks", sum(r >= 0 for r in self._column("processes", "rank", []))),
                 ("nodes", len(self._column("nodes", "name", []))),
                 ("peak", f"{_size(peak)} at {time_s:.1f} s")]
        rows = "".join(f"<tr><th style='text-align:left'>{name}</th><td style='text-align:left'>"
                       f"{html.escape(str(value))}</td></tr>" for name, value in facts if value != "")
        return f"<table>{rows}</table>{self._curve()}"

    def _curve(self, width=480, height=120):
        job = self.memory("job")
        values = np.nan_to_num(np.asarray(job["job"], float)) if "job" in job else np.empty(0)
        if len(values) < 2 or values.max() <= 0:
            return ""
        time = np.asarray(job.index, float)
        x = (time - time[0]) / max(time[-1] - time[0], 1e-9) * width
        y = height - values / values.max() * (height - 4)
        steps = []
        for i in range(len(x)):
            if i:
                steps.append(f"{x[i]:.1f},{y[i - 1]:.1f}")
            steps.append(f"{x[i]:.1f},{y[i]:.1f}")
        return (f"<svg width='{width}' height='{height}' role='img' aria-label='memory over time'>"
                f"<polyline fill='none' stroke='currentColor' points='{' '.join(steps)}'/></svg>")


def _by_group(name):
    return (isinstance(name, str), name)            # numbers in order, words behind them


def _values(column, data):
    """A column as numpy has it: words for codes and texts, NaN for numbers not measured."""
    values = data[:]
    codes = data.attrs.get("flag_values")
    if codes is not None:
        words = dict(zip((int(c) for c in codes), _text(data.attrs["flag_meanings"]).split()))
        return np.array([words.get(int(v), "") for v in values], dtype=object)
    if values.dtype.kind in "SO":
        return np.array([_text(v) for v in values], dtype=object)
    if column in IDS or not np.any(values == -1):
        return values
    return np.where(values == -1, np.nan, values.astype(float))


def _size(value):
    if not value >= 0:
        return "unknown"
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.3g} {unit}" if unit != "B" else f"{value:.0f} B"
        value /= 1024
    return f"{value:.3g} GiB"
