#include "vector_access.hpp"

#include <lodestep/error.hpp>

#include <nvector/nvector_manyvector.h>
#ifdef LODESTEP_SUNDIALS_HAVE_MPI
#include <nvector/nvector_mpimanyvector.h>
#endif

#include <algorithm>
#include <cstring>
#include <string>

namespace lodestep::arkode {

namespace {

struct Subvectors {
  N_Vector* vectors;
  std::size_t count;
};

/// The vectors a ManyVector is made of. Their content structures are public, so that no library is linked for this.
Subvectors subvectors(N_Vector v) noexcept {
  if (N_VGetVectorID(v) == SUNDIALS_NVEC_MANYVECTOR) {
    const auto* content = static_cast<N_VectorContent_ManyVector>(v->content);
    return {content->subvec_array, static_cast<std::size_t>(content->num_subvectors)};
  }
#ifdef LODESTEP_SUNDIALS_HAVE_MPI
  if (N_VGetVectorID(v) == SUNDIALS_NVEC_MPIMANYVECTOR) {
    const auto* content = static_cast<N_VectorContent_MPIManyVector>(v->content);
    return {content->subvec_array, static_cast<std::size_t>(content->num_subvectors)};
  }
#endif
  return {nullptr, 0};
}

std::string kind_of(N_Vector v) {
  return "N_Vector of SUNDIALS' kind " + std::to_string(static_cast<int>(N_VGetVectorID(v))) + " (see N_Vector_ID)";
}

/// Numbers of a vector on this rank. There is no such question in SUNDIALS' generic interface on all versions, but a
/// local dot product of ones answers it.
std::size_t local_length(N_Vector v) {
  if (!v->ops->nvdotprodlocal) return static_cast<std::size_t>(N_VGetLength(v));
  N_Vector ones = N_VClone(v);
  if (!ones) throw InvalidArgument("N_Vector: N_VClone failed");
  N_VConst(1.0, ones);
  const double length = N_VDotProdLocal(ones, ones);
  N_VDestroy(ones);
  return static_cast<std::size_t>(length + 0.5);
}

} // namespace

VectorAccess::VectorAccess(N_Vector prototype) {
  if (!prototype) throw InvalidArgument("N_Vector: no vector given (null pointer)");
  if (!prototype->ops || !prototype->ops->nvclone || !prototype->ops->nvdestroy || !prototype->ops->nvgetlength) {
    throw InvalidArgument(kind_of(prototype) + " lacks N_VClone, N_VDestroy or N_VGetLength");
  }
  std::vector<std::size_t> path;
  add(prototype, path);
  // NOTE: only these keep nothing but the pointer; parhyp, MPIPlusX and others keep it elsewhere, or twice.
  const auto id = N_VGetVectorID(prototype);
  replaceable_ = leaves_.size() == 1 && prototype->ops->nvsetarraypointer && prototype->ops->nvcloneempty &&
                 (id == SUNDIALS_NVEC_SERIAL || id == SUNDIALS_NVEC_PARALLEL || id == SUNDIALS_NVEC_OPENMP ||
                  id == SUNDIALS_NVEC_PTHREADS);
  serial_ = id == SUNDIALS_NVEC_SERIAL;
}

void VectorAccess::add(N_Vector v, std::vector<std::size_t>& path) {
  const Subvectors parts = subvectors(v);
  if (parts.count > 0) {
    for (std::size_t i = 0; i < parts.count; ++i) {
      path.push_back(i);
      add(parts.vectors[i], path);
      path.pop_back();
    }
    return;
  }
  if (v->ops->nvgetdevicearraypointer) {
    throw InvalidArgument(kind_of(v) + " keeps its numbers on a device; learned steppers run on host memory. Use a "
                                       "serial, OpenMP, Pthreads or parallel vector, or a ManyVector of these");
  }
  if (!v->ops->nvgetarraypointer) {
    throw InvalidArgument(kind_of(v) + " offers no N_VGetArrayPointer. Use a serial, OpenMP, Pthreads or parallel "
                                       "vector, or a ManyVector of these");
  }
  leaves_.push_back({path, local_length(v)});
  size_ += leaves_.back().size;
}

double* VectorAccess::leaf_array(N_Vector v, const Leaf& leaf) noexcept {
  for (const std::size_t i : leaf.path) v = subvectors(v).vectors[i];
  return N_VGetArrayPointer(v);
}

void VectorAccess::gather_leaves(N_Vector v, double* out) const noexcept {
  for (const Leaf& leaf : leaves_) out = std::copy_n(leaf_array(v, leaf), leaf.size, out);
}

void VectorAccess::scatter_leaves(const double* in, N_Vector v) const noexcept {
  for (const Leaf& leaf : leaves_) {
    std::copy_n(in, leaf.size, leaf_array(v, leaf));
    in += leaf.size;
  }
}

bool VectorAccess::is_zero(N_Vector v) const noexcept {
  return std::all_of(leaves_.begin(), leaves_.end(), [&](const Leaf& leaf) {
    const double* x = leaf_array(v, leaf);
    return std::all_of(x, x + leaf.size, [](double a) { return a == 0.0; });
  });
}

} // namespace lodestep::arkode
