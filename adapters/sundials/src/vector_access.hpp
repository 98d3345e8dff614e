#pragma once

#include <lodestep/sundials/compat.h>

#include <nvector/nvector_serial.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace lodestep::arkode {

/// The numbers of an N_Vector on this rank, seen as one array: the local array of a vector that has one, or those of a
/// ManyVector's vectors, one after the other.
class VectorAccess {
public:
  VectorAccess() = default;
  /// Looks at how vectors like `prototype` are made. Throws InvalidArgument if their numbers cannot be reached.
  explicit VectorAccess(N_Vector prototype);

  /// Numbers on this rank.
  std::size_t size() const noexcept { return size_; }
  /// The one array, where there is one that may be stepped in place of; null otherwise.
  double* array(N_Vector v) const noexcept { return leaves_.size() == 1 ? leaf_array(v, leaves_.front()) : nullptr; }
  /// True if the array of a vector may be replaced by another (N_VSetArrayPointer).
  bool replaceable() const noexcept { return replaceable_; }
  void replace(N_Vector v, double* array) const noexcept {
    if (serial_) {
      NV_DATA_S(v) = array;
    } else {
      N_VSetArrayPointer(array, v);
    }
  }

  void gather(N_Vector v, double* out) const noexcept {
    if (serial_) {
      std::copy_n(NV_DATA_S(v), size_, out);
    } else {
      gather_leaves(v, out);
    }
  }
  void scatter(const double* in, N_Vector v) const noexcept {
    if (serial_) {
      std::copy_n(in, size_, NV_DATA_S(v));
    } else {
      scatter_leaves(in, v);
    }
  }
  /// Whether every number is zero.
  bool is_zero(N_Vector v) const noexcept;

private:
  struct Leaf {
    std::vector<std::size_t> path; ///< which vector of a ManyVector, and of that, ...: empty for the vector itself
    std::size_t size = 0;
  };
  void add(N_Vector v, std::vector<std::size_t>& path);
  static double* leaf_array(N_Vector v, const Leaf& leaf) noexcept;
  void gather_leaves(N_Vector v, double* out) const noexcept;
  void scatter_leaves(const double* in, N_Vector v) const noexcept;

  std::vector<Leaf> leaves_;
  std::size_t size_ = 0;
  bool replaceable_ = false;
  bool serial_ = false; ///< whose array is reached without a call: small systems would notice it
};

/// Length of the whole vector over all ranks: what changes when a vector is resized.
inline sunindextype global_length(N_Vector v) noexcept {
  return v->ops->nvgetlength(v);
}

} // namespace lodestep::arkode
