#include "model/tensor_reader.hpp"

#include <lodestep/error.hpp>

namespace lodestep::detail {

Tensor TensorReader::take(const std::string& name, Dtype dtype, std::size_t dimensions) {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw InvalidModel(name, "missing: the file has no such array");
  Tensor& tensor = found->second;
  if (tensor.dtype != dtype) {
    throw InvalidModel(name + ".dtype",
                       std::string("expected ") + to_string(dtype) + ", found " + to_string(tensor.dtype));
  }
  if (tensor.shape.size() != dimensions) {
    throw InvalidModel(name + ".shape", "expected " + std::to_string(dimensions) + " dimensions, found " +
                                            std::to_string(tensor.shape.size()));
  }
  taken_.insert(name);
  return std::move(tensor);
}

std::vector<double> TensorReader::vector(const std::string& name, Dtype dtype) {
  return take(name, dtype, 1).values;
}

Tensor TensorReader::matrix(const std::string& name, Dtype dtype) {
  return take(name, dtype, 2);
}

void TensorReader::finish() const {
  for (const auto& [name, tensor] : tensors_) {
    if (!taken_.contains(name)) {
      throw InvalidModel(name, "unknown array: nothing in a model file is skipped");
    }
  }
}

} // namespace lodestep::detail
