// Writes models for the tests that are not C++ programs: write_models PENDULUM FLOW
#include "flow_maps.hpp"
#include "pendulum_models.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  using namespace lodestep;
  save_model(test::pendulum_model(), argv[1], Overwrite::yes);
  save_model(test::oscillator_hierarchy({0.1, 0.8}, 0.1, 1e-3), argv[2], Overwrite::yes);
  return 0;
}
