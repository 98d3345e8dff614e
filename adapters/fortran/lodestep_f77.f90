! lodestep for Fortran 77 programs: external subroutines, names of six letters, integer handles.
!
!       EXTERNAL F
!       CALL LSLOAD('pendulum.safetensors', F, ISTEP, IERR)
!       CALL LSSTEP(ISTEP, T, Y, DT, IERR)
!       CALL LSFREE(ISTEP)
!
! with SUBROUTINE F(NEQ, T, Y, YDOT), all reals DOUBLE PRECISION. IERR is 0, or a status of lodestep.h whose message
! LSMSG gives. Handles may be used by several threads at once, one thread each, but are made and freed by one at a time.

!> The steppers behind the handles.
module lodestep_f77_handles
  use lodestep
  implicit none

  integer, parameter :: most = 1000
  type :: entry
    type(lodestep_stepper), pointer :: stepper => null()
  end type
  type(entry), save :: entries(most)

contains

  !> The stepper of a handle, or null.
  function stepper_of(handle) result(stepper)
    integer, intent(in) :: handle
    type(lodestep_stepper), pointer :: stepper
    nullify (stepper)
    if (handle >= 1 .and. handle <= most) stepper => entries(handle)%stepper
  end function
end module

!> Makes a stepper from a model file and the right-hand side F; ISTEP is its handle, or 0.
subroutine lsload(file, f, istep, ierr)
  use lodestep_f77_handles
  implicit none
  character(*), intent(in) :: file
  procedure(lodestep_classical_rhs) :: f
  integer, intent(out) :: istep, ierr
  integer :: i

  istep = 0
  ierr = lodestep_out_of_memory
  do i = 1, most
    if (.not. associated(entries(i)%stepper)) then
      allocate (entries(i)%stepper)
      call entries(i)%stepper%load_classical(file, f, ierr)
      if (ierr == lodestep_success) then
        istep = i
      else
        deallocate (entries(i)%stepper)
      end if
      return
    end if
  end do
end subroutine

!> The number of variables and the step the model was trained for; 0 for an unknown handle.
subroutine lsinfo(istep, neq, dt)
  use lodestep_f77_handles
  implicit none
  integer, intent(in) :: istep
  integer, intent(out) :: neq
  real(lodestep_real), intent(out) :: dt
  type(lodestep_stepper), pointer :: stepper

  stepper => stepper_of(istep)
  neq = 0
  dt = 0
  if (.not. associated(stepper)) return
  neq = stepper%dimension()
  dt = stepper%dt()
end subroutine

!> Advances Y by DT in place; T is not changed.
subroutine lsstep(istep, t, y, dt, ierr)
  use lodestep_f77_handles
  implicit none
  integer, intent(in) :: istep
  real(lodestep_real), intent(in) :: t, dt
  real(lodestep_real), intent(inout) :: y(*)
  integer, intent(out) :: ierr
  type(lodestep_stepper), pointer :: stepper

  stepper => stepper_of(istep)
  ierr = lodestep_invalid_argument
  if (associated(stepper)) call stepper%step(t, y(1:stepper%dimension()), dt, ierr)
end subroutine

!> Advances Y from T to TEND; T becomes TEND.
subroutine lsevol(istep, t, y, tend, ierr)
  use lodestep_f77_handles
  implicit none
  integer, intent(in) :: istep
  real(lodestep_real), intent(inout) :: t, y(*)
  real(lodestep_real), intent(in) :: tend
  integer, intent(out) :: ierr
  type(lodestep_stepper), pointer :: stepper

  stepper => stepper_of(istep)
  ierr = lodestep_invalid_argument
  if (associated(stepper)) call stepper%evolve(t, y(1:stepper%dimension()), tend, ierr)
end subroutine

!> The states at TIMES(1) <= TIMES(2) <= ..., N of them, one column of STATES(NEQ, N) for each; T and Y become the last
!! whole step not after the last of them.
subroutine lsat(istep, t, y, n, times, states, ierr)
  use lodestep_f77_handles
  implicit none
  integer, intent(in) :: istep, n
  real(lodestep_real), intent(inout) :: t, y(*)
  real(lodestep_real), intent(in) :: times(n)
  real(lodestep_real), intent(inout) :: states(*)
  integer, intent(out) :: ierr
  type(lodestep_stepper), pointer :: stepper

  stepper => stepper_of(istep)
  ierr = lodestep_invalid_argument
  if (associated(stepper)) call columns(stepper%dimension(), states)
contains
  subroutine columns(neq, states)
    integer, intent(in) :: neq
    real(lodestep_real), intent(inout) :: states(neq, n)
    call stepper%states_at(t, y(1:neq), times, states, ierr)
  end subroutine
end subroutine

!> The spacing of the states that the model gives within a step; 0 if it gives none, and for an unknown handle.
subroutine lsfdt(istep, dt)
  use lodestep_f77_handles
  implicit none
  integer, intent(in) :: istep
  real(lodestep_real), intent(out) :: dt
  type(lodestep_stepper), pointer :: stepper

  stepper => stepper_of(istep)
  dt = 0
  if (associated(stepper)) dt = stepper%fine_dt()
end subroutine

!> All states from Y on that far apart: STATES(NEQ, 0:N), the first of them Y; T and Y become the last. NSWEEP is the
!! most sweeps of parareal a hierarchy is corrected by, 0 for the hybrid scheme.
subroutine lsfine(istep, t, y, n, nsweep, states, ierr)
  use lodestep_f77_handles
  implicit none
  integer, intent(in) :: istep, n, nsweep
  real(lodestep_real), intent(inout) :: t, y(*), states(*)
  integer, intent(out) :: ierr
  type(lodestep_stepper), pointer :: stepper

  stepper => stepper_of(istep)
  ierr = lodestep_invalid_argument
  if (associated(stepper)) call columns(stepper%dimension(), states)
contains
  subroutine columns(neq, states)
    integer, intent(in) :: neq
    real(lodestep_real), intent(inout) :: states(neq, 0:n)
    if (nsweep > 0) then
      call stepper%parareal_states(t, y(1:neq), states, nsweep, ierr)
    else
      call stepper%fine_states(t, y(1:neq), states, ierr)
    end if
  end subroutine
end subroutine

!> Sets a parameter of the right-hand side that is an input of the model.
subroutine lsparm(istep, name, value, ierr)
  use lodestep_f77_handles
  implicit none
  integer, intent(in) :: istep
  character(*), intent(in) :: name
  real(lodestep_real), intent(in) :: value
  integer, intent(out) :: ierr
  type(lodestep_stepper), pointer :: stepper

  stepper => stepper_of(istep)
  ierr = lodestep_invalid_argument
  if (associated(stepper)) call stepper%set_parameter(name, value, ierr)
end subroutine

!> Steps taken by the model, and by the classical scheme in its stead.
subroutine lscnts(istep, nlearn, nfall)
  use lodestep_f77_handles
  implicit none
  integer, intent(in) :: istep
  integer, intent(out) :: nlearn, nfall
  type(lodestep_stepper), pointer :: stepper
  type(lodestep_counts) :: counts

  stepper => stepper_of(istep)
  if (associated(stepper)) counts = stepper%counts()
  nlearn = int(counts%learned)
  nfall = int(counts%step_size + counts%domain + counts%correction)
end subroutine

!> What the last failing call had to say, cut or padded to fit TEXT.
subroutine lsmsg(text)
  use lodestep
  implicit none
  character(*), intent(out) :: text
  text = lodestep_message()
end subroutine

!> Frees a stepper; ISTEP becomes 0. An unknown handle is ignored.
subroutine lsfree(istep)
  use lodestep_f77_handles
  implicit none
  integer, intent(inout) :: istep
  if (associated(stepper_of(istep))) deallocate (entries(istep)%stepper)
  istep = 0
end subroutine
