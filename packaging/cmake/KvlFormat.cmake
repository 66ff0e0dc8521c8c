# Targets: format (rewrites), format-check (fails on a difference), tidy (own sources), tidy-commands
# (compile commands that clang-tidy can read, in the build folder's tidy/).
find_program(KVL_CLANG_FORMAT NAMES clang-format-14 clang-format)
find_program(KVL_CLANG_TIDY NAMES run-clang-tidy-14 run-clang-tidy)
file(GLOB_RECURSE kvl_sources
    app/*.cpp app/*.h inference/*.cpp inference/*.h inference/*.cu dicom/*.cpp dicom/*.h
    ui/*.cpp ui/*.h tests/*.cpp tests/*.h)
if(KVL_CLANG_FORMAT)
    add_custom_target(format COMMAND ${KVL_CLANG_FORMAT} -i ${kvl_sources}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
    add_custom_target(format-check COMMAND ${KVL_CLANG_FORMAT} --dry-run --Werror ${kvl_sources}
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
endif()
if(KVL_CLANG_TIDY)
    # clang stops at headers that gcc precompiled
    add_custom_target(tidy-commands
        COMMAND ${CMAKE_COMMAND} -E make_directory tidy
        COMMAND sed -E "s# -include [^ ]*cmake_pch.hxx##" compile_commands.json > tidy/compile_commands.json
        WORKING_DIRECTORY ${PROJECT_BINARY_DIR} VERBATIM)
    add_custom_target(tidy COMMAND ${KVL_CLANG_TIDY} -quiet -p ${PROJECT_BINARY_DIR}/tidy "/(app|inference|dicom|ui)/.*\\.cpp$"
        WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
    add_dependencies(tidy tidy-commands)
endif()
