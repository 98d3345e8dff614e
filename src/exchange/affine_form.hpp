#pragma once

#include <cstddef>
#include <map>
#include <vector>

namespace lodestep::detail {

/// A vector as an affine function of others, the sources, which are numbered: sum_s W_s x_s + constant.
struct AffineForm {
  struct Part {
    std::vector<double> weight; ///< [size, size of the source]; empty stands for the identity
    bool f32 = true;            ///< whether its numbers were floats
  };

  std::size_t size = 0;
  std::map<std::size_t, Part> parts;
  std::vector<double> constant; ///< [size]

  /// The source itself.
  static AffineForm source(std::size_t number, std::size_t size);

  /// W x, W of [outputs, x.size]. False, and unchanged, if that would be unreasonably large.
  bool assign_product(const std::vector<double>& w, std::size_t outputs, const AffineForm& x, bool f32);
  /// this + sign other. False if that would be unreasonably large.
  bool add(const AffineForm& other, double sign);
  /// this op c, or c op this, element by element; op is one of + - * /. False if that would be unreasonably large.
  bool apply(char op, const std::vector<double>& c, bool constant_first);

  /// The weight of source `number`, written out; empty if it has none, or if it is an unreasonably large identity.
  std::vector<double> weight_of(std::size_t number, std::size_t source_size) const;
  bool f32_of(std::size_t number) const;
};

} // namespace lodestep::detail
