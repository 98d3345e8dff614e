#pragma once

#include <lodestep/approximator.hpp>

#include <set>
#include <string>

namespace lodestep::source {

/// A function of a generated C file that evaluates an approximator:
///
///     static void NAME(const double *restrict x, double *restrict q)
///
/// of x, [inputs], to q, [outputs].
struct CFunction {
  std::string name;
  std::string prefix;  ///< of the names of its tables: approximators of one file must differ in it
  std::string comment; ///< what it is, for a person
};

/// Approximators of one generated file: each with its weights as tables, what they share written once.
class CApproximators {
public:
  std::string write(const ApproximatorSpec& spec, const CFunction& function);

private:
  std::set<std::string> written_; ///< helpers, by name
};

} // namespace lodestep::source
