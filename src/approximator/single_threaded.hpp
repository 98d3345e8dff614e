#pragma once

#ifdef LODESTEP_HAVE_OPENMP
#include <omp.h>
#endif

namespace lodestep::detail {

/// Keeps OpenMP, which oneDNN is built on almost everywhere, to one thread while in scope; the setting belongs to the
/// calling thread alone, and is restored.
class SingleThreaded {
public:
#ifdef LODESTEP_HAVE_OPENMP
  SingleThreaded() : before_(omp_get_max_threads()) {
    omp_set_num_threads(1);
  }
  ~SingleThreaded() {
    omp_set_num_threads(before_);
  }

private:
  int before_;
#else
  SingleThreaded() {}
  ~SingleThreaded() {}
#endif
  SingleThreaded(const SingleThreaded&) = delete;
  SingleThreaded& operator=(const SingleThreaded&) = delete;
};

} // namespace lodestep::detail
