#include <lodestep_table.h>

// Entries stand in the order of the struct.
extern "C" const lodestep_functions* lodestep_table(int abi) {
  static const lodestep_functions table = {LODESTEP_ABI,
                                           sizeof(lodestep_functions),
                                           &lodestep_version,
                                           &lodestep_status_message,
                                           &lodestep_status_name,
                                           &lodestep_last_error,
                                           &lodestep_model_load,
                                           &lodestep_model_load_memory,
                                           &lodestep_model_save,
                                           &lodestep_model_free,
                                           &lodestep_model_dimension,
                                           &lodestep_model_dt,
                                           &lodestep_model_base,
                                           &lodestep_model_problem,
                                           &lodestep_model_variable,
                                           &lodestep_model_unit,
                                           &lodestep_model_domain,
                                           &lodestep_model_get_errors,
                                           &lodestep_stepper_create,
                                           &lodestep_stepper_set_rhs_batch,
                                           &lodestep_stepper_free,
                                           &lodestep_stepper_check_dimension,
                                           &lodestep_step,
                                           &lodestep_evolve,
                                           &lodestep_states_at,
                                           &lodestep_step_ensemble,
                                           &lodestep_evolve_ensemble,
                                           &lodestep_estimate_error,
                                           &lodestep_get_counters,
                                           &lodestep_reset_counters,
                                           &lodestep_last_rhs_result,
                                           &lodestep_stepper_set_parameter};
  return abi == LODESTEP_ABI ? &table : nullptr;
}
