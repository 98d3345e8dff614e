#pragma once

#include "approximator/activation.hpp"

#include <lodestep/aligned.hpp>
#include <lodestep/approximator.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// Our own kernels: one pass over the weights, which are packed once in the order they are read.
///
/// Standardisation. In f64 the input scale is folded into the weights and the mean is subtracted from the input
/// (folding it into a bias as well would cancel digits wherever |mean| is much larger than the scale). In f32 both are
/// applied in double, before the input is rounded.
namespace lodestep::detail {

/// y[batch, outputs] = f(x[batch, inputs]) for packed weights of the kernel's own type.
template <class Io>
using FusedKernel = void (*)(const void* packed, const Io* x, Io* y, std::size_t batch, Workspace& workspace);

/// values = g(values), in place, for a whole number of vectors.
template <class T> using ActivateKernel = void (*)(const FoldedActivation& activation, T* values, std::size_t count);

/// Input and output standardisation that is left to do at run time.
struct FusedScaling {
  AlignedVector<double> mean;
  AlignedVector<double> inverse_scale; ///< ones where folded
  AlignedVector<double> output_scale;  ///< ones where folded
  bool folded = false;                 ///< inverse_scale is one everywhere
};

/// An affine map (degree 1) or a polynomial, by Horner's rule in several variables: with p_v a polynomial in the
/// variables v .. n - 1 of one degree less,
///
///     p(x) = c + x_0 p_0(x) + x_1 p_1(x) + ... + x_{n-1} p_{n-1}(x),
///
/// which takes exactly one fused multiply-add per coefficient and needs no table of monomials. Outputs are in SIMD
/// lanes; coefficients are stored in the order of evaluation, the smallest part (v = n - 1) first, so that only the
/// longest chain is waited for.
template <class T> struct FusedPolynomial {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  unsigned degree = 1;
  std::size_t lanes = 1; ///< outputs in one vector
  std::size_t nodes = 0; ///< coefficients per output
  FusedScaling scaling;
  AlignedVector<T> coefficient; ///< [output block, node, lane]
};

/// Piecewise polynomials, the affine term in each of them. The cell is found in double: in a lookup grid that is as
/// fine as most cells are, so that halvings are rarely followed; its centre and size stand beside its coefficients, and
/// the polynomial, of the local coordinates, is evaluated as FusedPolynomial is.
template <class T> struct FusedPiecewise {
  std::size_t outputs = 0;
  std::size_t stride = 0; ///< numbers of one polynomial
  double lower[PiecewiseTerm::most_inputs] = {};
  double factor[PiecewiseTerm::most_inputs] = {}; ///< cells of the lookup grid in one unit of the input
  double cells[PiecewiseTerm::most_inputs] = {};
  /// As PiecewiseTerm::tree, under the lookup grid; of a polynomial that fills several cells of it there are several
  /// entries.
  std::vector<std::int32_t> tree;
  FusedScaling scaling;
  /// [polynomial][the cell's centre and half its inverse width, for each input; padding up to a vector; output block,
  /// node, lane]
  AlignedVector<T> coefficient;
  std::size_t header = 0; ///< numbers before the first coefficient
};

/// A multilayer perceptron beside an affine term. Hidden units are in SIMD lanes, padded with units of no effect.
template <class T> struct FusedMlp {
  std::size_t inputs = 0;
  std::size_t outputs = 0;
  std::size_t lanes = 1;          ///< hidden units in one vector
  std::size_t padded_outputs = 1; ///< accumulators of the output layer
  FoldedActivation activation;
  ActivateKernel<T> activate = nullptr;
  FusedScaling scaling;
  /// Units of each hidden layer, padded to whole vectors.
  std::vector<std::size_t> widths;
  /// One hidden layer: per vector of units the bias, the weights of each input and those of each output, so that the
  /// pass reads one stream. [unit block][1 + inputs + padded_outputs][lane]
  AlignedVector<T> stream;
  std::size_t segments = 1; ///< the stream is taken in: 1, or stream_segments if it does not fit the cache
  std::size_t segment_vectors = 0;
  /// Several hidden layers: per layer [group of unit vectors][1 + layer inputs][vector of the group][lane], with
  /// unit_group_vectors(width, lanes) vectors in a group,
  std::vector<AlignedVector<T>> hidden;
  /// and the output layer, [group of output_group outputs][unit vector][output of the group][lane].
  AlignedVector<T> last;
  /// The affine term, its row of biases first: [1 + inputs][padded outputs].
  AlignedVector<T> affine;

  /// Batches of `panel_from` states or more: states in lanes, weights broadcast. Rows of weights in groups of
  /// FusedChoice::panel_rows (the rest in groups of 4, 2, 1), each [column][row of the group]; what is
  /// made of few inputs, in groups of few_input_rows.
  std::size_t panel_from = 0;
  FusedKernel<double> panel_double = nullptr;
  FusedKernel<float> panel_float = nullptr;
  std::vector<std::size_t> unit_counts;       ///< of each hidden layer, unpadded
  std::size_t widest_unit_count = 0;          ///< of the layers that are kept whole: all but the last
  std::vector<AlignedVector<T>> panel_hidden; ///< the column of biases first
  AlignedVector<T> panel_affine;              ///< likewise
  AlignedVector<T> panel_last;                ///< by chunks of panel_chunk columns
};

/// Hidden units computed at once before they are multiplied into the outputs: a panel of them fits half of a 32 KB
/// cache. A multiple of every panel_rows.
constexpr std::size_t panel_chunk = 96;

/// Inputs of a panel that stay in registers, and the rows then multiplied at once.
constexpr std::size_t few_inputs = 4;
constexpr std::size_t few_input_rows = 2;

/// Vectors of units that share each load of an input: as many as a layer of this width fills, so that narrow layers are
/// not padded much.
constexpr std::size_t unit_group_vectors(std::size_t width, std::size_t lanes) {
  return width <= lanes ? 1 : width <= 2 * lanes ? 2 : 4;
}
/// Outputs that share each load of a hidden unit.
constexpr std::size_t output_group = 4;

/// A stream of more bytes is evaluated in so many segments: with it, what a step of a solver touches in between has to
/// fit the 32 KB of a first-level cache.
constexpr std::size_t stream_segments = 4;
constexpr std::size_t cached_stream_bytes = 24 * 1024;

/// True and false in turn, for each workspace by itself: the direction in which the segments are taken. No result
/// depends on it. It may grow the workspace.
bool next_direction(Workspace& workspace);

/// At least `bytes` bytes beside those of Workspace::require, whose calls leave their place and contents alone.
void* second_buffer(Workspace& workspace, std::size_t bytes);

/// See horner_any.
constexpr std::size_t leaf_multiple = 4;

/// A kernel for one shape on this processor, and what it wants of the packing.
struct FusedChoice {
  std::size_t lanes = 1;
  std::size_t padded_outputs = 1;
  std::size_t leaf_multiple = 1; ///< polynomial: the innermost sums are padded to this many variables
  bool one_pass = true;          ///< MLP: packed as one stream
  FusedKernel<double> from_double = nullptr;
  FusedKernel<float> from_float = nullptr;          ///< null: the caller converts
  ActivateKernel<double> activate_double = nullptr; ///< MLP: the one of its precision
  ActivateKernel<float> activate_float = nullptr;
  std::size_t panel_rows = 1; ///< MLP
  std::size_t panel_from = 0; ///< MLP: the smallest batch worth a panel
  FusedKernel<double> panel_double = nullptr;
  FusedKernel<float> panel_float = nullptr;
};

FusedChoice choose_polynomial(Precision precision, std::size_t inputs, std::size_t outputs, unsigned degree,
                              bool folded);
FusedChoice choose_piecewise(Precision precision, std::size_t inputs, std::size_t outputs, unsigned degree);
FusedChoice choose_mlp_f64(ActivationKernel activation, std::size_t inputs, std::size_t outputs, std::size_t layers,
                           bool folded);
FusedChoice choose_mlp_f32(ActivationKernel activation, std::size_t inputs, std::size_t outputs, std::size_t layers,
                           bool folded);

/// Piecewise polynomials packed for the kernel that is chosen; T is the precision's type.
template <class T>
std::shared_ptr<const void> pack_piecewise(const ApproximatorSpec& spec, const PiecewiseTerm& term,
                                           FusedChoice& choice);

/// The monomials of Horner's scheme in its order of evaluation, each a non-decreasing list of variables.
std::vector<std::vector<std::size_t>> horner_order(unsigned degree, std::size_t inputs, std::size_t leaf = 1);
/// Where each monomial of degree 2 .. `degree` stands in monomials(), by its list of variables.
std::map<std::vector<std::size_t>, std::size_t> monomial_index(std::size_t inputs, unsigned degree);

/// A packed approximator together with its kernel.
class FusedApproximator {
public:
  explicit FusedApproximator(const ApproximatorSpec& spec);
  ~FusedApproximator();
  FusedApproximator(const FusedApproximator&) = delete;
  FusedApproximator& operator=(const FusedApproximator&) = delete;

  const void* packed() const noexcept { return packed_.get(); }
  FusedKernel<double> from_double() const noexcept { return choice_.from_double; }
  FusedKernel<float> from_float() const noexcept { return choice_.from_float; }
  /// Numbers in one vector, which are the states of half a panel.
  std::size_t lanes() const noexcept { return choice_.lanes; }

private:
  std::shared_ptr<const void> packed_;
  FusedChoice choice_;
};

/// The instruction sets compiled in that this processor has, best first, and the one in use.
LODESTEP_EXPORT std::vector<std::string> instruction_sets();
const char* instruction_set_in_use() noexcept;
/// For tests: approximators made from now on use this instruction set. An empty name ends it.
LODESTEP_EXPORT void force_instruction_set(const std::string& name);

} // namespace lodestep::detail
