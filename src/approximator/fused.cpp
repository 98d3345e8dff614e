// Packing: everything that happens once, when an approximator is made. No SIMD here; see fused_*.cpp for the kernels.
#include "approximator/fused.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace lodestep::detail {

namespace {

std::size_t round_up(std::size_t n, std::size_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

/// Folding keeps every digit unless a product leaves the range of double: powers of a scale of 1e-60 do.
constexpr double largest_folded = 1e250;
constexpr double smallest_folded = 1e-250;

bool foldable(double folded) {
  const double size = std::abs(folded);
  return size == 0.0 || (size < largest_folded && size > smallest_folded);
}

bool foldable(const std::vector<double>& folded) {
  return std::all_of(folded.begin(), folded.end(), [](double v) { return foldable(v); });
}

FusedScaling make_scaling(const ApproximatorSpec& spec, bool folded) {
  FusedScaling scaling;
  scaling.folded = folded;
  scaling.mean.assign(spec.input_mean.begin(), spec.input_mean.end());
  scaling.inverse_scale.resize(spec.inputs, 1.0);
  if (!folded) {
    for (std::size_t i = 0; i < spec.inputs; ++i) scaling.inverse_scale[i] = 1.0 / spec.input_scale[i];
  }
  scaling.output_scale.assign(spec.output_scale.begin(), spec.output_scale.end());
  return scaling;
}

/// In f64 outputs are scaled by the weights; in f32, whose range is short, in double at the end.
double output_factor(const ApproximatorSpec& spec, std::size_t output) {
  return spec.precision == Precision::f64 ? spec.output_scale[output] : 1.0;
}

/// The monomials of Horner's scheme in its order of evaluation, each a non-decreasing list of variables. With
/// `leaf` > 1 the innermost sums run upwards over whole multiples of `leaf` variables, as horner_any reads them; a list
/// that is no monomial (a variable below the first, or beyond the last) then stands for a coefficient of zero.
void add_in_order(unsigned degree, std::size_t first, std::size_t inputs, std::size_t leaf,
                  std::vector<std::size_t>& variables, std::vector<std::vector<std::size_t>>& order) {
  order.push_back(variables);
  if (degree == 0) return;
  const auto descend = [&](std::size_t v) {
    variables.push_back(v);
    add_in_order(degree - 1, v, inputs, leaf, variables, order);
    variables.pop_back();
  };
  if (degree == 1 && leaf > 1) {
    for (std::size_t v = first / leaf * leaf; v < round_up(inputs, leaf); ++v) descend(v);
  } else {
    for (std::size_t v = inputs; v-- > first;) descend(v);
  }
}

bool is_monomial(const std::vector<std::size_t>& variables, std::size_t inputs) {
  return std::is_sorted(variables.begin(), variables.end()) && (variables.empty() || variables.back() < inputs);
}

/// Coefficients of the affine and the polynomial term together, by Horner node: [node][output].
std::vector<double> horner_coefficients(const ApproximatorSpec& spec, unsigned degree, std::size_t leaf, bool folded) {
  const auto order = horner_order(degree, spec.inputs, leaf);
  const auto index = monomial_index(spec.inputs, degree);
  const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term);

  std::vector<double> coefficients(order.size() * spec.outputs);
  for (std::size_t node = 0; node < order.size(); ++node) {
    const auto& monomial = order[node];
    if (!is_monomial(monomial, spec.inputs)) continue;
    for (std::size_t o = 0; o < spec.outputs; ++o) {
      double c = 0.0;
      if (monomial.empty()) {
        c = spec.affine.bias[o];
      } else if (monomial.size() == 1) {
        c = spec.affine.weight[o * spec.inputs + monomial[0]];
      } else {
        c = polynomial->coefficient[o * index.size() + index.at(monomial)];
      }
      c *= output_factor(spec, o);
      for (std::size_t v : monomial) {
        if (folded) c /= spec.input_scale[v];
      }
      coefficients[node * spec.outputs + o] = c;
    }
  }
  return coefficients;
}

template <class T> std::shared_ptr<const void> pack_polynomial(const ApproximatorSpec& spec, FusedChoice& choice) {
  const auto* polynomial = std::get_if<PolynomialTerm>(&spec.term);
  const unsigned degree = polynomial ? polynomial->degree : 1;
  bool folded = spec.precision == Precision::f64;
  if (folded && !foldable(horner_coefficients(spec, degree, 1, true))) folded = false;
  choice = choose_polynomial(spec.precision, spec.inputs, spec.outputs, degree, folded);
  const auto coefficients = horner_coefficients(spec, degree, choice.leaf_multiple, folded);
  auto packed = std::make_shared<FusedPolynomial<T>>();
  packed->inputs = spec.inputs;
  packed->outputs = spec.outputs;
  packed->degree = degree;
  packed->lanes = choice.lanes;
  packed->nodes = coefficients.size() / spec.outputs;
  packed->scaling = make_scaling(spec, folded);
  const std::size_t blocks = round_up(spec.outputs, choice.lanes) / choice.lanes;
  packed->coefficient.resize(blocks * packed->nodes * choice.lanes);
  for (std::size_t o = 0; o < spec.outputs; ++o) {
    for (std::size_t node = 0; node < packed->nodes; ++node) {
      packed->coefficient[((o / choice.lanes) * packed->nodes + node) * choice.lanes + o % choice.lanes] =
          static_cast<T>(coefficients[node * spec.outputs + o]);
    }
  }
  return packed;
}

/// The layers of an MLP with the activation's factors, slope and offset and the standardisation folded in, in double.
struct FoldedMlp {
  std::vector<AffineLayer> layers;
  AffineLayer affine;
};

void add_affine(AffineLayer& sum, const AffineLayer& term) {
  for (std::size_t i = 0; i < sum.weight.size(); ++i) sum.weight[i] += term.weight[i];
  for (std::size_t i = 0; i < sum.bias.size(); ++i) sum.bias[i] += term.bias[i];
}

/// outer after inner: outer.weight (inner.weight x + inner.bias), without outer's bias.
AffineLayer compose(const AffineLayer& outer, const AffineLayer& inner) {
  AffineLayer product{inner.inputs, outer.outputs, std::vector<double>(inner.inputs * outer.outputs),
                      std::vector<double>(outer.outputs)};
  for (std::size_t o = 0; o < outer.outputs; ++o) {
    for (std::size_t h = 0; h < outer.inputs; ++h) {
      const double w = outer.weight[o * outer.inputs + h];
      product.bias[o] += w * inner.bias[h];
      for (std::size_t i = 0; i < inner.inputs; ++i) {
        product.weight[o * inner.inputs + i] += w * inner.weight[h * inner.inputs + i];
      }
    }
  }
  return product;
}

FoldedMlp fold_mlp(const ApproximatorSpec& spec, const MlpTerm& mlp, const FoldedActivation& activation, bool folded) {
  FoldedMlp f{mlp.layers, spec.affine};
  const std::size_t hidden = mlp.layers.size() - 1;
  if (activation.slope != 0.0 || activation.offset != 0.0) {
    // a(x) = g + slope x + offset: of one hidden layer the line goes into the affine term. (Deeper networks use the
    // undivided form, see pack_mlp.)
    AffineLayer line = f.layers[0];
    for (auto& w : line.weight) w *= activation.slope;
    for (auto& b : line.bias) b = activation.slope * b + activation.offset;
    add_affine(f.affine, compose(f.layers[1], line));
  }
  for (std::size_t l = 0; l <= hidden; ++l) {
    const double before = l < hidden ? activation.input_factor : 1.0;
    const double after = l > 0 ? activation.output_factor : 1.0;
    for (auto& w : f.layers[l].weight) w *= before * after;
    const double shift = l < hidden ? activation.input_shift : 0.0;
    for (auto& b : f.layers[l].bias) b = b * before + shift;
  }
  for (std::size_t o = 0; o < spec.outputs; ++o) {
    const double factor = output_factor(spec, o);
    for (std::size_t i = 0; i < spec.inputs; ++i) f.affine.weight[o * spec.inputs + i] *= factor;
    for (std::size_t h = 0; h < f.layers[hidden].inputs; ++h) {
      f.layers[hidden].weight[o * f.layers[hidden].inputs + h] *= factor;
    }
    f.affine.bias[o] = factor * (f.affine.bias[o] + f.layers[hidden].bias[o]);
  }
  if (folded) {
    for (std::size_t i = 0; i < spec.inputs; ++i) {
      for (std::size_t o = 0; o < spec.outputs; ++o) f.affine.weight[o * spec.inputs + i] /= spec.input_scale[i];
      for (std::size_t h = 0; h < f.layers[0].outputs; ++h) {
        f.layers[0].weight[h * spec.inputs + i] /= spec.input_scale[i];
      }
    }
  }
  return f;
}

/// Padding units copy the last one: their activation is as finite as its own, and they have no weight in any output.
std::size_t source_unit(std::size_t unit, std::size_t units) {
  return std::min(unit, units - 1);
}

template <class T> void pack_stream(FusedMlp<T>& packed, const FoldedMlp& folded) {
  const std::size_t units = folded.layers[0].outputs;
  const std::size_t lanes = packed.lanes;
  const std::size_t rows = 1 + packed.inputs + packed.padded_outputs;
  packed.widths = {round_up(units, lanes)};
  packed.stream.resize(packed.widths[0] * rows);
  const std::size_t vectors = packed.widths[0] / lanes;
  packed.segments = packed.stream.size() * sizeof(T) > cached_stream_bytes && vectors >= 16 ? stream_segments : 1;
  packed.segment_vectors = round_up(vectors, packed.segments) / packed.segments;
  for (std::size_t unit = 0; unit < packed.widths[0]; ++unit) {
    const std::size_t source = source_unit(unit, units);
    T* at = packed.stream.data() + unit / lanes * rows * lanes + unit % lanes;
    at[0] = static_cast<T>(folded.layers[0].bias[source]);
    for (std::size_t i = 0; i < packed.inputs; ++i) {
      at[(1 + i) * lanes] = static_cast<T>(folded.layers[0].weight[source * packed.inputs + i]);
    }
    for (std::size_t o = 0; unit < units && o < packed.outputs; ++o) {
      at[(1 + packed.inputs + o) * lanes] = static_cast<T>(folded.layers[1].weight[o * units + unit]);
    }
  }
}

template <class T> void pack_layers(FusedMlp<T>& packed, const FoldedMlp& folded) {
  const std::size_t hidden = folded.layers.size() - 1;
  std::size_t padded_inputs = packed.inputs;
  for (std::size_t l = 0; l < hidden; ++l) {
    const auto& layer = folded.layers[l];
    const std::size_t group = unit_group_vectors(layer.outputs, packed.lanes) * packed.lanes;
    const std::size_t width = round_up(layer.outputs, group);
    AlignedVector<T> weights(width * (1 + padded_inputs));
    for (std::size_t unit = 0; unit < width; ++unit) {
      const std::size_t source = source_unit(unit, layer.outputs);
      T* at = weights.data() + unit / group * group * (1 + padded_inputs) + unit % group;
      at[0] = static_cast<T>(layer.bias[source]);
      for (std::size_t i = 0; i < layer.inputs; ++i) {
        at[(1 + i) * group] = static_cast<T>(layer.weight[source * layer.inputs + i]);
      }
    }
    packed.hidden.push_back(std::move(weights));
    packed.widths.push_back(width);
    padded_inputs = width;
  }
  const auto& last = folded.layers.back();
  packed.last.resize(round_up(packed.outputs, output_group) * padded_inputs);
  for (std::size_t o = 0; o < packed.outputs; ++o) {
    T* group = packed.last.data() + o / output_group * output_group * padded_inputs;
    for (std::size_t h = 0; h < last.inputs; ++h) {
      const std::size_t vector = h / packed.lanes * output_group + o % output_group;
      group[vector * packed.lanes + h % packed.lanes] = static_cast<T>(last.weight[o * last.inputs + h]);
    }
  }
}

/// Appends the columns first .. end - 1 of all rows, after the biases if they are wanted, by groups of rows: the order
/// that for_row_groups reads.
template <class T>
void pack_rows(const AffineLayer& layer, std::size_t first, std::size_t end, bool biased, std::size_t group,
               AlignedVector<T>& packed) {
  for (std::size_t row = 0; row < layer.outputs; row += group) {
    while (layer.outputs - row < group) group = group > 4 ? 4 : group / 2;
    for (std::size_t r = 0; biased && r < group; ++r) packed.push_back(static_cast<T>(layer.bias[row + r]));
    for (std::size_t i = first; i < end; ++i) {
      for (std::size_t r = 0; r < group; ++r) {
        packed.push_back(static_cast<T>(layer.weight[(row + r) * layer.inputs + i]));
      }
    }
  }
}

template <class T> void pack_panels(FusedMlp<T>& packed, const FoldedMlp& folded, const FusedChoice& choice) {
  const std::size_t hidden = folded.layers.size() - 1;
  packed.panel_from = choice.panel_from;
  packed.panel_double = choice.panel_double;
  packed.panel_float = choice.panel_float;
  const std::size_t first_rows = packed.inputs <= few_inputs ? few_input_rows : choice.panel_rows;
  pack_rows(folded.affine, 0, packed.inputs, true, first_rows, packed.panel_affine);
  packed.panel_hidden.resize(hidden);
  for (std::size_t l = 0; l < hidden; ++l) {
    const auto& layer = folded.layers[l];
    packed.unit_counts.push_back(layer.outputs);
    if (l + 1 < hidden) packed.widest_unit_count = std::max(packed.widest_unit_count, layer.outputs);
    pack_rows(layer, 0, layer.inputs, true, l == 0 ? first_rows : choice.panel_rows, packed.panel_hidden[l]);
  }
  const auto& last = folded.layers.back();
  for (std::size_t unit = 0; unit < last.inputs; unit += panel_chunk) {
    pack_rows(last, unit, std::min(unit + panel_chunk, last.inputs), false, choice.panel_rows, packed.panel_last);
  }
}

bool foldable(const FoldedMlp& f) {
  return foldable(f.affine.weight) && foldable(f.layers.front().weight) && all_finite(f.affine.bias);
}

template <class T>
std::shared_ptr<const void> pack_mlp(const ApproximatorSpec& spec, const MlpTerm& mlp, FusedChoice& choice) {
  auto packed = std::make_shared<FusedMlp<T>>();
  packed->activation = fold_activation(mlp, mlp.layers.size() == 2);
  bool fold = spec.precision == Precision::f64;
  auto folded = fold_mlp(spec, mlp, packed->activation, fold);
  if (fold && !foldable(folded)) {
    fold = false;
    folded = fold_mlp(spec, mlp, packed->activation, fold);
  }
  const auto choose = spec.precision == Precision::f64 ? choose_mlp_f64 : choose_mlp_f32;
  choice = choose(packed->activation.kernel, spec.inputs, spec.outputs, mlp.layers.size(),
                  fold || spec.precision == Precision::f32);
  packed->inputs = spec.inputs;
  packed->outputs = spec.outputs;
  packed->lanes = choice.lanes;
  packed->padded_outputs = choice.padded_outputs;
  if constexpr (std::is_same_v<T, double>) {
    packed->activate = choice.activate_double;
  } else {
    packed->activate = choice.activate_float;
  }
  packed->scaling = make_scaling(spec, fold);
  packed->affine.resize((1 + spec.inputs) * choice.padded_outputs);
  for (std::size_t o = 0; o < spec.outputs; ++o) {
    packed->affine[o] = static_cast<T>(folded.affine.bias[o]);
    for (std::size_t i = 0; i < spec.inputs; ++i) {
      packed->affine[(1 + i) * choice.padded_outputs + o] = static_cast<T>(folded.affine.weight[o * spec.inputs + i]);
    }
  }
  if (choice.one_pass) {
    pack_stream(*packed, folded);
  } else {
    pack_layers(*packed, folded);
  }
  pack_panels(*packed, folded, choice);
  return packed;
}

} // namespace

std::vector<std::vector<std::size_t>> horner_order(unsigned degree, std::size_t inputs, std::size_t leaf) {
  std::vector<std::vector<std::size_t>> order;
  std::vector<std::size_t> variables;
  add_in_order(degree, 0, inputs, leaf, variables, order);
  return order;
}

std::map<std::vector<std::size_t>, std::size_t> monomial_index(std::size_t inputs, unsigned degree) {
  std::map<std::vector<std::size_t>, std::size_t> index;
  const auto list = monomials(inputs, degree);
  std::vector<std::vector<std::size_t>> names(list.size());
  for (std::size_t m = 0; m < list.size(); ++m) {
    const std::size_t parent = list[m].parent;
    names[m] = parent < inputs ? std::vector<std::size_t>{parent} : names[parent - inputs];
    names[m].push_back(list[m].variable);
    index[names[m]] = m;
  }
  return index;
}

FusedApproximator::FusedApproximator(const ApproximatorSpec& spec) {
  const bool f64 = spec.precision == Precision::f64;
  if (const auto* mlp = std::get_if<MlpTerm>(&spec.term)) {
    packed_ = f64 ? pack_mlp<double>(spec, *mlp, choice_) : pack_mlp<float>(spec, *mlp, choice_);
  } else if (const auto* piecewise = std::get_if<PiecewiseTerm>(&spec.term)) {
    packed_ =
        f64 ? pack_piecewise<double>(spec, *piecewise, choice_) : pack_piecewise<float>(spec, *piecewise, choice_);
  } else {
    packed_ = f64 ? pack_polynomial<double>(spec, choice_) : pack_polynomial<float>(spec, choice_);
  }
}

FusedApproximator::~FusedApproximator() = default;

} // namespace lodestep::detail
