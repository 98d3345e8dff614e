#pragma once

#include "approximator/activation.hpp"

#include <lodestep/approximator.hpp>

#include <cstddef>
#include <memory>

namespace lodestep::detail {

/// Whether the oneDNN backend was built in.
LODESTEP_EXPORT bool onednn_available() noexcept;

/// An MLP in f32 evaluated by oneDNN's inner products, one per layer and one for the affine term, with activations as
/// post-operations where the library has them.
///
/// Thread-safe without a lock. Primitives are made once for each size of batch and kept for the first sizes seen
/// (`kept_sizes`); batches of other sizes are evaluated in pieces of powers of two. Buffers and memory objects are
/// recycled, so nothing is allocated here after the first evaluation of a size in as many threads as run at a time.
/// One thread is used, whatever OpenMP is set to: the caller's own threads come first.
class OnednnMlp {
public:
  /// Throws InvalidArgument where oneDNN cannot run the shape (f64; no MLP) or was not built in.
  explicit OnednnMlp(const ApproximatorSpec& spec);
  ~OnednnMlp();

  void evaluate(const double* x, double* y, std::size_t batch) const;
  void evaluate(const float* x, float* y, std::size_t batch) const;

  struct Implementation;

private:
  std::unique_ptr<Implementation> implementation_;
};

/// a(x) in place for n values: for activations that oneDNN lacks. fused_mlp_f32.cpp.
void activate_rational_f32(const FoldedActivation& activation, float* values, std::size_t n);

} // namespace lodestep::detail
