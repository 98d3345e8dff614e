#include "approximator/reference.hpp"

#include <lodestep/approximator.hpp>
#include <lodestep/error.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace lodestep {

struct Approximator::Packed {
  std::size_t inputs;
  std::size_t outputs;
  Precision precision;
  bool zero;
  detail::ReferenceApproximator reference;
};

namespace {

bool all_zero(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return v == 0.0; });
}

bool is_zero_map(const ApproximatorSpec& spec) {
  if (!all_zero(spec.affine.weight) || !all_zero(spec.affine.bias)) return false;
  if (const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term)) return all_zero(polynomial->coefficient);
  if (const auto* mlp = std::get_if<MlpTerm>(&spec.term)) {
    return all_zero(mlp->layers.back().weight) && all_zero(mlp->layers.back().bias);
  }
  return true;
}

const ApproximatorSpec& validated(const ApproximatorSpec& spec) {
  spec.validate();
  return spec;
}

} // namespace

Approximator::Approximator(const ApproximatorSpec& spec, Backend)
    : packed_(new Packed{spec.inputs, spec.outputs, spec.precision, is_zero_map(validated(spec)),
                         detail::ReferenceApproximator(spec)}) {}

Approximator::~Approximator() = default;
Approximator::Approximator(Approximator&&) noexcept = default;
Approximator& Approximator::operator=(Approximator&&) noexcept = default;

std::size_t Approximator::inputs() const noexcept {
  return packed_->inputs;
}
std::size_t Approximator::outputs() const noexcept {
  return packed_->outputs;
}
Precision Approximator::precision() const noexcept {
  return packed_->precision;
}
bool Approximator::is_zero() const noexcept {
  return packed_->zero;
}
Backend Approximator::backend(std::size_t) const noexcept {
  return Backend::reference;
}
const char* Approximator::instruction_set() noexcept {
  return "scalar";
}

void Approximator::evaluate(const double* x, double* y, std::size_t batch, Workspace& workspace) const {
  for (std::size_t i = 0; i < batch; ++i) {
    packed_->reference.evaluate(x + i * packed_->inputs, y + i * packed_->outputs, workspace);
  }
}

void Approximator::evaluate(const float* x, float* y, std::size_t batch, Workspace& workspace) const {
  std::vector<double> in(packed_->inputs);
  std::vector<double> out(packed_->outputs);
  for (std::size_t i = 0; i < batch; ++i) {
    std::copy_n(x + i * packed_->inputs, packed_->inputs, in.begin());
    packed_->reference.evaluate(in.data(), out.data(), workspace);
    for (std::size_t o = 0; o < packed_->outputs; ++o) y[i * packed_->outputs + o] = static_cast<float>(out[o]);
  }
}

} // namespace lodestep
