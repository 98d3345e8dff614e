#include "export/fortran_steps.hpp"

#include "export/fortran_text.hpp"
#include "export/source_text.hpp"

#include <cstddef>
#include <vector>

namespace lodestep::source {

namespace {

/// "dt * 0.5_dp * k(:, 1) + ...", those of weight zero left out; `text(j)` writes weight j.
template <class Text> std::string weighted(const double* weight, std::size_t count, const Text& text) {
  std::string sum;
  for (std::size_t j = 0; j < count; ++j) {
    if (weight[j] == 0.0) continue;
    sum += sum.empty() ? "" : " &\n      + ";
    sum += "(dt * (" + text(j) + ")) * k(:, " + std::to_string(j + 1) + ")";
  }
  return sum.empty() ? "0.0_dp" : sum;
}

std::string element(const char* array, std::size_t i) {
  return std::string(array) + "(" + std::to_string(i + 1) + ")";
}

} // namespace

std::string fortran_step(const ButcherTableau& tableau, const FortranStep& step) {
  const std::size_t s = tableau.stages();
  // f(t + dt, u') belongs to the next step, and to the estimate.
  const std::size_t stages = tableau.fsal && !step.all_stages ? s - 1 : s;
  const bool given = step.coefficients_given;
  std::string text = "  !> " + step.comment + "\n  subroutine " + step.function + "(rhs, t, u, dt, next, k" +
                     (given ? ", a, b, c" : "") + (step.estimates_error ? ", error" : "") + ")\n    procedure(" +
                     step.prefix +
                     "_rhs) :: rhs\n"
                     "    real(dp), intent(in) :: t, u(d), dt\n"
                     "    real(dp), intent(out) :: next(d), k(d, stages)\n";
  if (given) {
    const std::string size = std::to_string(s);
    text += "    real(dp), intent(in) :: a(" + size + ", " + size + "), b(" + size + "), c(" + size + ")\n";
  }
  if (step.estimates_error) text += "    real(dp), intent(out), optional :: error(d)\n";
  if (stages > 1) text += "    real(dp) :: v(d)\n";
  text += "\n";
  const auto stage = [&](std::size_t i, const std::string& at) {
    const std::string time = tableau.c[i] == 0.0 && !(given && i > 0)
                                 ? "t"
                                 : "t + " + (given ? element("c", i) : fortran_constant(tableau.c[i])) + " * dt";
    return "call rhs(d, " + time + ", " + at + ", k(:, " + std::to_string(i + 1) + "))\n";
  };
  for (std::size_t i = 0; i < stages; ++i) {
    if (i > 0) {
      const double* row = tableau.a.data() + i * s;
      text += "    v = u + (" +
              weighted(row, i,
                       [&](std::size_t j) {
                         return given ? "a(" + std::to_string(j + 1) + ", " + std::to_string(i + 1) + ")"
                                      : fortran_constant(row[j]);
                       }) +
              ")\n";
    }
    text += "    " + stage(i, i > 0 ? "v" : "u");
  }
  text += "    next = u + (" +
          weighted(tableau.b.data(), s,
                   [&](std::size_t j) { return given ? element("b", j) : fortran_constant(tableau.b[j]); }) +
          ")\n";
  if (step.estimates_error) {
    std::vector<double> difference(s);
    for (std::size_t i = 0; i < s; ++i) difference[i] = tableau.b[i] - tableau.b_embedded[i];
    text += "    if (present(error)) then\n";
    if (stages < s) text += "      " + stage(s - 1, "next");
    text += "      error = " +
            weighted(difference.data(), s, [&](std::size_t j) { return fortran_constant(difference[j]); }) +
            "\n    end if\n";
  }
  return text + "  end subroutine\n";
}

std::string fortran_evolve(const std::string& prefix, const std::string& size, const std::string& arguments) {
  return fill(R"(    ierr = -1
    start = t
    h = sign(@size@, t_end - start)
    whole = aint((t_end - start) / h + 1e-9_dp)
    if (.not. (whole >= 0.0_dp .and. whole < real(huge(n), dp))) return
    ierr = 0
    n = int(whole)
    do i = 1, n
      call @prefix@_step(rhs, t, y, h, @arguments@)
      t = start + i * h
    end do
    rest = t_end - t
    if (abs(rest) > 1e-9_dp * @size@) call @prefix@_step(rhs, t, y, rest, @arguments@)
    t = t_end
)",
              {{"prefix", prefix}, {"size", size}, {"arguments", arguments}});
}

} // namespace lodestep::source
