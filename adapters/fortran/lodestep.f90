!> lodestep in Fortran: load a learned stepper and take steps with it.
!!
!!     use lodestep
!!     type(lodestep_stepper) :: stepper
!!     integer :: ierr
!!     call stepper%load('pendulum.safetensors', rhs, ierr)
!!     if (ierr /= lodestep_success) print *, lodestep_message()
!!     call stepper%step(t, y, stepper%dt(), ierr)
!!
!! where rhs is an ordinary Fortran procedure,
!!
!!     subroutine rhs(t, y, ydot, ierr)
!!       real(lodestep_real), intent(in) :: t, y(:)
!!       real(lodestep_real), intent(out) :: ydot(:)
!!       integer, intent(out) :: ierr    ! 0: success; > 0: recoverable; < 0: fatal
!!
!! Every call sets ierr: 0 is success, the other values are the lodestep_* constants below, and lodestep_message() then
!! says what was wrong. A stepper frees what it holds when it goes out of scope; a copy made by assignment is empty.
!! Steppers are independent: each thread may have one of its own.
module lodestep
  use, intrinsic :: iso_c_binding
  implicit none
  private

  public :: lodestep_stepper, lodestep_counts, lodestep_sweeps, lodestep_rhs, lodestep_classical_rhs
  public :: lodestep_message, lodestep_status_text

  integer, parameter, public :: lodestep_real = c_double

  integer, parameter, public :: lodestep_success = 0
  integer, parameter, public :: lodestep_rhs_recoverable = 1
  integer, parameter, public :: lodestep_rhs_fatal = -1
  integer, parameter, public :: lodestep_invalid_argument = -2
  integer, parameter, public :: lodestep_invalid_model = -3
  integer, parameter, public :: lodestep_invalid_data = -4
  integer, parameter, public :: lodestep_io_error = -5
  integer, parameter, public :: lodestep_not_finite = -6
  integer, parameter, public :: lodestep_rhs_threw = -7
  integer, parameter, public :: lodestep_out_of_memory = -8
  integer, parameter, public :: lodestep_internal_error = -9

  abstract interface
    !> ydot = f(t, y).
    subroutine lodestep_rhs(t, y, ydot, ierr)
      import :: c_double
      real(c_double), intent(in) :: t, y(:)
      real(c_double), intent(out) :: ydot(:)
      integer, intent(out) :: ierr
    end subroutine
  end interface

  abstract interface
    !> The same as Fortran 77 programs have it; it cannot fail.
    subroutine lodestep_classical_rhs(n, t, y, ydot)
      import :: c_double
      integer, intent(in) :: n
      real(c_double), intent(in) :: t, y(n)
      real(c_double), intent(out) :: ydot(n)
    end subroutine
  end interface

  !> What became of the steps, and the right-hand sides they cost. As in C.
  type, bind(C) :: lodestep_counts
    integer(c_int64_t) :: learned = 0         !< taken by the model
    integer(c_int64_t) :: step_size = 0       !< by the classical scheme: dt is not the trained one
    integer(c_int64_t) :: domain = 0          !< by the classical scheme: the state is outside the domain of training
    integer(c_int64_t) :: correction = 0      !< by the classical scheme: the correction was larger than any in training
    integer(c_int64_t) :: rhs_evaluations = 0
  end type

  !> What sweeps of parareal came to. As in C.
  type, bind(C) :: lodestep_sweeps
    integer(c_size_t) :: sweeps = 0           !< corrections done
    real(c_double) :: jump = 0                !< the largest gap left between segments: about the error
    integer(c_int) :: converged = 0           !< 1 if it is within rounding
  end type

  !> What the C side hands back to us: the Fortran procedure behind it.
  type :: callback
    procedure(lodestep_rhs), pointer, nopass :: rhs => null()
    procedure(lodestep_classical_rhs), pointer, nopass :: classical => null()
    integer :: dimension = 0
  end type

  type :: lodestep_stepper
    private
    type(c_ptr) :: model = c_null_ptr
    type(c_ptr) :: handle = c_null_ptr
    type(callback), pointer :: back => null()
  contains
    procedure :: load => stepper_load               !< (file, rhs, ierr)
    procedure :: load_memory => stepper_load_memory !< (bytes, rhs, ierr)
    procedure :: load_classical => stepper_load_classical   !< (file, rhs, ierr), rhs(n, t, y, ydot)
    procedure :: step => stepper_step               !< (t, y, dt, ierr)
    procedure :: evolve => stepper_evolve           !< (t, y, t_end, ierr)
    procedure :: step_error => stepper_step_error   !< (t, y, dt, error, ierr): a step, and the model's estimate of its error
    procedure :: states_at => stepper_states_at     !< (t, y, times, states(dimension, size(times)), ierr)
    procedure :: fine_states => stepper_fine_states !< (t, y, states(dimension, 0:n), ierr): all of them, fine_dt() apart
    procedure :: parareal_states => stepper_parareal_states !< (t, y, states(dimension, 0:n), sweeps, ierr, result)
    procedure :: set_parameter => stepper_set_parameter     !< (name, value, ierr)
    procedure :: set_threads => stepper_set_threads !< (threads, ierr), of fine states
    procedure :: step_ensemble => stepper_step_ensemble     !< (t, y(dimension, n), dt, ierr)
    procedure :: evolve_ensemble => stepper_evolve_ensemble !< (t, y(dimension, n), t_end, ierr)
    procedure :: estimate_error => stepper_estimate_error   !< (t, y, dt, error, ierr)
    procedure :: counts => stepper_counts
    procedure :: reset_counts => stepper_reset_counts
    procedure :: dimension => stepper_dimension
    procedure :: dt => stepper_dt                   !< the step the model was trained for
    procedure :: fine_dt => stepper_fine_dt         !< the spacing of the states within it; 0 if the model has none
    procedure :: kind => stepper_kind               !< 'corrector', 'hierarchy' or 'tableau'; '' if not loaded
    procedure :: free => stepper_free               !< frees it now rather than at the end of its scope
    procedure, private :: assign => stepper_assign
    generic :: assignment(=) => assign              !< gives an empty stepper: two owners would free one handle twice
    final :: stepper_finalize
  end type

  interface
    function c_model_load(path, model) bind(C, name='lodestep_model_load') result(status)
      import
      character(kind=c_char), intent(in) :: path(*)
      type(c_ptr), intent(out) :: model
      integer(c_int) :: status
    end function

    function c_model_load_memory(data, size, name, model) bind(C, name='lodestep_model_load_memory') result(status)
      import
      integer(c_int8_t), intent(in) :: data(*)
      integer(c_size_t), value :: size
      character(kind=c_char), intent(in) :: name(*)
      type(c_ptr), intent(out) :: model
      integer(c_int) :: status
    end function

    subroutine c_model_free(model) bind(C, name='lodestep_model_free')
      import
      type(c_ptr), value :: model
    end subroutine

    function c_model_dimension(model) bind(C, name='lodestep_model_dimension') result(dimension)
      import
      type(c_ptr), value :: model
      integer(c_size_t) :: dimension
    end function

    function c_model_dt(model) bind(C, name='lodestep_model_dt') result(dt)
      import
      type(c_ptr), value :: model
      real(c_double) :: dt
    end function

    function c_model_fine_dt(model) bind(C, name='lodestep_model_fine_dt') result(dt)
      import
      type(c_ptr), value :: model
      real(c_double) :: dt
    end function

    function c_model_kind(model) bind(C, name='lodestep_model_kind') result(text)
      import
      type(c_ptr), value :: model
      type(c_ptr) :: text
    end function

    function c_stepper_create(model, rhs, user, stepper) bind(C, name='lodestep_stepper_create') result(status)
      import
      type(c_ptr), value :: model
      type(c_funptr), value :: rhs
      type(c_ptr), value :: user
      type(c_ptr), intent(out) :: stepper
      integer(c_int) :: status
    end function

    subroutine c_stepper_free(stepper) bind(C, name='lodestep_stepper_free')
      import
      type(c_ptr), value :: stepper
    end subroutine

    function c_check_dimension(stepper, dimension) bind(C, name='lodestep_stepper_check_dimension') result(status)
      import
      type(c_ptr), value :: stepper
      integer(c_size_t), value :: dimension
      integer(c_int) :: status
    end function

    function c_step(stepper, t, y, dt) bind(C, name='lodestep_step') result(status)
      import
      type(c_ptr), value :: stepper
      real(c_double), value :: t, dt
      real(c_double), intent(inout) :: y(*)
      integer(c_int) :: status
    end function

    function c_step_error(stepper, t, y, dt, error) bind(C, name='lodestep_step_error') result(status)
      import
      type(c_ptr), value :: stepper
      real(c_double), value :: t, dt
      real(c_double), intent(inout) :: y(*), error(*)
      integer(c_int) :: status
    end function

    function c_fine_states(stepper, t, y, count, states) bind(C, name='lodestep_fine_states') result(status)
      import
      type(c_ptr), value :: stepper
      real(c_double), intent(inout) :: t, y(*), states(*)
      integer(c_size_t), value :: count
      integer(c_int) :: status
    end function

    function c_parareal_states(stepper, t, y, count, states, sweeps, sweeps_done) &
        bind(C, name='lodestep_parareal_states') result(status)
      import
      import :: lodestep_sweeps
      type(c_ptr), value :: stepper
      real(c_double), intent(inout) :: t, y(*), states(*)
      integer(c_size_t), value :: count
      integer(c_int), value :: sweeps
      type(lodestep_sweeps), intent(inout) :: sweeps_done
      integer(c_int) :: status
    end function

    function c_set_parameter(stepper, name, value) bind(C, name='lodestep_stepper_set_parameter') result(status)
      import
      type(c_ptr), value :: stepper
      character(kind=c_char), intent(in) :: name(*)
      real(c_double), value :: value
      integer(c_int) :: status
    end function

    function c_set_threads(stepper, threads) bind(C, name='lodestep_stepper_set_threads') result(status)
      import
      type(c_ptr), value :: stepper
      integer(c_int), value :: threads
      integer(c_int) :: status
    end function

    function c_evolve(stepper, t, y, t_end) bind(C, name='lodestep_evolve') result(status)
      import
      type(c_ptr), value :: stepper
      real(c_double), intent(inout) :: t, y(*)
      real(c_double), value :: t_end
      integer(c_int) :: status
    end function

    function c_states_at(stepper, t, y, count, times, states) bind(C, name='lodestep_states_at') result(status)
      import
      type(c_ptr), value :: stepper
      real(c_double), intent(inout) :: t, y(*)
      integer(c_size_t), value :: count
      real(c_double), intent(in) :: times(*)
      real(c_double), intent(inout) :: states(*)
      integer(c_int) :: status
    end function

    function c_step_ensemble(stepper, t, y, n, dt) bind(C, name='lodestep_step_ensemble') result(status)
      import
      type(c_ptr), value :: stepper
      real(c_double), value :: t, dt
      real(c_double), intent(inout) :: y(*)
      integer(c_size_t), value :: n
      integer(c_int) :: status
    end function

    function c_evolve_ensemble(stepper, t, y, n, t_end) bind(C, name='lodestep_evolve_ensemble') result(status)
      import
      type(c_ptr), value :: stepper
      real(c_double), intent(inout) :: t, y(*)
      integer(c_size_t), value :: n
      real(c_double), value :: t_end
      integer(c_int) :: status
    end function

    function c_estimate_error(stepper, t, y, dt, error) bind(C, name='lodestep_estimate_error') result(status)
      import
      type(c_ptr), value :: stepper
      real(c_double), value :: t, dt
      real(c_double), intent(in) :: y(*)
      real(c_double), intent(inout) :: error(*)
      integer(c_int) :: status
    end function

    function c_get_counters(stepper, counters) bind(C, name='lodestep_get_counters') result(status)
      import
      import :: lodestep_counts
      type(c_ptr), value :: stepper
      type(lodestep_counts), intent(inout) :: counters
      integer(c_int) :: status
    end function

    function c_reset_counters(stepper) bind(C, name='lodestep_reset_counters') result(status)
      import
      type(c_ptr), value :: stepper
      integer(c_int) :: status
    end function

    function c_last_error() bind(C, name='lodestep_last_error') result(text)
      import
      type(c_ptr) :: text
    end function

    function c_set_last_error(status, message) bind(C, name='lodestep_set_last_error') result(same)
      import
      integer(c_int), value :: status
      character(kind=c_char), intent(in) :: message(*)
      integer(c_int) :: same
    end function

    function c_status_message(status) bind(C, name='lodestep_status_message') result(text)
      import
      integer(c_int), value :: status
      type(c_ptr) :: text
    end function

    pure function c_strlen(text) bind(C, name='strlen') result(length)
      import
      type(c_ptr), value, intent(in) :: text
      integer(c_size_t) :: length
    end function
  end interface

contains

  !> What the last failing call of this thread had to say.
  function lodestep_message() result(text)
    character(:), allocatable :: text
    text = to_string(c_last_error())
  end function

  !> What a status means, in one line.
  function lodestep_status_text(status) result(text)
    integer, intent(in) :: status
    character(:), allocatable :: text
    text = to_string(c_status_message(int(status, c_int)))
  end function

  subroutine stepper_load(self, file, rhs, ierr)
    class(lodestep_stepper), intent(inout) :: self
    character(*), intent(in) :: file
    procedure(lodestep_rhs) :: rhs
    integer, intent(out) :: ierr

    call self%free()
    ierr = c_model_load(c_string(file), self%model)
    if (ierr == lodestep_success) call create(self, ierr, rhs=rhs)
  end subroutine

  !> For a right-hand side as Fortran 77 programs have it.
  subroutine stepper_load_classical(self, file, rhs, ierr)
    class(lodestep_stepper), intent(inout) :: self
    character(*), intent(in) :: file
    procedure(lodestep_classical_rhs) :: rhs
    integer, intent(out) :: ierr

    call self%free()
    ierr = c_model_load(c_string(file), self%model)
    if (ierr == lodestep_success) call create(self, ierr, classical=rhs)
  end subroutine

  !> The model file is `bytes`, which are no longer needed afterwards.
  subroutine stepper_load_memory(self, bytes, rhs, ierr)
    class(lodestep_stepper), intent(inout) :: self
    integer(c_int8_t), intent(in) :: bytes(:)
    procedure(lodestep_rhs) :: rhs
    integer, intent(out) :: ierr

    call self%free()
    ierr = c_model_load_memory(bytes, size(bytes, kind=c_size_t), c_string('model in memory'), self%model)
    if (ierr == lodestep_success) call create(self, ierr, rhs=rhs)
  end subroutine

  !> Advances y by dt in place. On failure y is unchanged.
  subroutine stepper_step(self, t, y, dt, ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(in) :: t, dt
    real(c_double), contiguous, intent(inout) :: y(:)
    integer, intent(out) :: ierr

    ierr = fit(self, size(y))
    if (ierr == lodestep_success) ierr = c_step(self%handle, t, y, dt)
  end subroutine

  !> Advances y from t to t_end in steps of the trained dt and, if need be, a last shorter one.
  subroutine stepper_evolve(self, t, y, t_end, ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(inout) :: t
    real(c_double), contiguous, intent(inout) :: y(:)
    real(c_double), intent(in) :: t_end
    integer, intent(out) :: ierr

    ierr = fit(self, size(y))
    if (ierr == lodestep_success) ierr = c_evolve(self%handle, t, y, t_end)
  end subroutine

  !> The states at times(1) <= times(2) <= ..., one column of `states` for each; t and y become the last whole step not
  !! after the last of them.
  subroutine stepper_states_at(self, t, y, times, states, ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(inout) :: t
    real(c_double), contiguous, intent(inout) :: y(:)
    real(c_double), contiguous, intent(in) :: times(:)
    real(c_double), contiguous, intent(inout) :: states(:, :)
    integer, intent(out) :: ierr
    character(100) :: text

    ierr = fit(self, size(y))
    if (ierr == lodestep_success) ierr = fit(self, size(states, 1))
    if (ierr /= lodestep_success) return
    if (size(states, 2) /= size(times)) then
      write (text, '(2(a, i0))') 'states_at: ', size(times), ' times need as many states, found room for ', &
        size(states, 2)
      ierr = c_set_last_error(int(lodestep_invalid_argument, c_int), c_string(trim(text)))
      return
    end if
    ierr = c_states_at(self%handle, t, y, size(times, kind=c_size_t), times, states)
  end subroutine

  !> Advances y by dt in place, like step, and gives the model's own estimate of the step's local error.
  subroutine stepper_step_error(self, t, y, dt, error, ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(in) :: t, dt
    real(c_double), contiguous, intent(inout) :: y(:)
    real(c_double), contiguous, intent(inout) :: error(:)
    integer, intent(out) :: ierr

    ierr = fit(self, size(y))
    if (ierr == lodestep_success) ierr = fit(self, size(error))
    if (ierr == lodestep_success) ierr = c_step_error(self%handle, t, y, dt, error)
  end subroutine

  !> All states fine_dt() apart: the first column of `states` becomes y, the others what follows; t and y become the
  !! last. A hierarchy's segments are solved together, so that the system must be autonomous.
  subroutine stepper_fine_states(self, t, y, states, ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(inout) :: t
    real(c_double), contiguous, intent(inout) :: y(:)
    real(c_double), contiguous, intent(inout) :: states(:, :)
    integer, intent(out) :: ierr

    ierr = room_for_states(self, y, states)
    if (ierr == lodestep_success) ierr = c_fine_states(self%handle, t, y, size(states, 2, c_size_t) - 1, states)
  end subroutine

  !> The same from a hierarchy, corrected by at most `sweeps` sweeps of parareal.
  subroutine stepper_parareal_states(self, t, y, states, sweeps, ierr, result)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(inout) :: t
    real(c_double), contiguous, intent(inout) :: y(:)
    real(c_double), contiguous, intent(inout) :: states(:, :)
    integer, intent(in) :: sweeps
    integer, intent(out) :: ierr
    type(lodestep_sweeps), intent(out), optional :: result
    type(lodestep_sweeps) :: done

    ierr = room_for_states(self, y, states)
    if (ierr == lodestep_success) then
      ierr = c_parareal_states(self%handle, t, y, size(states, 2, c_size_t) - 1, states, int(max(sweeps, 0), c_int), done)
    end if
    if (present(result)) result = done
  end subroutine

  !> Sets a parameter of the right-hand side that is an input of the model, for the next steps.
  subroutine stepper_set_parameter(self, name, value, ierr)
    class(lodestep_stepper), intent(in) :: self
    character(*), intent(in) :: name
    real(c_double), intent(in) :: value
    integer, intent(out) :: ierr
    ierr = c_set_parameter(self%handle, c_string(name), value)
  end subroutine

  !> Threads that a hierarchy's fine states are computed by; the right-hand side is then called by several at once.
  subroutine stepper_set_threads(self, threads, ierr)
    class(lodestep_stepper), intent(in) :: self
    integer, intent(in) :: threads
    integer, intent(out) :: ierr
    ierr = c_set_threads(self%handle, int(max(threads, 0), c_int))
  end subroutine

  subroutine stepper_step_ensemble(self, t, y, dt, ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(in) :: t, dt
    real(c_double), contiguous, intent(inout) :: y(:, :)
    integer, intent(out) :: ierr

    ierr = fit(self, size(y, 1))
    if (ierr == lodestep_success) ierr = c_step_ensemble(self%handle, t, y, size(y, 2, c_size_t), dt)
  end subroutine

  subroutine stepper_evolve_ensemble(self, t, y, t_end, ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(inout) :: t
    real(c_double), contiguous, intent(inout) :: y(:, :)
    real(c_double), intent(in) :: t_end
    integer, intent(out) :: ierr

    ierr = fit(self, size(y, 1))
    if (ierr == lodestep_success) ierr = c_evolve_ensemble(self%handle, t, y, size(y, 2, c_size_t), t_end)
  end subroutine

  !> The error of the step that would be taken from y: that step minus a finer one.
  subroutine stepper_estimate_error(self, t, y, dt, error, ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(in) :: t, dt
    real(c_double), contiguous, intent(in) :: y(:)
    real(c_double), contiguous, intent(inout) :: error(:)
    integer, intent(out) :: ierr

    ierr = fit(self, size(y))
    if (ierr == lodestep_success) ierr = fit(self, size(error))
    if (ierr == lodestep_success) ierr = c_estimate_error(self%handle, t, y, dt, error)
  end subroutine

  function stepper_counts(self) result(counts)
    class(lodestep_stepper), intent(in) :: self
    type(lodestep_counts) :: counts
    integer(c_int) :: ignored
    if (c_associated(self%handle)) ignored = c_get_counters(self%handle, counts)
  end function

  subroutine stepper_reset_counts(self)
    class(lodestep_stepper), intent(in) :: self
    integer(c_int) :: ignored
    if (c_associated(self%handle)) ignored = c_reset_counters(self%handle)
  end subroutine

  integer function stepper_dimension(self) result(dimension)
    class(lodestep_stepper), intent(in) :: self
    dimension = int(c_model_dimension(self%model))
  end function

  real(c_double) function stepper_dt(self) result(dt)
    class(lodestep_stepper), intent(in) :: self
    dt = c_model_dt(self%model)
  end function

  real(c_double) function stepper_fine_dt(self) result(dt)
    class(lodestep_stepper), intent(in) :: self
    dt = c_model_fine_dt(self%model)
  end function

  function stepper_kind(self) result(text)
    class(lodestep_stepper), intent(in) :: self
    character(:), allocatable :: text
    text = ''
    if (c_associated(self%model)) text = to_string(c_model_kind(self%model))
  end function

  subroutine stepper_free(self)
    class(lodestep_stepper), intent(inout) :: self
    call c_stepper_free(self%handle)
    call c_model_free(self%model)
    if (associated(self%back)) deallocate (self%back)
    self%handle = c_null_ptr
    self%model = c_null_ptr
    nullify (self%back)
  end subroutine

  subroutine stepper_finalize(self)
    type(lodestep_stepper), intent(inout) :: self
    call self%free()
  end subroutine

  subroutine stepper_assign(self, other)
    class(lodestep_stepper), intent(inout) :: self
    class(lodestep_stepper), intent(in) :: other
    if (.not. c_associated(self%handle, other%handle)) call self%free() ! self = self keeps it
  end subroutine

  subroutine create(self, ierr, rhs, classical)
    class(lodestep_stepper), intent(inout) :: self
    integer, intent(out) :: ierr
    procedure(lodestep_rhs), optional :: rhs
    procedure(lodestep_classical_rhs), optional :: classical

    allocate (self%back)
    if (present(rhs)) self%back%rhs => rhs
    if (present(classical)) self%back%classical => classical
    self%back%dimension = self%dimension()
    ierr = c_stepper_create(self%model, c_funloc(call_back), c_loc(self%back), self%handle)
  end subroutine

  !> What the C library calls: it finds the Fortran procedure behind `user`.
  function call_back(t, y, ydot, user) bind(C) result(status)
    real(c_double), value :: t
    type(c_ptr), value :: y, ydot, user
    integer(c_int) :: status
    type(callback), pointer :: back
    real(c_double), pointer :: state(:), derivative(:)
    integer :: ierr

    call c_f_pointer(user, back)
    call c_f_pointer(y, state, [back%dimension])
    call c_f_pointer(ydot, derivative, [back%dimension])
    ierr = 0
    if (associated(back%rhs)) then
      call back%rhs(t, state, derivative, ierr)
    else
      call back%classical(back%dimension, t, state, derivative)
    end if
    status = int(ierr, c_int)
  end function

  !> Success if the stepper is loaded and states have its dimension.
  integer function fit(self, variables) result(ierr)
    class(lodestep_stepper), intent(in) :: self
    integer, intent(in) :: variables
    ierr = c_check_dimension(self%handle, int(variables, c_size_t))
  end function

  !> The same of a state and of an array for states, which holds one at least.
  integer function room_for_states(self, y, states) result(ierr)
    class(lodestep_stepper), intent(in) :: self
    real(c_double), intent(in) :: y(:), states(:, :)
    ierr = fit(self, size(y))
    if (ierr == lodestep_success) ierr = fit(self, size(states, 1))
    if (ierr == lodestep_success .and. size(states, 2) == 0) then
      ierr = c_set_last_error(int(lodestep_invalid_argument, c_int), &
                              c_string('states: expected room for the first state at least, found none'))
    end if
  end function

  function c_string(text) result(characters)
    character(*), intent(in) :: text
    character(kind=c_char) :: characters(len_trim(text) + 1)
    integer :: i
    do i = 1, len_trim(text)
      characters(i) = text(i:i)
    end do
    characters(len_trim(text) + 1) = c_null_char
  end function

  function to_string(pointer) result(text)
    type(c_ptr), intent(in) :: pointer
    character(:), allocatable :: text
    character(kind=c_char), pointer :: characters(:)
    integer :: i, length
    length = int(c_strlen(pointer))
    call c_f_pointer(pointer, characters, [length])
    allocate (character(length) :: text)
    do i = 1, length
      text(i:i) = characters(i)
    end do
  end function

end module lodestep
