#pragma once

namespace lodestep {

struct Interval {
  double lower;
  double upper;
};

} // namespace lodestep
