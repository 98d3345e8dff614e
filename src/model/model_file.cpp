#include "model/checksum.hpp"
#include "model/corrector_file.hpp"
#include "model/file_bytes.hpp"
#include "model/hierarchy_file.hpp"
#include "model/safetensors.hpp"
#include "model/strict_json.hpp"
#include "model/tableau_file.hpp"
#include "model/tensor_reader.hpp"

#include <lodestep/error.hpp>
#include <lodestep/model.hpp>

#include <algorithm>
#include <string>
#include <utility>

// A model file is a safetensors file whose metadata hold three strings: the format's version, a checksum of the whole
// file, and the description of the model as JSON. Fields of the description are those of `Model`, and those of its kind
// beside them, under the names Model::validate uses. A new kind is one row of `kinds` and its pair of functions.
namespace lodestep {

namespace detail {

namespace {

constexpr const char* description_key = "lodestep";
constexpr const char* version_key = "format_version";

using Method = decltype(Model::method);

struct Kind {
  const char* name;
  Method (*read)(ObjectReader& description, TensorReader& tensors);
};

constexpr Kind kinds[] = {
    {"corrector",
     [](ObjectReader& description, TensorReader& tensors) -> Method { return read_corrector(description, tensors); }},
    {"tableau",
     [](ObjectReader& description, TensorReader& tensors) -> Method { return read_tableau(description, tensors); }},
    {"hierarchy",
     [](ObjectReader& description, TensorReader& tensors) -> Method { return read_hierarchy(description, tensors); }},
};

Kind kind_named(const std::string& name) {
  std::string known;
  for (const auto& kind : kinds) {
    if (name == kind.name) return kind;
    known += std::string(known.empty() ? "" : ", ") + kind.name;
  }
  throw InvalidModel("kind", "unknown kind " + quoted(name) + ": expected one of " + known);
}

Json write_error(const ErrorProfile& error) {
  return {
      {"step_rms", error.step_rms},       {"step_max", error.step_max},           {"horizon", error.horizon},
      {"horizon_rms", error.horizon_rms}, {"base_step_rms", error.base_step_rms}, {"trajectories", error.trajectories}};
}

ErrorProfile read_error(ObjectReader json) {
  ErrorProfile error;
  error.step_rms = json.number("step_rms");
  error.step_max = json.number("step_max");
  error.horizon = json.number("horizon");
  error.horizon_rms = json.number("horizon_rms");
  error.base_step_rms = json.number("base_step_rms");
  error.trajectories = json.size("trajectories");
  json.finish();
  return error;
}

Json write_provenance(const Provenance& provenance) {
  check_utf8(provenance.problem, "provenance.problem");
  check_utf8(provenance.initial, "provenance.initial");
  check_utf8(provenance.recipe, "provenance.recipe");
  check_utf8(provenance.library_version, "provenance.library_version");
  Json parameters = Json::array();
  for (std::size_t i = 0; i < provenance.parameters.size(); ++i) {
    const auto& parameter = provenance.parameters[i];
    check_utf8(parameter.name, "provenance.parameters[" + std::to_string(i) + "].name");
    parameters.push_back({{"name", parameter.name}, {"value", parameter.value}});
  }
  return {{"problem", provenance.problem},
          {"parameters", std::move(parameters)},
          {"initial", provenance.initial},
          {"seed", provenance.seed},
          {"training_trajectories", provenance.training_trajectories},
          {"recipe", provenance.recipe},
          {"library_version", provenance.library_version}};
}

Provenance read_provenance(ObjectReader json) {
  Provenance provenance;
  provenance.problem = json.text("problem");
  const auto& parameters = json.array("parameters");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    ObjectReader parameter(parameters[i], json.path("parameters") + "[" + std::to_string(i) + "]");
    std::string name = parameter.text("name");
    provenance.parameters.push_back({std::move(name), parameter.number("value")});
    parameter.finish();
  }
  provenance.initial = json.text("initial");
  provenance.seed = json.unsigned_integer("seed");
  provenance.training_trajectories = json.size("training_trajectories");
  provenance.recipe = json.text("recipe");
  provenance.library_version = json.text("library_version");
  json.finish();
  return provenance;
}

Json write_variables(const std::vector<Variable>& variables) {
  Json json = Json::array();
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const std::string path = "variables[" + std::to_string(i) + "]";
    check_utf8(variables[i].name, path + ".name");
    check_utf8(variables[i].unit, path + ".unit");
    json.push_back({{"name", variables[i].name}, {"unit", variables[i].unit}});
  }
  return json;
}

std::vector<Variable> read_variables(const Json::array_t& json) {
  std::vector<Variable> variables;
  for (std::size_t i = 0; i < json.size(); ++i) {
    ObjectReader variable(json[i], "variables[" + std::to_string(i) + "]");
    std::string name = variable.text("name");
    variables.push_back({std::move(name), variable.text("unit")});
    variable.finish();
  }
  return variables;
}

Model read_description(const Json& json, TensorReader& tensors) {
  ObjectReader description(json, "");
  Model model;
  const Kind kind = kind_named(description.text("kind"));
  model.variables = read_variables(description.array("variables"));
  model.error = read_error(description.object("error"));
  model.provenance = read_provenance(description.object("provenance"));
  model.method = kind.read(description, tensors);
  description.finish();
  tensors.finish();
  return model;
}

const std::string& metadata_entry(const Metadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) throw InvalidModel(key, "missing: no model written by lodestep");
  return found->second;
}

void check_version(const std::string& text) {
  const bool number = !text.empty() && text.size() <= 9 && text.front() != '0' &&
                      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!number) throw InvalidModel(version_key, "expected a positive integer, found " + quoted(text));
  if (std::stoul(text) > Model::format_version) {
    throw InvalidModel(version_key, "written by a newer lodestep, format " + text + "; this library reads up to " +
                                        std::to_string(Model::format_version));
  }
}

Model read_model(const unsigned char* data, std::size_t size) {
  const SafetensorsHeader header = read_safetensors_header(data, size);
  // Before anything a newer format may have changed.
  check_version(metadata_entry(header.metadata, version_key));
  TensorReader tensors(read_safetensors_tensors(header, data, size));
  if (metadata_entry(header.metadata, checksum_key).size() != checksum_placeholder().size()) {
    throw InvalidModel(checksum_key, "expected " + std::to_string(checksum_placeholder().size()) + " characters");
  }
  check_seal(data, size);
  const Json description = parse_json_object(metadata_entry(header.metadata, description_key), description_key);
  for (const auto& [key, value] : header.metadata) {
    if (key != version_key && key != checksum_key && key != description_key) {
      throw InvalidModel("__metadata__." + key, "unknown entry: nothing in a model file is skipped");
    }
  }
  Model model = read_description(description, tensors);
  model.validate();
  return model;
}

/// The same error, with the file in its message.
[[noreturn]] void rethrow_in_file(const InvalidModel& error, const std::string& name) {
  const std::string prefix = "model: " + error.field() + ": ";
  std::string message = error.what();
  if (message.compare(0, prefix.size(), prefix) == 0) message.erase(0, prefix.size());
  throw InvalidModel(error.field(), message + " (in '" + name + "')");
}

} // namespace

} // namespace detail

std::shared_ptr<const Model> load_model(const void* data, std::size_t size, const std::string& name) {
  try {
    return std::make_shared<const Model>(detail::read_model(static_cast<const unsigned char*>(data), size));
  } catch (const InvalidModel& error) {
    detail::rethrow_in_file(error, name);
  }
}

std::shared_ptr<const Model> load_model(const std::string& path) {
  const auto bytes = detail::read_file(path);
  return load_model(bytes.data(), bytes.size(), path);
}

std::vector<unsigned char> serialize_model(const Model& model) {
  using namespace detail;
  model.validate();
  Tensors tensors;
  Json description = {{"kind", model.kind()},
                      {"variables", write_variables(model.variables)},
                      {"error", write_error(model.error)},
                      {"provenance", write_provenance(model.provenance)}};
  std::visit([&](const auto& method) { write_method(method, description, tensors); }, model.method);
  const Metadata metadata = {{version_key, std::to_string(Model::format_version)},
                             {checksum_key, checksum_placeholder()},
                             {description_key, dump_json(description)}};
  auto bytes = write_safetensors(metadata, tensors);
  seal(bytes);
  return bytes;
}

void save_model(const Model& model, const std::string& path, Overwrite overwrite) {
  detail::write_file(path, serialize_model(model), overwrite);
}

} // namespace lodestep
