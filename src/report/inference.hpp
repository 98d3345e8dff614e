#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/model.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_export.hpp>

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What one evaluation of a model's approximator costs here, by backend and batch size, on one thread.
namespace lodestep::report {

struct InferencePoint {
  std::string name; ///< as lodestep_bench_inference names it: "mlp/fused/f64/tanh/d:4/h:64/layers:1/b:256"
  Backend backend = Backend::automatic; ///< the one asked for
  Backend runs = Backend::fused;        ///< the one that evaluates: what `automatic` chose
  std::size_t batch = 1;
  double ns_per_sample = 0.0; ///< median over interleaved repetitions, of one state of the batch
};

struct InferenceOptions {
  std::vector<std::size_t> batches{1, 16, 256, 4096};
  Backend backend = Backend::automatic; ///< automatic: every backend that can run it, and automatic choice itself
  double seconds = 3.0;                 ///< roughly; every point is measured at least five times
  std::uint64_t seed = 0;
  Progress progress;
};

struct Inference {
  std::string approximator; ///< its description and precision
  std::string instruction_set;
  std::vector<InferencePoint> points; ///< by batch, then backend
  std::vector<std::string> notes;     ///< backends that were left out, and why
};

/// Times the approximator on inputs drawn from what it was standardised for, given and returned in its own precision.
/// Throws InvalidArgument if the model has no approximator, if a batch is empty, or if the one backend asked for cannot
/// run it.
LODESTEP_TRAIN_EXPORT Inference measure_inference(const Model& model, const InferenceOptions& options);

/// "mlp/fused/f64/tanh/d:4/h:64/layers:1/b:1"; d is inputs x outputs where they differ, h the widths where they do.
LODESTEP_TRAIN_EXPORT std::string inference_name(const ApproximatorSpec& spec, Backend backend, std::size_t batch);

/// What `lodestep bench --inference --json` prints of one model.
LODESTEP_TRAIN_EXPORT nlohmann::ordered_json to_json(const Inference& result);

} // namespace lodestep::report
