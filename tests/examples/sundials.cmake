# Runs the single-process SUNDIALS examples in the current directory, where the trained pendulum is, and checks what they
# print against classical RK4 with steps of 1.25e-3, which is converged to 1e-7.
cmake_minimum_required(VERSION 3.25)
foreach(program MAIN C FAST)
  execute_process(COMMAND ${${program}} pendulum.safetensors OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
  set(${program} "${output}")
endforeach()

function(expect name output pattern)
  if(NOT output MATCHES "${pattern}")
    message(FATAL_ERROR "${name}: expected '${pattern}' in\n${output}")
  endif()
endfunction()

# -0.0293682, 10.4687987, 0.2787648, 0.7514580 at t = 50, to the model's error of 3e-5
set(state "-0\\.029[34][0-9]* +10\\.468[78][0-9]* +0\\.278[78][0-9]* +0\\.751[3-6]")
expect("main integrator" "${MAIN}" "end +t = +50\\.0+ +${state}")
expect("main integrator" "${MAIN}" "vertical t = ")
expect("main integrator" "${MAIN}" "Learned cell steps +=  *500\n")
expect("plain C" "${C}" "\n +50 +${state}")
expect("plain C" "${C}" "Learned cell steps,500,")
# -0.2682024, 10.4280128, -0.1288053, 0.8380030 at t = 48, to the slow method's error
expect("fast part" "${FAST}" "t = +48\\.0 +-0\\.268[0-9]* +10\\.42[78][0-9]* +-0\\.12[89][0-9]* +0\\.83[78]")
expect("fast part" "${FAST}" "Learned cell steps +=  *480\n")

# The lines that the README adds to a program with ERKStep are those of the main integrator's.
file(READ ${SOURCE}/examples/11_arkode_main_integrator/main_integrator.cpp main_integrator)
file(STRINGS ${SOURCE}/README.md added REGEX "^\\+ .*[lL]odestepStep")
list(LENGTH added count)
if(NOT count EQUAL 2)
  message(FATAL_ERROR "README.md: expected 2 lines added to an ARKODE program, found ${count}")
endif()
foreach(line IN LISTS added)
  string(SUBSTRING "${line}" 1 -1 line)
  string(FIND "${main_integrator}" "${line}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "README.md: '${line}' is not in examples/11_arkode_main_integrator")
  endif()
endforeach()
