# Several MPIs at once (-DMEMLOG_MPI="openmpi;mpich"): a build for each in a folder of its name, which
# gets what this one was given, and an installation of all of them into one prefix.

# What is in this cache, as a file for cmake -C: here is no more in it than the compiler and what the
# user said.
function(memlog_write_settings file)
    get_cmake_property(names CACHE_VARIABLES)
    list(REMOVE_ITEM names MEMLOG_MPI)
    set(text "")
    foreach(name ${names})
        get_property(type CACHE ${name} PROPERTY TYPE)
        string(REPLACE UNINITIALIZED STRING type ${type})
        if(NOT type MATCHES "^(INTERNAL|STATIC)$")
            string(APPEND text "set(${name} [==[$CACHE{${name}}]==] CACHE ${type} \"\" FORCE)\n")
        endif()
    endforeach()
    file(WRITE ${file} "${text}")
endfunction()

set(settings ${CMAKE_BINARY_DIR}/settings.cmake)
memlog_write_settings(${settings})
set(before "")
foreach(flavour ${MEMLOG_MPI})
    set(folder ${CMAKE_BINARY_DIR}/${flavour})
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${PROJECT_SOURCE_DIR} -B ${folder} -G ${CMAKE_GENERATOR}
                            -C ${settings} -DMEMLOG_MPI=${flavour}
                    RESULT_VARIABLE failed)
    if(failed)
        message(FATAL_ERROR "The build for ${flavour} cannot be configured; see above")
    endif()
    set(build ${CMAKE_COMMAND} --build ${folder})
    if(CMAKE_GENERATOR MATCHES "Makefiles")
        set(build $(MAKE) -C ${folder}) # with the jobs of this make
    endif()
    # One after the other, each with all processors.
    add_custom_target(${flavour} ALL COMMAND ${build} DEPENDS ${before} USES_TERMINAL)
    set(before ${flavour})
    install(SCRIPT ${folder}/cmake_install.cmake)
endforeach()
