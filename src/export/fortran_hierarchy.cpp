#include "export/fortran_hierarchy.hpp"

#include "export/fortran_approximator.hpp"
#include "export/fortran_steps.hpp"
#include "export/fortran_text.hpp"
#include "export/source_text.hpp"

#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <variant>
#include <vector>

namespace lodestep::source {

namespace {

constexpr const char* module_head = R"(@description@module @name@
  implicit none
  private
  public :: @name@_step
  public :: @name@_step_states
  public :: @name@_evolve
  public :: @name@_rhs
  public :: @name@_counters
  public :: @name@_dimension
  public :: @name@_dt
  public :: @name@_states
  public :: @name@_fine_dt

  integer, parameter :: dp = selected_real_kind(15, 307)
  integer, parameter :: @name@_dimension = @dimension@
  !> The step of the flow map.
  real(dp), parameter :: @name@_dt = @dt@
  !> States that it gives of a step, and how far apart they are.
  integer, parameter :: @name@_states = @fine_steps@
  real(dp), parameter :: @name@_fine_dt = @fine_dt@
  integer, parameter :: d = @name@_dimension, stages = @stages@
  real(dp), parameter :: map_dt = @name@_dt, fine_dt = @name@_fine_dt

  !> What became of the steps.
  type :: @name@_counters
    integer :: learned = 0    !< taken by the flow map
    integer :: step_size = 0  !< by @fine@: dt is not the flow map's
    integer :: domain = 0     !< by @fine@: the state is outside the domain
    integer :: correction = 0 !< by @fine@: what the map adds was larger than any in training
  end type

  abstract interface
    !> The right-hand side, ydot = f(t, y).
    subroutine @name@_rhs(n, t, y, ydot)
      import :: dp
      integer, intent(in) :: n
      real(dp), intent(in) :: t, y(n)
      real(dp), intent(out) :: ydot(n)
    end subroutine
  end interface

)";

constexpr const char* module_body = R"(
contains

  !> Advances y by dt in place.
  subroutine @name@_step(rhs, t, y, dt, counters)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: y(d)
    type(@name@_counters), intent(inout), optional :: counters
    real(dp) :: next(d), added(d), given(d * @given@)
    logical :: trained, inside, small

    trained = abs(dt - map_dt) <= 1e-9_dp * map_dt
    inside = all(y >= lower .and. y <= upper) ! NaN is outside
    small = .true.
    added = 0.0_dp
    next = y
    if (trained .and. inside) then
@base_steps@      call flow(y, given)
      added = given(d * (@given@ - 1) + 1:)
      ! NaN is not small, and 0 times what is not finite is NaN.
      small = all(abs(added) + 0.0_dp * next <= limit)
      next = next + added
    end if
    if (.not. (trained .and. inside .and. small)) then
      next = y
      call fine_steps(rhs, t, dt, max(1, ceiling(abs(dt) / fine_dt * (1.0_dp - 1e-9_dp))), next)
    end if
    y = next
    if (present(counters)) then
      if (.not. trained) then
        counters%step_size = counters%step_size + 1
      else if (.not. inside .or. .not. abs(added(1)) >= 0.0_dp) then ! NaN: in no cell
        counters%domain = counters%domain + 1
      else if (.not. small) then
        counters%correction = counters%correction + 1
      else
        counters%learned = counters%learned + 1
      end if
    end if
  end subroutine

  !> Advances y by @name@_dt in place, and gives the states within the step, @name@_fine_dt apart, the last of them y.
  !! They are @fine@'s, from the beginning of the step.
  subroutine @name@_step_states(rhs, t, y, states, counters)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t
    real(dp), intent(inout) :: y(d)
    real(dp), intent(out) :: states(d, @name@_states)
    type(@name@_counters), intent(inout), optional :: counters
    real(dp) :: next(d)
    integer :: j

    next = y
    do j = 1, @name@_states - 1
      call fine_steps(rhs, t + (j - 1) * fine_dt, fine_dt, 1, next)
      states(:, j) = next
    end do
    call @name@_step(rhs, t, y, map_dt, counters)
    states(:, @name@_states) = y
  end subroutine

  !> Advances y from t to t_end in steps of the flow map and, where the interval is no multiple of it, a last shorter
  !! one. ierr is 0, or -1 if the interval cannot be counted in steps.
  subroutine @name@_evolve(rhs, t, y, t_end, ierr, counters)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(inout) :: t, y(d)
    real(dp), intent(in) :: t_end
    integer, intent(out) :: ierr
    type(@name@_counters), intent(inout), optional :: counters
    real(dp) :: start, h, whole, rest
    integer :: i, n

@evolve@  end subroutine

@base_subroutine@@fine_subroutine@
  !> @fine@ from next over dt, in `count` equal steps.
  subroutine fine_steps(rhs, t, dt, count, next)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    integer, intent(in) :: count
    real(dp), intent(inout) :: next(d)
    real(dp) :: u(d), k(d, stages), h
    integer :: i

    h = dt / count
    do i = 0, count - 1
      u = next
      call fine_step(rhs, t + i * h, u, h, next, k)
    end do
  end subroutine

@approximator@
end module @name@
)";

/// Statements that take the base scheme's steps, for a flow map that has one.
constexpr const char* base_steps = R"(      call base_steps(rhs, t, next)
)";

constexpr const char* base_subroutine = R"(
  !> The steps that the flow map corrects.
  subroutine base_steps(rhs, t, next)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t
    real(dp), intent(inout) :: next(d)
    real(dp) :: u(d), k(d, stages)
    integer :: i

    do i = 0, @substeps@ - 1
      u = next
      call base_step(rhs, t + i * (map_dt / @substeps@), u, map_dt / @substeps@, next, k)
    end do
  end subroutine

)";

} // namespace

std::string fortran_hierarchy(const Model& model, const std::string& name) {
  const auto& hierarchy = whole_states(model);
  const FlowMapModel& map = hierarchy.maps[hierarchy.placing];
  const ButcherTableau& fine = classical_tableau(hierarchy.fine);
  const bool based = !map.base.empty();
  const ButcherTableau& base = based ? classical_tableau(map.base) : fine;
  std::vector<double> lower, upper;
  for (const auto& interval : map.state) {
    lower.push_back(interval.lower);
    upper.push_back(interval.upper);
  }
  FortranApproximators approximators;
  approximators.add(map.approximator, {"flow", "", "What the flow map adds to a state"});
  std::vector<Replacement> keys{
      {"description", fortran_comment(describe_model(model))},
      {"name", name},
      {"dimension", std::to_string(model.dimension())},
      {"dt", fortran_constant(map.dt)},
      {"fine_dt", fortran_constant(hierarchy.fine_dt)},
      {"given", std::to_string(map.states)},
      {"fine_steps", std::to_string(std::llround(map.dt / hierarchy.fine_dt))},
      {"stages", std::to_string(std::max(base.stages(), fine.stages()))},
      {"fine", hierarchy.fine},
      {"substeps", std::to_string(map.substeps)},
      {"base_steps", based ? base_steps : ""},
      {"fine_subroutine", fortran_step(fine, {name, "fine_step", "One step of " + fine.name + " from u."})},
      {"evolve", fortran_evolve(name, "map_dt", "counters")},
      {"approximator", approximators.procedures()}};
  keys.push_back(
      {"base_subroutine",
       based ? fortran_step(base, {name, "base_step", "One step of " + base.name + ", which the map corrects."}) +
                   fill(base_subroutine, keys)
             : ""});
  return fill(module_head, keys) + "  ! Where the flow map may be used, and the largest change it may add.\n" +
         fortran_table("lower", lower) + fortran_table("upper", upper) + fortran_table("limit", map.limit) +
         approximators.tables() + fill(module_body, keys);
}

} // namespace lodestep::source
