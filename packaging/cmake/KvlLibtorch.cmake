# Imported targets torch_cpu and c10 from the unpacked PyTorch wheel. The wheel's own
# TorchConfig.cmake is not used: it demands a CUDA toolkit, and this program must build
# without one. CUDA is a run-time matter (inference/cuda/runtime.h).
#
# Where the wheel is: -DKVL_LIBTORCH=, the environment's KVL_LIBTORCH, or the per-user cache
# that packaging/libtorch fills.
set(kvl_torch_version 2.11.0)
if(DEFINED ENV{XDG_CACHE_HOME})
    set(kvl_cache $ENV{XDG_CACHE_HOME})
else()
    set(kvl_cache $ENV{HOME}/.cache)
endif()
if(KVL_LIBTORCH)
    set(kvl_torch ${KVL_LIBTORCH})
elseif(DEFINED ENV{KVL_LIBTORCH})
    set(kvl_torch $ENV{KVL_LIBTORCH})
else()
    set(kvl_torch ${kvl_cache}/kvl-workbench/libtorch-${kvl_torch_version})
endif()
if(NOT EXISTS ${kvl_torch}/torch/lib/libtorch_cpu.so)
    message(FATAL_ERROR "libtorch ${kvl_torch_version} is not in ${kvl_torch} (torch/lib/libtorch_cpu.so is missing). "
        "Run packaging/libtorch to fetch it, or set KVL_LIBTORCH to an unpacked PyTorch ${kvl_torch_version} wheel.")
endif()
file(STRINGS ${kvl_torch}/torch/include/torch/headeronly/version.h kvl_version_lines
     REGEX "define TORCH_VERSION_(MAJOR|MINOR) ")
string(REGEX MATCHALL "[0-9]+" kvl_version "${kvl_version_lines}")
list(JOIN kvl_version "." kvl_version)
if(kvl_version VERSION_LESS 2.11)
    message(FATAL_ERROR "libtorch in ${kvl_torch} is version ${kvl_version}; 2.11 or later is needed.")
endif()
message(STATUS "libtorch ${kvl_version}: ${kvl_torch}")

foreach(kvl_library torch_cpu c10)
    add_library(${kvl_library} SHARED IMPORTED)
    set_target_properties(${kvl_library} PROPERTIES
        IMPORTED_LOCATION ${kvl_torch}/torch/lib/lib${kvl_library}.so
        IMPORTED_NO_SONAME TRUE
        INTERFACE_INCLUDE_DIRECTORIES "${kvl_torch}/torch/include"
        INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${kvl_torch}/torch/include")
endforeach()
set_target_properties(torch_cpu PROPERTIES
    INTERFACE_LINK_LIBRARIES c10
    INTERFACE_LINK_OPTIONS "-Wl,-rpath-link,${kvl_torch}/nvidia/cu13/lib;-Wl,-rpath-link,${kvl_torch}/torch/lib")
set(KVL_TORCH_ROOT ${kvl_torch})
