# OpenJPEG::openjp2, 2.5 or later (its HTJ2K decoder came with 2.5).
find_package(PkgConfig REQUIRED)
pkg_check_modules(OpenJPEG QUIET IMPORTED_TARGET libopenjp2>=2.5)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OpenJPEG REQUIRED_VARS OpenJPEG_LINK_LIBRARIES VERSION_VAR OpenJPEG_VERSION)
if(OpenJPEG_FOUND AND NOT TARGET OpenJPEG::openjp2)
    add_library(OpenJPEG::openjp2 ALIAS PkgConfig::OpenJPEG)
endif()
