#include "export/fortran_tableau.hpp"

#include "export/fortran_steps.hpp"
#include "export/fortran_text.hpp"
#include "export/source_text.hpp"
#include "export/tableau_pattern.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace lodestep::source {

namespace {

constexpr const char* module_template = R"(@description@module @name@
  implicit none
  private
  public :: @name@_step
  public :: @name@_evolve
  public :: @name@_rhs
  public :: @name@_counters
  public :: @name@_dimension
  public :: @name@_smallest_dt
  public :: @name@_largest_dt
@public_parameters@
  integer, parameter :: dp = selected_real_kind(15, 307)
  integer, parameter :: @name@_dimension = @dimension@
@parameter_count@  !> Step sizes the learned coefficients are used for.
  real(dp), parameter :: @name@_smallest_dt = @smallest_dt@
  real(dp), parameter :: @name@_largest_dt = @largest_dt@
  integer, parameter :: d = @name@_dimension, stages = @stages@

  !> What became of the steps.
  type :: @name@_counters
    integer :: learned = 0   !< taken with the learned coefficients
    integer :: step_size = 0 !< with the classical ones: dt or a parameter is outside the range of the learned ones
    integer :: domain = 0    !< with the classical ones: the state is outside the domain
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

@tables@
contains

  !> Advances y by dt in place.@parameter_comment@@error_comment@
  subroutine @name@_step(rhs, t, y, dt, counters@parameters@@error@)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: y(d)
    type(@name@_counters), intent(inout), optional :: counters
@parameters_declared@@error_declared@    real(dp) :: next(d), k(d, stages)
@coefficients_declared@    logical :: admitted, inside

    admitted = dt >= @name@_smallest_dt .and. dt <= @name@_largest_dt
@guard@    if (admitted .and. inside) then
@take@    else
      call classical_step(rhs, t, y, dt, next, k@error@)
    end if
    y = next
    if (present(counters)) then
      if (.not. admitted) then
        counters%step_size = counters%step_size + 1
      else if (.not. inside) then
        counters%domain = counters%domain + 1
      else
        counters%learned = counters%learned + 1
      end if
    end if
  end subroutine

  !> Advances y from t to t_end in steps of |dt| and, where the interval is no multiple of it, a last shorter one. ierr
  !! is 0, or -1 if the interval cannot be counted in steps.
  subroutine @name@_evolve(rhs, t, y, t_end, dt, ierr, counters@parameters@)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(inout) :: t, y(d)
    real(dp), intent(in) :: t_end, dt
    integer, intent(out) :: ierr
    type(@name@_counters), intent(inout), optional :: counters
@parameters_declared@    real(dp) :: start, h, whole, rest
    integer :: i, n

@evolve@  end subroutine

@coefficients@@learned_step@
@classical_step@
end module @name@
)";

/// subroutine coefficients(...): those of a step size and parameters, in the order of LearnedTableau::coefficients.
std::string coefficients(const TableauModel& model, const ButcherTableau& pattern) {
  const std::size_t s = pattern.stages();
  const std::string size = std::to_string(s);
  std::string text = "  !> The learned coefficients of a step of dt; a(j, i) is a_ij.\n"
                     "  subroutine coefficients(dt, a, b, c";
  text += model.parameters.empty() ? ")\n" : ", parameters)\n";
  text += "    real(dp), intent(in) :: dt\n    real(dp), intent(out) :: a(" + size + ", " + size + "), b(" + size +
          "), c(" + size + ")\n";
  if (!model.parameters.empty()) {
    text += "    real(dp), intent(in), optional :: parameters(" + std::to_string(model.parameters.size()) + ")\n";
  }
  text += "    real(dp) :: x(0:" + std::to_string(model.parameters.size()) + "), m(" +
          std::to_string(model.terms.size()) + ")\n\n    x = 0.0_dp\n";
  for (std::size_t i = 0; i <= model.parameters.size(); ++i) {
    const Interval& trained = i == 0 ? model.trained_dt : model.parameters[i - 1].trained;
    const std::string value = i == 0 ? "dt" : "parameters(" + std::to_string(i) + ")";
    const double half_width = 0.5 * (trained.upper - trained.lower);
    if (half_width == 0.0) continue;
    text += (i == 0 ? "    " : "    if (present(parameters)) ") + std::string("x(") + std::to_string(i) + ") = (" +
            value + " - (" + fortran_constant(0.5 * (trained.lower + trained.upper)) + ")) / " +
            fortran_constant(half_width) + "\n";
  }
  for (std::size_t n = 0; n < model.terms.size(); ++n) {
    std::string product;
    for (std::size_t i = 0; i < model.terms[n].powers.size(); ++i) {
      for (unsigned p = 0; p < model.terms[n].powers[i]; ++p) {
        product += (product.empty() ? "x(" : " * x(") + std::to_string(i) + ")";
      }
    }
    text += "    m(" + std::to_string(n + 1) + ") = " + product + "\n";
  }
  text += "    a = 0.0_dp\n";
  const auto assign = [&](const std::string& target, double constant, auto&& term) {
    text += "    " + target + " = " + fortran_constant(constant);
    for (std::size_t n = 0; n < model.terms.size(); ++n) {
      text += " &\n      + m(" + std::to_string(n + 1) + ") * (" + fortran_constant(term(n)) + ")";
    }
    text += "\n";
  };
  for (std::size_t i = 0; i < s; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const std::size_t at = i * s + j;
      if (pattern.a[at] == 0.0) continue;
      assign("a(" + std::to_string(j + 1) + ", " + std::to_string(i + 1) + ")", model.tableau.a[at],
             [&](std::size_t n) { return model.terms[n].a[at]; });
    }
  }
  for (std::size_t i = 0; i < s; ++i) {
    assign("b(" + std::to_string(i + 1) + ")", model.tableau.b[i], [&](std::size_t n) { return model.terms[n].b[i]; });
  }
  return text + "    c = sum(a, dim=1)\n  end subroutine\n\n";
}

std::string tables(const TableauModel& model) {
  std::vector<double> bounds[4];
  for (const auto& interval : model.state) {
    bounds[0].push_back(interval.lower);
    bounds[1].push_back(interval.upper);
  }
  for (const auto& parameter : model.parameters) {
    bounds[2].push_back(parameter.valid.lower);
    bounds[3].push_back(parameter.valid.upper);
  }
  std::string text;
  const char* names[] = {"lower", "upper", "parameter_lower", "parameter_upper"};
  for (int i = 0; i < 4; ++i) {
    if (!bounds[i].empty()) text += fortran_table(names[i], bounds[i]);
  }
  return text.empty() ? text : "  ! Where the learned coefficients may be used.\n" + text;
}

/// Statements that say whether a step may be learned; NaN is outside of everything.
std::string guard(const TableauModel& model) {
  std::string text;
  if (!model.parameters.empty()) {
    text +=
        "    if (present(parameters)) then\n      admitted = admitted .and. all(parameters >= parameter_lower .and. "
        "parameters <= parameter_upper)\n";
    if (depends_on_parameters(model)) text += "    else\n      admitted = .false.\n";
    text += "    end if\n";
  }
  return text + (model.state.empty() ? "    inside = .true.\n" : "    inside = all(y >= lower .and. y <= upper)\n");
}

std::string names(const std::vector<TableauParameter>& parameters) {
  std::string text;
  for (const auto& parameter : parameters) text += (text.empty() ? "" : ", ") + comment(parameter.name);
  return text;
}

} // namespace

std::string fortran_tableau(const Model& model, const std::string& name) {
  const auto& method = std::get<TableauModel>(model.method);
  const ButcherTableau pattern = tableau_pattern(method);
  const ButcherTableau& classical = classical_tableau(method.classical);
  const bool estimate = !method.tableau.b_embedded.empty();
  const bool given = !method.terms.empty();
  const bool parameters = !method.parameters.empty();
  const std::string count = std::to_string(method.parameters.size());
  const std::string size = std::to_string(pattern.stages());
  const std::string passed_parameters = parameters ? ", parameters" : "";
  const std::string passed_error = estimate ? ", error" : "";
  std::string take;
  if (given) take = "      call coefficients(dt, a, b, c" + passed_parameters + ")\n";
  take +=
      std::string("      call learned_step(rhs, t, y, dt, next, k") + (given ? ", a, b, c" : "") + passed_error + ")\n";
  const std::vector<Replacement> keys{
      {"description", fortran_comment(describe_model(model))},
      {"name", name},
      {"dimension", std::to_string(model.dimension())},
      {"stages", std::to_string(std::max(pattern.stages(), classical.stages()))},
      {"smallest_dt", fortran_constant(method.dt.lower)},
      {"largest_dt", fortran_constant(method.dt.upper)},
      {"public_parameters", parameters ? "  public :: " + name + "_parameters\n" : ""},
      {"parameter_count", parameters
                              ? "  !> Parameters of the family, in this order:\n  !! " + names(method.parameters) +
                                    "\n  integer, parameter :: " + name + "_parameters = " + count + "\n"
                              : ""},
      {"parameter_comment", !parameters ? ""
                            : depends_on_parameters(method)
                                ? " Without parameters every step is the classical tableau's."
                                : " Without parameters they are not checked."},
      {"error_comment", estimate ? "\n  !! error receives the embedded method's estimate." : ""},
      {"parameters", passed_parameters},
      {"parameters_declared", parameters ? "    real(dp), intent(in), optional :: parameters(" + count + ")\n" : ""},
      {"error", passed_error},
      {"error_declared", estimate ? "    real(dp), intent(out), optional :: error(d)\n" : ""},
      {"coefficients_declared",
       given ? "    real(dp) :: a(" + size + ", " + size + "), b(" + size + "), c(" + size + ")\n" : ""},
      {"tables", tables(method)},
      {"guard", guard(method)},
      {"take", take},
      {"evolve", fortran_evolve(name, "abs(dt)", "counters" + passed_parameters)},
      {"coefficients", given ? coefficients(method, pattern) : ""},
      {"learned_step", fortran_step(pattern, {name, "learned_step", "One step with the learned coefficients from u.",
                                              given, false, estimate})},
      {"classical_step",
       fortran_step(classical, {name, "classical_step", "One step of " + classical.name + ", which takes over.", false,
                                false, estimate})}};
  return fill(module_template, keys);
}

} // namespace lodestep::source
