#pragma once

#include <lodestep/corrector.hpp>

#include <lodestep.h>
#include <memory>

/// What is behind the C handle: a packed corrector, shared with the steppers made from it.
struct lodestep_model {
  std::shared_ptr<const lodestep::Corrector> corrector;
};
