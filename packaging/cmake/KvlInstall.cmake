# cmake --install: the programs, what comes with them, the desktop's entry. libtorch stays where it
# was found.
install(TARGETS kvl)
set(kvl_share ${CMAKE_INSTALL_DATADIR}/kvl-workbench)  # found by app/bundled.cpp
install(DIRECTORY resources/models resources/demo DESTINATION ${kvl_share} OPTIONAL)
if(NOT KVL_ENGINE_ONLY)
    install(TARGETS kvl-workbench)
    install(FILES packaging/kvl-workbench.desktop DESTINATION ${CMAKE_INSTALL_DATADIR}/applications)
    install(FILES resources/icons/kvl-workbench.svg
            DESTINATION ${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps)
endif()
