#include "boundary.hpp"
#include "problem/plugin.hpp"

#include <lodestep/train.hpp>

#include <exception>
#include <lodestep_train.h>
#include <new>
#include <string>

using namespace lodestep;

namespace {

AttnsOptions converted(const lodestep_train_options& options) {
  AttnsOptions result;
  if (options.base) result.base = options.base;
  result.dt = options.dt;
  result.horizon = options.horizon;
  result.error = options.error;
  result.trajectories = options.trajectories;
  result.seed = options.seed;
  if (options.time_limit != 0.0) result.time_limit = options.time_limit;
  if (options.progress) {
    result.progress = [progress = options.progress, user = options.user](double fraction, const std::string& what) {
      return progress(fraction, what.c_str(), user) == 0;
    };
  }
  return result;
}

int train(const lodestep_problem& problem, const lodestep_train_options* options, lodestep_model** model,
          lodestep_train_report* report) {
  if (options && options->size != sizeof *options) {
    throw InvalidArgument("lodestep_train_attns: options.size is " + std::to_string(options->size) + ", expected " +
                          std::to_string(sizeof *options) + ": call lodestep_train_options_init first");
  }
  const Problem converted_problem =
      lodestep::detail::problem_from_descriptor(problem, problem.name ? problem.name : "a problem without a name");
  const AttnsResult result = train_attns(converted_problem, options ? converted(*options) : AttnsOptions());
  if (report) {
    *report = {result.reached ? 1 : 0, result.interrupted ? 1 : 0, result.timed_out ? 1 : 0, result.seconds};
  }
  // Through the public interface of the runtime: the two libraries share no internals.
  const auto bytes = serialize_model(result.model);
  return lodestep_model_load_memory(bytes.data(), bytes.size(), "the trained model", model);
}

} // namespace

extern "C" {

void lodestep_train_options_init(lodestep_train_options* options) {
  if (!options) return;
  *options = {};
  options->size = sizeof *options;
}

int lodestep_train_attns(const lodestep_problem* problem, const lodestep_train_options* options, lodestep_model** model,
                         lodestep_train_report* report) {
  if (!model) return c::fail_null("lodestep_train_attns", "model");
  *model = nullptr;
  if (!problem) return c::fail_null("lodestep_train_attns", "problem");
  return c::guarded([&] { return train(*problem, options, model, report); });
}

} // extern "C"
