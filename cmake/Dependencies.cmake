# Everything that the build needs, found or named with the package to install.

find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# memlog_pkg(TARGET MODULE DEBIAN_PACKAGE SPACK_PACKAGE): an imported target from pkg-config.
function(memlog_pkg target module debian spack)
    pkg_check_modules(${target} QUIET IMPORTED_TARGET GLOBAL ${module})
    if(NOT ${target}_FOUND)
        set_property(GLOBAL APPEND PROPERTY MEMLOG_MISSING "${module}: Debian ${debian}, Spack ${spack}")
    endif()
    set(${target}_FOUND ${${target}_FOUND} PARENT_SCOPE)
endfunction()

# MPI: the wrapper compiler decides. MEMLOG_MPICC_OPENMPI and MEMLOG_MPICC_MPICH name those that are
# not the distribution's.
string(TOUPPER ${MEMLOG_MPI} upper)
if(NOT MPI_C_COMPILER)
    if(MEMLOG_MPICC_${upper})
        set(MPI_C_COMPILER ${MEMLOG_MPICC_${upper}})
    elseif(MEMLOG_MPI STREQUAL "auto")
        find_program(MPI_C_COMPILER NAMES mpicc)
    else()
        find_program(MPI_C_COMPILER NAMES mpicc.${MEMLOG_MPI} mpicc)
    endif()
endif()
set(MPI_SKIP_MPICXX ON)
find_package(MPI COMPONENTS C)
if(NOT MPI_C_FOUND)
    message(FATAL_ERROR "No MPI found. Install Debian libopenmpi-dev openmpi-bin or libmpich-dev mpich "
                        "(Spack openmpi or mpich), or name its wrapper with -DMPI_C_COMPILER=.../mpicc")
endif()

include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES MPI::MPI_C)
check_c_source_compiles("#include <mpi.h>
#ifndef OPEN_MPI
#error
#endif
int main(void) { return 0; }" MEMLOG_IS_OPENMPI)
set(CMAKE_REQUIRED_LIBRARIES)
if(MEMLOG_IS_OPENMPI)
    set(MEMLOG_FLAVOUR openmpi)
else()
    set(MEMLOG_FLAVOUR mpich)
endif()
if(NOT MEMLOG_MPI STREQUAL "auto" AND NOT MEMLOG_MPI STREQUAL MEMLOG_FLAVOUR)
    message(FATAL_ERROR "MEMLOG_MPI is ${MEMLOG_MPI}, but ${MPI_C_COMPILER} belongs to ${MEMLOG_FLAVOUR}. "
                        "Name the right wrapper with -DMPI_C_COMPILER=.../mpicc")
endif()

# HDF5: the parallel one of this MPI for memlog-mpi, a serial one for memlog.
pkg_check_modules(HDF5_PARALLEL QUIET IMPORTED_TARGET GLOBAL hdf5-${MEMLOG_FLAVOUR})
if(HDF5_PARALLEL_FOUND)
    add_library(memlog_hdf5_parallel ALIAS PkgConfig::HDF5_PARALLEL)
else()
    set(HDF5_PREFER_PARALLEL ON)
    find_package(HDF5 COMPONENTS C)
    if(HDF5_FOUND AND HDF5_IS_PARALLEL)
        add_library(memlog_hdf5_parallel INTERFACE)
        target_include_directories(memlog_hdf5_parallel SYSTEM INTERFACE ${HDF5_C_INCLUDE_DIRS})
        target_link_libraries(memlog_hdf5_parallel INTERFACE ${HDF5_C_LIBRARIES})
    else()
        set_property(GLOBAL APPEND PROPERTY MEMLOG_MISSING
                     "parallel HDF5 of ${MEMLOG_FLAVOUR}: Debian libhdf5-${MEMLOG_FLAVOUR}-dev, Spack hdf5+mpi ^${MEMLOG_FLAVOUR}")
    endif()
endif()
pkg_check_modules(HDF5_SERIAL QUIET IMPORTED_TARGET GLOBAL hdf5-serial)
if(HDF5_SERIAL_FOUND)
    add_library(memlog_hdf5_serial ALIAS PkgConfig::HDF5_SERIAL)
elseif(TARGET memlog_hdf5_parallel)
    message(STATUS "No serial HDF5 (Debian libhdf5-dev): memlog is linked with the parallel one")
    add_library(memlog_hdf5_serial INTERFACE)
    target_link_libraries(memlog_hdf5_serial INTERFACE memlog_hdf5_parallel MPI::MPI_C)
endif()

# For its demangler. A C compiler alone does not bring the name that the linker looks for.
set(CMAKE_REQUIRED_LIBRARIES stdc++)
check_c_source_compiles("int main(void) { return 0; }" MEMLOG_HAS_STDCXX)
set(CMAKE_REQUIRED_LIBRARIES)
if(NOT MEMLOG_HAS_STDCXX)
    unset(MEMLOG_HAS_STDCXX CACHE) # it may be installed by the next time
    set_property(GLOBAL APPEND PROPERTY MEMLOG_MISSING "libstdc++: Debian g++, Spack gcc")
endif()

memlog_pkg(ZLIB zlib zlib1g-dev zlib)
memlog_pkg(XXHASH libxxhash>=0.8 libxxhash-dev xxhash)
memlog_pkg(JANSSON jansson libjansson-dev jansson)
memlog_pkg(HWLOC hwloc libhwloc-dev hwloc)
memlog_pkg(LIBUNWIND libunwind-ptrace libunwind-dev libunwind)
memlog_pkg(LIBDW libdw libdw-dev elfutils)
pkg_check_modules(NCURSES QUIET IMPORTED_TARGET GLOBAL ncursesw)
if(NOT NCURSES_FOUND)
    message(STATUS "No ncurses (Debian libncurses-dev, Spack ncurses): memlog top has lines only, with --plain")
endif()
if(MEMLOG_PMIX)
    pkg_check_modules(PMIX QUIET IMPORTED_TARGET GLOBAL pmix)
    if(PMIX_FOUND)
        set(MEMLOG_WITH_PMIX 1)
    else()
        message(WARNING "libpmix not found (Debian libpmix-dev, Spack pmix): applications of Open MPI "
                        "cannot be hosted, only those that start through PMI-1 (MPICH and its kin)")
    endif()
else()
    message(STATUS "Without PMIx: applications of Open MPI cannot be hosted")
endif()

get_property(MEMLOG_MISSING GLOBAL PROPERTY MEMLOG_MISSING)
if(MEMLOG_MISSING)
    list(JOIN MEMLOG_MISSING "\n  " MEMLOG_MISSING)
    message(FATAL_ERROR "Missing:\n  ${MEMLOG_MISSING}")
endif()
message(STATUS "memlog-mpi for ${MEMLOG_FLAVOUR}")
