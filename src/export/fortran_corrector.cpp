#include "export/fortran_corrector.hpp"

#include "export/density.hpp"
#include "export/fortran_approximator.hpp"
#include "export/fortran_steps.hpp"
#include "export/fortran_text.hpp"
#include "export/source_text.hpp"

#include <lodestep/tableau.hpp>

#include <algorithm>
#include <cstddef>
#include <variant>
#include <vector>

namespace lodestep::source {

namespace {

constexpr const char* module_head = R"(@description@module @name@
  implicit none
  private
  public :: @name@_step
  public :: @name@_evolve
  public :: @name@_rhs
  public :: @name@_counters
  public :: @name@_dimension
  public :: @name@_dt

  integer, parameter :: dp = selected_real_kind(15, 307)
  integer, parameter :: @name@_dimension = @dimension@
  !> The step it was trained for.
  real(dp), parameter :: @name@_dt = @dt@_dp
  integer, parameter :: d = @name@_dimension, features = @features@, stages = @stages@
  real(dp), parameter :: trained_dt = @name@_dt

  !> What became of the steps.
  type :: @name@_counters
    integer :: learned = 0    !< taken by the model
    integer :: step_size = 0  !< by the fallback scheme: dt is not the trained one
    integer :: domain = 0     !< by the fallback scheme: the state is outside the domain
    integer :: correction = 0 !< by the fallback scheme: the correction was larger than any in training
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
    real(dp) :: next(d), k(d, stages), x(features), q(d)
    logical :: trained, inside, small

    trained = abs(dt - trained_dt) <= 1e-9_dp * trained_dt
    inside = all(y >= lower .and. y <= upper) ! NaN is outside
    small = .true.
    if (trained .and. inside) then
      call base_step(rhs, t, y, dt, next, k)
@features_code@      call correction(x, q)
      small = all(abs(q) <= limit) ! NaN is not small
      next = next + q
@density_test@    end if
    if (.not. (trained .and. inside .and. small)) then
      next = y
      call fall_back(rhs, t, dt, next)
    end if
    y = next
    if (present(counters)) then
      if (.not. trained) then
        counters%step_size = counters%step_size + 1
      else if (.not. inside) then
        counters%domain = counters%domain + 1
      else if (.not. small) then
        counters%correction = counters%correction + 1
      else
        counters%learned = counters%learned + 1
      end if
    end if
  end subroutine

  !> Advances y from t to t_end in steps of the trained dt and, where the interval is no multiple of it, a last shorter
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

@base_subroutine@
@fallback_subroutine@  !> @fallback@ in sub-steps that keep the model's accuracy.
  subroutine fall_back(rhs, t, dt, next)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: next(d)
    real(dp) :: u(d), k(d, stages), h
    integer :: i, count

    count = max(1, ceiling(abs(dt) / @fallback_dt@_dp * (1.0_dp - 1e-9_dp)))
    h = dt / count
    do i = 0, count - 1
      u = next
      call @fallback_step@(rhs, t + i * h, u, h, next, k)
    end do
  end subroutine

@approximator@
end module @name@
)";

/// Statements that fill x, what the approximator is fed.
std::string features(const CorrectorModel& corrector, std::size_t stages) {
  if (corrector.input == CorrectorInput::state) return "      x = y\n";
  std::string text = "      x(1:d) = next - y\n";
  if (corrector.input == CorrectorInput::stages) {
    for (std::size_t s = 1; s < stages; ++s) {
      const std::string i = std::to_string(s);
      text += "      x(" + i + " * d + 1:" + std::to_string(s + 1) + " * d) = &\n" + "        trained_dt * (k(:, " +
              std::to_string(s + 1) + ") - k(:, " + i + "))\n";
    }
  }
  return text;
}

/// The function that tells how far a state is from those of training, and its tables.
struct DensityCode {
  std::string tables;
  std::string function;
};

DensityCode density_code(const Density& density) {
  const DensityTables tables = density_tables(density);
  DensityCode code;
  code.tables = "  ! The density of training states.\n" + fortran_table("density_mean", tables.mean) +
                fortran_table("density_factor", tables.factor) + fortran_table("density_weight", tables.weight);
  std::string products;
  if (!tables.parent.empty()) {
    code.tables += fortran_table("density_parent", tables.parent) + fortran_table("density_variable", tables.variable);
    products = "    do i = 1, @products@\n"
               "      m(@first@ + i) = m(1 + density_parent(i)) * m(1 + density_variable(i))\n"
               "    end do\n";
  }
  code.function = fill(R"(
  !> How far x is from the states of training: up to 1 is inside.
  pure function leverage(x) result(total)
    real(dp), intent(in) :: x(d)
    real(dp) :: total, m(@terms@)
    integer :: i

    m(1) = 1.0_dp
    m(2:@first@) = (x - density_mean) * density_factor
)" + products + R"(    total = 0.0_dp
    do i = 0, @outputs@ - 1
      total = total + dot_product(density_weight(@terms@ * i + 1:@terms@ * (i + 1)), m)**2
    end do
    total = total / @limit@_dp
  end function
)",
                       {{"first", std::to_string(1 + tables.inputs)},
                        {"terms", std::to_string(tables.terms)},
                        {"products", std::to_string(tables.parent.size())},
                        {"outputs", std::to_string(tables.outputs)},
                        {"limit", decimal(density.limit)}});
  return code;
}

std::string guard_tables(const Domain& domain) {
  std::vector<double> lower, upper;
  for (const auto& interval : domain.state) {
    lower.push_back(interval.lower);
    upper.push_back(interval.upper);
  }
  return "  ! Where the model may be used, and the largest correction it may apply.\n" + fortran_table("lower", lower) +
         fortran_table("upper", upper) + fortran_table("limit", domain.correction_limit);
}

} // namespace

std::string fortran_corrector(const Model& model, const std::string& name) {
  const auto& corrector = std::get<CorrectorModel>(model.method);
  require_exportable(corrector);
  const ButcherTableau& base = classical_tableau(corrector.base);
  const ButcherTableau& fallback = classical_tableau(corrector.fallback_scheme());
  const bool own_fallback = corrector.fallback_scheme() != corrector.base;
  const DensityCode density = corrector.domain.density ? density_code(*corrector.domain.density) : DensityCode();
  const FortranApproximator approximator = fortran_approximator(corrector.approximator);
  const std::vector<Replacement> keys{
      {"description", fortran_comment(describe_model(model))},
      {"name", name},
      {"dimension", std::to_string(model.dimension())},
      {"dt", decimal(corrector.dt)},
      {"features", std::to_string(corrector.approximator.inputs)},
      {"stages", std::to_string(std::max(base.stages(), fallback.stages()))},
      {"fallback", corrector.fallback_scheme()},
      {"fallback_step", own_fallback ? "fallback_step" : "base_step"},
      {"base_subroutine", fortran_step(base, {name, "base_step", "One step of " + corrector.base + " from u."})},
      {"fallback_subroutine",
       own_fallback
           ? fortran_step(fallback, {name, "fallback_step", "One step of " + fallback.name + ", which takes over."}) +
                 "\n"
           : ""},
      {"fallback_dt", decimal(corrector.dt / corrector.fallback_substeps)},
      {"features_code", features(corrector, base.stages())},
      {"evolve", fortran_evolve(name, "trained_dt", "counters")},
      {"density_test",
       corrector.domain.density ? "      if (small) inside = leverage(y) <= 1.0_dp ! NaN is outside\n" : ""},
      {"approximator", approximator.procedures + density.function}};
  return fill(module_head, keys) + guard_tables(corrector.domain) + density.tables + approximator.tables +
         fill(module_body, keys);
}

} // namespace lodestep::source
