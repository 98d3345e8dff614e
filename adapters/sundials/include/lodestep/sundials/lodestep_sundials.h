#ifndef LODESTEP_SUNDIALS_H
#define LODESTEP_SUNDIALS_H

/* Learned steppers for SUNDIALS' ARKODE, called from C.
 *
 * A LodestepStepper is a model, the right-hand side it was trained on and the N_Vectors it steps. It serves as
 *   - ARKODE's main integrator                      LodestepStepCreate
 *   - the inner (fast) stepper of MRIStep           LodestepStepper_CreateMRIStepInnerStepper
 *   - a partition of SplittingStep or ForcingStep   LodestepStepper_CreateSUNStepper     (SUNDIALS 7.2 and newer)
 * and a learned (or any other) Runge-Kutta tableau becomes an ARKodeButcherTable.
 *
 * Functions returning int return ARK_SUCCESS (0) or one of ARKODE's negative flags; a message saying what was wrong,
 * expected and found goes to stderr (see LodestepStepper_SetErrFile) and is kept for Lodestep_GetLastError.
 * No exception leaves this library.
 */

#include <lodestep/sundials/compat.h>
#include <lodestep/sundials_export.h>

#include <stdio.h>

#if LODESTEP_HAVE_SUNSTEPPER
#include <sundials/sundials_stepper.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct LodestepStepper_* LodestepStepper;

/* How the states of several cells, each of the model's dimension d, lie in a vector (in a rank's part of it). The
 * vectors of a ManyVector are taken one after the other. */
typedef enum {
  LODESTEP_LAYOUT_CELLS,    /* the d variables of a cell are adjacent: entry d * cell + variable */
  LODESTEP_LAYOUT_VARIABLES /* the values of a variable are adjacent: entry cells * variable + cell */
} LodestepLayout;

/* What became of the steps. A step counts once for each cell. */
typedef struct {
  long int steps;               /* steps of all cells together, whatever became of them */
  long int learned;             /* cell steps taken by the model */
  long int fallback_step_size;  /* taken by the base scheme: the step was not the trained one */
  long int fallback_domain;     /* ... the state was outside the domain of training */
  long int fallback_correction; /* ... the correction was larger than any in training, or not finite */
  long int fallback_forcing;    /* ... the forcing moves the correction by more than the forcing tolerance */
  long int fallback_rhs;  /* ... the right-hand side failed recoverably or was not finite; finer steps went past */
  long int failures;      /* evolutions that were given up, full right-hand sides that failed */
  long int rhs_evals;     /* calls of the right-hand side, those for interpolation included */
  long int network_evals; /* states evaluated by the approximator */
} LodestepStats;

/* --- the stepper ------------------------------------------------------------------------------------------------ */

/* Loads the model file `model`, a corrector or a hierarchy, and makes a stepper of y' = f(t, y) for vectors like `y`
 * (whose values do not matter).
 * Vectors must offer N_VGetArrayPointer on host memory (serial, OpenMP, Pthreads, parallel, MPIPlusX ...) or be a
 * (MPI)ManyVector of such. A vector may hold n cells of the model's dimension d, n * d entries on each rank; f must
 * then act on each cell for itself, and all cells are stepped as one batch. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_Create(const char* model, ARKRhsFn f, N_Vector y, SUNContext sunctx,
                                                    LodestepStepper* stepper);
/* Frees the stepper and sets it to NULL. Free what was made of it (ARKODE memory, inner steppers) first. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_Free(LodestepStepper* stepper);

/* Passed to f. A main integrator passes the data given to ARKODE instead. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_SetUserData(LodestepStepper stepper, void* user_data);
/* Default: LODESTEP_LAYOUT_CELLS. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_SetLayout(LodestepStepper stepper, LodestepLayout layout);
/* Under forcing (a slow part that is not zero) the base scheme takes the forcing in, and the correction stands as long
 * as the forcing is small beside the fast increment: with q the correction, g the forcing's own increment and s the
 * base scheme's without it, a step is learned while rms(q) |g| / |s| <= tol (norms scaled by the domain's widths);
 * otherwise the base scheme, sub-stepped to the model's accuracy, takes it. The default is the model's largest
 * one-step error, so that forced steps are as accurate as others. An infinite tolerance always learns (exact for linear
 * problems under constant forcing when the model is fed increments), 0 never does. The flow maps of a hierarchy know
 * nothing of a forcing: its forced steps are all taken by its fine scheme. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_SetForcingTolerance(LodestepStepper stepper, sunrealtype tol);
/* When f fails recoverably (returns > 0) or a result is not finite, the step is taken again by the base scheme with
 * 2, 4, ... 2^n times as many sub-steps. Default n = 4. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_SetMaxRecoveries(LodestepStepper stepper, int n);
/* Sets a parameter of the right-hand side that is an input of the model, for the next steps. A value outside the
 * trained interval is accepted, and no step is then learned. An error if the model has no such input. ARKODE keeps a
 * slope from the step before for its interpolation: where that matters, reset it (ARKodeReset, LodestepStepReInit). */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_SetParameter(LodestepStepper stepper, const char* name, sunrealtype value);
/* Where messages go: stderr by default, nowhere for NULL. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_SetErrFile(LodestepStepper stepper, FILE* errfp);
/* Adapts to vectors like `y`. Changes of length are seen without this call; it is for parallel vectors whose entries
 * move between ranks while their number stays. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_Resize(LodestepStepper stepper, N_Vector y);

/* The next step starts at t from y. Inner steppers are reset by MRIStepReset (ARKodeReset), not by MRIStepReInit: after
 * that, as with any inner stepper, call this. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_Reset(LodestepStepper stepper, sunrealtype t, N_Vector y);

/* The length of the longest trained step. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_GetTrainedStep(LodestepStepper stepper, sunrealtype* h);
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_GetStats(LodestepStepper stepper, LodestepStats* stats);
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_ResetStats(LodestepStepper stepper);
/* In the format of ARKodePrintAllStats. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_PrintAllStats(LodestepStepper stepper, FILE* outfile, SUNOutputFormat fmt);
/* The message of the last failure on this thread, "" before any. Valid until the next. */
LODESTEP_SUNDIALS_EXPORT const char* Lodestep_GetLastError(void);

/* --- main integrator -------------------------------------------------------------------------------------------- */

/* ARKODE memory whose integrator is the learned stepper, in place of ERKStepCreate(f, t0, y0, sunctx): it is MRIStep
 * memory with a zero slow part and the fixed step of the model. Root finding, dense output (of degree 5; see
 * ...SetInterpolantDegree), tstop, reset and user data are ARKODE's own; ...SetFixedStep may ask for a
 * multiple of the trained step. Returns NULL on failure. `stepper` is for statistics and options. */
LODESTEP_SUNDIALS_EXPORT void* LodestepStepCreate(const char* model, ARKRhsFn f, sunrealtype t0, N_Vector y0,
                                                  SUNContext sunctx, LodestepStepper* stepper);
/* The same of a stepper that exists already (and is freed by its owner). */
LODESTEP_SUNDIALS_EXPORT void* LodestepStepCreateFrom(LodestepStepper stepper, sunrealtype t0, N_Vector y0);
/* In place of ARKodeEvolve where outputs lie closer than steps. Steps as long as ...SetFixedStep says (many trained
 * steps in one of ARKODE's, for example, or one long one of a model with states of its own within it) cost ARKODE
 * little, and its own interpolation over them would lose what they are accurate to. In ARK_NORMAL mode this returns,
 * from within ARKODE's last step, the state that ...GetDky below gives. Roots and the stop time are returned in their
 * order, before any output beyond them (ARKODE finds roots by its own interpolation: choose steps for that); there is
 * no limit to the number of steps. In ARK_ONE_STEP mode it is ARKodeEvolve. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepEvolve(LodestepStepper stepper, sunrealtype tout, N_Vector yout,
                                                sunrealtype* tret, int itask);
/* In place of ARKodeGetDky, within the last step. For k = 0 it is, at the end of every trained step and at the states
 * that a model gives within (lodestep train attns --output-dt), that state, as accurate as the steps; between them, a
 * polynomial of degree 5 through the nearest. Of a hierarchy it is the fine scheme's, solved from the last state placed
 * (which calls the right-hand side: ARK_RHSFUNC_FAIL if that fails). Otherwise it is ARKODE's. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepGetDky(LodestepStepper stepper, sunrealtype t, int k, N_Vector dky);
/* In place of MRIStepReInit. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepReInit(LodestepStepper stepper, sunrealtype t0, N_Vector y0);
/* In place of MRIStepResize (ARKodeResize), which fails on SUNDIALS before 7.2 and, there, prints so all the same. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepResize(LodestepStepper stepper, N_Vector y, sunrealtype t0,
                                                ARKVecResizeFn resize, void* resize_data);
/* Frees the memory, then the stepper (which may be NULL). */
LODESTEP_SUNDIALS_EXPORT void LodestepStepFree(void** arkode_mem, LodestepStepper* stepper);

/* --- inner stepper ---------------------------------------------------------------------------------------------- */

/* For MRIStepCreate, starting at t0 from y0. Free it with MRIStepInnerStepper_Free, after the MRIStep memory and before
 * `stepper`. Trained steps are taken over each fast interval (of a hierarchy, first the longest that fit), and the base
 * scheme over what remains: slow steps whose intervals are multiples of the trained step use the model best. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_CreateMRIStepInnerStepper(LodestepStepper stepper, sunrealtype t0,
                                                                       N_Vector y0, MRIStepInnerStepper* inner);

/* --- SUNStepper ------------------------------------------------------------------------------------------------- */

#if LODESTEP_HAVE_SUNSTEPPER
/* For SplittingStepCreate and ForcingStepCreate. It starts at t0 from y0, and keeps its own state from then on. Free it
 * with SUNStepper_Destroy, before `stepper`. A negative direction is stepped by the base scheme. */
LODESTEP_SUNDIALS_EXPORT int LodestepStepper_CreateSUNStepper(LodestepStepper stepper, sunrealtype t0, N_Vector y0,
                                                              SUNStepper* sunstepper);
#endif

/* --- tableaux --------------------------------------------------------------------------------------------------- */

/* The learned tableau in the model file `model`, for ERKStepSetTable and ARKStepSetTables, or NULL. Its embedding is
 * the learned one, if there is one. Its order is the one it shows on the family of problems it was learned for: the
 * step controller goes by it. Keep the steps within [*hmin, *hmax] (...SetMinStep, ...SetMaxStep), where it was
 * measured to be no worse than the classical tableau; either may be NULL. Where the coefficients depend on the step
 * size they are those of steps of h, for fixed steps; otherwise h does not matter. Free with ARKodeButcherTable_Free.
 */
LODESTEP_SUNDIALS_EXPORT ARKodeButcherTable LodestepButcherTable_Load(const char* model, sunrealtype h,
                                                                      sunrealtype* hmin, sunrealtype* hmax);
/* The same at `num_params` values of the parameters of the family, in the order of `lodestep inspect`: needed where the
 * coefficients depend on them, and checked against the values the tableau may be used for. */
LODESTEP_SUNDIALS_EXPORT ARKodeButcherTable LodestepButcherTable_LoadFor(const char* model, sunrealtype h,
                                                                         int num_params, const sunrealtype* params,
                                                                         sunrealtype* hmin, sunrealtype* hmax);
/* The classical tableau of that name ("euler", "heun", "rk3", "rk4"), or NULL. Free with ARKodeButcherTable_Free. */
LODESTEP_SUNDIALS_EXPORT ARKodeButcherTable LodestepButcherTable_LoadByName(const char* name);
/* The table as MRIStep's explicit slow part, in place of MRIStepCoupling_MIStoMRI(table, q, 0): with the order q that
 * it has there. That is 3 where a condition beyond those of order 3 is met, which Knoth and Wolke's table does and
 * learned ones in general do not; otherwise 2 at most. NULL if its abscissae descend. Free with MRIStepCoupling_Free.
 */
LODESTEP_SUNDIALS_EXPORT MRIStepCoupling LodestepMRIStepCoupling_FromTable(ARKodeButcherTable table);

#ifdef __cplusplus
}
#endif

#endif
