#include "exchange/affine_form.hpp"

#include <utility>

namespace lodestep::detail {

namespace {

// A small file can ask for large products; no stepper wants networks of this size.
constexpr std::size_t most_numbers = std::size_t{1} << 24;
constexpr std::size_t most_products = std::size_t{1} << 32;

std::vector<double> identity(std::size_t size) {
  std::vector<double> weight;
  if (size > most_numbers / size) return weight;
  weight.assign(size * size, 0.0);
  for (std::size_t i = 0; i < size; ++i) weight[i * size + i] = 1.0;
  return weight;
}

} // namespace

AffineForm AffineForm::source(std::size_t number, std::size_t size) {
  AffineForm form;
  form.size = size;
  form.parts[number] = {};
  form.constant.assign(size, 0.0);
  return form;
}

bool AffineForm::assign_product(const std::vector<double>& w, std::size_t outputs, const AffineForm& x, bool f32) {
  AffineForm result;
  result.size = outputs;
  result.constant.assign(outputs, 0.0);
  for (std::size_t o = 0; o < outputs; ++o) {
    for (std::size_t i = 0; i < x.size; ++i) result.constant[o] += w[o * x.size + i] * x.constant[i];
  }
  for (const auto& [number, part] : x.parts) {
    if (part.weight.empty()) {
      result.parts[number] = {w, f32};
      continue;
    }
    const std::size_t columns = part.weight.size() / x.size;
    if (outputs > most_numbers / columns || outputs * columns > most_products / x.size) return false;
    std::vector<double> product(outputs * columns, 0.0);
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t i = 0; i < x.size; ++i) {
        for (std::size_t c = 0; c < columns; ++c) {
          product[o * columns + c] += w[o * x.size + i] * part.weight[i * columns + c];
        }
      }
    }
    result.parts[number] = {std::move(product), f32 && part.f32};
  }
  *this = std::move(result);
  return true;
}

bool AffineForm::add(const AffineForm& other, double sign) {
  for (std::size_t i = 0; i < size; ++i) constant[i] += sign * other.constant[i];
  for (const auto& [number, part] : other.parts) {
    std::vector<double> weight = part.weight.empty() ? identity(other.size) : part.weight;
    if (weight.empty()) return false;
    const auto found = parts.find(number);
    if (found == parts.end()) {
      for (double& w : weight) w *= sign;
      parts[number] = {std::move(weight), part.f32};
      continue;
    }
    Part& mine = found->second;
    if (mine.weight.empty()) mine.weight = identity(size);
    if (mine.weight.size() != weight.size()) return false;
    for (std::size_t i = 0; i < weight.size(); ++i) mine.weight[i] += sign * weight[i];
    mine.f32 = mine.f32 && part.f32;
  }
  return true;
}

bool AffineForm::apply(char op, const std::vector<double>& c, bool constant_first) {
  const auto scale = [&](auto&& factor) {
    for (auto& [number, part] : parts) {
      if (part.weight.empty()) part.weight = identity(size);
      if (part.weight.empty()) return false;
      const std::size_t columns = part.weight.size() / size;
      for (std::size_t i = 0; i < part.weight.size(); ++i) part.weight[i] = factor(part.weight[i], i / columns);
    }
    for (std::size_t i = 0; i < size; ++i) constant[i] = factor(constant[i], i);
    return true;
  };
  if (op == '*') return scale([&](double w, std::size_t i) { return w * c[i]; });
  if (op == '/') return scale([&](double w, std::size_t i) { return w / c[i]; });
  const bool from_constant = op == '-' && constant_first;
  if (from_constant && !scale([](double w, std::size_t) { return -w; })) return false;
  for (std::size_t i = 0; i < size; ++i) constant[i] += op == '-' && !constant_first ? -c[i] : c[i];
  return true;
}

std::vector<double> AffineForm::weight_of(std::size_t number, std::size_t source_size) const {
  const auto found = parts.find(number);
  if (found == parts.end()) return {};
  return found->second.weight.empty() ? identity(source_size) : found->second.weight;
}

bool AffineForm::f32_of(std::size_t number) const {
  const auto found = parts.find(number);
  return found != parts.end() && found->second.f32;
}

} // namespace lodestep::detail
