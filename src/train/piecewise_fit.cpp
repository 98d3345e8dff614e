#include "train/piecewise_fit.hpp"

#include <Eigen/QR>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

namespace lodestep::detail {

namespace {

using Eigen::Index;

constexpr double pi = 3.14159265358979323846;
/// A state is beside a cell if it is no further away than the cell is wide.
constexpr double beside = 1.0;

struct Cell {
  std::size_t entry; ///< in the tree
  std::array<double, PiecewiseTerm::most_inputs> lower;
  std::array<double, PiecewiseTerm::most_inputs> width;
  std::vector<std::uint32_t> visited; ///< states in it or beside it
};

class Fit {
public:
  Fit(const std::vector<Interval>& box, const WantedStates& wanted, const Columns& f,
      const PiecewiseFitOptions& options)
      : box_(box), wanted_(wanted), f_(f), options_(options), inputs_(box.size()), outputs_(options.tolerance.size()) {
    term_.degree = options.degree;
    term_.cells.assign(inputs_, options.cells);
    make_points();
    fit_.largest.assign(outputs_, 0.0);
  }

  std::optional<PiecewiseFit> run() {
    std::vector<Cell> cells = grid();
    for (unsigned depth = 0; !cells.empty(); ++depth) {
      if (options_.proceed && !options_.proceed()) return std::nullopt;
      if (pieces_ + cells.size() > options_.most_pieces) {
        for (const auto& cell : cells) leave(cell);
        break;
      }
      cells = fit_level(std::move(cells), depth < options_.deepest);
    }
    if (!(unresolved_share() <= options_.unresolved_share)) return std::nullopt;
    fit_.spec = ApproximatorSpec::zero(inputs_, outputs_);
    for (std::size_t i = 0; i < inputs_; ++i) {
      fit_.spec.input_mean[i] = 0.5 * (box_[i].lower + box_[i].upper);
      fit_.spec.input_scale[i] = 0.5 * (box_[i].upper - box_[i].lower);
    }
    fit_.spec.term = std::move(term_);
    return std::move(fit_);
  }

private:
  /// Points of a cell from -1 to 1: Chebyshev's, and the matrix that makes a polynomial of values there; then its
  /// corners, middles of sides and centre, where the polynomial is tested and not fitted.
  void make_points() {
    const std::size_t along = options_.degree + 1;
    Eigen::VectorXd chebyshev(static_cast<Index>(along));
    for (Index n = 0; n < chebyshev.size(); ++n) {
      chebyshev[n] = std::cos(pi * (static_cast<double>(n) + 0.5) / static_cast<double>(along));
    }
    const Eigen::MatrixXd fitted = tensor(chebyshev), tested = tensor(Eigen::Vector3d(-1.0, 0.0, 1.0));
    points_.resize(fitted.rows(), fitted.cols() + tested.cols());
    points_ << fitted, tested;
    fitted_ = fitted.cols();
    const auto list = monomials(inputs_, options_.degree);
    basis_.setOnes(static_cast<Index>(1 + inputs_ + list.size()), points_.cols());
    basis_.middleRows(1, points_.rows()) = points_;
    for (std::size_t m = 0; m < list.size(); ++m) {
      basis_.row(static_cast<Index>(1 + inputs_ + m)) =
          basis_.row(static_cast<Index>(1 + list[m].parent))
              .cwiseProduct(points_.row(static_cast<Index>(list[m].variable)));
    }
    const Eigen::MatrixXd transposed = basis_.leftCols(fitted_).transpose();
    to_coefficients_ = transposed.completeOrthogonalDecomposition().pseudoInverse().transpose();
  }

  /// All points whose coordinates are in `along`: [inputs, points].
  Eigen::MatrixXd tensor(const Eigen::VectorXd& along) const {
    Index count = 1;
    for (std::size_t i = 0; i < inputs_; ++i) count *= along.size();
    Eigen::MatrixXd points(static_cast<Index>(inputs_), count);
    for (Index n = 0; n < count; ++n) {
      Index rest = n;
      for (Index i = 0; i < points.rows(); ++i, rest /= along.size()) points(i, n) = along[rest % along.size()];
    }
    return points;
  }

  /// The cells of the grid that are wanted.
  std::vector<Cell> grid() {
    std::size_t count = 1;
    for (std::size_t i = 0; i < inputs_; ++i) count *= options_.cells;
    term_.tree.assign(count, -1);
    std::vector<std::uint32_t> all(static_cast<std::size_t>(wanted_.visited.cols()));
    for (std::size_t n = 0; n < all.size(); ++n) all[n] = static_cast<std::uint32_t>(n);
    std::vector<Cell> cells;
    for (std::size_t entry = 0; entry < count; ++entry) {
      Cell cell{entry, {}, {}, {}};
      std::size_t rest = entry;
      for (std::size_t i = inputs_; i-- > 0; rest /= options_.cells) {
        cell.width[i] = (box_[i].upper - box_[i].lower) / static_cast<double>(options_.cells);
        cell.lower[i] = box_[i].lower + cell.width[i] * static_cast<double>(rest % options_.cells);
      }
      add_if_wanted(std::move(cell), all, cells);
    }
    return cells;
  }

  void add_if_wanted(Cell cell, const std::vector<std::uint32_t>& candidates, std::vector<Cell>& cells) const {
    for (const std::uint32_t n : candidates) {
      bool near = true;
      for (std::size_t i = 0; i < inputs_; ++i) {
        const double x = wanted_.visited(static_cast<Index>(i), static_cast<Index>(n));
        near &= x >= cell.lower[i] - beside * cell.width[i] && x <= cell.lower[i] + (1.0 + beside) * cell.width[i];
      }
      if (near) cell.visited.push_back(n);
    }
    bool in_region = wanted_.region.size() == inputs_;
    for (std::size_t i = 0; i < inputs_ && in_region; ++i) {
      in_region = cell.lower[i] < wanted_.region[i].upper && cell.lower[i] + cell.width[i] > wanted_.region[i].lower;
    }
    if (in_region || !cell.visited.empty()) cells.push_back(std::move(cell));
  }

  /// Fits all cells of a depth, and returns those of the next.
  std::vector<Cell> fit_level(std::vector<Cell> cells, bool may_halve) {
    const Index each = points_.cols();
    Eigen::MatrixXd at(points_.rows(), each * static_cast<Index>(cells.size()));
    for (std::size_t c = 0; c < cells.size(); ++c) {
      for (std::size_t i = 0; i < inputs_; ++i) {
        at.block(static_cast<Index>(i), static_cast<Index>(c) * each, 1, each) =
            (points_.row(static_cast<Index>(i)).array() + 1.0) * (0.5 * cells[c].width[i]) + cells[c].lower[i];
      }
    }
    const Eigen::MatrixXd values = f_(at);
    std::vector<Cell> halves;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const auto of_cell = values.middleCols(static_cast<Index>(c) * each, each);
      const Eigen::MatrixXd coefficients = of_cell.leftCols(fitted_) * to_coefficients_;
      if (is_good(of_cell, coefficients)) {
        keep(cells[c], of_cell, coefficients);
      } else if (may_halve) {
        halve(cells[c], halves);
      } else {
        leave(cells[c]);
      }
    }
    return halves;
  }

  template <class Values> bool is_good(const Values& values, const Eigen::MatrixXd& coefficients) const {
    const Eigen::VectorXd worst = (coefficients * basis_ - values).cwiseAbs().rowwise().maxCoeff();
    bool good = true;
    for (std::size_t o = 0; o < outputs_; ++o) good &= worst[static_cast<Index>(o)] <= options_.tolerance[o];
    return good && coefficients.allFinite();
  }

  template <class Values> void keep(const Cell& cell, const Values& values, const Eigen::MatrixXd& coefficients) {
    term_.tree[cell.entry] = static_cast<std::int32_t>(pieces_++);
    for (Index o = 0; o < coefficients.rows(); ++o) {
      for (Index m = 0; m < coefficients.cols(); ++m) term_.coefficient.push_back(coefficients(o, m));
      auto& largest = fit_.largest[static_cast<std::size_t>(o)];
      largest = std::max(largest, values.row(o).cwiseAbs().maxCoeff());
    }
  }

  void halve(const Cell& cell, std::vector<Cell>& halves) {
    const std::size_t first = term_.tree.size();
    term_.tree[cell.entry] = -1 - static_cast<std::int32_t>(first);
    const std::size_t children = std::size_t{1} << inputs_;
    term_.tree.resize(first + children, -1);
    for (std::size_t child = 0; child < children; ++child) {
      Cell half{first + child, cell.lower, cell.width, {}};
      for (std::size_t i = 0; i < inputs_; ++i) {
        half.width[i] *= 0.5;
        if (child >> (inputs_ - 1 - i) & 1) half.lower[i] += half.width[i];
      }
      add_if_wanted(std::move(half), cell.visited, halves);
    }
  }

  /// Without a polynomial.
  void leave(const Cell& cell) {
    ++fit_.unresolved;
    const auto within = std::count_if(cell.visited.begin(), cell.visited.end(), [&](std::uint32_t n) {
      for (std::size_t i = 0; i < inputs_; ++i) {
        const double x = wanted_.visited(static_cast<Index>(i), static_cast<Index>(n));
        if (x < cell.lower[i] || x >= cell.lower[i] + cell.width[i]) return false;
      }
      return true;
    });
    unresolved_visits_ += static_cast<double>(within);
    double overlap = wanted_.region.size() == inputs_ ? 1.0 : 0.0; // share of the region that it covers
    for (std::size_t i = 0; i < inputs_ && overlap > 0.0; ++i) {
      const auto& side = wanted_.region[i];
      const double lower = std::max(cell.lower[i], side.lower);
      const double upper = std::min(cell.lower[i] + cell.width[i], side.upper);
      overlap *= std::max(upper - lower, 0.0) / (side.upper - side.lower);
    }
    unresolved_region_ += overlap;
  }

  double unresolved_share() const {
    const double visits = unresolved_visits_ / static_cast<double>(wanted_.visited.cols());
    return std::max(visits, unresolved_region_);
  }

  const std::vector<Interval>& box_;
  const WantedStates& wanted_;
  const Columns& f_;
  const PiecewiseFitOptions& options_;
  std::size_t inputs_;
  std::size_t outputs_;
  Eigen::MatrixXd points_;          ///< [inputs, points]: of the fit, then of its test
  Index fitted_ = 0;                ///< of the points
  Eigen::MatrixXd basis_;           ///< [terms, points]
  Eigen::MatrixXd to_coefficients_; ///< [points, terms]
  PiecewiseTerm term_;
  PiecewiseFit fit_;
  std::size_t pieces_ = 0;
  double unresolved_visits_ = 0.0;
  double unresolved_region_ = 0.0; ///< share of it
};

} // namespace

std::optional<PiecewiseFit> fit_piecewise(const std::vector<Interval>& box, const WantedStates& wanted,
                                          const Columns& f, const PiecewiseFitOptions& options) {
  return Fit(box, wanted, f, options).run();
}

} // namespace lodestep::detail
