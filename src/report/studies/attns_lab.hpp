#pragma once

#include "report/study.hpp"
#include "train/attns_recipe.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/tableau.hpp>

#include <Eigen/Core>

#include <cstddef>
#include <string>
#include <vector>

/// What the studies of AttNS share: a problem with a base scheme, corrections of its steps fitted in several ways, and
/// roll-outs on held-out states, all of one size of data. No guard and no fallback: a method is shown as it is.
namespace lodestep::report {

/// The paper's methods: what the network is fed with, and how its output enters.
enum class AttnsMethod {
  attns,   ///< u' = u + S dt + Q[S], eq. 10
  attns_m, ///< u' = u + S dt * Q[S], eq. 6
  neurvec  ///< u' = u + S dt + Q[u]
};
const char* to_string(AttnsMethod method);

/// A fitted network and its method.
struct AttnsFit {
  AttnsMethod method = AttnsMethod::attns;
  ApproximatorSpec approximator;
  bool diverged = false;     ///< while it was trained
  double training_rms = 0.0; ///< of the corrections it was fitted to
};

class AttnsLab {
public:
  struct Setup {
    std::string problem;
    std::string base = "rk4";
    double dt = 0.0;      ///< 0: the problem's
    double horizon = 0.0; ///< 0: the problem's
    std::size_t training = 100;
    std::size_t held_out = 50;
    double noise = 0.0; ///< added to every variable of every state before a step, in training and in roll-outs
    std::uint64_t seed = 0;
  };

  /// Makes the trajectories, or as many as there was time for. The progress must outlive the lab.
  AttnsLab(const Setup& setup, StudyProgress& progress);

  const Problem& problem() const { return problem_; }
  const Trajectories& held_out() const { return held_out_; }
  std::size_t training_trajectories() const { return training_.trajectories; }

  /// One hidden layer, standardised, trained for about `steps` steps on `trajectories` (0: all): the same number
  /// whatever the data, since otherwise little data would also mean little training.
  detail::AttnsRecipe recipe(std::size_t width, std::size_t batch, std::size_t steps,
                             std::size_t trajectories = 0) const;

  /// By Adam, on the first `trajectories` (0: all). The recipe's input unit is set to dt for increments unless
  /// `increment_as_is`, when the network sees S dt.
  AttnsFit adam(AttnsMethod method, detail::AttnsRecipe recipe, std::size_t trajectories = 0,
                bool increment_as_is = false) const;
  /// By least squares: an affine map (`width` 0), or one beside a hidden layer drawn at random. Of a few ridges and
  /// spreads of that layer the one with the smallest error on states held out for it is taken. Not for attns_m.
  AttnsFit solved(AttnsMethod method, std::size_t width, std::size_t trajectories = 0) const;

  /// Mean squared error over the horizon of each held-out trajectory; infinite where it diverged.
  std::vector<double> errors(const AttnsFit& fit) const;
  /// The same of the base scheme alone.
  std::vector<double> base_errors() const;

private:
  struct Pairs {
    Eigen::MatrixXd state;
    Eigen::MatrixXd increment;
    Eigen::MatrixXd target;
  };
  Pairs pairs(std::size_t trajectories) const;
  std::vector<double> roll_out(const AttnsFit* fit, const Trajectories& truth) const;

  StudyProgress& progress_;
  Problem problem_;
  const ButcherTableau& base_;
  double dt_;
  double noise_;
  std::uint64_t seed_;
  Trajectories training_;
  Trajectories held_out_;
  Trajectories validation_;
};

/// The mean; infinite if one is.
double mean_of(const std::vector<double>& errors);

} // namespace lodestep::report
