# From a plugin to a stepper inside a C program, by the commands the example shows.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE plugin_problem)
file(MAKE_DIRECTORY plugin_problem)
set(run COMMAND_ERROR_IS_FATAL ANY WORKING_DIRECTORY plugin_problem)
execute_process(COMMAND ${LODESTEP} train attns ${PLUGIN} --base rk4 --error 1e-6 --quiet -o brusselator.safetensors ${run})
execute_process(COMMAND ${LODESTEP} export brusselator.safetensors --c ${run})
execute_process(COMMAND ${CC} -std=c99 -Wall -Wextra -pedantic -Werror -O2 -I. ${FOLDER}/reactor.c brusselator.c -lm -o reactor ${run})
execute_process(COMMAND ./reactor OUTPUT_VARIABLE output ${run})
message("${output}")
# RK4 at dt = 1e-4 in extended precision: 0.569334035 2.422450466.
if(NOT output MATCHES "at t = 20: 0\\.5693[234][0-9] 2\\.4224[456][0-9]" OR NOT output MATCHES "400 steps learned, 0 taken by the base scheme")
  message(FATAL_ERROR "expected 0.56933 2.42245 after 400 learned steps")
endif()
# Every verb takes a plugin where it takes a name; a file that exists is not overwritten.
execute_process(COMMAND ${LODESTEP} evaluate brusselator.safetensors --problem ${PLUGIN} --trajectories 3 --quiet OUTPUT_QUIET ${run})
execute_process(COMMAND ${LODESTEP} generate ${C_PLUGIN}:mu=2 -o vdp.h5 --trajectories 2 --quiet OUTPUT_QUIET ${run})
execute_process(COMMAND ${LODESTEP} export brusselator.safetensors --c RESULT_VARIABLE result ERROR_VARIABLE error OUTPUT_QUIET
  WORKING_DIRECTORY plugin_problem)
if(NOT result EQUAL 2 OR NOT error MATCHES "brusselator.h")
  message(FATAL_ERROR "an existing file: expected exit code 2 and its name, found ${result}: ${error}")
endif()
