# Which rows of table.def an mpi.h has, in the way in which we would define them: written as
# mpi_hooks_have.h, which wrappers.c includes. Works in a script as well (cmake -P).
set(memlog_hooks_source ${CMAKE_CURRENT_LIST_DIR})

# memlog_hooks_declared(OUT FLAGS): the functions that mpi.h declares, without "MPI_"; nothing where
# it cannot be read.
function(memlog_hooks_declared out flags)
    execute_process(COMMAND ${CMAKE_COMMAND} -E echo "#include <mpi.h>"
                    COMMAND ${CMAKE_C_COMPILER} ${flags} -E -P -x c -
                    OUTPUT_VARIABLE text RESULT_VARIABLE failed ERROR_QUIET)
    string(REGEX MATCHALL "PMPI_[A-Za-z_]+ *\\(" declared "${text}")
    if(failed)
        set(declared "")
    endif()
    list(TRANSFORM declared REPLACE "PMPI_([A-Za-z_]+) *\\(" "\\1")
    set(${out} "${declared}" PARENT_SCOPE)
endfunction()

# memlog_hooks_rows(OUT DECLARED): those of them that are in the table or are the variant of a row
# for large counts; in OUT_all what could be.
function(memlog_hooks_rows out declared)
    file(STRINGS ${memlog_hooks_source}/table.def rows REGEX "^(CALL|BIG)\\(")
    list(TRANSFORM rows REPLACE "^[A-Z]+\\(([A-Za-z_]+),.*" "\\1")
    set(all "")
    set(have "")
    foreach(name IN LISTS rows)
        list(APPEND all ${name} ${name}_c)
    endforeach()
    foreach(name IN LISTS all)
        if(name IN_LIST declared)
            list(APPEND have ${name})
        endif()
    endforeach()
    set(${out} "${have}" PARENT_SCOPE)
    set(${out}_all "${all}" PARENT_SCOPE)
endfunction()

# memlog_hooks_write(FOLDER ALL HAVE): FOLDER/mpi_hooks_have.h.
function(memlog_hooks_write folder all have)
    set(text "")
    foreach(name IN LISTS all)
        set(is 0)
        if(name IN_LIST have)
            set(is 1)
        endif()
        string(APPEND text "#define ML_HAVE_${name} ${is}\n")
    endforeach()
    file(CONFIGURE OUTPUT ${folder}/mpi_hooks_have.h CONTENT "${text}" @ONLY)
endfunction()

# memlog_hooks_compiles(OUT SOURCE FLAGS): without its warnings.
function(memlog_hooks_compiles out source flags)
    execute_process(COMMAND ${CMAKE_C_COMPILER} -std=gnu17 -D_GNU_SOURCE -w ${flags} -fsyntax-only
                            ${memlog_hooks_source}/${source}
                    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_QUIET)
    set(${out} TRUE PARENT_SCOPE)
    if(failed)
        set(${out} FALSE PARENT_SCOPE)
    endif()
endfunction()

# memlog_hooks_keep(OUT FOLDER ALL NAMES FLAGS): those of NAMES whose wrappers compile. All of them
# mostly; else each half is tried. Writes FOLDER/mpi_hooks_have.h for that; -IFOLDER is in FLAGS.
function(memlog_hooks_keep out folder all names flags)
    memlog_hooks_write(${folder} "${all}" "${names}")
    memlog_hooks_compiles(fits wrappers.c "${flags}")
    list(LENGTH names n)
    if(fits OR n LESS 2)
        if(NOT fits)
            set(names "")
        endif()
        set(${out} "${names}" PARENT_SCOPE)
        return()
    endif()
    math(EXPR half "${n} / 2")
    list(SUBLIST names 0 ${half} first)
    list(SUBLIST names ${half} -1 second)
    memlog_hooks_keep(first ${folder} "${all}" "${first}" "${flags}")
    memlog_hooks_keep(second ${folder} "${all}" "${second}" "${flags}")
    set(${out} ${first} ${second} PARENT_SCOPE)
endfunction()

# memlog_hooks_have(OUT FOLDER WHOSE FLAGS): writes FOLDER/mpi_hooks_have.h; -IFOLDER is in FLAGS.
# What WHOSE mpi.h declares otherwise than we do is named. OUT: whether the library can be built.
function(memlog_hooks_have out folder whose flags)
    memlog_hooks_declared(declared "${flags}")
    memlog_hooks_rows(rows "${declared}")
    memlog_hooks_keep(have ${folder} "${rows_all}" "${rows}" "${flags}")
    memlog_hooks_write(${folder} "${rows_all}" "${have}")
    set(fits TRUE)
    foreach(source account.c worlds.c wrappers.c)
        memlog_hooks_compiles(compiles ${source} "${flags}")
        if(NOT compiles)
            set(fits FALSE)
        endif()
    endforeach()
    set(${out} ${fits} PARENT_SCOPE)
    list(REMOVE_ITEM rows "" ${have})
    if(fits AND rows)
        list(TRANSFORM rows PREPEND MPI_)
        list(JOIN rows ", " rows)
        message(STATUS "The mpi.h of ${whose} declares these otherwise, they are not counted: ${rows}")
    endif()
endfunction()
