#include "export/fortran_corrector.hpp"

#include "export/density.hpp"
#include "export/fortran_approximator.hpp"
#include "export/fortran_steps.hpp"
#include "export/fortran_text.hpp"
#include "export/source_text.hpp"

#include <lodestep/corrector_features.hpp>
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
@public_names@
  integer, parameter :: dp = selected_real_kind(15, 307)
  integer, parameter :: @name@_dimension = @dimension@
  !> The step it was trained for@or_longest@.
  real(dp), parameter :: @name@_dt = @dt@_dp
@constants@  integer, parameter :: d = @name@_dimension, features = @features@, stages = @stages@
  real(dp), parameter :: trained_dt = @name@_dt

  !> What became of the steps.
  type :: @name@_counters
    integer :: learned = 0    !< taken by the model
    integer :: step_size = 0  !< by the fallback scheme: dt is not the trained one
    integer :: domain = 0     !< by the fallback scheme: the state@or_else@ is outside the domain
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

@step@  !> Advances y from t to t_end in steps of the trained dt and, where the interval is no multiple of it, a last shorter
  !! one. ierr is 0, or -1 if the interval cannot be counted in steps.
  subroutine @name@_evolve(rhs, t, y, t_end, ierr, counters@parameters@)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(inout) :: t, y(d)
    real(dp), intent(in) :: t_end
    integer, intent(out) :: ierr
    type(@name@_counters), intent(inout), optional :: counters
@parameters_declared@    real(dp) :: start, h, whole, rest
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

/// The step. Where it gives more than its end it is a private procedure, and the public ones call it.
constexpr const char* step_template = R"(  !> @step_comment@
  subroutine @step_name@(rhs, t, y, dt, counters@parameters@@error@@states@)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: y(d)
    type(@name@_counters), intent(inout), optional :: counters
@parameters_declared@@error_declared@@states_declared@    real(dp) :: next(d), k(d, stages), x(features), q(d)@variables@
    logical :: trained, inside, small

    trained = @step_test@
    inside = all(y >= lower .and. y <= upper) ! NaN is outside
@context_test@    small = .true.
    if (trained .and. inside) then
      call base_step(rhs, t, y, dt, next, k)
@features_code@      call correction(x, q)
@factor_code@      ! NaN is not small, and 0 times what is not finite is NaN.
      small = all(abs(q) + 0.0_dp * next <= @factor@limit)
      next = next + q
@density_test@@states_code@    end if
    if (.not. (trained .and. inside .and. small)) then
      next = y
@fall_back_code@    end if
@error_code@    y = next
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

)";

constexpr const char* step_with_states =
    R"(  !> Advances y by @name@_dt in place, and gives the states within the step, @name@_dt / @name@_states apart, the last of
  !! them y.
  subroutine @name@_step_states(rhs, t, y, states, counters@parameters@)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t
    real(dp), intent(inout) :: y(d)
    real(dp), intent(out) :: states(d, @name@_states)
    type(@name@_counters), intent(inout), optional :: counters
@parameters_declared@
    call take_step(rhs, t, y, trained_dt, counters=counters@pass_parameters@, states=states)
  end subroutine

  !> Advances y by dt in place.@comments@
  subroutine @name@_step(rhs, t, y, dt, counters@parameters@@error@)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: y(d)
    type(@name@_counters), intent(inout), optional :: counters
@parameters_declared@@error_declared@
    call take_step(rhs, t, y, dt, counters=counters@pass_parameters@@pass_error@)
  end subroutine

)";

/// Every piece of the step that depends on the kind of the corrector, in the words of CorrectorFeatures and Corrector.
class Pieces {
public:
  Pieces(const CorrectorModel& corrector, std::size_t dimension)
      : corrector_(corrector), base_(classical_tableau(corrector.base)), dimension_(dimension),
        features_(corrector, dimension, base_.stages()), context_(features_.time_inputs() + features_.parameters()) {}

  bool gives_error() const { return !corrector_.estimate.scale.empty(); }
  bool gives_states() const { return corrector_.dense.has_value(); }
  bool takes_parameters() const { return features_.parameters() > 0; }

  std::string step_test() const {
    if (!corrector_.dt_aware()) return "abs(dt - trained_dt) <= 1e-9_dp * trained_dt";
    return "dt >= tiny(dt) .and. dt <= trained_dt * (1.0_dp + 1e-9_dp)";
  }

  std::string context_test() const {
    std::string text;
    if (gives_error() && corrector_.dt_aware()) text += "    factor = 1.0_dp\n";
    if (gives_error() && corrector_.domain.density) text += "    distance = 0.0_dp\n";
    if (takes_parameters()) {
      text += "    values = nominal\n    if (present(parameters)) values = parameters\n"
              "    inside = inside .and. all(values >= parameter_lower .and. values <= parameter_upper)\n";
    }
    if (corrector_.time == TimeInput::elapsed) {
      const double slack = 1e-9 * corrector_.dt;
      text += "    inside = inside .and. t >= " + fortran_constant(corrector_.time_range.lower - slack) +
              " .and. &\n      t + dt <= " + fortran_constant(corrector_.time_range.upper + slack) + "\n";
    }
    return text;
  }

  /// Statements that fill x, what the approximator is fed.
  std::string features() const {
    const bool aware = corrector_.dt_aware();
    std::string text;
    if (corrector_.input == CorrectorInput::state) {
      text += "      x(1:d) = y\n";
    } else {
      text += aware ? "      x(1:d) = (trained_dt / dt) * (next - y) ! increments shrink with the step\n"
                    : "      x(1:d) = next - y\n";
    }
    for (std::size_t s = 1; s < features_.stages(); ++s) {
      const std::string i = std::to_string(s);
      text += "      x(" + i + " * d + 1:" + std::to_string(s + 1) + " * d) = &\n        " +
              (aware ? "((trained_dt / dt) * dt)" : "trained_dt") + " * (k(:, " + std::to_string(s + 1) + ") - k(:, " +
              i + "))\n";
    }
    std::size_t at = features_.count() - context_ + 1;
    if (aware) {
      text += "      x(" + std::to_string(at - 1) + ") = max(dt, " + fortran_constant(corrector_.shortest_dt) + ")\n";
    }
    return text + context("x", at);
  }

  std::string factor_code() const {
    std::string text;
    if (corrector_.dt_aware()) {
      text += "      factor = (dt / trained_dt)**" +
              std::to_string(corrector_.form == CorrectorForm::additive ? base_.order + 1 : base_.order) + "\n";
    }
    const bool multiplicative = corrector_.form == CorrectorForm::multiplicative;
    if (!corrector_.dt_aware() && !multiplicative) return text;
    return text + "      q = q * " + (corrector_.dt_aware() ? "factor" : "") +
           (corrector_.dt_aware() && multiplicative ? " * " : "") + (multiplicative ? "(next - y)" : "") + "\n";
  }

  std::string density_test() const {
    if (!corrector_.domain.density) return "";
    std::string state = "y", text;
    if (context_ > 0) {
      state = "z";
      text += "        z(1:d) = y\n" + indented(context("z", dimension_ + 1));
    }
    text +=
        "        distance = density_distance(" + state + ")\n        inside = distance <= 1.0_dp ! NaN is outside\n";
    return "      if (small) then\n" + text + "      end if\n";
  }

  std::string variables() const {
    std::string text;
    if (takes_parameters()) text += ", values(" + std::to_string(features_.parameters()) + ")";
    if (corrector_.dt_aware()) text += ", factor";
    if (corrector_.domain.density) text += ", distance";
    if (corrector_.domain.density && context_ > 0) text += ", z(" + std::to_string(features_.density_count()) + ")";
    if (gives_error()) text += ", h, size_of_error";
    if (gives_states()) text += "\n    integer :: j";
    return text;
  }

  std::string states_code() const {
    if (!gives_states()) return "";
    return fill(R"(      if (present(states) .and. inside .and. small) then
        call within(x, states(:, 1:@points@))
        do j = 1, @points@
          states(:, j) = states(:, j) + (y + (real(j, dp) / @parts@) * (next - y))
        end do
        states(:, @parts@) = next
      end if
)",
                {{"points", std::to_string(corrector_.dense->points)},
                 {"parts", std::to_string(corrector_.dense->points + 1)}});
  }

  std::string fall_back_code() const {
    if (!gives_states()) return "      call fall_back(rhs, t, dt, next)\n";
    return fill(R"(      if (present(states)) then ! its steps end where the states are
        do j = 1, @parts@
          call fall_back(rhs, t + (j - 1) * (dt / @parts@), dt / @parts@, next)
          states(:, j) = next
        end do
      else
        call fall_back(rhs, t, dt, next)
      end if
)",
                {{"parts", std::to_string(corrector_.dense->points + 1)}});
  }

  std::string error_code() const {
    if (!gives_error()) return "";
    const double fallback_dt = corrector_.dt / corrector_.fallback_substeps;
    std::string learned = corrector_.dt_aware() ? "factor" : "1.0_dp";
    if (corrector_.domain.density) {
      learned += " * sqrt(1.0_dp + " + fortran_constant(corrector_.estimate.growth) + " * distance)";
    }
    return fill(R"(    if (present(error)) then
      if (trained .and. inside .and. small) then
        size_of_error = @learned@
      else
        ! As many steps of the fallback as make one of the model's have about its error; a shorter one has less.
        h = abs(dt) / @fallback_dt@
        size_of_error = merge(h, h**@power@, h >= 1.0_dp) * @share@
      end if
      error = size_of_error * error_scale
    end if
)",
                {{"learned", learned},
                 {"fallback_dt", fortran_constant(fallback_dt)},
                 {"power", std::to_string(classical_tableau(corrector_.fallback_scheme()).order + 1)},
                 {"share", fortran_constant(fallback_dt / corrector_.dt)}});
  }

private:
  /// Statements that write time inputs and parameters to `array` from element `at` on.
  std::string context(const std::string& array, std::size_t at) const {
    std::string text;
    const auto set = [&](const std::string& value) {
      text += "      " + array + "(" + std::to_string(at++) + ") = " + value + "\n";
    };
    if (corrector_.time == TimeInput::phase) {
      const std::string angle = fortran_constant(2.0 * 3.14159265358979323846 / corrector_.period) + " * t";
      set("cos(" + angle + ")");
      set("sin(" + angle + ")");
    } else if (corrector_.time == TimeInput::elapsed) {
      set("t");
    }
    for (std::size_t i = 1; i <= features_.parameters(); ++i) set("values(" + std::to_string(i) + ")");
    return text;
  }
  static std::string indented(const std::string& lines) {
    std::string text;
    for (std::size_t begin = 0; begin < lines.size();) {
      const std::size_t end = lines.find('\n', begin) + 1;
      text += "  " + lines.substr(begin, end - begin);
      begin = end;
    }
    return text;
  }

  const CorrectorModel& corrector_;
  const ButcherTableau& base_;
  std::size_t dimension_;
  CorrectorFeatures features_;
  std::size_t context_; ///< features that are times or parameters
};

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
  !> How far x is from where learned steps are good: up to 1 is inside.
  pure function density_distance(x) result(total)
    real(dp), intent(in) :: x(@inputs@)
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
                       {{"inputs", std::to_string(tables.inputs)},
                        {"first", std::to_string(1 + tables.inputs)},
                        {"terms", std::to_string(tables.terms)},
                        {"products", std::to_string(tables.parent.size())},
                        {"outputs", std::to_string(tables.outputs)},
                        {"limit", decimal(density.limit)}});
  return code;
}

std::string guard_tables(const CorrectorModel& corrector) {
  const Domain& domain = corrector.domain;
  std::vector<double> lower, upper;
  for (const auto& interval : domain.state) {
    lower.push_back(interval.lower);
    upper.push_back(interval.upper);
  }
  std::string text = "  ! Where the model may be used, and the largest correction it may apply.\n" +
                     fortran_table("lower", lower) + fortran_table("upper", upper) +
                     fortran_table("limit", domain.correction_limit);
  if (!corrector.parameters.empty()) {
    std::vector<double> nominal, least, most;
    for (const auto& parameter : corrector.parameters) {
      nominal.push_back(parameter.nominal);
      least.push_back(parameter.trained.lower);
      most.push_back(parameter.trained.upper);
    }
    text += fortran_table("nominal", nominal) + fortran_table("parameter_lower", least) +
            fortran_table("parameter_upper", most);
  }
  if (!corrector.estimate.scale.empty()) text += fortran_table("error_scale", corrector.estimate.scale);
  return text;
}

std::string names_of(const std::vector<CorrectorParameter>& parameters) {
  std::string text;
  for (const auto& parameter : parameters) text += (text.empty() ? "" : ", ") + comment(parameter.name);
  return text;
}

} // namespace

std::string fortran_corrector(const Model& model, const std::string& name) {
  const auto& corrector = std::get<CorrectorModel>(model.method);
  const ButcherTableau& base = classical_tableau(corrector.base);
  const ButcherTableau& fallback = classical_tableau(corrector.fallback_scheme());
  const bool own_fallback = corrector.fallback_scheme() != corrector.base;
  const Pieces pieces(corrector, model.dimension());
  const bool error = pieces.gives_error(), states = pieces.gives_states(), parameters = pieces.takes_parameters();
  const DensityCode density = corrector.domain.density ? density_code(*corrector.domain.density) : DensityCode();
  FortranApproximators approximators;
  approximators.add(corrector.approximator, {"correction", "", "The correction"});
  if (states) {
    approximators.add(corrector.dense->approximator,
                      {"within", "within_", "The states within a step, beside a straight line"});
  }
  const std::string count = std::to_string(corrector.parameters.size());
  const std::string parts = states ? std::to_string(corrector.dense->points + 1) : "";
  std::string constants, public_names, comments;
  if (parameters) {
    public_names += "  public :: " + name + "_parameters\n";
    constants += "  !> Parameters of the right-hand side, in this order:\n  !! " + names_of(corrector.parameters) +
                 "\n  integer, parameter :: " + name + "_parameters = " + count + "\n";
    comments += " Without parameters they are those it was trained around.";
  }
  if (states) {
    public_names += "  public :: " + name + "_states\n  public :: " + name + "_step_states\n";
    constants += "  !> States that it gives of a step.\n  integer, parameter :: " + name + "_states = " + parts + "\n";
  }
  if (error) {
    comments += "\n  !! error receives an estimate of the step's local error, one standard deviation of each variable.";
  }
  std::vector<Replacement> keys{
      {"description", fortran_comment(describe_model(model))},
      {"name", name},
      {"dimension", std::to_string(model.dimension())},
      {"dt", decimal(corrector.dt)},
      {"or_longest", corrector.dt_aware() ? ", the longest: any shorter one is learned too" : ""},
      {"or_else", corrector.time == TimeInput::elapsed || parameters ? ", a parameter or the time" : ""},
      {"public_names", public_names},
      {"constants", constants},
      {"features", std::to_string(corrector.approximator.inputs)},
      {"stages", std::to_string(std::max(base.stages(), fallback.stages()))},
      {"comments", comments},
      {"parameters", parameters ? ", parameters" : ""},
      {"pass_parameters", parameters ? ", parameters=parameters" : ""},
      {"parameters_declared", parameters ? "    real(dp), intent(in), optional :: parameters(" + count + ")\n" : ""},
      {"error", error ? ", error" : ""},
      {"pass_error", error ? ", error=error" : ""},
      {"error_declared", error ? "    real(dp), intent(out), optional :: error(d)\n" : ""},
      {"states", states ? ", states" : ""},
      {"states_declared", states ? "    real(dp), intent(out), optional :: states(d, " + parts + ")\n" : ""},
      {"step_name", states ? "take_step" : name + "_step"},
      {"step_comment",
       states ? "One step, and what is asked for beside its end." : "Advances y by dt in place." + comments},
      {"variables", pieces.variables()},
      {"step_test", pieces.step_test()},
      {"context_test", pieces.context_test()},
      {"features_code", pieces.features()},
      {"factor_code", pieces.factor_code()},
      {"factor", corrector.dt_aware() ? "factor * " : ""},
      {"density_test", pieces.density_test()},
      {"states_code", pieces.states_code()},
      {"fall_back_code", pieces.fall_back_code()},
      {"error_code", pieces.error_code()},
      {"fallback", corrector.fallback_scheme()},
      {"fallback_step", own_fallback ? "fallback_step" : "base_step"},
      {"base_subroutine", fortran_step(base, {name, "base_step", "One step of " + corrector.base + " from u."})},
      {"fallback_subroutine",
       own_fallback
           ? fortran_step(fallback, {name, "fallback_step", "One step of " + fallback.name + ", which takes over."}) +
                 "\n"
           : ""},
      {"fallback_dt", decimal(corrector.dt / corrector.fallback_substeps)},
      {"evolve", fortran_evolve(name, "trained_dt", parameters ? "counters, parameters" : "counters")},
      {"approximator", approximators.procedures() + density.function}};
  keys.push_back({"step", fill(step_template, keys) + (states ? fill(step_with_states, keys) : "")});
  return fill(module_head, keys) + guard_tables(corrector) + density.tables + approximators.tables() +
         fill(module_body, keys);
}

} // namespace lodestep::source
