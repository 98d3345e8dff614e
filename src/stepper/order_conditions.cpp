#include <lodestep/error.hpp>
#include <lodestep/order_conditions.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace lodestep {

namespace {

// Appends every tree of `order` nodes whose subtrees are taken from all smaller trees. Subtrees are chosen in
// non-increasing order of index, so that every multiset of them appears once.
void append_trees(unsigned order, unsigned nodes_left, std::size_t limit, std::vector<std::size_t>& children,
                  const std::vector<RootedTree>& smaller, std::vector<RootedTree>& result) {
  if (nodes_left == 0) {
    RootedTree tree{order, static_cast<double>(order), 1.0, children};
    double repetition = 0.0;
    for (std::size_t i = 0; i < children.size(); ++i) {
      const RootedTree& child = smaller[children[i]];
      repetition = i > 0 && children[i] == children[i - 1] ? repetition + 1.0 : 1.0;
      tree.density *= child.density;
      tree.symmetry *= child.symmetry * repetition; // multiplies up to m! for m equal subtrees
    }
    result.push_back(std::move(tree));
    return;
  }
  for (std::size_t i = limit; i-- > 0;) {
    if (smaller[i].order > nodes_left) continue;
    children.push_back(i);
    append_trees(order, nodes_left - smaller[i].order, i + 1, children, smaller, result);
    children.pop_back();
  }
}

void check_order(unsigned order) {
  if (order > max_checked_order) {
    throw InvalidArgument("order conditions are known up to order " + std::to_string(max_checked_order) +
                          ", asked for " + std::to_string(order));
  }
}

} // namespace

const std::vector<RootedTree>& rooted_trees() {
  static const std::vector<RootedTree> trees = [] {
    std::vector<RootedTree> all;
    for (unsigned order = 1; order <= max_checked_order; ++order) {
      std::vector<RootedTree> of_this_order;
      std::vector<std::size_t> children;
      append_trees(order, order - 1, all.size(), children, all, of_this_order);
      std::move(of_this_order.begin(), of_this_order.end(), std::back_inserter(all));
    }
    return all;
  }();
  return trees;
}

std::string RootedTree::notation() const {
  if (children.empty()) return "t";
  std::string text = "[";
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (i > 0) text += ',';
    text += rooted_trees()[children[i]].notation();
  }
  return text + "]";
}

std::vector<OrderCondition> order_conditions(const ButcherTableau& tableau, unsigned max_order, bool embedded) {
  check_order(max_order);
  const std::vector<double>& weights = embedded ? tableau.b_embedded : tableau.b;
  const std::size_t s = tableau.stages();
  if (weights.size() != s || tableau.a.size() != s * s) {
    throw InvalidArgument("order conditions: the tableau has no " + std::string(embedded ? "embedded row" : "weights") +
                          " of " + std::to_string(s) + " stages");
  }
  const std::vector<RootedTree>& trees = rooted_trees();
  // phi holds Phi_i(t) of every tree, `size` the same with every coefficient replaced by its absolute value: rounding
  // each coefficient (and each operation) by a factor 1 + epsilon moves the sum by at most a multiple of it.
  std::vector<double> phi;
  std::vector<double> size;
  std::vector<OrderCondition> conditions;
  for (const RootedTree& tree : trees) {
    if (tree.order > max_order) break;
    double sum = 0.0;
    double total = 0.0;
    const std::size_t first = phi.size();
    phi.resize(first + s, 1.0);
    size.resize(first + s, 1.0);
    for (std::size_t i = 0; i < s; ++i) {
      for (std::size_t child : tree.children) {
        double product = 0.0;
        double absolute = 0.0;
        for (std::size_t j = 0; j < i; ++j) {
          product += tableau.a[i * s + j] * phi[child * s + j];
          absolute += std::abs(tableau.a[i * s + j]) * size[child * s + j];
        }
        phi[first + i] *= product;
        size[first + i] *= absolute;
      }
      sum += weights[i] * phi[first + i];
      total += std::abs(weights[i]) * size[first + i];
    }
    // A coefficient appears at most once for each node, and each sum has s terms.
    const double factor = 4.0 * (tree.order + static_cast<double>(s)) * std::numeric_limits<double>::epsilon();
    conditions.push_back({&tree, sum - 1.0 / tree.density, factor * (total + 1.0 / tree.density)});
  }
  return conditions;
}

unsigned attained_order(const ButcherTableau& tableau, bool embedded) {
  unsigned order = max_checked_order;
  for (const OrderCondition& condition : order_conditions(tableau, max_checked_order, embedded)) {
    if (!condition.holds()) order = std::min(order, condition.tree->order - 1);
  }
  return order;
}

double error_coefficient_norm(const ButcherTableau& tableau, unsigned order, bool embedded) {
  double sum = 0.0;
  for (const OrderCondition& condition : order_conditions(tableau, order, embedded)) {
    if (condition.tree->order != order) continue;
    const double coefficient = condition.residual / condition.tree->symmetry;
    sum += coefficient * coefficient;
  }
  return std::sqrt(sum);
}

} // namespace lodestep
