#pragma once

#include <lodestep/approximator.hpp>

#include <cstddef>
#include <memory>

/// What the inference benchmark compares with. Compiled with this machine's own instructions (-march=native), as
/// someone who writes such code by hand would: the library itself never is.
namespace lodestep::benchmarks {

/// A multilayer perceptron written down in Eigen, layer by layer; no standardisation, no affine term.
template <class T> class EigenMlp {
public:
  explicit EigenMlp(const MlpTerm& mlp);
  ~EigenMlp();
  EigenMlp(EigenMlp&&) noexcept;
  /// y[batch, outputs] = N(x[batch, inputs]).
  void evaluate(const T* x, T* y, std::size_t batch);

private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

extern template class EigenMlp<float>;
extern template class EigenMlp<double>;

/// Independent fused multiply-adds on full vectors for `repeats` rounds; returns the floating-point operations done.
/// What this reaches is the processor's peak.
template <class T> std::size_t multiply_add_peak(std::size_t repeats, T* sink);
extern template std::size_t multiply_add_peak<float>(std::size_t, float*);
extern template std::size_t multiply_add_peak<double>(std::size_t, double*);

} // namespace lodestep::benchmarks
