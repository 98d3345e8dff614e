// The library's side of networks.py: `networks FOLDER` writes a network of every kind as ONNX, and for each states and
// what the library makes of them; each is read back and must give the same.
#include "sample_models.hpp"

#include <lodestep/error.hpp>
#include <lodestep/network_exchange.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

using namespace lodestep;
using namespace lodestep::test;

namespace {

constexpr std::size_t samples = 50;

std::vector<double> evaluate(const ApproximatorSpec& spec, const std::vector<double>& x) {
  std::vector<double> y(samples * spec.outputs);
  Workspace workspace;
  Approximator(spec).evaluate(x.data(), y.data(), samples, workspace);
  return y;
}

void write(const std::string& path, const void* data, std::size_t size) {
  std::ofstream file(path, std::ios::binary);
  file.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
}

bool read_back(const ApproximatorSpec& spec, const std::vector<unsigned char>& bytes, const std::vector<double>& x,
               const std::vector<double>& y) {
  const ApproximatorSpec again = read_onnx(bytes.data(), bytes.size());
  // An affine map has no precision: it is always f64.
  const bool precision = spec.term.index() == 0 || again.precision == spec.precision;
  if (again.description() != spec.description() || !precision) {
    std::printf("read back as a %s\n", again.description().c_str());
    return false;
  }
  const auto z = evaluate(again, x);
  double difference = 0.0, size = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    difference = std::max(difference, std::abs(y[i] - z[i]));
    size = std::max(size, std::abs(y[i]));
  }
  // The rational activation's coefficients are floats in an f32 file.
  const double tolerance = spec.precision == Precision::f64 ? 1e-14 : 1e-6;
  if (!(difference <= tolerance * size)) std::printf("read back: off by %g of %g\n", difference, size);
  return difference <= tolerance * size;
}

} // namespace

int main(int, char** arguments) {
  const std::string folder = arguments[1];
  int number = 0, failures = 0;
  for (const auto& [name, model] : sample_models()) {
    ApproximatorSpec spec = std::get<CorrectorModel>(model.method).approximator;
    for (double& scale : spec.output_scale) scale *= 1e300; // as far from 1 as a float can hold
    SampleNumbers random(3);
    std::vector<double> x(samples * spec.inputs);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const std::size_t variable = i % spec.inputs;
      x[i] = spec.input_mean[variable] + 3.0 * spec.input_scale[variable] * random.number();
    }
    const auto y = evaluate(spec, x);
    if (std::holds_alternative<PiecewiseTerm>(spec.term)) { // none of its operators: refused, with the reason
      try {
        export_onnx(spec, name);
        ++failures;
      } catch (const InvalidArgument&) {
      }
      continue;
    }
    const auto bytes = export_onnx(spec, name);
    const std::string path = folder + "/" + std::to_string(number++);
    write(path + ".onnx", bytes.data(), bytes.size());
    write(path + ".x", x.data(), x.size() * sizeof(double));
    write(path + ".y", y.data(), y.size() * sizeof(double));
    write(path + (spec.precision == Precision::f64 ? ".f64" : ".f32"), "", 0);
    if (!std::holds_alternative<PolynomialTerm>(spec.term) && !read_back(spec, bytes, x, y)) {
      std::printf("%s\n", name.c_str());
      ++failures;
    }
  }
  return failures;
}
