#include "export/fortran_approximator.hpp"

#include "export/fortran_text.hpp"

#include <cstddef>
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

class Writer {
public:
  explicit Writer(const ApproximatorSpec& spec) : spec_(spec) {}

  std::string tables() const {
    std::string out = "\n  ! The approximator, of z = (x - input_mean) / input_scale; weights are (inputs, outputs).\n";
    out += fortran_table("input_mean", spec_.input_mean);
    out += fortran_table("input_scale", spec_.input_scale);
    out += fortran_table("output_scale", spec_.output_scale);
    out += fortran_table("affine_weight", spec_.affine.weight);
    out += fortran_table("affine_bias", spec_.affine.bias);
    if (const auto* m = mlp()) {
      for (std::size_t l = 0; l < m->layers.size(); ++l) {
        out += fortran_table("weight_" + std::to_string(l), m->layers[l].weight);
        out += fortran_table("bias_" + std::to_string(l), m->layers[l].bias);
      }
    } else if (const auto* p = polynomial()) {
      out += fortran_table("coefficient", p->coefficient);
      // Parents count the inputs first, then the monomials, as the generated loop does.
      std::vector<std::size_t> parent, variable;
      for (const auto& monomial : monomials(spec_.inputs, p->degree)) {
        parent.push_back(monomial.parent + 1);
        variable.push_back(monomial.variable + 1);
      }
      out += fortran_table("parent", parent) + fortran_table("variable", variable);
    }
    return out;
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
    return text;
  }

private:
  const MlpTerm* mlp() const { return std::get_if<MlpTerm>(&spec_.term); }
  const PolynomialTerm* polynomial() const { return std::get_if<PolynomialTerm>(&spec_.term); }

  const ApproximatorSpec& spec_;
};

} // namespace

FortranApproximator fortran_approximator(const ApproximatorSpec& spec) {
  const Writer writer(spec);
  return {writer.tables(), layer_subroutine + writer.correction()};
}

} // namespace lodestep::source
