# Arrows point down only (CONTRIBUTING, "The architecture in a page"): no room includes what stands above or beside it.
# cmake -DSOURCE=<source folder> -P architecture.cmake
cmake_minimum_required(VERSION 3.25)
set(violations)
set(includes 0)

# Files under `folder` whose path does not match `except` may include no header that matches `forbidden`.
function(forbid folder forbidden except)
  file(GLOB_RECURSE files RELATIVE ${SOURCE} ${SOURCE}/${folder}/*.hpp ${SOURCE}/${folder}/*.h ${SOURCE}/${folder}/*.cpp)
  foreach(file IN LISTS files)
    file(STRINGS ${SOURCE}/${file} lines REGEX "^#include [<\"]")
    list(LENGTH lines count)
    math(EXPR includes "${includes} + ${count}")
    foreach(line IN LISTS lines)
      if(line MATCHES "^#include [<\"](${forbidden})" AND NOT file MATCHES "^(${except})$")
        list(APPEND violations "${file}: ${line}")
      endif()
    endforeach()
  endforeach()
  set(violations "${violations}" PARENT_SCOPE)
  set(includes ${includes} PARENT_SCOPE)
endfunction()

# Public headers of what is offline, and of hosts.
set(offline "lodestep/(problem|family|train|evaluate_controlled|import_corrector|network_exchange|source_export)")
set(hosts "lodestep/(odeint|sundials|lodestep_sundials)|lodestep\\.h|lodestep_t")
set(above_core "(problem|train|report|export|exchange|hosts|cli)/|${offline}|${hosts}")

forbid(src/approximator "(model|stepper)/|lodestep/(.*model|corrector|tableau|hierarchy|runge_kutta)|${above_core}" "")
forbid(src/model "stepper/|lodestep/(corrector\\.hpp|ensemble|hybrid|parareal|runge_kutta)|${above_core}" "")
forbid(src/stepper "${above_core}" "")
forbid(src/problem "(train|report|export|exchange|hosts|cli)/|lodestep/(train[^_]|train_[^e])|${hosts}" "")
forbid(src/export "(problem|train|report|exchange|hosts|cli)/|${hosts}" "")
forbid(src/exchange "(problem|train|report|export|hosts|cli)/|${hosts}" "")
forbid(src/train "(report|export|exchange|hosts|cli)/|${hosts}" "")
forbid(src/report "(hosts|cli)/|lodestep/sundials|lodestep\\.h" "")
forbid(src/hosts "cli/" "")
# An adapter knows the core and its host. The one that trains from C says so in its name, and is a library of its own.
forbid(adapters/odeint "(problem|train|report|cli)/|${offline}|lodestep/sundials|lodestep\\.h" "")
forbid(adapters/sundials "(problem|train|report|cli)/|${offline}|lodestep/odeint|lodestep\\.h" "")
forbid(adapters/c "(problem|train|report|cli)/|${offline}|lodestep/(odeint|sundials)" "adapters/c/src/train\\.cpp")
forbid(plugins/include "(problem|train|report|cli)/|lodestep/(train|odeint|sundials)|lodestep\\.h" "")
# Of the public headers, those of the core.
forbid(include "(approximator|model|stepper|problem|train|report|cli)/|${offline}|${hosts}"
  "include/lodestep/(problem|family|train.*|evaluate_controlled|import_corrector|network_exchange|source_export)\\.hpp")

if(includes LESS 1000)
  message(FATAL_ERROR "only ${includes} includes found under ${SOURCE}: is this the source folder?")
endif()
if(violations)
  list(JOIN violations "\n  " text)
  message(FATAL_ERROR "arrows that point up (see CONTRIBUTING.md):\n  ${text}")
endif()
message("${includes} includes, none of which points up")
