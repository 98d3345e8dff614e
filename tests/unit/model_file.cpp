#include "model_bytes.hpp"
#include "sample_models.hpp"

#include <lodestep/error.hpp>
#include <lodestep/model.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

using namespace lodestep;
using namespace lodestep::test;

namespace {

std::string field_of(const Model& model) {
  try {
    (void)serialize_model(model);
  } catch (const InvalidModel& error) {
    return error.field();
  }
  return "";
}

/// A folder that goes away with the test.
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("lodestep-" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file(const std::string& name) const { return (path / name).string(); }
};

} // namespace

BOOST_AUTO_TEST_CASE(every_kind_of_model_comes_back_bit_for_bit) {
  const auto models = sample_models();
  BOOST_TEST(models.size() == 42u);
  for (const auto& [name, model] : models) {
    BOOST_TEST_CONTEXT(name) {
      const Bytes bytes = serialize_model(model);
      const auto loaded = load_model(bytes.data(), bytes.size(), name);
      BOOST_TEST(same(*loaded, model));
      BOOST_TEST((serialize_model(*loaded) == bytes));
    }
  }
}

BOOST_AUTO_TEST_CASE(the_comparison_itself_sees_a_changed_bit) {
  const Model model = sample_models().back().model;
  Model other = model;
  std::get<MlpTerm>(std::get<CorrectorModel>(other.method).approximator.term).layers[2].bias[1] *= 1.0 + 0x1p-52;
  BOOST_TEST(!same(other, model));
  other = model;
  other.provenance.parameters[2].value = 0.0;
  BOOST_TEST(!same(other, model));
}

BOOST_AUTO_TEST_CASE(a_saved_model_is_the_serialised_one) {
  const Folder folder;
  const Model model = sample_models().front().model;
  const std::string path = folder.file("a model");
  save_model(model, path);
  BOOST_TEST(same(*load_model(path), model));
  std::ifstream file(path, std::ios::binary);
  const Bytes written{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  BOOST_TEST((written == serialize_model(model)));
}

BOOST_AUTO_TEST_CASE(the_file_is_a_safetensors_file) {
  for (const auto& [name, model] : sample_models()) {
    BOOST_TEST_CONTEXT(name) {
      const auto parts = take_apart(serialize_model(model));
      const auto header = nlohmann::json::parse(parts.header);
      const auto& spec = std::get<CorrectorModel>(model.method).approximator;
      BOOST_TEST(parts.header.size() % 8 == 0u);
      const auto& metadata = header.at("__metadata__");
      BOOST_TEST(metadata.at("format_version").get<std::string>() == "1");
      const auto description = nlohmann::json::parse(metadata.at("lodestep").get<std::string>());
      BOOST_TEST(description.at("kind").get<std::string>() == "corrector");
      BOOST_TEST(description.at("provenance").at("seed").get<std::uint64_t>() == model.provenance.seed);
      // The standardisation is F64 whatever the precision, the weights of the term are what the precision says.
      BOOST_TEST(header.at("approximator.input_mean").at("dtype").get<std::string>() == "F64");
      BOOST_TEST(header.at("approximator.affine.weight").at("shape").get<std::vector<std::size_t>>() ==
                     (std::vector<std::size_t>{spec.outputs, spec.inputs}),
                 boost::test_tools::per_element());
      const std::string term = spec.precision == Precision::f32 ? "F32" : "F64";
      if (std::holds_alternative<MlpTerm>(spec.term)) {
        BOOST_TEST(header.at("approximator.mlp.layers[1].weight").at("dtype").get<std::string>() == term);
      } else if (std::holds_alternative<PolynomialTerm>(spec.term)) {
        BOOST_TEST(header.at("approximator.polynomial.coefficient").at("dtype").get<std::string>() == term);
      } else if (std::holds_alternative<PiecewiseTerm>(spec.term)) {
        BOOST_TEST(header.at("approximator.piecewise.coefficient").at("dtype").get<std::string>() == term);
        BOOST_TEST(header.at("approximator.piecewise.tree").at("dtype").get<std::string>() == "I32");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_checksum_is_crc_64_xz_of_the_whole_file) {
  const std::string check = "123456789"; // the catalogue's check value
  BOOST_TEST(reference_crc64(reinterpret_cast<const unsigned char*>(check.data()), check.size()) ==
             0x995DC9BBDF1939FAu);
  const Bytes bytes = serialize_model(sample_models().front().model);
  Bytes again = bytes;
  reseal(again);
  BOOST_TEST((again == bytes));
}

BOOST_AUTO_TEST_CASE(python_reads_the_file) {
  // The format's rules, checked by a reader that shares no line with ours: no key twice, types, offsets without gaps,
  // and the numbers themselves.
  const Folder folder;
  const Model model = sample_model(CorrectorInput::stages, Precision::f32, "mlp", Activation::tanh);
  const std::string path = folder.file("model");
  save_model(model, path);
  std::ofstream(folder.file("check.py")) << R"(
import json, struct, sys
def once(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), keys
    return dict(pairs)
raw = open(sys.argv[1], "rb").read()
length, = struct.unpack("<Q", raw[:8])
assert (8 + length) % 8 == 0
header = json.loads(raw[8:8 + length].decode("utf-8"), object_pairs_hook=once)
metadata = header.pop("__metadata__")
assert all(type(value) is str for value in metadata.values())
description = json.loads(metadata["lodestep"], object_pairs_hook=once)
data, end, last = raw[8 + length:], 0, None
for name, tensor in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
    assert set(tensor) == {"dtype", "shape", "data_offsets"}
    begin, stop = tensor["data_offsets"]
    count = 1
    for extent in tensor["shape"]: count *= extent
    code, width = {"F64": ("d", 8), "F32": ("f", 4)}[tensor["dtype"]]
    assert begin == end and stop - begin == count * width and begin % width == 0
    end = stop
    header[name] = struct.unpack("<%d%s" % (count, code), data[begin:stop])
assert end == len(data)
print(description["variables"][1]["name"].encode("unicode_escape").decode())
print("%.17g %.17g" % (header["approximator.input_mean"][5], header["approximator.mlp.layers[2].bias"][1]))
)";
  const std::string output = folder.file("output");
  const std::string command =
      "python3 '" + folder.file("check.py") + "' '" + path + "' > '" + output + "'"; // stderr shows what failed
  BOOST_TEST_REQUIRE(std::system(command.c_str()) == 0);
  std::ifstream printed(output);
  std::string name;
  std::getline(printed, name);
  BOOST_TEST(name == R"(\u03b8\u0307 "quoted"\n\\)");
  double mean = 0.0;
  double bias = 0.0;
  printed >> mean >> bias;
  const auto& spec = std::get<CorrectorModel>(model.method).approximator;
  BOOST_TEST(same(mean, spec.input_mean[5]));
  BOOST_TEST(same(bias, std::get<MlpTerm>(spec.term).layers[2].bias[1]));
}

BOOST_AUTO_TEST_CASE(what_a_file_cannot_hold_is_refused_not_changed) {
  Model model = sample_model(CorrectorInput::state, Precision::f32, "mlp", Activation::relu);
  auto& weight = std::get<MlpTerm>(std::get<CorrectorModel>(model.method).approximator.term).layers[0].weight;
  weight[3] = 0.1; // no float
  BOOST_TEST(field_of(model) == "approximator.mlp.layers[0].weight[3]");
  weight[3] = 1e300;
  BOOST_TEST(field_of(model) == "approximator.mlp.layers[0].weight[3]");

  model = sample_models().front().model;
  model.variables[0].name = "\xFF";
  BOOST_TEST(field_of(model) == "variables[0].name");
  model = sample_models().front().model;
  model.provenance.recipe = "cut \xC3";
  BOOST_TEST(field_of(model) == "provenance.recipe");
}

BOOST_AUTO_TEST_CASE(an_unsound_model_is_not_written) {
  Model model = sample_models().front().model;
  std::get<CorrectorModel>(model.method).dt = -0.1;
  BOOST_TEST(field_of(model) == "dt");
  model = sample_models().front().model;
  model.error.step_rms = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(field_of(model) == "error.step_rms");
}
