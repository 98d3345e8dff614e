! Everything a Fortran program does with the module, on the model whose file is the argument.
module pendulum
  use lodestep
  implicit none
  integer :: calls = 0, fail_at = 0, fail_with = 0
contains
  subroutine rhs(t, y, ydot, ierr)
    real(lodestep_real), intent(in) :: t, y(:)
    real(lodestep_real), intent(out) :: ydot(:)
    integer, intent(out) :: ierr
    calls = calls + 1
    ierr = 0
    if (calls == fail_at) ierr = fail_with
    ydot(1:2) = y(3:4) + 0 * t
    ydot(3) = -(9.81d0 * sin(y(1)) + 2 * y(3) * y(4)) / y(2)
    ydot(4) = y(2) * y(3)**2 - 40 * (y(2) - 10) + 9.81d0 * cos(y(1))
  end subroutine

  subroutine classical(n, t, y, ydot)
    integer, intent(in) :: n
    real(lodestep_real), intent(in) :: t, y(n)
    real(lodestep_real), intent(out) :: ydot(n)
    integer :: ierr
    call rhs(t, y, ydot, ierr)
  end subroutine
end module

program test_module
  use lodestep
  use pendulum
  use, intrinsic :: iso_fortran_env, only: error_unit
  implicit none
  real(lodestep_real), parameter :: start(4) = [0.2d0, 10.2d0, 0.0d0, 0.3d0]
  type(lodestep_stepper) :: stepper, other
  type(lodestep_counts) :: counts
  real(lodestep_real) :: y(4), z(4), t, many(4, 3), states(4, 3), error(4), times(3)
  character(1000) :: file
  integer :: ierr, i

  call get_command_argument(1, file)

  ! Not loaded, no such file: an error that says so.
  y = start
  call stepper%step(0d0, y, 0.1d0, ierr)
  call check(ierr == lodestep_invalid_argument, 'a stepper that was not loaded')
  call stepper%load('no/such/file', rhs, ierr)
  call check(ierr == lodestep_io_error, 'a missing file')
  call check(index(lodestep_message(), 'no/such/file') > 0, 'a message that names the file')
  call check(lodestep_status_text(0) == 'success', 'the text of a status')

  call stepper%load(file, rhs, ierr)
  call check(ierr == lodestep_success, 'load: ' // lodestep_message())
  call check(stepper%dimension() == 4, 'dimension')
  call check(stepper%dt() == 0.1d0, 'dt')

  ! Steps, evolve and an ensemble agree to the bit.
  calls = 0
  y = start
  do i = 0, 9
    call stepper%step(i * 0.1d0, y, 0.1d0, ierr)
    call check(ierr == 0, 'step')
  end do
  counts = stepper%counts()
  call check(counts%learned == 10 .and. counts%rhs_evaluations == 40 .and. calls == 40, 'counts')
  call check(any(abs(y - start) > 0.01d0), 'the state moves')
  z = start
  t = 0
  call stepper%evolve(t, z, 1d0, ierr)
  call check(ierr == 0 .and. t == 1d0 .and. all(z == y), 'evolve')
  many = spread(start, 2, 3)
  t = 0
  call stepper%evolve_ensemble(t, many, 1d0, ierr)
  call check(ierr == 0 .and. all(many == spread(y, 2, 3)), 'evolve_ensemble')
  many = spread(start, 2, 3)
  call stepper%step_ensemble(0d0, many, 0.1d0, ierr)
  z = start
  call stepper%step(0d0, z, 0.1d0, ierr)
  call check(all(many == spread(z, 2, 3)), 'step_ensemble')
  z = start
  t = 0
  times = [0.1d0, 0.55d0, 1d0]
  call stepper%states_at(t, z, times, states, ierr)
  call check(ierr == 0 .and. all(states(:, 1) == many(:, 1)) .and. all(states(:, 3) == y), 'states_at')
  states = -1
  z = start
  t = 0
  call stepper%states_at(t, z, times, states(:, 1:2), ierr)
  call check(ierr == lodestep_invalid_argument .and. t == 0 .and. all(z == start) .and. all(states == -1), &
             'states_at without room for all')
  call check(index(lodestep_message(), '3 times need as many states, found room for 2') > 0, 'a message with both sizes')
  call stepper%estimate_error(0d0, start, 0.1d0, error, ierr)
  call check(ierr == 0 .and. any(error /= 0) .and. all(abs(error) < 1d-2), 'estimate_error')

  ! A right-hand side that fails keeps its meaning, and the state.
  calls = 0
  fail_at = 3
  fail_with = 5
  z = start
  call stepper%step(0d0, z, 0.1d0, ierr)
  call check(ierr == lodestep_rhs_recoverable .and. all(z == start), 'a recoverable failure')
  calls = 0
  fail_with = -5
  call stepper%step(0d0, z, 0.1d0, ierr)
  call check(ierr == lodestep_rhs_fatal .and. all(z == start), 'a fatal failure')
  fail_at = 0

  ! A state of another size.
  call stepper%step(0d0, z(1:3), 0.1d0, ierr)
  call check(ierr == lodestep_invalid_argument, 'a state of three variables')
  call check(index(lodestep_message(), '3 variables') > 0, 'a message that says three')

  ! A copy by assignment is empty, the original still good; a classical right-hand side gives the same bits.
  other = stepper
  z = start
  call other%step(0d0, z, 0.1d0, ierr)
  call check(ierr == lodestep_invalid_argument, 'an assigned copy')
  call other%load_classical(file, classical, ierr)
  call check(ierr == 0, 'load_classical')
  t = 0
  call other%evolve(t, z, 1d0, ierr)
  call check(ierr == 0 .and. all(z == y), 'a classical right-hand side')
  call other%free()
  call stepper%reset_counts()
  counts = stepper%counts()
  call check(counts%learned == 0 .and. counts%rhs_evaluations == 0, 'reset_counts')

contains

  subroutine check(condition, what)
    logical, intent(in) :: condition
    character(*), intent(in) :: what
    if (condition) return
    write (error_unit, '(a)') 'failed: ' // what
    error stop 1
  end subroutine
end program
