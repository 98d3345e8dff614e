#pragma once

#include <lodestep/approximator.hpp>

#include <string>

namespace lodestep::source {

/// A subroutine of a generated module that evaluates an approximator: NAME(x, q), of x(inputs) to q(outputs).
struct FortranFunction {
  std::string name;
  std::string prefix;  ///< of the names of its tables: approximators of one module must differ in it
  std::string comment; ///< what it is, for a person
};

/// Approximators of one generated module, which defines the kind `dp`; what they share is written once.
class FortranApproximators {
public:
  void add(const ApproximatorSpec& spec, const FortranFunction& function);
  /// For its head: the weights.
  const std::string& tables() const noexcept { return tables_; }
  /// For its body: the subroutines.
  const std::string& procedures() const noexcept { return procedures_; }

private:
  std::string tables_;
  std::string procedures_;
  bool has_monomial_sum_ = false;
  bool has_find_cell_ = false;
};

} // namespace lodestep::source
