# One step of the install tests: cmake -DSTEP=... -P run.cmake
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(output "${output}" PARENT_SCOPE)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nfailed (${result}):\n${output}")
  endif()
endfunction()

# -O0: what is tested is whether it builds.
set(project_options -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${CONFIG} -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_COMPILER=${C}
  -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER} "-DCMAKE_CXX_FLAGS=${CXX_FLAGS}" -DCMAKE_CXX_FLAGS_RELEASE=-O0)
set(consumer ${CMAKE_CURRENT_LIST_DIR}/consumer)

if(STEP STREQUAL "tree")
  # Installed to one place and moved to another: nothing may remember the first.
  file(REMOVE_RECURSE ${PREFIX} ${PREFIX}-first)
  run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX}-first --config ${CONFIG})
  file(RENAME ${PREFIX}-first ${PREFIX})

elseif(STEP STREQUAL "consumer")
  file(REMOVE_RECURSE ${WORK})
  run(${CMAKE_COMMAND} -S ${consumer} -B ${WORK} ${project_options} -DCMAKE_PREFIX_PATH=${PREFIX}
    -DINSTALLED_INCLUDE=${PREFIX}/${INCLUDEDIR} -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
  run(${CMAKE_COMMAND} --build ${WORK})
  run(${WORK}/consumer ${WORK}/decay.safetensors)
  message("${output}")
  if(EXISTS ${PREFIX}/bin/lodestep)
    run(${PREFIX}/bin/lodestep inspect ${WORK}/decay.safetensors)
  endif()

elseif(STEP STREQUAL "refusals")
  # What is not there is not found, and the message says why.
  function(expect_refusal arguments pattern)
    file(WRITE ${WORK}/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)\nproject(refused LANGUAGES CXX)\n"
      "find_package(lodestep ${arguments} CONFIG REQUIRED PATHS ${PREFIX} NO_DEFAULT_PATH)\n")
    execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK} -B ${WORK}/build ${project_options}
      RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    if(result EQUAL 0 OR NOT output MATCHES "${pattern}")
      message(FATAL_ERROR "find_package(lodestep ${arguments}): expected a message matching '${pattern}', found:\n${output}")
    endif()
  endfunction()
  file(REMOVE_RECURSE ${WORK})
  expect_refusal("COMPONENTS odeint fortran77" "no component 'fortran77' in this installation of lodestep")
  expect_refusal("99.0" "${PREFIX}.*version: ${VERSION}")

elseif(STEP STREQUAL "pkg_config")
  file(REMOVE_RECURSE ${WORK})
  file(MAKE_DIRECTORY ${WORK})
  set(ENV{PKG_CONFIG_PATH} ${PREFIX}/${LIBDIR}/pkgconfig)
  run(${PKG_CONFIG} --modversion lodestep)
  string(STRIP "${output}" output)
  if(NOT output STREQUAL VERSION)
    message(FATAL_ERROR "pkg-config gives version '${output}', expected '${VERSION}'")
  endif()
  run(${PKG_CONFIG} --cflags --libs lodestep-odeint)
  separate_arguments(flags UNIX_COMMAND "${CXX_FLAGS} ${output}")
  run(${CXX} -std=c++17 ${consumer}/main.cpp -o ${WORK}/consumer ${flags} -Wl,-rpath,${PREFIX}/${LIBDIR})
  run(${WORK}/consumer ${WORK}/decay.safetensors)
  message("${output}")

elseif(STEP STREQUAL "subdirectory")
  # The build directory is kept, so that the core is compiled again only when it has changed; and its kernels are
  # compiled for one instruction set, since all of them are tested elsewhere.
  run(${CMAKE_COMMAND} -S ${consumer} -B ${WORK} ${project_options} -DLODESTEP_SOURCE=${SOURCE}
    "-DCMAKE_CXX_FLAGS=${CXX_FLAGS} -DHWY_COMPILE_ONLY_STATIC")
  run(${CMAKE_COMMAND} --build ${WORK})
  run(${WORK}/consumer ${WORK}/decay.safetensors)
  message("${output}")
  # Inside another project nothing of ours is built or installed that was not asked for.
  run(${CMAKE_COMMAND} --install ${WORK} --prefix ${WORK}/prefix)
  if(EXISTS ${WORK}/prefix/include/lodestep)
    message(FATAL_ERROR "a subproject installed its headers uninvited")
  endif()

else()
  message(FATAL_ERROR "unknown STEP '${STEP}'")
endif()
