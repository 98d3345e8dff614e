#pragma once

#include "model/safetensors.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace lodestep::detail {

/// Takes the arrays of a file by name, each once; `finish` names one that nobody took. Throws InvalidModel naming the
/// array if it is missing or has another element type or number of dimensions than expected.
class TensorReader {
public:
  explicit TensorReader(Tensors tensors) : tensors_(std::move(tensors)) {}

  /// Number of arrays: no list of them can be longer.
  std::size_t count() const noexcept { return tensors_.size(); }
  std::vector<double> vector(const std::string& name, Dtype dtype);
  /// Of any shape [rows, columns]: `shape` receives both.
  Tensor matrix(const std::string& name, Dtype dtype);
  void finish() const;

private:
  Tensor take(const std::string& name, Dtype dtype, std::size_t dimensions);

  Tensors tensors_;
  std::set<std::string> taken_;
};

} // namespace lodestep::detail
