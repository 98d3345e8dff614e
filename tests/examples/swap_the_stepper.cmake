# Runs the example in the current directory, where the trained model is, and checks what it prints.
cmake_minimum_required(VERSION 3.25)

# The programs differ in one include and one line, as the README says.
foreach(program before after)
  file(READ ${EXAMPLE}/${program}.cpp ${program})
  string(REGEX REPLACE "[][;]" "" ${program} "${${program}}") # these would divide or join a list's elements
  string(REPLACE "\n" ";" ${program} "${${program}}")
endforeach()
set(only_before ${before})
list(REMOVE_ITEM only_before ${after})
set(only_after ${after})
list(REMOVE_ITEM only_after ${before})
list(LENGTH only_before removed)
list(LENGTH only_after added)
if(NOT removed EQUAL 1 OR NOT added EQUAL 2)
  message(FATAL_ERROR "before.cpp and after.cpp must differ in one line and one include, they differ in:\n"
    "${only_before}\n${only_after}")
endif()

foreach(program BEFORE AFTER)
  string(TOLOWER ${program} output)
  execute_process(COMMAND ${${program}} OUTPUT_FILE ${output}.txt COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${CHECK} before.txt after.txt COMMAND_ERROR_IS_FATAL ANY)

# Without the model the program says so.
file(REMOVE_RECURSE elsewhere)
file(MAKE_DIRECTORY elsewhere)
execute_process(COMMAND ${AFTER} WORKING_DIRECTORY elsewhere RESULT_VARIABLE result ERROR_VARIABLE error OUTPUT_QUIET)
if(result EQUAL 0 OR NOT error MATCHES "pendulum.safetensors")
  message(FATAL_ERROR "without a model: expected an error naming pendulum.safetensors, found (${result}): ${error}")
endif()
