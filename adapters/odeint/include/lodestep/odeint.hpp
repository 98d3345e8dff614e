#pragma once

/// Learned steppers for Boost.Odeint.
#include <lodestep/lodestep.hpp>
#include <lodestep/odeint/base_scheme.hpp>
#include <lodestep/odeint/controlled_corrector.hpp>
#include <lodestep/odeint/corrector.hpp>
#include <lodestep/odeint/dense_output_corrector.hpp>
#include <lodestep/odeint/error_corrector.hpp>
#include <lodestep/odeint/heun.hpp>
#include <lodestep/odeint/hierarchy.hpp>
#include <lodestep/odeint/runge_kutta3.hpp>
#include <lodestep/odeint/state_access.hpp>
