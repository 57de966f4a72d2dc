# An mpi.h that declares a function otherwise than the standard costs that function; one whose
# MPI_Init is another costs the library. What MPI 4.0 and 4.1 have differently costs nothing. Wants
# CMAKE_C_COMPILER, HOOKS, FLAGS and FOLDER.
cmake_minimum_required(VERSION 3.20)
include(${HOOKS}/have.cmake)

# expect(FUNCTION PARAMETERS FITS HAVE...): with an mpi.h that has FUNCTION with PARAMETERS.
function(expect name parameters fits)
    string(MAKE_C_IDENTIFIER "${name}${parameters}" folder)
    string(PREPEND folder ${FOLDER}/)
    file(WRITE ${folder}/mpi.h
         "#define MPI_${name} other\n#define PMPI_${name} other_too\n#include_next <mpi.h>\n"
         "#undef MPI_${name}\n#undef PMPI_${name}\n"
         "int MPI_${name}(${parameters});\nint PMPI_${name}(${parameters});\n")
    memlog_hooks_have(can ${folder} test "-I${folder};${FLAGS}")
    if(NOT can STREQUAL fits)
        message(SEND_ERROR "with MPI_${name}(${parameters}): ${can}, not ${fits}")
    endif()
    file(READ ${folder}/mpi_hooks_have.h text)
    foreach(line IN LISTS ARGN)
        if(NOT text MATCHES "#define ML_HAVE_${line}\n")
            message(SEND_ERROR "with MPI_${name}(${parameters}): not '${line}'")
        endif()
    endforeach()
endfunction()

expect(Ssend double TRUE "Ssend 0" "Send 1" "Bsend 1" "Rsend 1" "Barrier 1" "Type_free 1")
expect(Pready_list "int, int[], MPI_Request" TRUE "Pready_list 1")
expect(Pready_list "int, const int[], MPI_Request" TRUE "Pready_list 1")
expect(Init double FALSE)
