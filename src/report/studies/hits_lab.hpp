#pragma once

#include "report/study.hpp"

#include <lodestep/hierarchy.hpp>
#include <lodestep/train_hits.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace lodestep::report {

/// What the HiTS paper (Liu et al. 2022) prints of one of its five systems: integrated L2 errors, which are mean
/// squared ones, of single time-steppers NNTS 0 .. 10 (steps base 2^k) and of the multiscale scheme; and computing
/// times.
struct HitsSystem {
  const char* problem;
  std::size_t training; ///< trajectories, Table 2
  std::size_t first;    ///< cross-validated steppers, Table 2
  std::size_t last;
  std::array<std::array<double, 12>, 3> error; ///< Tables 6, 7, 8: 0, 1, 2% noise; the last is multiscale
  std::array<double, 12> seconds;              ///< Table 5
  std::array<double, 5> rk_seconds;            ///< Table 9
  std::array<double, 5> hybrid_seconds;
};
LODESTEP_TRAIN_EXPORT const std::vector<HitsSystem>& hits_systems();

/// "NNTS 3", or "multiscale" for 11.
std::string stepper_name(std::size_t k);

/// What a noise of 2% is. The paper says: a variance of 2% of each variable's. The program its authors published adds a
/// standard deviation of 2% of each variable's, a variance fifty times smaller, starts test trajectories from noisy
/// states, and measures against noisy states; the paper's errors, some of which are below what 2% of the variance leave
/// of an exact solution, are that program's.
enum class Noise { of_variance, of_deviation };

/// Trajectories of one system, noisy if so asked, and flow maps learned from them alone: what the paper does.
class LODESTEP_TRAIN_EXPORT HitsLab {
public:
  struct Setup {
    std::string problem;
    std::size_t training = 100; ///< trajectories
    std::size_t test = 64;
    double noise = 0.0; ///< as a fraction of each variable's variance or deviation, averaged over trajectories
    Noise meaning = Noise::of_variance; ///< of_deviation: the test trajectories are noisy too
    std::size_t levels = 11;
    std::uint64_t seed = 0;
  };
  explicit HitsLab(const Setup& setup);

  const Problem& problem() const noexcept { return problem_; }
  const Trajectories& test() const noexcept { return test_; }
  const HitsResult& learned() const noexcept { return learned_; }
  const HierarchyModel& hierarchy() const { return std::get<HierarchyModel>(learned_.model.method); }
  double seconds() const noexcept { return learned_.seconds; }
  const std::shared_ptr<const Hierarchy>& packed() const noexcept { return packed_; }

  /// Mean squared error on the test trajectories of the maps lower .. upper. States between placed ones lie on the line
  /// through linear and cubic interpolation where it comes nearest to the multiscale scheme's own solutions: with steps
  /// of half a period neither is best.
  double error(std::size_t lower, std::size_t upper) const;
  double multiscale_error() const;
  /// Of the exact solution from the test trajectories' first states: what their noise leaves of any method.
  double exact_error() const;
  /// Mean squared error at every time of the test trajectories.
  std::vector<double> error_by_time(std::size_t lower, std::size_t upper) const;

private:
  Problem problem_;
  Trajectories data_;
  Trajectories test_;
  HitsResult learned_;
  std::shared_ptr<const Hierarchy> packed_;
  Trajectories own_; ///< the multiscale scheme's own solutions from some initial states of the data
};

/// Mean squared difference at every time, over trajectories and variables; `solve(states)` goes on from the first
/// state.
std::vector<double> mean_square_by_time(const Trajectories& truth, const std::function<void(double*)>& solve);
/// Points (time, error) at steps spread evenly on a logarithmic scale.
StudyCurve curve_by_time(const std::string& name, const std::vector<double>& by_time, double dt);

} // namespace lodestep::report
