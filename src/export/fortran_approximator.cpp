#include "export/fortran_approximator.hpp"

#include "export/fortran_text.hpp"

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

namespace lodestep::source {

namespace {

constexpr const char* layer_subroutine = R"(  !> y = bias + weight' x
  pure subroutine layer(inputs, outputs, weight, bias, x, y)
    integer, intent(in) :: inputs, outputs
    real(dp), intent(in) :: weight(inputs, outputs), bias(outputs), x(inputs)
    real(dp), intent(out) :: y(outputs)
    integer :: o

    do o = 1, outputs
      y(o) = bias(o) + dot_product(weight(:, o), x)
    end do
  end subroutine

)";

constexpr const char* monomial_sum_subroutine = R"(  !> y = coefficient' m
  pure subroutine monomial_sum(inputs, outputs, coefficient, m, y)
    integer, intent(in) :: inputs, outputs
    real(dp), intent(in) :: coefficient(inputs, outputs), m(inputs)
    real(dp), intent(out) :: y(outputs)
    integer :: o

    do o = 1, outputs
      y(o) = dot_product(coefficient(:, o), m)
    end do
  end subroutine

)";

constexpr const char* find_cell_subroutine =
    R"(  !> The polynomial of the cell that z is in, and the place within the cell, from -1 to 1; -1 if there is none. An entry
  !> of the tree is a polynomial, -1 for none, or -1 - n where the cell is halved into those from entry n on.
  pure subroutine find_cell(inputs, tree, cells, z, local, piece)
    integer, intent(in) :: inputs, tree(0:*), cells(inputs)
    real(dp), intent(in) :: z(inputs)
    real(dp), intent(out) :: local(inputs)
    integer, intent(out) :: piece
    real(dp) :: place
    integer :: i, cell, entry, child

    local = 0.0_dp
    piece = -1
    entry = 0
    do i = 1, inputs
      place = (z(i) + 1.0_dp) * 0.5_dp * cells(i)
      if (.not. (place >= 0.0_dp .and. place <= cells(i))) return ! NaN is in no cell
      cell = min(int(place), cells(i) - 1)
      local(i) = place - cell
      entry = entry * cells(i) + cell
    end do
    do while (tree(entry) < -1)
      child = 0
      do i = 1, inputs
        local(i) = 2.0_dp * local(i)
        child = 2 * child
        if (local(i) >= 1.0_dp) then
          local(i) = local(i) - 1.0_dp
          child = child + 1
        end if
      end do
      entry = -1 - tree(entry) + child
    end do
    local = 2.0_dp * local - 1.0_dp
    piece = tree(entry)
  end subroutine

)";

class Writer {
public:
  Writer(const ApproximatorSpec& spec, const FortranFunction& function) : spec_(spec), function_(function) {}

  bool is_polynomial() const { return polynomial() != nullptr || piecewise() != nullptr; }
  bool is_piecewise() const { return piecewise() != nullptr; }

  std::string tables() const {
    std::string out =
        "\n  ! " + function_.comment + ", of z = (x - input_mean) / input_scale; weights are (inputs, outputs).\n";
    out += fortran_table(own("input_mean"), spec_.input_mean);
    out += fortran_table(own("input_scale"), spec_.input_scale);
    out += fortran_table(own("output_scale"), spec_.output_scale);
    out += fortran_table(own("affine_weight"), spec_.affine.weight);
    out += fortran_table(own("affine_bias"), spec_.affine.bias);
    if (const auto* m = mlp()) {
      for (std::size_t l = 0; l < m->layers.size(); ++l) {
        out += fortran_table(own("weight_") + std::to_string(l), m->layers[l].weight);
        out += fortran_table(own("bias_") + std::to_string(l), m->layers[l].bias);
      }
    } else if (const auto* p = polynomial()) {
      out += fortran_table(own("coefficient"), p->coefficient) + monomial_tables(p->degree);
    } else if (const auto* grid = piecewise()) {
      out += fortran_table(own("coefficient"), grid->coefficient) + monomial_tables(grid->degree);
      out += fortran_table(own("grid_cells"), std::vector<std::int64_t>(grid->cells.begin(), grid->cells.end()));
      out += fortran_table(own("grid_tree"), std::vector<std::int64_t>(grid->tree.begin(), grid->tree.end()));
    }
    return out;
  }

  /// Parents count the inputs first, then the monomials, as the generated loop does.
  std::string monomial_tables(unsigned degree) const {
    std::vector<std::int64_t> parent, variable;
    for (const auto& monomial : monomials(spec_.inputs, degree)) {
      parent.push_back(static_cast<std::int64_t>(monomial.parent) + 1);
      variable.push_back(static_cast<std::int64_t>(monomial.variable) + 1);
    }
    return fortran_table(own("parent"), parent) + fortran_table(own("variable"), variable);
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
    return "(((" + fortran_constant(a[3]) + " * " + x + " + (" + fortran_constant(a[2]) + ")) * " + x +
           " &\n      + (" + fortran_constant(a[1]) + ")) * " + x + " + (" + fortran_constant(a[0]) +
           ")) &\n      / ((" + fortran_constant(b[2]) + " * " + x + " + (" + fortran_constant(b[1]) + ")) * " + x +
           " &\n      + (" + fortran_constant(b[0]) + "))";
  }

  std::string evaluation() const {
    const auto number = [](std::size_t n) { return std::to_string(n); };
    const std::string inputs = number(spec_.inputs), outputs = number(spec_.outputs);
    std::string text =
        "  !> q = output_scale (affine(z) + what is learned beside it)\n"
        "  pure subroutine " +
        function_.name + "(x, q)\n" +
        (piecewise() ? "    use, intrinsic :: ieee_arithmetic, only : ieee_value, ieee_quiet_nan\n" : "") +
        "    real(dp), intent(in) :: x(" + inputs +
        ")\n"
        "    real(dp), intent(out) :: q(" +
        outputs +
        ")\n"
        "    real(dp) :: z(" +
        inputs + ")";
    const std::size_t degree = polynomial() ? polynomial()->degree : piecewise() ? piecewise()->degree : 0;
    const std::size_t count = degree > 1 ? monomial_count(spec_.inputs, static_cast<unsigned>(degree)) : 0;
    if (const auto* m = mlp()) {
      for (std::size_t l = 0; l < m->layers.size(); ++l) {
        text += ", a" + number(l) + "(" + number(m->layers[l].outputs) + ")";
      }
    } else if (piecewise()) {
      text += ", local(" + inputs + "), m(0:" + number(spec_.inputs + count) + "), p(" + outputs +
              ")\n    integer :: i, piece";
    } else if (polynomial()) {
      text += ", m(" + number(spec_.inputs + count) + "), p(" + outputs + ")\n    integer :: i";
    }
    text += "\n\n    z = (x - " + own("input_mean") + ") / " + own("input_scale") + "\n    call layer(" + inputs +
            ", " + outputs + ", " + own("affine_weight") + ", " + own("affine_bias") + ", z, q)\n";
    if (const auto* m = mlp()) {
      std::string in = "z", size = inputs;
      for (std::size_t l = 0; l < m->layers.size(); ++l) {
        const std::string out = "a" + number(l), width = number(m->layers[l].outputs);
        text += "    call layer(" + size + ", " + width + ", " + own("weight_") + number(l) + ", " + own("bias_") +
                number(l) + ", " + in + ", " + out + ")\n";
        if (l + 1 < m->layers.size()) text += "    " + out + " = " + activation(*m, out) + "\n";
        in = out;
        size = width;
      }
      text += "    q = " + own("output_scale") + " * (q + " + in + ")\n";
    } else if (piecewise()) {
      const std::string terms = number(1 + spec_.inputs + count);
      text +=
          "    call find_cell(" + inputs + ", " + own("grid_tree") + ", " + own("grid_cells") +
          ", z, local, piece)\n    if (piece < 0) then\n      q = ieee_value(0.0_dp, ieee_quiet_nan)\n      return\n"
          "    end if\n    m(0) = 1.0_dp\n    m(1:" +
          inputs + ") = local\n";
      if (count > 0) {
        text += "    do i = 1, " + number(count) + "\n      m(" + inputs + " + i) = m(" + own("parent") +
                "(i)) * local(" + own("variable") + "(i))\n    end do\n";
      }
      text += "    i = piece * " + number(spec_.outputs * (1 + spec_.inputs + count)) + "\n    call monomial_sum(" +
              terms + ", " + outputs + ", " + own("coefficient") + "(i + 1), m, p)\n    q = " + own("output_scale") +
              " * (q + p)\n";
    } else if (polynomial()) {
      text += "    m(1:" + inputs + ") = z\n    do i = 1, " + number(count) + "\n      m(" + inputs + " + i) = m(" +
              own("parent") + "(i)) * z(" + own("variable") + "(i))\n    end do\n    call monomial_sum(" +
              number(count) + ", " + outputs + ", " + own("coefficient") + ", m(" + inputs +
              " + 1:), p)\n    q = " + own("output_scale") + " * (q + p)\n";
    } else {
      text += "    q = " + own("output_scale") + " * q\n";
    }
    return text + "  end subroutine\n";
  }

private:
  const MlpTerm* mlp() const { return std::get_if<MlpTerm>(&spec_.term); }
  const PolynomialTerm* polynomial() const { return std::get_if<PolynomialTerm>(&spec_.term); }
  const PiecewiseTerm* piecewise() const { return std::get_if<PiecewiseTerm>(&spec_.term); }

  /// The name of a table of this approximator's.
  std::string own(const std::string& name) const { return function_.prefix + name; }

  const ApproximatorSpec& spec_;
  const FortranFunction& function_;
};

} // namespace

void FortranApproximators::add(const ApproximatorSpec& spec, const FortranFunction& function) {
  const Writer writer(spec, function);
  if (procedures_.empty()) procedures_ = layer_subroutine;
  if (writer.is_polynomial() && !has_monomial_sum_) {
    procedures_ += monomial_sum_subroutine;
    has_monomial_sum_ = true;
  }
  if (writer.is_piecewise() && !has_find_cell_) {
    procedures_ += find_cell_subroutine;
    has_find_cell_ = true;
  }
  tables_ += writer.tables();
  procedures_ += writer.evaluation();
}

} // namespace lodestep::source
