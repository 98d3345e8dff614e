#include "network.hpp"

#include <lodestep/network_exchange.hpp>

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  lodestep::test::try_network([&] { return lodestep::read_onnx(data, size); });
  return 0;
}
