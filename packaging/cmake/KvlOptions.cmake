# kvl_options: what every own target is compiled with. ccache where it is found.
add_library(kvl_options INTERFACE)
target_include_directories(kvl_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(kvl_options INTERFACE QT_NO_KEYWORDS QT_NO_FOREACH)
target_compile_options(kvl_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wnon-virtual-dtor;-Woverloaded-virtual>)
find_package(Threads REQUIRED)
target_link_libraries(kvl_options INTERFACE Threads::Threads)

if(KVL_SANITIZE)
    string(REPLACE "," ";" kvl_sanitizers "${KVL_SANITIZE}")
    target_compile_options(kvl_options INTERFACE -fsanitize=${KVL_SANITIZE} -fno-omit-frame-pointer -g1)
    target_link_options(kvl_options INTERFACE -fsanitize=${KVL_SANITIZE})
    target_compile_definitions(kvl_options INTERFACE KVL_SANITIZE)
endif()

find_program(KVL_CCACHE ccache)
if(KVL_CCACHE)
    # precompiled headers are only cached when time stamps and defines in them are let pass
    set(kvl_launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${KVL_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${kvl_launcher})
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${kvl_launcher})
    target_compile_options(kvl_options INTERFACE $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CXX_COMPILER_ID:GNU>>:-fpch-preprocess>)
endif()
