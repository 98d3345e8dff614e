#include <lodestep/error.hpp>
#include <lodestep/family.hpp>
#include <lodestep/problem.hpp>
#include <lodestep/train_rknn.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace lodestep;

// A problem's family: its right-hand side at parameters drawn from ranges, its own initial states.
BOOST_AUTO_TEST_CASE(a_problem_is_a_family) {
  const Problem stiff = make_problem("elastic_pendulum:k=45");
  const Family family = make_family("elastic_pendulum", {{"k", {30.0, 50.0}}});
  BOOST_TEST_REQUIRE(family.dimension() == 4u);
  BOOST_TEST(family.parameters.at(0).name == "k");
  BOOST_TEST(family.dt.upper == stiff.dt);
  const double k = 45.0;
  const double u[] = {0.3, 10.5, -0.1, 0.2};
  double theirs[4], ours[4];
  stiff.rhs(0.0, u, theirs);
  family.rhs(&k, u, ours);
  for (int i = 0; i < 4; ++i) BOOST_TEST(ours[i] == theirs[i]);
  double parameter, initial[4];
  for (std::uint64_t i = 0; i < 20; ++i) {
    Random random(1, 1, i);
    family.sample(random, 1.0, &parameter, initial);
    BOOST_TEST((parameter >= 30.0 && parameter <= 50.0));
  }
}

BOOST_AUTO_TEST_CASE(a_tableau_is_learned_for_a_problem) {
  RknnOptions options;
  options.starts = 2;
  const RknnResult result = train_rknn(make_family("harmonic_oscillator"), options);
  BOOST_TEST(result.global_ratio < 0.8); // better than RK3 by far, though of two starts only
}

BOOST_AUTO_TEST_CASE(what_is_no_family_is_said_to_be_none) {
  const auto says = [](const std::string& words) {
    return [words](const InvalidArgument& error) { return std::string(error.what()).find(words) != std::string::npos; };
  };
  BOOST_CHECK_EXCEPTION(make_family("duffing"), InvalidArgument, says("depends on time"));
  BOOST_CHECK_EXCEPTION(make_family("pendulum"), InvalidArgument, says("van_der_pol"));
  BOOST_CHECK_EXCEPTION(make_family("linear:a=3"), InvalidArgument, says("after a colon"));
  BOOST_CHECK_EXCEPTION(make_family("linear", {{"a", {1, 2}}}), InvalidArgument, says("of its own"));
  BOOST_CHECK_THROW(make_family("elastic_pendulum", {{"stiffness", {1, 2}}}), InvalidArgument);
  BOOST_CHECK_EXCEPTION(make_family("elastic_pendulum", {{"k", {2, 1}}}), InvalidArgument, says("in order"));
}
