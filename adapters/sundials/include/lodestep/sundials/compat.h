#ifndef LODESTEP_SUNDIALS_COMPAT_H
#define LODESTEP_SUNDIALS_COMPAT_H

/* What differs between the SUNDIALS versions lodestep serves (6.4 to 7.x), in one place. C and C++. */

#include <arkode/arkode.h>
#include <arkode/arkode_mristep.h>
#include <sundials/sundials_config.h>
#include <sundials/sundials_nvector.h>
#include <sundials/sundials_types.h>

#define LODESTEP_SUNDIALS_VERSION (SUNDIALS_VERSION_MAJOR * 100 + SUNDIALS_VERSION_MINOR)

#if LODESTEP_SUNDIALS_VERSION < 604
#error "lodestep needs SUNDIALS 6.4 or newer"
#endif
#ifndef SUNDIALS_DOUBLE_PRECISION
#error "lodestep steps double: this SUNDIALS was built with another sunrealtype"
#endif

/* 7.0: functions common to all of ARKODE's steppers are called ARKode...; before, each stepper has its own.
   LODESTEP_ARK(MRIStep, Evolve) is MRIStepEvolve or ARKodeEvolve. */
#if LODESTEP_SUNDIALS_VERSION < 701
#define LODESTEP_ARK(stepper, function) stepper##function
#else
#define LODESTEP_ARK(stepper, function) ARKode##function
#endif

/* 7.2: SUNStepper, and with it SplittingStep and ForcingStep. */
#if LODESTEP_SUNDIALS_VERSION >= 702
#define LODESTEP_HAVE_SUNSTEPPER 1
#else
#define LODESTEP_HAVE_SUNSTEPPER 0
#endif

/* 7.0: a positive return of an MRIStep inner stepper is a failure the outer stepper may recover from. Before, it is
   taken as success, the state unchanged: there, every failure must be a fatal one. */
#if LODESTEP_SUNDIALS_VERSION < 701
#define LODESTEP_INNER_RECOVERABLE (-1)
#else
#define LODESTEP_INNER_RECOVERABLE (+1)
#endif

/* 7.0: SUNContext_Create takes the communicator itself, before it took a pointer to it. This is for one process. */
#ifdef __cplusplus
#define LODESTEP_INLINE inline
#else
#define LODESTEP_INLINE static inline
#endif
LODESTEP_INLINE int LodestepSUNContext_Create(SUNContext* sunctx) {
#if LODESTEP_SUNDIALS_VERSION < 700
  return SUNContext_Create(NULL, sunctx);
#else
  return SUNContext_Create(SUN_COMM_NULL, sunctx);
#endif
}

#endif
