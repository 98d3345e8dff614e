# What every target of this project is compiled with.

add_library(lodestep_warnings INTERFACE)
target_compile_options(lodestep_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion>
  # GCC 12 takes copies of Odeint steppers on std::array, whose scratch starts uninitialised, for an error.
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized -Wno-uninitialized>
  # GCC 12 takes "text" + std::string for overlapping memory (its bug 105651).
  $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # GCC 13 and 14 take a reference into a table for one into the name it was looked up by.
  $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>>:-Wno-dangling-reference>)
if(LODESTEP_WERROR)
  target_compile_options(lodestep_warnings INTERFACE -Werror)
endif()
add_library(lodestep_build_flags INTERFACE)
target_compile_features(lodestep_build_flags INTERFACE cxx_std_20)
target_link_libraries(lodestep_build_flags INTERFACE lodestep_warnings)

# A room's sources are the files of its folder: nothing to list twice.
function(lodestep_sources result)
  set(all)
  foreach(room IN LISTS ARGN)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*.cpp)
    list(APPEND all ${sources})
  endforeach()
  set(${result} ${all} PARENT_SCOPE)
endfunction()

# A library lodestep_<name>, alias lodestep::<name>, installed and exported.
function(lodestep_library name)
  add_library(lodestep_${name} ${ARGN})
  add_library(lodestep::${name} ALIAS lodestep_${name})
  set_target_properties(lodestep_${name} PROPERTIES
    EXPORT_NAME ${name}
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  # The flags are ours alone: a consumer neither compiles with them nor needs to know their target.
  target_link_libraries(lodestep_${name} PRIVATE $<BUILD_INTERFACE:lodestep_build_flags>)
  # Public headers also compile as C++17, because the code they go into is older than ours.
  target_compile_features(lodestep_${name} PUBLIC cxx_std_17)
  target_include_directories(lodestep_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
endfunction()
