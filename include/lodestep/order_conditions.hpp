#pragma once

#include <lodestep/export.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <string>
#include <vector>

/// The algebraic order conditions of Runge-Kutta methods (Butcher 1963; Hairer, Norsett, Wanner, "Solving Ordinary
/// Differential Equations I", II.2): a method has order p if and only if
///
///     sum_i b_i Phi_i(t) = 1 / gamma(t)    for every rooted tree t of at most p nodes.
namespace lodestep {

/// Highest order that can be checked: 200 trees.
constexpr unsigned max_checked_order = 8;

/// A rooted tree: a root and the trees grafted to it.
struct RootedTree {
  unsigned order;                    ///< number of nodes
  double density;                    ///< gamma(t)
  double symmetry;                   ///< sigma(t), the order of its automorphism group
  std::vector<std::size_t> children; ///< indices into rooted_trees(), not increasing

  /// Butcher's bracket notation: "t" is a single node, "[t,[t]]" grafts two trees to a root.
  LODESTEP_EXPORT std::string notation() const;
};

/// All rooted trees of at most max_checked_order nodes, by order: 1, 1, 2, 4, 9, 20, 48, 115 of each.
LODESTEP_EXPORT const std::vector<RootedTree>& rooted_trees();

/// One order condition of a method.
struct OrderCondition {
  const RootedTree* tree;
  double residual; ///< sum_i b_i Phi_i(t) - 1 / gamma(t)
  double rounding; ///< bound of what rounding of the coefficients can make of a residual of zero
  bool holds() const noexcept { return residual <= rounding && -residual <= rounding; }
};

/// The conditions of every tree of at most `max_order` nodes, for the weights b or the embedded ones.
/// Throws InvalidArgument if max_order is above max_checked_order or there is no embedded row.
/// Cost: one product of `a` with a vector for each tree.
LODESTEP_EXPORT std::vector<OrderCondition> order_conditions(const ButcherTableau& tableau, unsigned max_order,
                                                             bool embedded = false);

/// The order the method really has, at most max_checked_order.
LODESTEP_EXPORT unsigned attained_order(const ButcherTableau& tableau, bool embedded = false);

/// The Euclidean norm of the error coefficients of one order, sqrt(sum_t (residual / sigma(t))^2) over the trees of
/// `order` nodes: for order p + 1, the usual measure of a method's accuracy.
LODESTEP_EXPORT double error_coefficient_norm(const ButcherTableau& tableau, unsigned order, bool embedded = false);

} // namespace lodestep
