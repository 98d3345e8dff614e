#pragma once

#include <lodestep/model.hpp>
#include <lodestep/train_export.hpp>

#include <string>

/// A trained stepper as source code that depends on nothing: for programs that can take no library.
namespace lodestep {

/// One C99 file and its header. It needs libm alone, allocates nothing, has no state of its own and may be called from
/// any number of threads; it is written so that compilers vectorise it.
struct CSource {
  std::string header; ///< contents of <name>.h
  std::string source; ///< contents of <name>.c
};

/// Writes `model` as C. Of a corrector: base scheme, approximator with its weights as hexadecimal floats, guard and
/// fallback, its error estimate and the states it knows within a step where it has them. Of a tableau: its
/// coefficients, computed from step size and parameters where they depend on them, its range of validity, the classical
/// tableau outside it, and the embedded error estimate where there is one. Of a hierarchy: the flow map that places
/// states, its guard, and the fine scheme that fills in between and takes over. Parameters are arguments. Every public
/// name starts with `name`, which must be a C identifier of at most 40 letters, digits and underscores.
///
/// The steps agree with the library's to rounding: 1e-14 relative in f64; an f32 approximator is evaluated in double
/// here, and agrees to f32's rounding of the correction. Throws InvalidModel, InvalidArgument.
LODESTEP_TRAIN_EXPORT CSource export_c(const Model& model, const std::string& name);

/// The same as the Fortran 2003 module `name`, contents of <name>.f90. The right-hand side is the classical
/// `subroutine rhs(n, t, y, ydot)`, so that Fortran 77 programs hand over theirs unchanged.
LODESTEP_TRAIN_EXPORT std::string export_fortran(const Model& model, const std::string& name);

/// `text` as a name export_c takes: lower case, anything but letters and digits an underscore.
LODESTEP_TRAIN_EXPORT std::string source_name(const std::string& text);

} // namespace lodestep
