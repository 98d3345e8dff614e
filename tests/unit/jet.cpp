#include <lodestep/jet.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace lodestep;

namespace {

// Every operation at once, of two variables.
template <class T> T everything(const T& x, const T& y) {
  return sin(x * y) / (2.0 + cos(y)) - exp(x - 0.5) * sqrt(y + 1.0) + log(x * x + y) * 3.0 - (1.0 - x) / y +
         (-x) * y / 4.0;
}

} // namespace

BOOST_AUTO_TEST_CASE(derivatives_are_those_of_differences) {
  using J = Jet<double, 2>;
  const double x = 0.7, y = 1.3, h = 1e-6;
  const J value = everything(J::variable(x, 0), J::variable(y, 1));
  using J0 = Jet<double, 1>;
  const auto at = [](double u, double v) { return everything(J0(u), J0(v)).value; };
  BOOST_TEST(value.value == at(x, y));
  BOOST_TEST(value.derivative[0] == (at(x + h, y) - at(x - h, y)) / (2 * h), boost::test_tools::tolerance(1e-8));
  BOOST_TEST(value.derivative[1] == (at(x, y + h) - at(x, y - h)) / (2 * h), boost::test_tools::tolerance(1e-8));
}

BOOST_AUTO_TEST_CASE(series_sum_to_the_function) {
  using S = Series<double, 9>;
  S x(0.7), y(1.3); // x = 0.7 + 2 h, y = 1.3 - h + h^2
  x.coefficient[1] = 2.0;
  y.coefficient[1] = -1.0;
  y.coefficient[2] = 1.0;
  const S f = everything(x, y);
  const double h = 0.01;
  double sum = 0.0;
  for (std::size_t k = 10; k-- > 0;) sum = sum * h + f.coefficient[k];
  using J = Jet<double, 1>;
  BOOST_TEST(sum == everything(J(0.7 + 2 * h), J(1.3 - h + h * h)).value, boost::test_tools::tolerance(1e-13));
  BOOST_TEST(f.shifted().coefficient[3] == f.coefficient[2]);
}
