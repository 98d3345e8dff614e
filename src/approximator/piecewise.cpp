#include "approximator/piecewise.hpp"

#include <lodestep/error.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lodestep {

std::size_t PiecewiseTerm::terms(std::size_t inputs, unsigned degree) {
  return 1 + inputs + (degree > 1 ? monomial_count(inputs, degree) : 0);
}

namespace detail {

namespace {

/// Of the grid itself, before anything is halved.
constexpr std::size_t most_cells = std::size_t{1} << 22;

/// Follows every cell from the grid down and checks that entries and polynomials are each used once.
class TreeCheck {
public:
  TreeCheck(const PiecewiseTerm& term, std::size_t inputs, std::size_t pieces, const std::string& path)
      : term_(term), children_(std::size_t{1} << inputs), path_(path), entry_used_(term.tree.size()),
        piece_used_(pieces) {}

  void run(std::size_t grid) {
    block(0, grid, 0);
    for (std::size_t entry = 0; entry < entry_used_.size(); ++entry) {
      if (!entry_used_[entry]) fail(entry, "no cell is halved into it");
    }
    for (std::size_t piece = 0; piece < piece_used_.size(); ++piece) {
      if (!piece_used_[piece]) {
        throw InvalidModel(path_ + ".coefficient", "polynomial " + std::to_string(piece) + " is in no cell");
      }
    }
  }

private:
  [[noreturn]] void fail(std::size_t entry, const std::string& message) const {
    throw InvalidModel(path_ + ".tree[" + std::to_string(entry) + "]", message);
  }
  void block(std::size_t first, std::size_t count, unsigned depth) {
    for (std::size_t entry = first; entry < first + count; ++entry) {
      if (entry_used_[entry]) fail(entry, "two cells are halved into it");
      entry_used_[entry] = true;
      const std::int64_t value = term_.tree[entry];
      if (value == -1) continue;
      if (value >= 0) {
        const auto piece = static_cast<std::size_t>(value);
        if (piece >= piece_used_.size()) {
          fail(entry, "polynomial " + std::to_string(piece) + " of " + std::to_string(piece_used_.size()));
        }
        if (piece_used_[piece]) fail(entry, "polynomial " + std::to_string(piece) + " is in two cells");
        piece_used_[piece] = true;
        continue;
      }
      const auto child = static_cast<std::size_t>(-1 - value);
      if (child + children_ > term_.tree.size()) {
        fail(entry, "halved into entries from " + std::to_string(child) + " on, there are " +
                        std::to_string(term_.tree.size()));
      }
      if (depth == PiecewiseTerm::deepest) {
        fail(entry, "halved more than " + std::to_string(PiecewiseTerm::deepest) + " times");
      }
      block(child, children_, depth + 1);
    }
  }

  const PiecewiseTerm& term_;
  std::size_t children_;
  const std::string& path_;
  std::vector<bool> entry_used_;
  std::vector<bool> piece_used_;
};

void visit_cells(const PiecewiseTerm& term, std::size_t inputs, std::size_t entry, const GridCell& cell,
                 const std::function<void(std::size_t, const GridCell&)>& visit) {
  const std::int64_t value = term.tree[entry];
  if (value == -1) return;
  if (value >= 0) return visit(static_cast<std::size_t>(value), cell);
  for (std::size_t child = 0; child < std::size_t{1} << inputs; ++child) {
    GridCell half = cell;
    for (std::size_t i = 0; i < inputs; ++i) {
      half.width[i] *= 0.5;
      if (child >> (inputs - 1 - i) & 1) half.lower[i] += half.width[i];
    }
    visit_cells(term, inputs, static_cast<std::size_t>(-1 - value) + child, half, visit);
  }
}

} // namespace

void validate_piecewise(const PiecewiseTerm& term, std::size_t inputs, std::size_t outputs, const std::string& path) {
  if (inputs > PiecewiseTerm::most_inputs) {
    throw InvalidModel(path, "piecewise polynomials have 1 to " + std::to_string(PiecewiseTerm::most_inputs) +
                                 " inputs, found " + std::to_string(inputs));
  }
  if (term.degree < 1 || term.degree > PiecewiseTerm::highest_degree) {
    throw InvalidModel(path + ".degree", "expected 1 to " + std::to_string(PiecewiseTerm::highest_degree) + ", found " +
                                             std::to_string(term.degree));
  }
  if (term.cells.size() != inputs) {
    throw InvalidModel(path + ".cells",
                       "expected " + std::to_string(inputs) + " numbers, found " + std::to_string(term.cells.size()));
  }
  std::size_t grid = 1;
  for (std::size_t i = 0; i < inputs; ++i) {
    if (term.cells[i] == 0 || term.cells[i] > most_cells / grid) {
      throw InvalidModel(path + ".cells[" + std::to_string(i) + "]",
                         "expected at least 1 and " + std::to_string(most_cells) + " in all, found " +
                             std::to_string(term.cells[i]));
    }
    grid *= term.cells[i];
  }
  if (term.tree.size() < grid || term.tree.size() > std::size_t{std::numeric_limits<std::int32_t>::max()}) {
    throw InvalidModel(path + ".tree", "expected an entry for each of " + std::to_string(grid) +
                                           " cells of the grid at least, found " + std::to_string(term.tree.size()));
  }
  const std::size_t each = outputs * PiecewiseTerm::terms(inputs, term.degree);
  if (term.coefficient.size() % each != 0) {
    throw InvalidModel(path + ".coefficient", "expected whole polynomials of " + std::to_string(each) +
                                                  " numbers, found " + std::to_string(term.coefficient.size()));
  }
  for (std::size_t i = 0; i < term.coefficient.size(); ++i) {
    if (!std::isfinite(term.coefficient[i])) {
      throw InvalidModel(path + ".coefficient[" + std::to_string(i) + "]", "not a finite number");
    }
  }
  TreeCheck(term, inputs, term.coefficient.size() / each, path).run(grid);
}

void for_each_piece(const PiecewiseTerm& term, std::size_t inputs,
                    const std::function<void(std::size_t piece, const GridCell&)>& visit) {
  std::size_t grid = 1;
  for (const std::size_t cells : term.cells) grid *= cells;
  for (std::size_t entry = 0; entry < grid; ++entry) {
    GridCell cell{};
    std::size_t rest = entry;
    for (std::size_t i = inputs; i-- > 0;) {
      cell.width[i] = 2.0 / static_cast<double>(term.cells[i]);
      cell.lower[i] = -1.0 + cell.width[i] * static_cast<double>(rest % term.cells[i]);
      rest /= term.cells[i];
    }
    visit_cells(term, inputs, entry, cell, visit);
  }
}

std::int32_t locate(const PiecewiseTerm& term, std::size_t inputs, const double* z, double* local) noexcept {
  std::size_t entry = 0;
  for (std::size_t i = 0; i < inputs; ++i) {
    const auto cells = static_cast<double>(term.cells[i]);
    const double place = (z[i] + 1.0) * 0.5 * cells;
    if (!(place >= 0.0 && place <= cells)) return -1;             // NaN compares false
    const double cell = std::min(std::floor(place), cells - 1.0); // the box's own upper edge belongs to it
    local[i] = place - cell;
    entry = entry * term.cells[i] + static_cast<std::size_t>(cell);
  }
  while (term.tree[entry] < -1) {
    std::size_t child = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
      local[i] *= 2.0;
      const bool upper = local[i] >= 1.0;
      if (upper) local[i] -= 1.0;
      child = 2 * child + (upper ? 1 : 0);
    }
    entry = static_cast<std::size_t>(-1 - std::int64_t{term.tree[entry]}) + child;
  }
  for (std::size_t i = 0; i < inputs; ++i) local[i] = 2.0 * local[i] - 1.0;
  return term.tree[entry];
}

} // namespace detail
} // namespace lodestep
