#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/train_export.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <vector>

/// A network as a graph of operators, free of the format it came in.
namespace lodestep::detail {

struct GraphConstant {
  bool f32 = false;
  std::vector<std::size_t> shape;
  std::vector<double> values;
};

struct GraphNode {
  std::string name; ///< for messages; unique enough
  std::string op;
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::map<std::string, double> numbers; ///< attributes
};

struct Graph {
  std::string input;
  std::size_t input_size = 0; ///< its last dimension; 0 if it is not stated
  std::string output;
  std::map<std::string, GraphConstant> constants;
  std::vector<GraphNode> nodes; ///< each after those it takes its inputs from
};

/// The graph as an affine map or MLP. Throws InvalidModel naming the node that cannot be part of one.
LODESTEP_TRAIN_EXPORT ApproximatorSpec network_of(const Graph& graph);

} // namespace lodestep::detail
