#pragma once

#include <lodestep/model.hpp>
#include <lodestep/tableau.hpp>

#include <cmath>
#include <complex>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

/// Small models made in code, whose steps are known exactly.
namespace lodestep::test {

/// A corrector of zero correction: its steps are the base scheme's. Domain [-10, 10] in every variable, no
/// sub-stepping.
inline Model zero_corrector(std::size_t dimension, const std::string& base, double dt,
                            CorrectorInput input = CorrectorInput::increment) {
  CorrectorModel corrector;
  corrector.base = base;
  corrector.dt = dt;
  corrector.input = input;
  const std::size_t blocks = input == CorrectorInput::stages ? classical_tableau(base).stages() : 1;
  corrector.approximator = ApproximatorSpec::zero(blocks * dimension, dimension);
  corrector.domain.state.assign(dimension, {-10.0, 10.0});
  corrector.domain.correction_limit.assign(dimension, 1.0);
  Model model;
  for (std::size_t i = 0; i < dimension; ++i) model.variables.push_back({std::string(1, 'x') += std::to_string(i), ""});
  model.provenance.problem = "oscillators";
  model.method = corrector;
  return model;
}

/// `count` harmonic oscillators of unit frequency: x' = v, v' = -x, the state being x0, v0, x1, v1, ...
///
/// With w = x - i v one of them is w' = i w, and every linear map that commutes with it is a complex number: the exact
/// step is exp(i dt), a base scheme's of order p (with p stages) is P = sum (i dt)^k / k! to k = p.
struct Oscillators {
  template <class State, class Deriv, class Time> void operator()(const State& u, Deriv& dudt, Time) const {
    for (std::size_t n = 0; n + 1 < static_cast<std::size_t>(u.size()); n += 2) {
      dudt[n] = u[n + 1];
      dudt[n + 1] = -u[n];
    }
  }

  template <class State> static State exact(const State& u, double t) {
    State result = u;
    for (std::size_t n = 0; n + 1 < static_cast<std::size_t>(u.size()); n += 2) {
      using number = std::decay_t<decltype(u[n])>;
      const double x = u[n], v = u[n + 1];
      result[n] = static_cast<number>(x * std::cos(t) + v * std::sin(t));
      result[n + 1] = static_cast<number>(v * std::cos(t) - x * std::sin(t));
    }
    return result;
  }
};

/// The corrector that makes a base scheme exact for `count` oscillators, from whichever input.
inline Model exact_corrector(std::size_t count, const std::string& base, double dt,
                             CorrectorInput input = CorrectorInput::increment) {
  using complex = std::complex<double>;
  const complex z(0.0, dt);
  const std::size_t stages = classical_tableau(base).stages();
  // exp(z) - P(z) and P(z) - 1 by their series: the difference of nearly equal numbers would lose digits.
  complex term = 1.0, base_increment = 0.0, missing = 0.0;
  for (unsigned k = 1; k < 40; ++k) {
    term *= z / static_cast<double>(k);
    (k <= stages ? base_increment : missing) += term;
  }
  // The features of one oscillator are complex multiples of its state; the correction is shared among them equally.
  std::vector<complex> features;
  if (input == CorrectorInput::increment) features = {base_increment};
  if (input == CorrectorInput::state) features = {1.0};
  if (input == CorrectorInput::stages) {
    features = {base_increment};
    const auto& tableau = classical_tableau(base);
    std::vector<complex> k;
    for (std::size_t i = 0; i < stages; ++i) {
      complex at = 1.0;
      for (std::size_t j = 0; j < i; ++j) at += tableau.a[i * stages + j] * k[j];
      k.push_back(z * at);
      if (i > 0) features.push_back(k[i] - k[i - 1]);
    }
  }

  const std::size_t dimension = 2 * count;
  Model model = zero_corrector(dimension, base, dt, input);
  auto& affine = std::get<CorrectorModel>(model.method).approximator.affine;
  for (std::size_t block = 0; block < features.size(); ++block) {
    const complex factor = missing / features[block] / static_cast<double>(features.size());
    for (std::size_t n = 0; n < dimension; n += 2) {
      double* row = affine.weight.data() + n * affine.inputs + block * dimension + n;
      row[0] = factor.real();
      row[1] = factor.imag();
      row += affine.inputs;
      row[0] = -factor.imag();
      row[1] = factor.real();
    }
  }
  return model;
}

inline std::shared_ptr<const Model> share(Model model) {
  return std::make_shared<const Model>(std::move(model));
}

} // namespace lodestep::test
