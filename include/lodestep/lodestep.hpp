#pragma once

/// Everything of the core: what a model is, and how one learned step is taken.
#include <lodestep/approximator.hpp>
#include <lodestep/corrector.hpp>
#include <lodestep/counters.hpp>
#include <lodestep/error.hpp>
#include <lodestep/hierarchy.hpp>
#include <lodestep/hybrid.hpp>
#include <lodestep/learned_tableau.hpp>
#include <lodestep/model.hpp>
#include <lodestep/multiscale.hpp>
#include <lodestep/order_conditions.hpp>
#include <lodestep/parareal.hpp>
#include <lodestep/runge_kutta.hpp>
#include <lodestep/tableau.hpp>
#include <lodestep/version.hpp>
