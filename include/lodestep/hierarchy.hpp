#pragma once

#include <lodestep/approximator.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/export.hpp>
#include <lodestep/model.hpp>
#include <lodestep/tableau.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace lodestep {

/// The flow maps of a model, packed for evaluation, and the judge of when each may be used. Immutable and shared: any
/// number of threads may use one object.
class LODESTEP_EXPORT Hierarchy {
public:
  struct Map {
    double dt;
    std::size_t fine_steps;                     ///< dt / fine_dt
    std::shared_ptr<const ButcherTableau> base; ///< null: the identity
    std::size_t substeps;                       ///< of `base` over dt
    std::size_t states;                         ///< that the approximator gives over dt, the last of them at its end
    bool rk4; ///< whether the base is the classical RK4, for which there is a short cut
    Approximator approximator;
    std::vector<double> box;   ///< lower and upper bound of each variable in turn
    std::vector<double> limit; ///< largest |Q| of each variable
  };

  /// Throws InvalidModel if `model` is no hierarchy or not sound.
  explicit Hierarchy(std::shared_ptr<const Model> model, Backend backend = Backend::automatic);
  ~Hierarchy();
  Hierarchy(const Hierarchy&) = delete;
  Hierarchy& operator=(const Hierarchy&) = delete;

  const Model& model() const noexcept { return *model_; }
  /// Of the states that maps step.
  std::size_t dimension() const noexcept { return dimension_; }
  /// Of the states of the system: larger where maps know reduced coordinates.
  std::size_t full_dimension() const noexcept { return model_->dimension(); }
  /// Null where maps step whole states.
  const ReducedCoordinates* reduced() const noexcept { return reduced_; }
  /// z [dimension] of x [full_dimension], and back; copies where nothing is reduced. They must not overlap.
  void encode(const double* x, double* z) const noexcept;
  void decode(const double* z, double* x) const noexcept;
  /// Throws InvalidArgument, naming the scheme, if maps step reduced coordinates.
  void require_whole_states(const char* scheme) const;
  double fine_dt() const noexcept { return fine_dt_; }
  /// The scheme that fills in between, and takes over where a map may not be used.
  const std::shared_ptr<const ButcherTableau>& fine() const noexcept { return fine_; }
  std::size_t size() const noexcept { return maps_.size(); }
  /// By ascending dt.
  const Map& map(std::size_t index) const noexcept { return maps_[index]; }
  std::size_t lower() const noexcept { return lower_; }
  std::size_t upper() const noexcept { return upper_; }
  std::size_t placing() const noexcept { return placing_; }

private:
  std::shared_ptr<const Model> model_;
  std::size_t dimension_;
  const ReducedCoordinates* reduced_ = nullptr;
  double fine_dt_;
  std::shared_ptr<const ButcherTableau> fine_;
  std::vector<Map> maps_;
  std::size_t lower_;
  std::size_t upper_;
  std::size_t placing_;
};

} // namespace lodestep
