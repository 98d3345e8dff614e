#pragma once

#include <lodestep/export.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

/// Small function approximators and their evaluation. They know numbers and nothing of time.
///
/// With the standardised input z = (x - input_mean) / input_scale (element-wise), an approximator is
///
///     y = output_scale * (A z + b + N(z)),
///
/// where A z + b is the affine term that every approximator has and N is nothing, a polynomial, piecewise polynomials
/// or a multilayer perceptron (MLP).
namespace lodestep {

/// The precision weights are stored and evaluated in. States stay double: an f32 term rounds its input.
enum class Precision { f64, f32 };

/// Activation of the hidden layers of an MLP. `rational` is a quotient of a cubic and a quadratic polynomial
/// (Boulle et al. 2020; AttNS, eq. 8).
enum class Activation { tanh, rational, silu, relu };

/// Who evaluates: our fused kernels, oneDNN, or a plain loop that the others are tested against.
/// `automatic` chooses per shape and batch by a rule measured on real processors.
enum class Backend { automatic, fused, onednn, reference };

LODESTEP_EXPORT const char* to_string(Precision) noexcept;
LODESTEP_EXPORT const char* to_string(Activation) noexcept;
LODESTEP_EXPORT const char* to_string(Backend) noexcept;
/// The inverses; InvalidArgument names the allowed words.
LODESTEP_EXPORT Precision precision_from(const std::string& name);
LODESTEP_EXPORT Activation activation_from(const std::string& name);
LODESTEP_EXPORT Backend backend_from(const std::string& name);

/// y = weight x + bias.
struct LODESTEP_EXPORT AffineLayer {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::vector<double> weight; ///< [outputs, inputs], row-major
  std::vector<double> bias;   ///< [outputs]
};

/// All monomials of total degree 2 .. `degree` in the standardised inputs (degrees 0 and 1 are the affine term's).
/// Their order is the one of `monomials()`.
struct LODESTEP_EXPORT PolynomialTerm {
  unsigned degree = 2;             ///< 2 .. 9
  std::vector<double> coefficient; ///< [outputs, monomial_count(inputs, degree)], row-major
};

/// Number of monomials of total degree 2 .. `degree` in `inputs` variables: C(inputs + degree, degree) - 1 - inputs.
LODESTEP_EXPORT std::size_t monomial_count(std::size_t inputs, unsigned degree);

/// One monomial of degree d is a monomial of degree d - 1 (`parent`) times one input (`variable`), so that a table of
/// all of them costs one multiplication each. Parents of degree-2 monomials are inputs: `parent` < inputs means the
/// input itself, otherwise `parent - inputs` indexes this list.
struct Monomial {
  std::size_t parent;
  std::size_t variable;
};

/// The monomials of degree 2 .. `degree` in graded lexicographic order: by degree, then by their non-decreasing lists
/// of variables. For two inputs and degree 3: 00 01 11 000 001 011 111.
LODESTEP_EXPORT std::vector<Monomial> monomials(std::size_t inputs, unsigned degree);

/// W_h a(... a(W_1 z + b_1) ...) + b_h: one activation function after every layer but the last.
struct LODESTEP_EXPORT MlpTerm {
  Activation activation = Activation::tanh;
  std::vector<AffineLayer> layers; ///< hidden layers and the output layer: at least two
  /// Coefficients of the rational activation, constant term first. The default approximates ReLU (Boulle et al. 2020).
  std::array<double, 4> numerator{0.0218, 0.5, 1.5957, 1.1915};
  std::array<double, 3> denominator{1.0, 0.0, 2.383};
};

/// A polynomial of its own on each cell of a grid over the box |z_i| <= 1, whose cells are halved in every direction
/// where the function asks for it, again and again: for one to three inputs, to any accuracy, at a price that does not
/// depend on it. Outside the box, and in cells that hold no polynomial, N is NaN: who asks there is told, and not given
/// an extrapolation.
struct LODESTEP_EXPORT PiecewiseTerm {
  static constexpr std::size_t most_inputs = 3;
  static constexpr unsigned highest_degree = 7;
  static constexpr unsigned deepest = 24; ///< halvings of a cell of the grid

  unsigned degree = 5;            ///< total degree of the polynomials, 1 .. 7
  std::vector<std::size_t> cells; ///< [inputs]: of the grid, along each input
  /// The cells of the grid, row-major, then those that come from halving, in blocks of 2^inputs: along the last input
  /// first, and the lower half before the upper. An entry n >= 0 is the index of the cell's polynomial, -1 a cell
  /// without one, and n < -1 a cell that is halved, into the block that starts at entry -1 - n.
  std::vector<std::int32_t> tree;
  /// [polynomial, outputs, 1 + inputs + monomial_count(inputs, degree)]: of 1, the local coordinates and their
  /// monomials(). A local coordinate runs from -1 to 1 across its cell.
  std::vector<double> coefficient;

  /// Coefficients of one output in one cell.
  static std::size_t terms(std::size_t inputs, unsigned degree);
};

/// What an approximator is, as plain data: what training makes and a model file holds.
struct LODESTEP_EXPORT ApproximatorSpec {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  Precision precision = Precision::f64;
  std::vector<double> input_mean;   ///< [inputs]
  std::vector<double> input_scale;  ///< [inputs], positive
  std::vector<double> output_scale; ///< [outputs], positive
  AffineLayer affine;               ///< of the standardised input
  std::variant<std::monostate, PolynomialTerm, PiecewiseTerm, MlpTerm> term;

  /// The zero map of the given shape: unit scales, zero affine term, no other term.
  static ApproximatorSpec zero(std::size_t inputs, std::size_t outputs);
  /// Checks every shape and that every number is finite. Throws InvalidModel naming the field under `path`.
  void validate(const std::string& path = "approximator") const;
  /// "affine", "polynomial of degree 3", "500 polynomials of degree 5", "tanh MLP 4-16-4" ...
  std::string description() const;
  /// Number of learned coefficients.
  std::size_t parameters() const noexcept;
  /// Modelled time of one evaluation at batch 1 in nanoseconds. It depends on the shape alone, so that choices
  /// made with it are the same on every machine; `bench` measures the real time.
  double cost_ns() const;
};

/// Scratch memory of an evaluation: one per thread (or per stepper), reused, growing only on first use.
class LODESTEP_EXPORT Workspace {
public:
  Workspace();
  ~Workspace();
  /// Copies are empty: scratch is never shared.
  Workspace(const Workspace&);
  Workspace& operator=(const Workspace&);
  Workspace(Workspace&&) noexcept;
  Workspace& operator=(Workspace&&) noexcept;

  /// At least `bytes` bytes, 64-byte aligned; contents are not kept when it grows.
  void* require(std::size_t bytes);

private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

/// An approximator packed for evaluation: weights aligned, standardisation folded in, kernel chosen for this
/// processor at run time. Immutable: any number of threads may evaluate one object, each with a Workspace of its own.
class LODESTEP_EXPORT Approximator {
public:
  /// Packs `spec` (validated first). Throws InvalidModel; InvalidArgument if `backend` cannot run this shape or was
  /// not built in.
  explicit Approximator(const ApproximatorSpec& spec, Backend backend = Backend::automatic);
  ~Approximator();
  Approximator(Approximator&&) noexcept;
  Approximator& operator=(Approximator&&) noexcept;

  std::size_t inputs() const noexcept;
  std::size_t outputs() const noexcept;
  Precision precision() const noexcept;
  /// True when every output is zero whatever the input: there is then nothing to evaluate.
  bool is_zero() const noexcept;
  /// The backend that evaluates a batch of this size.
  Backend backend(std::size_t batch = 1) const noexcept;
  /// The instruction set the fused kernels run on: "AVX3", "AVX2", "SSE4" ...
  static const char* instruction_set() noexcept;

  /// y[batch, outputs] = f(x[batch, inputs]), both row-major: one state after the other. x and y must not overlap.
  /// A NaN among a state's inputs gives NaN outputs for that state. Allocates only when `workspace` must grow.
  /// Inline down to the kernel's call: at batch 1 a small kernel costs no more than a few calls do.
  void evaluate(const double* x, double* y, std::size_t batch, Workspace& workspace) const {
    from_double_(double_argument_, x, y, batch, workspace);
  }
  void evaluate(const float* x, float* y, std::size_t batch, Workspace& workspace) const {
    from_float_(float_argument_, x, y, batch, workspace);
  }

private:
  struct Packed;
  template <class T> using Kernel = void (*)(const void* argument, const T* x, T* y, std::size_t batch, Workspace&);

  std::unique_ptr<const Packed> packed_;
  const void* double_argument_ = nullptr; ///< owned by packed_, as is the next
  const void* float_argument_ = nullptr;
  Kernel<double> from_double_ = nullptr;
  Kernel<float> from_float_ = nullptr;
};

} // namespace lodestep
