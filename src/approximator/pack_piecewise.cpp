// Packing of piecewise polynomials: see FusedPiecewise. No SIMD here.
#include "approximator/fused.hpp"
#include "approximator/piecewise.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace lodestep::detail {

namespace {

/// The polynomials with the affine term and, in f64, the output scale folded in, in the order of evaluation:
/// [polynomial][node][output].
std::vector<double> folded_polynomials(const ApproximatorSpec& spec, const PiecewiseTerm& term) {
  const std::size_t inputs = spec.inputs, outputs = spec.outputs;
  const auto order = horner_order(term.degree, inputs);
  const auto index = monomial_index(inputs, term.degree);
  const std::size_t terms = order.size();
  std::vector<std::size_t> place; // of every node among a polynomial's coefficients
  for (const auto& monomial : order) {
    place.push_back(monomial.empty() ? 0 : monomial.size() == 1 ? 1 + monomial[0] : 1 + inputs + index.at(monomial));
  }
  std::vector<double> folded(term.coefficient.size());
  for_each_piece(term, inputs, [&](std::size_t piece, const GridCell& cell) {
    for (std::size_t o = 0; o < outputs; ++o) {
      const double* c = term.coefficient.data() + (piece * outputs + o) * terms;
      const double* slope = spec.affine.weight.data() + o * inputs;
      const double factor = spec.precision == Precision::f64 ? spec.output_scale[o] : 1.0;
      for (std::size_t node = 0; node < terms; ++node) {
        double value = c[place[node]];
        if (place[node] == 0) { // the affine term in the middle of the cell
          value += spec.affine.bias[o];
          for (std::size_t i = 0; i < inputs; ++i) value += slope[i] * (cell.lower[i] + 0.5 * cell.width[i]);
        } else if (place[node] <= inputs) {
          value += slope[place[node] - 1] * 0.5 * cell.width[place[node] - 1];
        }
        folded[(piece * terms + node) * outputs + o] = factor * value;
      }
    }
  });
  return folded;
}

/// The lookup grid: that of the term, its cells halved along every input as long as most of those with a polynomial are
/// halved anyway and the table stays small.
class LookupGrid {
public:
  LookupGrid(const PiecewiseTerm& term, std::size_t inputs) : term_(term), inputs_(inputs), cells_(term.cells) {
    constexpr std::size_t most_entries = 1 << 14; // 64 KB
    std::size_t entries = 1;
    for (const std::size_t n : cells_) entries *= n;
    while ((entries << inputs) <= most_entries && mostly_halved()) {
      for (std::size_t& n : cells_) n *= 2;
      entries <<= inputs;
      ++halvings_;
    }
    tree_.resize(entries);
    for (std::size_t entry = 0; entry < entries; ++entry) tree_[entry] = under(entry);
  }

  const std::vector<std::size_t>& cells() const noexcept { return cells_; }
  std::vector<std::int32_t> take_tree() { return std::move(tree_); }

private:
  /// Whether more polynomials are below the cells of this depth than in them.
  bool mostly_halved() const {
    std::size_t below = 0, pieces = 0;
    for_each_piece(term_, inputs_, [&](std::size_t, const GridCell& cell) {
      const double width = 2.0 / static_cast<double>(cells_[0]);
      below += cell.width[0] < 0.75 * width;
      ++pieces;
    });
    return 2 * below > pieces;
  }

  /// What the tree has for a cell of the lookup grid: followed down from the grid's own cell, as far as it goes.
  std::int32_t under(std::size_t entry) {
    std::vector<std::size_t> index(inputs_);
    for (std::size_t i = inputs_; i-- > 0; entry /= cells_[i]) index[i] = entry % cells_[i];
    std::size_t at = 0;
    for (std::size_t i = 0; i < inputs_; ++i) at = at * term_.cells[i] + (index[i] >> halvings_);
    for (unsigned depth = 0; depth < halvings_ && term_.tree[at] < -1; ++depth) {
      std::size_t child = 0;
      for (std::size_t i = 0; i < inputs_; ++i) child = 2 * child + (index[i] >> (halvings_ - 1 - depth) & 1);
      at = static_cast<std::size_t>(-1 - std::int64_t{term_.tree[at]}) + child;
    }
    return copy(at);
  }
  /// The entry at `at`, and what is below it, with children at their new places.
  std::int32_t copy(std::size_t at) {
    const std::int32_t value = term_.tree[at];
    if (value >= -1) return value;
    const std::size_t children = std::size_t{1} << inputs_;
    const std::size_t first = tree_.size();
    tree_.resize(first + children);
    for (std::size_t child = 0; child < children; ++child) {
      const std::int32_t copied = copy(static_cast<std::size_t>(-1 - std::int64_t{value}) + child);
      tree_[first + child] = copied;
    }
    return static_cast<std::int32_t>(-1 - static_cast<std::int64_t>(first));
  }

  const PiecewiseTerm& term_;
  std::size_t inputs_;
  std::vector<std::size_t> cells_;
  unsigned halvings_ = 0;
  std::vector<std::int32_t> tree_;
};

} // namespace

template <class T>
std::shared_ptr<const void> pack_piecewise(const ApproximatorSpec& spec, const PiecewiseTerm& term,
                                           FusedChoice& choice) {
  choice = choose_piecewise(spec.precision, spec.inputs, spec.outputs, term.degree);
  auto packed = std::make_shared<FusedPiecewise<T>>();
  packed->outputs = spec.outputs;
  LookupGrid grid(term, spec.inputs);
  for (std::size_t i = 0; i < spec.inputs; ++i) {
    packed->lower[i] = spec.input_mean[i] - spec.input_scale[i];
    packed->cells[i] = static_cast<double>(grid.cells()[i]);
    packed->factor[i] = 0.5 * packed->cells[i] / spec.input_scale[i];
  }
  packed->tree = grid.take_tree();
  packed->scaling.output_scale.assign(spec.output_scale.begin(), spec.output_scale.end());
  const std::size_t terms = PiecewiseTerm::terms(spec.inputs, term.degree);
  const std::size_t lanes = choice.lanes;
  const std::size_t blocks = (spec.outputs + lanes - 1) / lanes;
  const auto whole_vectors = [&](std::size_t numbers) { return (numbers + lanes - 1) / lanes * lanes; };
  packed->header = whole_vectors(2 * spec.inputs * sizeof(double) / sizeof(T));
  packed->stride = packed->header + blocks * terms * lanes;
  const auto folded = folded_polynomials(spec, term);
  const std::size_t pieces = folded.size() / (terms * spec.outputs);
  packed->coefficient.resize(pieces * packed->stride);
  for (std::size_t piece = 0; piece < pieces; ++piece) {
    for (std::size_t node = 0; node < terms; ++node) {
      for (std::size_t o = 0; o < spec.outputs; ++o) {
        packed->coefficient[piece * packed->stride + packed->header + (o / lanes * terms + node) * lanes + o % lanes] =
            static_cast<T>(folded[(piece * terms + node) * spec.outputs + o]);
      }
    }
  }
  for_each_piece(term, spec.inputs, [&](std::size_t piece, const GridCell& cell) {
    for (std::size_t i = 0; i < spec.inputs; ++i) {
      const double place[] = {spec.input_mean[i] + spec.input_scale[i] * (cell.lower[i] + 0.5 * cell.width[i]),
                              2.0 / (cell.width[i] * spec.input_scale[i])};
      std::memcpy(&packed->coefficient[piece * packed->stride] + 2 * i * sizeof(double) / sizeof(T), place,
                  sizeof place);
    }
  });
  return packed;
}

template std::shared_ptr<const void> pack_piecewise<double>(const ApproximatorSpec&, const PiecewiseTerm&,
                                                            FusedChoice&);
template std::shared_ptr<const void> pack_piecewise<float>(const ApproximatorSpec&, const PiecewiseTerm&, FusedChoice&);

} // namespace lodestep::detail
