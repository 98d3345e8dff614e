#pragma once

#include <lodestep/corrector.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/model.hpp>

#include <lodestep.h>
#include <memory>
#include <variant>

/// What is behind the C handle: a model, packed for evaluation and shared with the steppers made from it.
struct lodestep_model {
  std::shared_ptr<const lodestep::Model> model;
  std::variant<std::shared_ptr<const lodestep::Corrector>, std::shared_ptr<const lodestep::Hierarchy>,
               std::shared_ptr<const lodestep::Model>> // the last a tableau, which has nothing to pack
      packed;
};
