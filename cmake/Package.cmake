# Tarballs: of the programs (cpack -G TGZ in the build folder), which can be unpacked anywhere, and of the
# sources (cmake --build BUILD --target package_source).
set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_FILE_NAME memlog-mpi-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_SOURCE_GENERATOR TXZ)
set(CPACK_SOURCE_PACKAGE_FILE_NAME memlog-mpi-${PROJECT_VERSION})
string(REGEX REPLACE "([][+.*()^$?|])" "\\\\\\1" here ${PROJECT_SOURCE_DIR})
set(CPACK_SOURCE_IGNORE_FILES "^${here}/[.]git/;^${here}/build/;/[.]cache/;[.]part$;[.]journal$;/__pycache__/;/[.]pytest_cache/")
include(CPack)
