#pragma once

// oneDNN changed its interface in 3.0 (operation descriptors went away, post-operations lost their scale). This header
// is the only place that knows: everything else is written against the functions below.

#include <oneapi/dnnl/dnnl.hpp>

namespace lodestep::detail::onednn_shim {

using Memory = dnnl::memory;
using InnerProduct = dnnl::inner_product_forward;

inline Memory::desc matrix(std::int64_t rows, std::int64_t columns) {
  return {{rows, columns}, Memory::data_type::f32, Memory::format_tag::ab};
}

/// Weights in whatever layout the library likes best.
inline Memory::desc any_matrix(std::int64_t rows, std::int64_t columns) {
  return {{rows, columns}, Memory::data_type::f32, Memory::format_tag::any};
}

inline Memory::desc vector(std::int64_t size) {
  return {{size}, Memory::data_type::f32, Memory::format_tag::a};
}

/// Adds to what is in the destination, or applies an activation.
inline void append_sum(dnnl::post_ops& operations) {
  operations.append_sum(1.0f);
}
inline void append_activation(dnnl::post_ops& operations, dnnl::algorithm algorithm, float alpha) {
#if DNNL_VERSION_MAJOR >= 3
  operations.append_eltwise(algorithm, alpha, 0.0f);
#else
  operations.append_eltwise(1.0f, algorithm, alpha, 0.0f);
#endif
}

/// destination[batch, outputs] = post(source[batch, inputs] weights^T + bias), with a scratchpad of the caller's.
inline InnerProduct::primitive_desc inner_product(const dnnl::engine& engine, std::int64_t batch, std::int64_t inputs,
                                                  std::int64_t outputs, const dnnl::post_ops& operations) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_post_ops(operations);
  const auto kind = dnnl::prop_kind::forward_inference;
  const auto source = matrix(batch, inputs);
  const auto weights = any_matrix(outputs, inputs);
  const auto bias = vector(outputs);
  const auto destination = matrix(batch, outputs);
#if DNNL_VERSION_MAJOR >= 3
  return {engine, kind, source, weights, bias, destination, attributes};
#else
  return {{kind, source, weights, bias, destination}, attributes, engine};
#endif
}

/// One layer in training, in f32: destination = source weights^T + bias, and from the derivative of a loss by the
/// destination those by the source, and by weights and bias. Weights in whatever layout each likes best.
struct TrainingDescriptions {
  InnerProduct::primitive_desc forward;
  dnnl::inner_product_backward_data::primitive_desc backward_data;
  dnnl::inner_product_backward_weights::primitive_desc backward_weights;
};

inline TrainingDescriptions inner_product_training(const dnnl::engine& engine, std::int64_t batch, std::int64_t inputs,
                                                   std::int64_t outputs) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const auto kind = dnnl::prop_kind::forward_training;
  const auto source = matrix(batch, inputs);
  const auto weights = any_matrix(outputs, inputs);
  const auto bias = vector(outputs);
  const auto destination = matrix(batch, outputs);
#if DNNL_VERSION_MAJOR >= 3
  const InnerProduct::primitive_desc forward(engine, kind, source, weights, bias, destination, attributes);
  return {forward,
          {engine, source, weights, destination, forward, attributes},
          {engine, source, weights, bias, destination, forward, attributes}};
#else
  using Data = dnnl::inner_product_backward_data;
  using Weights = dnnl::inner_product_backward_weights;
  const InnerProduct::primitive_desc forward({kind, source, weights, bias, destination}, attributes, engine);
  return {forward, Data::primitive_desc(Data::desc(source, weights, destination), attributes, engine, forward),
          Weights::primitive_desc(Weights::desc(source, weights, bias, destination), attributes, engine, forward)};
#endif
}

} // namespace lodestep::detail::onednn_shim
