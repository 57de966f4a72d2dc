"""The programs of the transparency suite, and what becomes of each plainly.

Exit codes, as measured with Open MPI 4.1.4 and MPICH 4.0.2 (Hydra):
  Open MPI  the code of the first rank that fails, 128 + S for a signal S; a rank that exits
            without MPI_Finalize, or one that fails at all, ends the job (TERM, KILL 1 s later);
            exit 0 without MPI_Finalize counts as 1.
  Hydra     the wait statuses of all ranks ORed: exit codes 1 and 2 make 3, and one signal hides
            every exit code: S itself, and S | 9 where it killed other ranks (INT: 2 | 9 = 11,
            ABRT: 6 or 15). It kills at once, and with 9, what speaks PMI and leaves without
            MPI_Finalize takes the rest along; whether their 9 counts is a race. A program without
            MPI that fails by an exit code ends nothing, one that dies of a signal ends the job.
            Over several hosts a signal gives 255, and leaving without MPI_Finalize ends nobody.
"""
import dataclasses

SUCCESS = {"openmpi": {0}, "mpich": {0}}
# Hydra gives up, plainly too, on a reader that leaves more than a pipe holds waiting
STDIN = bytes(range(256)) * 100


def both(code):
    return {"openmpi": {code}, "mpich": {code}}


def signalled(number):
    return {"openmpi": {128 + number}, "mpich": {number, number | 9}}


@dataclasses.dataclass
class Case:
    name: str
    ranks: int
    args: tuple = ()
    codes: dict = dataclasses.field(default_factory=lambda: SUCCESS)
    stdin: bytes = None
    env: dict = dataclasses.field(default_factory=dict)
    bytes_equal: bool = False         # one rank writes: the stream's bytes are compared
    only: str = None                  # the one MPI that has a plain outcome to compare with
    either: bool = False              # across MPIs, the code of either launcher will do
    may_refuse: bool = False          # hosted it may say "not supported" where plainly it works
    timeout_s: int = 180

    def hosted_codes(self, flavour, build):
        """What the hosted run may end with, the application of FLAVOUR under BUILD's mpiexec."""
        return self.codes[build] | (self.codes[flavour] if self.either else set())

    @property
    def id(self):
        words = [self.name.replace(".py", ""), *self.args, *self.env.values()]
        return "-".join(str(w).strip("/{}") for w in words) + f"-n{self.ranks}"


CASES = [
    Case("hello", 1), Case("hello", 4, ("one", "two words", "")),
    Case("hello", 64, only="mpich"),
    Case("touch", 2, ("20,10", "0.1")),
    Case("helpers", 2, ("16", "0.2")),
    Case("ring", 1), Case("ring", 4),
    Case("collectives", 1), Case("collectives", 4), Case("collectives", 64, only="openmpi"),
    Case("splitshared", 4),
    Case("attrs", 2), Case("attrs", 4),
    Case("window", 3),
    Case("mpiio", 3, ("{dir}/shared.bin",)),
    Case("threads", 2),
    Case("subfence", 4),
    # Open MPI asks for every peer's address only when it first talks to it
    Case("subfence", 4, env={"OMPI_MCA_pmix_base_collect_data": "0"}, only="openmpi"),
    Case("publish", 3),
    Case("connect", 4, only="openmpi"),            # Debian's MPICH: MPI_Open_port is refused
    Case("connect", 2, ("publish",), only="openmpi"),
    Case("spawn", 2, may_refuse=True),
    Case("stdin", 2, stdin=STDIN), Case("stdin", 2, stdin=b""),
    Case("order", 1, bytes_equal=True), Case("order", 3),
    Case("print100", 2, ("3",), bytes_equal=True),
    Case("f77", 2), Case("f90", 2), Case("f08", 2),
    Case("hello_mpi4py.py", 3, only="openmpi"),    # Debian's mpi4py is Open MPI's
    Case("serial", 2, ("5", "0.1", "0")), Case("quick", 2), Case("quick", 1),
    Case("serial", 1, ("0", "0", "3"), both(3)),
    Case("nofinalize", 1, (), {"openmpi": {1}, "mpich": {0}}, either=True),
    Case("nofinalize", 3, (), {"openmpi": {1}, "mpich": {0, 9}}, either=True),
    Case("nofinalize", 3, ("1",), {"openmpi": {1}, "mpich": {0, 9}}, either=True),
    Case("abort7", 1, (), both(7)), Case("abort7", 3, (), both(7)),
    Case("abort7", 3, ("2",), both(7)), Case("abort7", 3, ("1", "300"), both(44)),
    Case("segfault", 1, (), signalled(11)), Case("segfault", 3, ("0",), signalled(11)),
    Case("segfault", 3, ("2",), signalled(11)),
    Case("segfault", 3, ("1", "9"), signalled(9)), Case("segfault", 3, ("1", "6"), signalled(6)),
    Case("exit3", 3, ("after", "0"), both(3)), Case("exit3", 3, ("after", "2"), both(3)),
    Case("exit3", 3, ("after", "-1", "200"), both(200)),
    Case("exit3", 3, ("before", "1"), {"openmpi": {3}, "mpich": {3, 9}}),
    # under Hydra the other ranks wait in MPI_Init for ever
    Case("exit3", 2, ("init", "1"), both(3), only="openmpi"),
]
