#include "model_bytes.hpp"
#include "sample_models.hpp"

#include <lodestep/error.hpp>
#include <lodestep/model.hpp>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>

using namespace lodestep;
using namespace lodestep::test;
using nlohmann::json;

namespace {

/// The field an InvalidModel names, or "" if the file loads. Any other exception fails the test. The bytes are copied
/// to memory of exactly their size, so that the address sanitizer sees a read past the end.
std::string field_of(const Bytes& file) {
  const std::unique_ptr<unsigned char[]> exact(new unsigned char[file.size()]);
  std::copy(file.begin(), file.end(), exact.get());
  try {
    (void)load_model(exact.get(), file.size(), "damaged.model");
  } catch (const InvalidModel& error) {
    const std::string message = error.what();
    BOOST_TEST(!error.field().empty());
    BOOST_TEST(message.find(error.field()) != std::string::npos);
    BOOST_TEST(message.find("damaged.model") != std::string::npos);
    return error.field();
  }
  return "";
}

Bytes sample_bytes() {
  return serialize_model(sample_model(CorrectorInput::stages, Precision::f32, "mlp", Activation::rational));
}

/// A file whose header was edited and sealed again: what an attacker, or a program with a fault, might write.
Bytes with_header(const Bytes& file, const std::function<void(json&)>& edit) {
  FileParts parts = take_apart(file);
  json header = json::parse(parts.header);
  edit(header);
  parts.header = header.dump();
  return put_together(parts);
}

Bytes with_header(const std::function<void(json&)>& edit) {
  return with_header(sample_bytes(), edit);
}

Bytes with_description(const Bytes& file, const std::function<void(json&)>& edit) {
  return with_header(file, [&](json& header) {
    json description = json::parse(header["__metadata__"]["lodestep"].get<std::string>());
    edit(description);
    header["__metadata__"]["lodestep"] = description.dump();
  });
}

Bytes with_description(const std::function<void(json&)>& edit) {
  return with_description(sample_bytes(), edit);
}

/// A file with a text of the header replaced, whatever JSON that leaves.
Bytes with_text(const std::string& from, const std::string& to) {
  FileParts parts = take_apart(sample_bytes());
  const std::size_t at = parts.header.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  parts.header.replace(at, from.size(), to);
  return put_together(parts);
}

/// A file with the array's bytes overwritten.
Bytes with_value(const std::string& tensor, double value) {
  FileParts parts = take_apart(sample_bytes());
  const auto description = json::parse(parts.header).at(tensor);
  const auto begin = description.at("data_offsets")[0].get<std::size_t>();
  const auto single = static_cast<float>(value);
  if (description.at("dtype") == "F32") {
    std::memcpy(parts.data.data() + begin, &single, sizeof single);
  } else {
    std::memcpy(parts.data.data() + begin, &value, sizeof value);
  }
  return put_together(parts);
}

} // namespace

BOOST_AUTO_TEST_CASE(taking_apart_and_putting_together_changes_nothing) {
  // Otherwise the attacks below would fail for the wrong reason.
  BOOST_TEST(field_of(sample_bytes()) == "");
  BOOST_TEST((put_together(take_apart(sample_bytes())) == sample_bytes()));
  BOOST_TEST(field_of(with_header([](json&) {})) == "");
  BOOST_TEST(field_of(with_description([](json&) {})) == "");
}

BOOST_AUTO_TEST_CASE(every_truncation_is_an_error) {
  for (const char* term : {"none", "polynomial", "mlp"}) {
    const Bytes whole =
        serialize_model(sample_model(CorrectorInput::increment, Precision::f64, term, Activation::tanh));
    for (std::size_t size = 0; size < whole.size(); ++size) {
      BOOST_TEST_CONTEXT(term << " cut to " << size << " of " << whole.size() << " bytes") {
        const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        BOOST_TEST(field_of(cut) == "file");
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_an_error) {
  Bytes file = sample_bytes();
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      file[i] ^= static_cast<unsigned char>(1 << bit);
      BOOST_TEST(field_of(file) != "", "bit " << bit << " of byte " << i);
      file[i] ^= static_cast<unsigned char>(1 << bit);
    }
  }
}

BOOST_AUTO_TEST_CASE(ten_thousand_random_corruptions_are_errors) {
  const auto models = sample_models();
  std::vector<Bytes> files;
  for (const auto& sample : models) files.push_back(serialize_model(sample.model));
  std::mt19937_64 random(2026);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const auto at = [](Bytes& file, std::size_t i) { return file.begin() + static_cast<std::ptrdiff_t>(i); };
  std::size_t corrupted = 0;
  std::size_t missed = 0;
  while (corrupted < 10000) {
    const Bytes& original = files[below(files.size())];
    Bytes file = original;
    const std::size_t length = 1 + below(64);
    switch (below(6)) {
    case 0: // one byte
      file[below(file.size())] = static_cast<unsigned char>(random());
      break;
    case 1: // some bytes here and there
      for (std::size_t i = 0; i < length; ++i) file[below(file.size())] = static_cast<unsigned char>(random());
      break;
    case 2: // a run of zeros, as a lost disk block leaves
      for (std::size_t i = below(file.size()), n = length; n > 0 && i < file.size(); ++i, --n) file[i] = 0;
      break;
    case 3: // insertion
      for (std::size_t i = below(file.size() + 1), n = length; n > 0; --n) {
        file.insert(at(file, i), static_cast<unsigned char>(random()));
      }
      break;
    case 4: { // deletion
      const std::size_t i = below(file.size());
      file.erase(at(file, i), at(file, std::min(file.size(), i + length)));
      break;
    }
    case 5: { // two runs change places
      const std::size_t n = std::min(length, file.size() / 2);
      const std::size_t i = below(file.size() / 2 - n + 1);
      const std::size_t j = file.size() / 2 + below(file.size() - file.size() / 2 - n + 1);
      std::swap_ranges(at(file, i), at(file, i + n), at(file, j));
      break;
    }
    }
    if (file == original) continue; // the damage put back what was there
    ++corrupted;
    if (field_of(file).empty()) ++missed;
  }
  BOOST_TEST(missed == 0u);
}

BOOST_AUTO_TEST_CASE(a_corruption_behind_a_right_checksum_is_an_error_or_a_sound_model) {
  // Without the checksum's protection a changed weight is simply another weight; what must hold is that nothing
  // crashes, and that whatever loads is sound and writes itself again.
  std::mt19937_64 random(7);
  const Bytes original = sample_bytes();
  std::size_t refused = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    Bytes file = original;
    const std::size_t range = trial % 2 ? file.size() : take_apart(file).header.size() + 8;
    for (std::uint64_t n = 1 + random() % 3; n > 0; --n) file[random() % range] = static_cast<unsigned char>(random());
    reseal(file);
    try {
      const auto model = load_model(file.data(), file.size(), "damaged.model");
      const Bytes again = serialize_model(*model);
      BOOST_TEST(same(*load_model(again.data(), again.size(), "again"), *model));
    } catch (const InvalidModel& error) {
      BOOST_TEST(!error.field().empty());
      ++refused;
    }
  }
  BOOST_TEST(refused > 2000u);
}

BOOST_AUTO_TEST_CASE(no_model_file_at_all) {
  BOOST_TEST(field_of({}) == "file");
  BOOST_TEST(field_of(Bytes(8, 0)) == "file");
  BOOST_TEST(field_of(Bytes(1000, 0xFF)) == "file");
  const std::string text = "stepper,mse,microseconds\nrk4,1e-9,3.5\n";
  BOOST_TEST(field_of(Bytes(text.begin(), text.end())) == "file");
  // A safetensors file of somebody else.
  BOOST_TEST(field_of(put_together({"{}      ", {}})) == "format_version");
  BOOST_TEST(field_of(put_together({R"({"__metadata__":{"format":"pt"}})", {}})) == "format_version");
}

BOOST_AUTO_TEST_CASE(lengths_beyond_the_file_are_refused_before_anything_is_allocated) {
  for (const std::uint64_t length :
       {std::uint64_t{1} << 20, std::uint64_t{1} << 40, std::uint64_t{1} << 63,
        std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max() - 7}) {
    Bytes file = sample_bytes();
    std::memcpy(file.data(), &length, sizeof length);
    reseal(file);
    BOOST_TEST(field_of(file) == "file");
  }
  const std::string weight = "approximator.affine.weight";
  const auto huge = std::uint64_t{1} << 62;
  BOOST_TEST(field_of(with_header([&](json& h) { h[weight]["shape"] = {huge, huge}; })) == weight + ".shape");
  BOOST_TEST(field_of(with_header([&](json& h) { h[weight]["shape"] = {huge, 6}; })) == weight + ".shape");
  BOOST_TEST(field_of(with_header([&](json& h) { h[weight]["shape"] = {huge, 4, 2}; })) == weight + ".shape");
  BOOST_TEST(field_of(with_header([&](json& h) { h[weight]["shape"] = {0, huge}; })) == weight + ".data_offsets");
  BOOST_TEST(field_of(with_header([&](json& h) {
               h["approximator.output_scale"]["shape"] = {std::uint64_t{1} << 50};
               const auto begin = h["approximator.output_scale"]["data_offsets"][0].get<std::uint64_t>();
               h["approximator.output_scale"]["data_offsets"][1] = begin + (std::uint64_t{8} << 50);
             })) != "");
  BOOST_TEST(field_of(with_description([&](json& d) { d["approximator"]["mlp"]["layers"] = huge; })) ==
             "approximator.mlp.layers");
  BOOST_TEST(field_of(with_description([&](json& d) { d["approximator"]["inputs"] = huge; })) ==
             "approximator.input_mean");
}

BOOST_AUTO_TEST_CASE(a_number_of_monomials_that_overflows_is_refused) {
  const Bytes file = serialize_model(sample_model(CorrectorInput::state, Precision::f64, "polynomial", {}));
  BOOST_TEST(field_of(with_description(file, [](json& d) { d["approximator"]["polynomial"]["degree"] = 4; })) ==
             "approximator.polynomial.coefficient.shape");
  BOOST_TEST(field_of(with_description(file, [](json& d) { d["approximator"]["polynomial"]["degree"] = 1; })) ==
             "approximator.polynomial.coefficient.shape");
  BOOST_TEST(field_of(with_description(file, [](json& d) { d["approximator"]["polynomial"]["degree"] = 10; })) ==
             "approximator.polynomial.degree");
  BOOST_TEST(field_of(with_description(file, [](json& d) { d["approximator"]["inputs"] = 1000000; })) ==
             "approximator.polynomial.coefficient.shape");
}

BOOST_AUTO_TEST_CASE(a_newer_format_is_told_from_damage) {
  for (const char* version : {"2", "17", "999999999"}) {
    // A newer file may hold what this library has never heard of.
    const Bytes file = with_header([&](json& h) {
      h["__metadata__"]["format_version"] = version;
      h["approximator.affine.weight"]["dtype"] = "BF16";
    });
    BOOST_TEST(field_of(file) == "format_version");
    BOOST_CHECK_EXCEPTION((void)load_model(file.data(), file.size(), "new.model"), InvalidModel,
                          [&](const InvalidModel& error) {
                            const std::string message = error.what();
                            return message.find("written by a newer lodestep, format " + std::string(version) +
                                                "; this library reads up to 1") != std::string::npos;
                          });
  }
  for (const char* version : {"", "0", "01", "-1", "1.0", "one", "99999999999999999999"}) {
    BOOST_TEST(field_of(with_header([&](json& h) { h["__metadata__"]["format_version"] = version; })) ==
               "format_version");
  }
}

BOOST_AUTO_TEST_CASE(the_checksum_must_be_there_and_in_lower_case) {
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"].erase("checksum"); })) == "checksum");
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"]["checksum"] = "crc64"; })) == "checksum");
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"]["checksum"] = "crc64:0123456789abcdef0"; })) ==
             "checksum");
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"]["checksum"] = "sha256:0123456789abcdef"; })) ==
             "checksum");
  Bytes file = sample_bytes();
  const std::string mark = "crc64:";
  const auto digits = std::search(file.begin(), file.end(), mark.begin(), mark.end()) + 6;
  const auto letter = std::find_if(digits, digits + 16, [](unsigned char c) { return c >= 'a'; });
  BOOST_REQUIRE(letter != digits + 16);
  *letter = static_cast<unsigned char>(*letter - 'a' + 'A');
  BOOST_TEST(field_of(file) == "checksum");
}

BOOST_AUTO_TEST_CASE(arrays_must_tile_the_file) {
  const std::string mean = "approximator.input_mean"; // [6] F64, after output's and affine's
  const auto shifted = [&](int begin, int end) {
    return with_header([&](json& h) {
      auto& offsets = h[mean]["data_offsets"];
      offsets = {offsets[0].get<std::int64_t>() + begin, offsets[1].get<std::int64_t>() + end};
    });
  };
  BOOST_TEST(field_of(shifted(0, 8)) == mean + ".data_offsets");
  BOOST_TEST(field_of(shifted(-8, 0)) == mean + ".data_offsets");
  BOOST_TEST(field_of(shifted(8, 8)) != "");   // a gap and an overlap
  BOOST_TEST(field_of(shifted(-8, -8)) != ""); // an overlap and a gap
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["data_offsets"] = {8, 0}; })) == mean + ".data_offsets");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["data_offsets"] = {0, 8, 16}; })) == mean + ".data_offsets");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["data_offsets"] = {-8, 40}; })) == mean + ".data_offsets[0]");

  FileParts parts = take_apart(sample_bytes());
  parts.data.push_back(0);
  BOOST_TEST(field_of(put_together(parts)) == "file"); // trailing
  parts = take_apart(sample_bytes());
  parts.data.insert(parts.data.begin(), 8, 0);
  BOOST_TEST(field_of(put_together(parts)) == "file");
}

BOOST_AUTO_TEST_CASE(arrays_must_be_those_of_the_model) {
  const std::string mean = "approximator.input_mean";
  const std::string bias = "approximator.mlp.layers[1].bias";
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["dtype"] = "I64"; })) == mean + ".dtype");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["dtype"] = 64; })) == mean + ".dtype");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["shape"] = {2, 3}; })) == mean + ".shape");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["shape"] = {5}; })) == mean + ".data_offsets");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["shape"] = {6.0}; })) == mean + ".shape[0]");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["shape"] = "6"; })) == mean + ".shape");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean].erase("shape"); })) == mean + ".shape");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean]["scale"] = 2; })) == mean + ".scale");
  BOOST_TEST(field_of(with_header([&](json& h) { h[mean] = 2; })) == mean);
  // Twelve F32 where six F64 are expected.
  BOOST_TEST(field_of(with_header([&](json& h) {
               h[mean]["dtype"] = "F32";
               h[mean]["shape"] = {12};
             })) == mean + ".dtype");
  // Renamed: one missing and one too many.
  BOOST_TEST(field_of(with_header([&](json& h) {
               h["approximator.mean"] = h[mean];
               h.erase(mean);
             })) == mean);
  // One too many, empty so that it fits in everywhere.
  BOOST_TEST(field_of(with_header([&](json& h) {
               h["extra"] = {{"dtype", "F64"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
             })) == "extra");
  BOOST_TEST(field_of(with_description([](json& d) { d["approximator"]["mlp"]["layers"] = 2; })) != "");
  BOOST_TEST(field_of(with_description([](json& d) { d["approximator"]["mlp"]["layers"] = 4; })) ==
             "approximator.mlp.layers[3].weight");
  BOOST_TEST(field_of(with_description([](json& d) { d["approximator"]["term"] = "none"; })) != "");
  BOOST_TEST(field_of(with_description([](json& d) { d["approximator"]["precision"] = "f64"; })) ==
             "approximator.mlp.layers[0].weight.dtype");
  // A transposed weight has as many numbers.
  BOOST_TEST(field_of(with_header([](json& h) {
               h["approximator.mlp.layers[1].weight"]["shape"] = {5, 3};
             })) == "approximator.mlp.layers[1].weight");
  BOOST_TEST(field_of(with_header([&](json& h) { h[bias]["shape"] = {3, 1}; })) == bias + ".shape");
}

BOOST_AUTO_TEST_CASE(numbers_that_are_none_are_refused) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const double value : {nan, infinity, -infinity}) {
    BOOST_TEST(field_of(with_value("approximator.affine.weight", value)) == "approximator.affine.weight[0]");
    BOOST_TEST(field_of(with_value("approximator.mlp.layers[2].bias", value)) == "approximator.mlp.layers[2].bias[0]");
    BOOST_TEST(field_of(with_value("approximator.input_mean", value)) == "approximator.input_mean[0]");
  }
  BOOST_TEST(field_of(with_value("approximator.input_scale", 0.0)) == "approximator.input_scale[0]");
  BOOST_TEST(field_of(with_value("approximator.output_scale", -1.0)) == "approximator.output_scale[0]");
  // JSON has no word for them, but an exponent that overflows.
  BOOST_TEST(field_of(with_text(R"(\"dt\":0.1)", R"(\"dt\":1e999)")) == "lodestep");
  BOOST_TEST(field_of(with_text(R"(\"dt\":0.1)", R"(\"dt\":NaN)")) == "lodestep");
}

BOOST_AUTO_TEST_CASE(every_member_of_the_description_is_needed_and_typed) {
  // Walks the whole description: each member taken away, given another type, and joined by a stranger.
  const json description =
      json::parse(json::parse(take_apart(sample_bytes()).header)["__metadata__"]["lodestep"].get<std::string>());
  std::size_t members = 0;
  const std::function<void(const json&, const json::json_pointer&)> walk = [&](const json& node,
                                                                               const json::json_pointer& where) {
    if (node.is_array() && !node.empty()) return walk(node[0], where / 0);
    if (!node.is_object()) return;
    BOOST_TEST(field_of(with_description([&](json& d) { d[where]["surprise"] = 1; })).ends_with("surprise"));
    for (const auto& [key, value] : node.items()) {
      ++members;
      const auto missing = field_of(with_description([&](json& d) { d[where].erase(key); }));
      BOOST_TEST(missing.ends_with(key), where.to_string() << " without " << key << ": " << missing);
      const json other = value.is_number() ? json("1") : value.is_string() ? json(1) : json(true);
      const auto mistyped = field_of(with_description([&](json& d) { d[where][key] = other; }));
      BOOST_TEST(mistyped.ends_with(key), where.to_string() << " with another " << key << ": " << mistyped);
      walk(value, where / key);
    }
  };
  walk(description, json::json_pointer());
  BOOST_TEST(members > 35u);
}

BOOST_AUTO_TEST_CASE(values_outside_their_range_name_the_field) {
  const auto edited = [](const char* pointer, const json& value) {
    return field_of(with_description([&](json& d) { d[json::json_pointer(pointer)] = value; }));
  };
  BOOST_TEST(edited("/kind", "hierarchy of the future") == "kind");
  BOOST_TEST(edited("/base", "rk5") == "base");
  BOOST_TEST(edited("/dt", 0.0) == "dt");
  BOOST_TEST(edited("/dt", -0.1) == "dt");
  BOOST_TEST(edited("/input", "derivative") == "input");
  BOOST_TEST(edited("/fallback", "rk5") == "fallback");
  BOOST_TEST(edited("/fallback_substeps", 0) == "fallback_substeps");
  BOOST_TEST(edited("/fallback_substeps", std::uint64_t{1} << 40) == "fallback_substeps");
  BOOST_TEST(edited("/fallback_substeps", 1.5) == "fallback_substeps");
  BOOST_TEST(edited("/shortest_dt", -0.1) == "shortest_dt");
  BOOST_TEST(edited("/shortest_dt", 0.2) == "shortest_dt");
  BOOST_TEST(edited("/shortest_dt", 0.05) == "approximator.inputs");
  BOOST_TEST(edited("/form", "divisive") == "form");
  BOOST_TEST(edited("/time", "phase") == "period");
  BOOST_TEST(edited("/time", "elapsed") == "approximator.inputs");
  BOOST_TEST(edited("/time_range/lower", 1.0) == "time_range");
  BOOST_TEST(
      edited("/parameters", {{{"name", "k"}, {"nominal", 1.0}, {"trained", {{"lower", 2.0}, {"upper", 1.0}}}}}) ==
      "parameters[0].trained");
  BOOST_TEST(edited("/domain/density", 1.0) == "domain.density");
  BOOST_TEST(edited("/estimate/scale", {1.0}) == "estimate.scale");
  BOOST_TEST(edited("/estimate/scale", {1.0, -1.0}) == "estimate.scale[1]");
  BOOST_TEST(edited("/estimate/growth", -1.0) == "estimate.growth");
  BOOST_TEST(edited("/error/step_max", -1.0) == "error.step_max");
  BOOST_TEST(edited("/provenance/seed", -1) == "provenance.seed");
  BOOST_TEST(edited("/domain/state/1/lower", 1e9) == "domain.state[1]");
  BOOST_TEST(edited("/domain/state", json::array()) == "domain.state");
  BOOST_TEST(edited("/domain/correction_limit/0", -1.0) == "domain.correction_limit[0]");
  BOOST_TEST(edited("/variables", json::array()) == "variables");
  BOOST_TEST(edited("/variables/0/name", "") == "variables[0].name");
  BOOST_TEST(edited("/approximator/precision", "f16") == "approximator.precision");
  BOOST_TEST(edited("/approximator/term", "transformer") == "approximator.term");
  BOOST_TEST(edited("/approximator/mlp/activation", "gelu") == "approximator.mlp.activation");
  BOOST_TEST(edited("/approximator/mlp/numerator", {1.0, 2.0}) == "approximator.mlp.numerator");
  BOOST_TEST(edited("/approximator/outputs", 3) == "approximator.output_scale");
}

BOOST_AUTO_TEST_CASE(json_that_parsers_forgive_is_refused) {
  // The last of two equal keys wins in most parsers, the first in others: two readers, two models.
  BOOST_TEST(field_of(with_text(R"(\"dt\":0.1)", R"(\"dt\":0.1,\"dt\":0.2)")) == "lodestep");
  BOOST_TEST(field_of(with_text(R"("format_version":"1")", R"("format_version":"1","format_version":"1")")) == "file");
  BOOST_TEST(field_of(with_text(R"(\"dt\":0.1)", R"(\"dt\":0.1,)")) == "lodestep");
  BOOST_TEST(field_of(with_text(R"(\"dt\":0.1)", R"(\"dt\":0.1/**/)")) == "lodestep");
  BOOST_TEST(field_of(with_text("{\"__metadata__\"", " {\"__metadata__\"")) == "file");
  BOOST_TEST(field_of(with_text("{\"__metadata__\"", "[\"__metadata__\"")) == "file");
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  BOOST_TEST(field_of(with_text(R"(\"dt\":0.1)", R"(\"dt\":)" + deep)) == "lodestep");
  BOOST_TEST(field_of(with_text("{\"__metadata__\"", "{\"x\":" + deep + ",\"__metadata__\"")) == "file");
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"]["more"] = "text"; })) == "__metadata__.more");
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"]["lodestep"] = 1; })) == "__metadata__.lodestep");
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"].erase("lodestep"); })) == "lodestep");
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"]["lodestep"] = "[]"; })) == "lodestep");
  BOOST_TEST(field_of(with_header([](json& h) { h["__metadata__"] = "text"; })) == "__metadata__");
}
