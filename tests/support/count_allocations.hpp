#pragma once

#include <boost/config.hpp>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

/// Counts what a program allocates. For one of its source files: it replaces operators of the whole program.
namespace {

std::atomic<std::size_t> allocations{0};

} // namespace

// NOLINTBEGIN: replaced to count. Not inlined, or GCC takes malloc and delete for a mismatch.
BOOST_NOINLINE void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
BOOST_NOINLINE void* operator new(std::size_t size, std::align_val_t alignment) {
  ++allocations;
  const auto a = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(a, (size + a - 1) / a * a)) return memory;
  throw std::bad_alloc();
}
BOOST_NOINLINE void operator delete(void* memory) noexcept {
  std::free(memory);
}
BOOST_NOINLINE void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
BOOST_NOINLINE void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
BOOST_NOINLINE void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}
// NOLINTEND
