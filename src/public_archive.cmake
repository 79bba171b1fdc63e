# SPDX-License-Identifier: MIT
# public_archive(NAME PREFIX LEFT_OUT LIBRARY...): makes libNAME.a of one object file in which all names but the public
# ones, which begin with PREFIX, are local. It holds the object libraries without the files that the regular expression
# LEFT_OUT matches. A program may then use any other name for a function of its own. Installs it with its
# pkg-config file NAME.pc and its CMake package, from NAME.pc.in and NAMEConfig.cmake.in in the current directory.
#
# objcopy cannot make names local in objects that hold the compiler's intermediate code, so the caller turns link-time
# optimisation off for them.
include(CMakePackageConfigHelpers)
set(PUBLIC_ARCHIVE_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})

function(public_archive name prefix left_out)
  set(objects)
  foreach(library IN LISTS ARGN)
    list(APPEND objects $<FILTER:$<TARGET_OBJECTS:${library}>,EXCLUDE,${left_out}>)
  endforeach()
  add_custom_command(OUTPUT lib${name}.a
    COMMAND ${CMAKE_C_COMPILER} -r -nostdlib -o ${name}.o ${objects}
    COMMAND ${CMAKE_OBJCOPY} --localize-hidden ${name}.o
    COMMAND ${CMAKE_COMMAND} -D NM=${CMAKE_NM} -D OBJECT=${name}.o -D PREFIX=${prefix}
            -P ${PUBLIC_ARCHIVE_DIRECTORY}/check_public_names.cmake
    COMMAND ${CMAKE_COMMAND} -E rm -f lib${name}.a
    COMMAND ${CMAKE_AR} qcs lib${name}.a ${name}.o
    DEPENDS ${PUBLIC_ARCHIVE_DIRECTORY}/check_public_names.cmake ${ARGN} ${objects}
    COMMAND_EXPAND_LISTS VERBATIM)
  add_custom_target(${name}_archive ALL DEPENDS lib${name}.a)
  configure_file(${name}.pc.in ${name}.pc @ONLY)
  configure_package_config_file(${name}Config.cmake.in ${name}Config.cmake
    INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/${name}
    PATH_VARS CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
  write_basic_package_version_file(${name}ConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/lib${name}.a DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}Config.cmake ${CMAKE_CURRENT_BINARY_DIR}/${name}ConfigVersion.cmake
          DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/${name})
endfunction()
