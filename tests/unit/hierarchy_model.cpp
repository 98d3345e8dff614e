#include "flow_maps.hpp"

#include <lodestep/error.hpp>
#include <lodestep/model.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

using namespace lodestep;

namespace {

Model sample() {
  Model model = test::oscillator_hierarchy({0.1, 0.4, 1.2}, 0.05);
  auto& hierarchy = std::get<HierarchyModel>(model.method);
  hierarchy.lower = 1;
  hierarchy.placing = 0;
  auto& map = hierarchy.maps[1];
  map.base = "rk4";
  map.substeps = 3;
  map.step_rms = 1.0 / 3.0 * 1e-9;
  MlpTerm mlp;
  hierarchy.maps[2].states = 3;
  hierarchy.maps[2].approximator = ApproximatorSpec::zero(2, 6);
  mlp.layers = {{2, 3, {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, {1.0 / 7, 2, 3}}, {3, 2, {1, 2, 3, 4, 5, 6}, {0, 0}}};
  map.approximator.term = mlp;
  return model;
}

std::string refused_field(const std::function<void(HierarchyModel&)>& spoil) {
  Model model = sample();
  spoil(std::get<HierarchyModel>(model.method));
  try {
    model.validate();
  } catch (const InvalidModel& error) {
    return error.field();
  }
  return "accepted";
}

} // namespace

BOOST_AUTO_TEST_CASE(a_file_holds_the_whole_model) {
  const Model model = sample();
  BOOST_TEST(model.kind() == std::string("hierarchy"));
  const auto bytes = serialize_model(model);
  const auto read = load_model(bytes.data(), bytes.size(), "memory");
  BOOST_TEST((serialize_model(*read) == bytes));
  const auto& a = std::get<HierarchyModel>(model.method);
  const auto& b = std::get<HierarchyModel>(read->method);
  BOOST_REQUIRE(b.maps.size() == 3u);
  BOOST_TEST(b.lower == 1u);
  BOOST_TEST(b.upper == 2u);
  BOOST_TEST(b.placing == 0u);
  BOOST_TEST(b.fine_dt == 0.05);
  BOOST_TEST(b.fine == "rk4");
  for (std::size_t k = 0; k < 3; ++k) {
    BOOST_TEST(b.maps[k].dt == a.maps[k].dt);
    BOOST_TEST(b.maps[k].base == a.maps[k].base);
    BOOST_TEST(b.maps[k].substeps == a.maps[k].substeps);
    BOOST_TEST(b.maps[k].states == a.maps[k].states);
    BOOST_TEST(b.maps[k].step_rms == a.maps[k].step_rms);
    BOOST_TEST(b.maps[k].limit == a.maps[k].limit);
    BOOST_TEST(b.maps[k].state[1].upper == a.maps[k].state[1].upper);
    BOOST_TEST(b.maps[k].approximator.affine.weight == a.maps[k].approximator.affine.weight);
  }
  BOOST_TEST(std::get<MlpTerm>(b.maps[1].approximator.term).layers[0].bias[0] == 1.0 / 7);
}

BOOST_AUTO_TEST_CASE(every_byte_is_covered) {
  auto bytes = serialize_model(sample());
  for (std::size_t i = 8; i < bytes.size(); i += 61) {
    auto damaged = bytes;
    damaged[i] ^= 0x10;
    BOOST_CHECK_THROW(load_model(damaged.data(), damaged.size(), "memory"), InvalidModel);
  }
}

BOOST_AUTO_TEST_CASE(every_field_is_checked) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(refused_field([](HierarchyModel&) {}) == "accepted");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps.clear(); }) == "maps");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.fine_dt = 0.0; }) == "fine_dt");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.fine_dt = 0.03; }) == "maps[0].dt");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.fine = "rk5"; }) == "fine");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[1].dt = 0.35; }) == "maps[1].dt");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[1].dt = 0.1; }) == "maps[1].dt");
  BOOST_TEST(refused_field([&](HierarchyModel& h) { h.maps[0].dt = nan; }) == "maps[0].dt");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[0].substeps = 1; }) == "maps[0].substeps");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[1].substeps = 0; }) == "maps[1].substeps");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[1].base = "magic"; }) == "maps[1].base");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[2].state.pop_back(); }) == "maps[2].state");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[2].state[1] = {1.0, 0.0}; }) == "maps[2].state[1]");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[2].limit[0] = -1.0; }) == "maps[2].limit[0]");
  BOOST_TEST(refused_field([&](HierarchyModel& h) { h.maps[2].step_rms = nan; }) == "maps[2].step_rms");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[0].approximator = ApproximatorSpec::zero(3, 2); }) ==
             "maps[0].approximator.inputs");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[1].states = 2; }) == "maps[1].states");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[2].states = 0; }) == "maps[2].states");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.maps[2].states = 4; }) == "maps[2].approximator.outputs");
  BOOST_TEST(refused_field([](HierarchyModel& h) {
               h.maps[2].states = 9, h.maps[2].approximator = ApproximatorSpec::zero(2, 18);
             }) == "maps[2].states");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.upper = 3; }) == "upper");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.lower = 2, h.upper = 1; }) == "lower");
  BOOST_TEST(refused_field([](HierarchyModel& h) { h.placing = 9; }) == "placing");
}
