#include <lodestep/approximator.hpp>

#include <new>
#include <utility>

namespace lodestep {

namespace {
constexpr std::align_val_t alignment{64};
} // namespace

Workspace::Workspace() = default;
Workspace::~Workspace() {
  ::operator delete(data_, alignment);
}
Workspace::Workspace(const Workspace&) {}
Workspace& Workspace::operator=(const Workspace&) {
  return *this;
}
Workspace::Workspace(Workspace&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
Workspace& Workspace::operator=(Workspace&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void* Workspace::require(std::size_t bytes) {
  if (bytes > size_) {
    ::operator delete(std::exchange(data_, nullptr), alignment);
    size_ = 0;
    data_ = ::operator new(bytes, alignment);
    size_ = bytes;
  }
  return data_;
}

} // namespace lodestep
