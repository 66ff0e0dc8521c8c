# opencv_core and opencv_videoio from Debian's small development packages. OpenCV's
# own OpenCVConfig.cmake comes with libopencv-dev, which brings every module and some 600 MB.
include(FindPackageHandleStandardArgs)
find_path(OpenCVVideo_INCLUDE_DIR opencv2/videoio.hpp PATH_SUFFIXES opencv4)
set(kvl_opencv_libraries)
foreach(kvl_module core videoio)
    find_library(OpenCVVideo_${kvl_module}_LIBRARY opencv_${kvl_module})
    list(APPEND kvl_opencv_libraries OpenCVVideo_${kvl_module}_LIBRARY)
endforeach()
find_package_handle_standard_args(OpenCVVideo REQUIRED_VARS OpenCVVideo_INCLUDE_DIR ${kvl_opencv_libraries})
foreach(kvl_module core videoio)
    if(OpenCVVideo_FOUND AND NOT TARGET opencv_${kvl_module})
        add_library(opencv_${kvl_module} UNKNOWN IMPORTED)
        set_target_properties(opencv_${kvl_module} PROPERTIES
            IMPORTED_LOCATION ${OpenCVVideo_${kvl_module}_LIBRARY}
            INTERFACE_INCLUDE_DIRECTORIES ${OpenCVVideo_INCLUDE_DIR})
    endif()
endforeach()
