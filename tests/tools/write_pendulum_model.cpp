// Writes a model for the tests that are not C++ programs: write_pendulum_model FILE
#include "pendulum_models.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  lodestep::save_model(lodestep::test::pendulum_model(), argv[1], lodestep::Overwrite::yes);
  return 0;
}
