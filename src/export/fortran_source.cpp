#include "export/source_text.hpp"

#include <lodestep/corrector.hpp>
#include <lodestep/source_export.hpp>
#include <lodestep/tableau.hpp>

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace lodestep {

namespace {

using source::decimal;
using source::fill;

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
    end if
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

    ierr = -1
    start = t
    h = sign(trained_dt, t_end - start)
    whole = aint((t_end - start) / h + 1e-9_dp)
    if (.not. (whole >= 0.0_dp .and. whole < real(huge(n), dp))) return
    ierr = 0
    n = int(whole)
    do i = 1, n
      call @name@_step(rhs, t, y, h, counters)
      t = start + i * h
    end do
    rest = t_end - t
    if (abs(rest) > 1e-9_dp * trained_dt) call @name@_step(rhs, t, y, rest, counters)
    t = t_end
  end subroutine

  !> One step of @base@ from u.
  subroutine base_step(rhs, t, u, dt, next, k)
    procedure(@name@_rhs) :: rhs
    real(dp), intent(in) :: t, u(d), dt
    real(dp), intent(out) :: next(d), k(d, stages)
@steps@  end subroutine

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

  !> y = bias + weight' x
  pure subroutine layer(inputs, outputs, weight, bias, x, y)
    integer, intent(in) :: inputs, outputs
    real(dp), intent(in) :: weight(inputs, outputs), bias(outputs), x(inputs)
    real(dp), intent(out) :: y(outputs)
    integer :: o

    do o = 1, outputs
      y(o) = bias(o) + dot_product(weight(:, o), x)
    end do
  end subroutine

@correction@
end module @name@
)";

class FortranWriter {
public:
  FortranWriter(const Model& model, std::string name)
      : model_(model), corrector_(std::get<CorrectorModel>(model.method)), spec_(corrector_.approximator),
        tableau_(classical_tableau(corrector_.base)), fallback_(classical_tableau(corrector_.fallback_scheme())),
        name_(std::move(name)) {}

  std::string write() {
    std::string description;
    for (const auto& line : source::describe_model(model_)) description += line.empty() ? "!\n" : "! " + line + "\n";
    const std::vector<source::Replacement> keys{
        {"description", description},
        {"name", name_},
        {"dimension", std::to_string(model_.dimension())},
        {"dt", decimal(corrector_.dt)},
        {"features", std::to_string(spec_.inputs)},
        {"stages", std::to_string(std::max(tableau_.stages(), fallback_.stages()))},
        {"base", corrector_.base},
        {"fallback", corrector_.fallback_scheme()},
        {"fallback_step", own_fallback() ? "fallback_step" : "base_step"},
        {"fallback_subroutine", own_fallback() ? fallback_subroutine() : ""},
        {"fallback_dt", decimal(corrector_.dt / corrector_.fallback_substeps)},
        {"steps", steps(tableau_)},
        {"features_code", features()},
        {"correction", correction()},
    };
    std::string out = fill(module_head, keys);
    tables(out);
    return out + fill(module_body, keys);
  }

private:
  const MlpTerm* mlp() const { return std::get_if<MlpTerm>(&spec_.term); }
  const PolynomialTerm* polynomial() const { return std::get_if<PolynomialTerm>(&spec_.term); }

  /// A data statement may have 255 continued lines; four numbers fit on one.
  template <class T, class Print>
  static void data(std::string& out, const std::string& type, const std::string& name, const std::vector<T>& values,
                   Print&& print) {
    constexpr std::size_t most = 400;
    const std::string size = std::to_string(values.size());
    out += "  " + type + ", save :: " + name + "(" + size + ")\n";
    for (std::size_t begin = 0; begin < values.size(); begin += most) {
      const std::size_t end = std::min(begin + most, values.size());
      out += "  data " + name + "(" + std::to_string(begin + 1) + ":" + std::to_string(end) + ") / &\n";
      for (std::size_t i = begin; i < end; ++i) {
        out += (i - begin) % 4 == 0 ? "    " : " ";
        out += print(values[i]);
        if (i + 1 < end) out += (i - begin) % 4 == 3 ? ", &\n" : ",";
      }
      out += " /\n";
    }
  }
  static void table(std::string& out, const std::string& name, const std::vector<double>& values) {
    data(out, "real(dp)", name, values, [](double value) { return decimal(value) + "_dp"; });
  }

  void tables(std::string& out) const {
    std::vector<double> lower, upper;
    for (const auto& interval : corrector_.domain.state) {
      lower.push_back(interval.lower);
      upper.push_back(interval.upper);
    }
    out += "  ! Where the model may be used, and the largest correction it may apply.\n";
    table(out, "lower", lower);
    table(out, "upper", upper);
    table(out, "limit", corrector_.domain.correction_limit);
    out += "\n  ! The approximator, of z = (x - input_mean) / input_scale; weights are (inputs, outputs).\n";
    table(out, "input_mean", spec_.input_mean);
    table(out, "input_scale", spec_.input_scale);
    table(out, "output_scale", spec_.output_scale);
    table(out, "affine_weight", spec_.affine.weight);
    table(out, "affine_bias", spec_.affine.bias);
    if (const auto* m = mlp()) {
      for (std::size_t l = 0; l < m->layers.size(); ++l) {
        table(out, "weight_" + std::to_string(l), m->layers[l].weight);
        table(out, "bias_" + std::to_string(l), m->layers[l].bias);
      }
    } else if (const auto* p = polynomial()) {
      table(out, "coefficient", p->coefficient);
      // Parents count the inputs first, then the monomials, as the generated loop does.
      std::vector<std::size_t> parent, variable;
      for (const auto& monomial : monomials(spec_.inputs, p->degree)) {
        parent.push_back(monomial.parent + 1);
        variable.push_back(monomial.variable + 1);
      }
      const auto print = [](std::size_t value) { return std::to_string(value); };
      data(out, "integer", "parent", parent, print);
      data(out, "integer", "variable", variable, print);
    }
  }

  std::string activation(const MlpTerm& m, const std::string& x) const {
    switch (m.activation) {
    case Activation::tanh:
      return "tanh(" + x + ")";
    case Activation::silu:
      return x + " / (1.0_dp + exp(-" + x + "))";
    case Activation::relu:
      return "merge(0.0_dp, " + x + ", " + x + " < 0.0_dp)";
    case Activation::rational:
      break;
    }
    const auto& a = m.numerator;
    const auto& b = m.denominator;
    const auto n = [](double value) { return decimal(value) + "_dp"; };
    return "(((" + n(a[3]) + " * " + x + " + (" + n(a[2]) + ")) * " + x + " &\n      + (" + n(a[1]) + ")) * " + x +
           " + (" + n(a[0]) + ")) &\n      / ((" + n(b[2]) + " * " + x + " + (" + n(b[1]) + ")) * " + x +
           " &\n      + (" + n(b[0]) + "))";
  }

  std::string correction() const {
    std::string text = "  !> q = output_scale (affine(z) + "
                       "what is learned beside it)\n"
                       "  pure subroutine correction(x, q)\n"
                       "    real(dp), intent(in) :: x(features)\n"
                       "    real(dp), intent(out) :: q(d)\n"
                       "    real(dp) :: z(features)";
    const auto number = [](std::size_t n) { return std::to_string(n); };
    const std::size_t count = polynomial() ? monomial_count(spec_.inputs, polynomial()->degree) : 0;
    if (const auto* m = mlp()) {
      for (std::size_t l = 0; l < m->layers.size(); ++l) {
        text += ", a" + number(l) + "(" + number(m->layers[l].outputs) + ")";
      }
    } else if (polynomial()) {
      text += ", m(" + number(spec_.inputs + count) + "), p(" + number(spec_.outputs) + ")\n    integer :: i";
    }
    text += "\n\n    z = (x - input_mean) / input_scale\n"
            "    call layer(features, d, affine_weight, affine_bias, z, q)\n";
    if (const auto* m = mlp()) {
      std::string in = "z", size = "features";
      for (std::size_t l = 0; l < m->layers.size(); ++l) {
        const std::string out = "a" + number(l), outputs = number(m->layers[l].outputs);
        text += "    call layer(" + size + ", " + outputs + ", weight_" + number(l) + ", bias_" + number(l) + ", " +
                in + ", " + out + ")\n";
        if (l + 1 < m->layers.size()) text += "    " + out + " = " + activation(*m, out) + "\n";
        in = out;
        size = outputs;
      }
      text += "    q = output_scale * (q + " + in + ")\n";
    } else if (polynomial()) {
      text += "    m(1:features) = z\n"
              "    do i = 1, " +
              number(count) +
              "\n"
              "      m(features + i) = m(parent(i)) * z(variable(i))\n"
              "    end do\n"
              "    call monomial_sum(" +
              number(count) +
              ", d, coefficient, m(features + 1:), p)\n"
              "    q = output_scale * (q + p)\n";
    } else {
      text += "    q = output_scale * q\n";
    }
    text += "  end subroutine\n";
    if (polynomial()) {
      text += "\n  !> y = coefficient' m\n"
              "  pure subroutine monomial_sum(inputs, outputs, coefficient, m, y)\n"
              "    integer, intent(in) :: inputs, outputs\n"
              "    real(dp), intent(in) :: coefficient(inputs, outputs), m(inputs)\n"
              "    real(dp), intent(out) :: y(outputs)\n"
              "    integer :: o\n\n"
              "    do o = 1, outputs\n"
              "      y(o) = dot_product(coefficient(:, o), m)\n"
              "    end do\n"
              "  end subroutine\n";
    }
    return fill(text, {{"name", name_}});
  }

  static std::string weighted(const double* weight, std::size_t count) {
    std::string sum;
    for (std::size_t j = 0; j < count; ++j) {
      if (weight[j] == 0.0) continue;
      sum += sum.empty() ? "" : " &\n      + ";
      sum += "(dt * (" + decimal(weight[j]) + "_dp)) * k(:, " + std::to_string(j + 1) + ")";
    }
    return "u + (" + (sum.empty() ? "0.0_dp" : sum) + ")";
  }

  bool own_fallback() const { return corrector_.fallback_scheme() != corrector_.base; }

  std::string fallback_subroutine() const {
    return "  !> One step of " + fallback_.name +
           ", which takes over.\n"
           "  subroutine fallback_step(rhs, t, u, dt, next, k)\n"
           "    procedure(" +
           name_ +
           "_rhs) :: rhs\n"
           "    real(dp), intent(in) :: t, u(d), dt\n"
           "    real(dp), intent(out) :: next(d), k(d, stages)\n" +
           steps(fallback_) + "  end subroutine\n\n";
  }

  std::string steps(const ButcherTableau& tableau) const {
    std::string text;
    const std::size_t s = tableau.stages();
    if (s > 1) text += "    real(dp) :: v(d)\n";
    text += "\n";
    for (std::size_t i = 0; i < s; ++i) {
      std::string at = "u";
      if (i > 0) {
        text += "    v = " + weighted(tableau.a.data() + i * s, i) + "\n";
        at = "v";
      }
      const std::string time = tableau.c[i] == 0.0 ? "t" : "t + " + decimal(tableau.c[i]) + "_dp * dt";
      text += "    call rhs(d, " + time + ", " + at + ", k(:, " + std::to_string(i + 1) + "))\n";
    }
    text += "    next = " + weighted(tableau.b.data(), s) + "\n";
    return fill(text, {{"name", name_}});
  }

  std::string features() const {
    if (corrector_.input == CorrectorInput::state) return "      x = y\n";
    std::string text = "      x(1:d) = next - y\n";
    if (corrector_.input == CorrectorInput::stages) {
      for (std::size_t s = 1; s < tableau_.stages(); ++s) {
        const std::string i = std::to_string(s);
        text += "      x(" + i + " * d + 1:" + std::to_string(s + 1) + " * d) = &\n" + "        trained_dt * (k(:, " +
                std::to_string(s + 1) + ") - k(:, " + i + "))\n";
      }
    }
    return fill(text, {{"name", name_}});
  }

  const Model& model_;
  const CorrectorModel& corrector_;
  const ApproximatorSpec& spec_;
  const ButcherTableau& tableau_;
  const ButcherTableau& fallback_;
  std::string name_;
};

} // namespace

std::string export_fortran(const Model& model, const std::string& name) {
  model.validate();
  source::check_name(name);
  return FortranWriter(model, name).write();
}

} // namespace lodestep
