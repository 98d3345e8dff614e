# Installation: headers, libraries, the command, and packages a consumer finds (CMake and pkg-config).
# Inside another project (add_subdirectory, FetchContent) nothing is installed unless asked for.

option(LODESTEP_INSTALL "Install the library, its headers and its packages" ${PROJECT_IS_TOP_LEVEL})
if(NOT LODESTEP_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/lodestep)

# One export set for each component, so that a consumer meets the dependencies of what it uses and no others.
function(lodestep_install component target)
  install(TARGETS ${target} EXPORT lodestep-${component}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT lodestep-${component} NAMESPACE lodestep:: DESTINATION ${package_dir})
endfunction()

# The headers of the trainer are those that need its export macros: they go with it.
file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/lodestep/*.hpp)
set(core_headers)
set(train_headers)
foreach(header IN LISTS headers)
  file(STRINGS ${header} is_train REGEX "^#include <lodestep/train_export.hpp>")
  if(is_train)
    list(APPEND train_headers ${header})
  else()
    list(APPEND core_headers ${header})
  endif()
endforeach()
set(generated ${PROJECT_BINARY_DIR}/include/lodestep)
install(FILES ${core_headers} ${generated}/version.hpp ${generated}/export.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lodestep)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/adapters/odeint/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.hpp")

lodestep_install(core lodestep_core)
lodestep_install(odeint lodestep_odeint)
set(lodestep_components core odeint)
if(TARGET lodestep_sundials)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/adapters/sundials/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
  install(FILES ${generated}/sundials_export.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lodestep)
  lodestep_install(sundials lodestep_sundials)
  list(APPEND lodestep_components sundials)
  set_target_properties(lodestep_sundials PROPERTIES INSTALL_RPATH "$ORIGIN")
endif()
if(TARGET lodestep_train)
  install(FILES ${train_headers} ${generated}/train_export.hpp DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lodestep)
  lodestep_install(train lodestep_train)
  list(APPEND lodestep_components train)
  install(TARGETS lodestep_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

  # What is installed together finds itself, wherever the tree is moved to.
  file(RELATIVE_PATH bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
  set_target_properties(lodestep_train PROPERTIES INSTALL_RPATH "$ORIGIN")
  set_target_properties(lodestep_command PROPERTIES INSTALL_RPATH "$ORIGIN/${bin_to_lib}")
endif()

# In C and Fortran, and the plugin interface.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/plugins/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h*")
install(FILES ${PROJECT_SOURCE_DIR}/adapters/c/include/lodestep.h ${PROJECT_SOURCE_DIR}/adapters/c/include/lodestep_table.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
lodestep_install(plugin lodestep_plugin)
lodestep_install(c lodestep_c)
set_target_properties(lodestep_c PROPERTIES INSTALL_RPATH "$ORIGIN")
# What is opened at run time lies apart from what is linked.
install(TARGETS lodestep_host LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/lodestep)
list(APPEND lodestep_components plugin c)
if(TARGET lodestep_train_c)
  install(FILES ${PROJECT_SOURCE_DIR}/adapters/c/include/lodestep_train.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  lodestep_install(train_c lodestep_train_c)
  set_target_properties(lodestep_train_c PROPERTIES INSTALL_RPATH "$ORIGIN")
  list(APPEND lodestep_components train_c)
endif()
if(TARGET lodestep_fortran)
  # The sources go with the .mod files, which only the compiler that wrote them can read.
  install(DIRECTORY ${PROJECT_BINARY_DIR}/adapters/fortran/modules/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/lodestep/fortran
    FILES_MATCHING PATTERN "lodestep.mod")
  install(FILES ${PROJECT_SOURCE_DIR}/adapters/fortran/lodestep.f90 ${PROJECT_SOURCE_DIR}/adapters/fortran/lodestep_f77.f90
    DESTINATION ${CMAKE_INSTALL_DATADIR}/lodestep/fortran)
  lodestep_install(fortran lodestep_fortran)
  set_target_properties(lodestep_fortran PROPERTIES INSTALL_RPATH "$ORIGIN")
  list(APPEND lodestep_components fortran)
endif()

# A static library hands its own dependencies on to whoever links it.
if(BUILD_SHARED_LIBS)
  set(LODESTEP_IS_STATIC FALSE)
else()
  set(LODESTEP_IS_STATIC TRUE)
endif()
if(TARGET DNNL::dnnl)
  set(LODESTEP_HAS_ONEDNN TRUE)
else()
  set(LODESTEP_HAS_ONEDNN FALSE)
endif()
if(ONNX_FOUND)
  set(LODESTEP_HAS_ONNX TRUE)
else()
  set(LODESTEP_HAS_ONNX FALSE)
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/lodestepConfig.cmake.in
  ${PROJECT_BINARY_DIR}/lodestepConfig.cmake INSTALL_DESTINATION ${package_dir}
  NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/lodestepConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/lodestepConfig.cmake ${PROJECT_BINARY_DIR}/lodestepConfigVersion.cmake
  DESTINATION ${package_dir})

# pkg-config: paths relative to the file itself, so that it may be moved as well.
file(RELATIVE_PATH LODESTEP_PC_TO_LIB ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_FULL_LIBDIR})
file(RELATIVE_PATH LODESTEP_PC_TO_INCLUDE ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_FULL_INCLUDEDIR})
set(LODESTEP_PC_CFLAGS)
set(LODESTEP_PC_LIBS)
if(LODESTEP_IS_STATIC)
  set(LODESTEP_PC_CFLAGS " -DLODESTEP_STATIC_DEFINE")
  set(LODESTEP_PC_LIBS " -lhwy")
  if(LODESTEP_HAS_ONEDNN)
    string(APPEND LODESTEP_PC_LIBS " -ldnnl")
  endif()
endif()
foreach(package lodestep lodestep-odeint)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${package}.pc.in ${PROJECT_BINARY_DIR}/${package}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${package}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
