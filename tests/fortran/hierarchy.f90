! A hierarchy of flow maps from Fortran: the oscillator's, on the model whose file is the second argument.
module oscillators
  use lodestep
  implicit none
contains
  subroutine rhs(t, y, ydot, ierr)
    real(lodestep_real), intent(in) :: t, y(:)
    real(lodestep_real), intent(out) :: ydot(:)
    integer, intent(out) :: ierr
    ydot(1) = y(2) + 0 * t
    ydot(2) = -y(1)
    ierr = merge(4, 0, abs(y(1)) > 1d3)
  end subroutine
end module

program test_hierarchy
  use lodestep
  use oscillators
  use, intrinsic :: iso_fortran_env, only: error_unit
  implicit none
  integer, parameter :: fine_steps = 8, steps = 10 * fine_steps + 3
  type(lodestep_stepper) :: stepper
  type(lodestep_counts) :: counts
  type(lodestep_sweeps) :: result
  real(lodestep_real) :: y(2), t, states(2, 0:steps), corrected(2, 0:steps), error(2), start(2)
  character(1000) :: file
  integer :: ierr, i

  call get_command_argument(2, file)
  call check(stepper%kind() == '', 'the kind of what was not loaded')
  call stepper%load(file, rhs, ierr)
  call check(ierr == lodestep_success, 'load: ' // lodestep_message())
  call check(stepper%kind() == 'hierarchy', 'kind')
  call check(stepper%dt() == 0.8d0 .and. stepper%fine_dt() == 0.1d0, 'steps')
  start = [1d0, -0.3d0]

  y = start
  t = 0
  call stepper%set_threads(2, ierr)
  call check(ierr == 0, 'set_threads')
  call stepper%fine_states(t, y, states, ierr)
  call check(ierr == 0 .and. all(y == states(:, steps)) .and. all(states(:, 0) == start), 'fine_states')
  call check(abs(t - 0.1d0 * steps) < 1d-12, 'the time of the last')
  counts = stepper%counts()
  call check(counts%learned == 10, 'counts')
  y = start
  t = 0
  call stepper%parareal_states(t, y, corrected, 12, ierr, result)
  call check(ierr == 0 .and. result%converged == 1 .and. result%jump < 1d-14, 'parareal_states')
  do i = 0, steps
    ! RK4 is off by h**4 t / 120, the flow map's turn by a thousandth.
    call check(maxval(abs(corrected(:, i) - exact(i * 0.1d0))) < 1d-5, 'a state by parareal')
    call check(maxval(abs(states(:, i) - exact(i * 0.1d0))) < 1.1d-2, 'a fine state')
  end do
  call check(maxval(abs(states(:, steps) - exact(steps * 0.1d0))) > 1d-3, 'the flow map is not exact')

  y = start
  call stepper%step_error(0d0, y, 0.8d0, error, ierr)
  call check(ierr == 0 .and. all(y == states(:, fine_steps)), 'step_error')
  call stepper%fine_states(t, y, states(:, 1:0), ierr)
  call check(ierr == lodestep_invalid_argument, 'no room at all')
  call stepper%fine_states(t, y, states(1:1, :), ierr)
  call check(ierr == lodestep_invalid_argument, 'room for one variable')
  call stepper%set_parameter('omega', 2d0, ierr)
  call check(ierr == lodestep_invalid_argument .and. index(lodestep_message(), 'omega') > 0, 'set_parameter')
  y = [2d3, 0d0]
  start = y
  call stepper%fine_states(t, y, states, ierr)
  call check(ierr == lodestep_rhs_recoverable .and. all(y == start), 'a failing right-hand side')

contains

  function exact(time) result(u)
    real(lodestep_real), intent(in) :: time
    real(lodestep_real) :: u(2)
    u = [start(1) * cos(time) + start(2) * sin(time), start(2) * cos(time) - start(1) * sin(time)]
  end function

  subroutine check(condition, what)
    logical, intent(in) :: condition
    character(*), intent(in) :: what
    if (condition) return
    write (error_unit, '(a)') 'failed: ' // what
    error stop 1
  end subroutine
end program
