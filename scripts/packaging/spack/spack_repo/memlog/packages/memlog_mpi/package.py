from spack.package import *
from spack_repo.builtin.build_systems.cmake import CMakePackage


class MemlogMpi(CMakePackage):
    """Records the memory, the stacks and the output of an MPI job into one HDF5 file: stands before
    the application in the line of mpiexec, and nothing is compiled anew."""

    # From a checkout: spack dev-build --source-path CHECKOUT memlog-mpi@main ^openmpi
    homepage = "https://localhost.invalid/memlog-mpi"

    license("BSD-3-Clause")

    version("main", branch="main", git="https://localhost.invalid/memlog-mpi.git")

    variant("pmix", default=True, description="Host applications that start through PMIx (Open MPI)")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.20:", type="build")
    depends_on("pkgconfig", type="build")

    depends_on("mpi")
    depends_on("hdf5+mpi")
    depends_on("hwloc")
    depends_on("libunwind components=ptrace")
    depends_on("elfutils")
    depends_on("ncurses")
    depends_on("zlib-api")
    depends_on("jansson")
    depends_on("xxhash@0.8:")
    depends_on("pmix", when="+pmix")
    depends_on("gnuplot@5.2:", type="run")

    def cmake_args(self):
        is_openmpi = self.spec.satisfies("^[virtuals=mpi] openmpi")
        return [
            self.define("MEMLOG_MPI", "openmpi" if is_openmpi else "mpich"),
            self.define("MPI_C_COMPILER", self.spec["mpi"].mpicc),
            self.define("BUILD_TESTING", False),
            self.define_from_variant("MEMLOG_PMIX", "pmix"),
        ]
