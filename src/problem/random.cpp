#include <lodestep/problem.hpp>

#include <cmath>

namespace lodestep {

namespace {

// SplitMix64 (Steele, Lea, Flood 2014): turns any three numbers into a well-mixed state.
std::uint64_t mix(std::uint64_t& x) noexcept {
  x += 0x9e3779b97f4a7c15u;
  std::uint64_t z = x;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

std::uint64_t rotate(std::uint64_t x, int k) noexcept {
  return (x << k) | (x >> (64 - k));
}

} // namespace

Random::Random(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) noexcept {
  std::uint64_t x = seed;
  x = mix(x) ^ stream;
  x = mix(x) ^ index;
  for (auto& word : state_) word = mix(x);
}

// xoshiro256** (Blackman, Vigna 2018).
std::uint64_t Random::bits() noexcept {
  const std::uint64_t result = rotate(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotate(state_[3], 45);
  return result;
}

double Random::uniform(double lower, double upper) noexcept {
  return lower + (upper - lower) * (static_cast<double>(bits() >> 11) * 0x1p-53);
}

double Random::normal() noexcept {
  // Marsaglia's polar method; the second variate is dropped so that the generator has no hidden state.
  for (;;) {
    const double x = uniform(-1.0, 1.0);
    const double y = uniform(-1.0, 1.0);
    const double s = x * x + y * y;
    if (s > 0.0 && s < 1.0) return x * std::sqrt(-2.0 * std::log(s) / s);
  }
}

} // namespace lodestep
