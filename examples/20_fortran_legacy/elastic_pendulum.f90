! A learned ODE stepper, written by lodestep 0.1.0. Do not edit: export it again.
!
! Problem   elastic_pendulum
! Method    rk4 corrected by a polynomial of degree 3, 4-4 of its increment
! Step      0.1; any other is taken by rk4 in sub-steps of at most 0.00625
! Error     5.92e-08 rms of one step, 9.15e-07 rms over 50 (measured on held-out initial states)
! Domain    outside of which rk4 takes over:
!             -0.429517 <= theta <= 0.429727 rad
!             9.97462 <= r <= 10.5331 m
!             -0.433589 <= theta_dot <= 0.432524 rad/s
!             -1.70617 <= r_dot <= 1.70618 m/s
module elastic_pendulum
  implicit none
  private
  public :: elastic_pendulum_step
  public :: elastic_pendulum_evolve
  public :: elastic_pendulum_rhs
  public :: elastic_pendulum_counters
  public :: elastic_pendulum_dimension
  public :: elastic_pendulum_dt

  integer, parameter :: dp = selected_real_kind(15, 307)
  integer, parameter :: elastic_pendulum_dimension = 4
  !> The step it was trained for.
  real(dp), parameter :: elastic_pendulum_dt = 1.0000000000000001e-01_dp
  integer, parameter :: d = elastic_pendulum_dimension, features = 4, stages = 4
  real(dp), parameter :: trained_dt = elastic_pendulum_dt

  !> What became of the steps.
  type :: elastic_pendulum_counters
    integer :: learned = 0    !< taken by the model
    integer :: step_size = 0  !< by the base scheme: dt is not the trained one
    integer :: domain = 0     !< by the base scheme: the state is outside the domain
    integer :: correction = 0 !< by the base scheme: the correction was larger than any in training
  end type

  abstract interface
    !> The right-hand side, ydot = f(t, y).
    subroutine elastic_pendulum_rhs(n, t, y, ydot)
      import :: dp
      integer, intent(in) :: n
      real(dp), intent(in) :: t, y(n)
      real(dp), intent(out) :: ydot(n)
    end subroutine
  end interface

  ! Where the model may be used, and the largest correction it may apply.
  real(dp), save :: lower(4)
  data lower(1:4) / &
    -4.2951734069257835e-01_dp, 9.9746165979337036e+00_dp, -4.3358916457571683e-01_dp, -1.7061692699963262e+00_dp /
  real(dp), save :: upper(4)
  data upper(1:4) / &
    4.2972747276561385e-01_dp, 1.0533051443392237e+01_dp, 4.3252438721942077e-01_dp, 1.7061808228148119e+00_dp /
  real(dp), save :: limit(4)
  data limit(1:4) / &
    4.7187064956683011e-06_dp, 4.1198278055887272e-04_dp, 2.5858636160780435e-05_dp, 2.6056260694504729e-03_dp /

  ! The approximator, of z = (x - input_mean) / input_scale; weights are (inputs, outputs).
  real(dp), save :: input_mean(4)
  data input_mean(1:4) / &
    1.2006076629738835e-04_dp, 6.0971099014039964e-07_dp, -1.6721248561543667e-06_dp, 5.2547421997561905e-06_dp /
  real(dp), save :: input_scale(4)
  data input_scale(1:4) / &
    3.5713250868428886e-02_dp, 1.5233306700978755e-01_dp, 3.4735857233209509e-02_dp, 9.6343883461059820e-01_dp /
  real(dp), save :: output_scale(4)
  data output_scale(1:4) / &
    6.7233480674969812e-07_dp, 1.4244614079170684e-04_dp, 3.9636390729135029e-06_dp, 9.0100122512185531e-04_dp /
  real(dp), save :: affine_weight(16)
  data affine_weight(1:16) / &
    1.4750429552535524e-01_dp, 4.5501212435872795e-02_dp, -2.6054292197117000e-02_dp, 1.1350012674417706e-01_dp, &
    -5.5554292648958205e-05_dp, 1.4149848998996934e+00_dp, -9.4678918833940781e-05_dp, -3.0370748675761478e-01_dp, &
    1.1123563201136361e-01_dp, -6.6825279074752816e-02_dp, -2.9962307736354455e-04_dp, 7.4619133709851682e-02_dp, &
    6.9115296645303435e-04_dp, 3.0837955322730565e-01_dp, -1.4611333132223130e-03_dp, 1.4084830094302692e+00_dp /
  real(dp), save :: affine_bias(4)
  data affine_bias(1:4) / &
    -4.2272139436689177e-01_dp, 9.4832321918302473e-03_dp, -3.1599564233891231e-01_dp, 7.9588696724608554e-02_dp /
  real(dp), save :: coefficient(120)
  data coefficient(1:120) / &
    5.4535371632031253e-02_dp, 7.6534450608757820e-01_dp, 7.6916418119562558e-04_dp, 3.4422448736558175e+00_dp, &
    4.2257182510685487e-01_dp, 5.4229343340902048e-01_dp, 7.2050160356082872e-04_dp, 6.4517574535507785e-02_dp, &
    -9.2866820501132236e-02_dp, 4.2343166492669854e-01_dp, 7.2503023687437804e-03_dp, -5.0619253161586072e-03_dp, &
    -4.4874004621664354e-02_dp, -1.0464086166832608e-02_dp, -2.8077187981129342e-01_dp, -1.6808662399836801e-02_dp, &
    1.7125913068565482e-01_dp, -6.3466162701816209e-02_dp, 2.7421355060848278e-04_dp, 7.0329483760117703e-02_dp, &
    -4.2954443096385221e-02_dp, 4.3492058258014686e-02_dp, -1.0205991203654917e-01_dp, -6.5906698850777649e-03_dp, &
    4.7015010300730332e-02_dp, -4.3115999015004840e-02_dp, 5.0782474270102016e-03_dp, -2.6932578371692006e-02_dp, &
    1.4971688458967913e-02_dp, -1.0191589683278425e-01_dp, -4.1780165386656465e-03_dp, 2.0727850131824043e-06_dp, &
    -9.1761924264038924e-02_dp, -4.0783538460872603e-05_dp, -9.4800910415139428e-03_dp, 3.1607972118150037e-06_dp, &
    3.3417440016725776e-05_dp, 1.5579341519223588e-03_dp, 8.9722656783822125e-06_dp, -9.4811382759901093e-03_dp, &
    9.1495528926231539e-06_dp, -1.5112863928466516e-04_dp, -1.6184489204081767e-05_dp, -5.9459844363045494e-03_dp, &
    3.4851215231755001e-05_dp, 9.9619023702576139e-05_dp, -3.4310587687746396e-06_dp, -6.9903518584880245e-06_dp, &
    5.9206647936215940e-05_dp, 3.3301072975248916e-05_dp, -1.0369025242103075e-03_dp, -2.1640017552206479e-04_dp, &
    5.0069386421286086e-04_dp, -6.8862704743795930e-04_dp, 1.1158068573349784e-06_dp, -1.0451788476290669e-03_dp, &
    -2.8018474070476579e-05_dp, 4.3521088310565208e-04_dp, -2.2073565272256806e-04_dp, 4.9952728382992684e-04_dp, &
    4.0065727142576106e-02_dp, -3.4481212748869217e+00_dp, 5.2536368332929174e-04_dp, 7.3130656981466846e-01_dp, &
    3.1593206813059116e-01_dp, -2.3699191855751092e-01_dp, 3.0103854179989878e-03_dp, 4.8421320105591796e-02_dp, &
    -2.5958926489898687e-01_dp, 3.1617527838997977e-01_dp, -5.0628806155515391e-03_dp, 7.6710924054990779e-03_dp, &
    2.2082630153865029e-01_dp, -6.2444906178746370e-03_dp, -4.6586089722894027e-02_dp, -1.2361035249701679e-02_dp, &
    4.1487276110247751e-01_dp, -8.0870513988674370e-03_dp, -5.2749373885956530e-04_dp, -2.8748332637971807e-01_dp, &
    5.5479849945927667e-02_dp, 6.9260279802190780e-02_dp, -7.1587833869514270e-02_dp, 7.5895998260922509e-03_dp, &
    -4.6283861405836950e-02_dp, 5.5055289159094564e-02_dp, 4.0655505275313452e-03_dp, -2.0768881899888736e-02_dp, &
    -1.4285177086672865e-02_dp, -7.2225841127609033e-02_dp, -2.5832736250665507e-03_dp, 1.9409568733240433e-06_dp, &
    -1.9061027527372962e-02_dp, 1.7392999433765057e-04_dp, -7.9565883333651041e-02_dp, 3.1074541199166863e-05_dp, &
    2.1257029952098127e-04_dp, -1.4124050316418868e-02_dp, -1.9832485485561552e-05_dp, -7.9591671194720423e-02_dp, &
    -5.6269790136489812e-05_dp, 2.6658273335291647e-03_dp, 1.6828687860746033e-04_dp, 2.7331710175754486e-02_dp, &
    -6.9966771512735681e-04_dp, 9.5290396451500215e-03_dp, 1.3661167192120237e-05_dp, -1.7029415914792171e-04_dp, &
    -1.2631139848251363e-03_dp, -7.2345921934287316e-04_dp, -5.2110074611187726e-03_dp, 1.4021719258687207e-03_dp, &
    5.3160847892545302e-03_dp, -6.4129601605470191e-04_dp, -3.4330171392111595e-05_dp, -5.2084116811062509e-03_dp, &
    2.4200090588378178e-04_dp, 2.8666420142595657e-03_dp, 1.3627051684148648e-03_dp, 5.3218040100102551e-03_dp /
  integer, save :: parent(30)
  data parent(1:30) / &
    1, 1, 1, 1, &
    2, 2, 2, 3, &
    3, 4, 5, 5, &
    5, 5, 6, 6, &
    6, 7, 7, 8, &
    9, 9, 9, 10, &
    10, 11, 12, 12, &
    13, 14 /
  integer, save :: variable(30)
  data variable(1:30) / &
    1, 2, 3, 4, &
    2, 3, 4, 3, &
    4, 4, 1, 2, &
    3, 4, 2, 3, &
    4, 3, 4, 4, &
    2, 3, 4, 3, &
    4, 4, 3, 4, &
    4, 4 /

contains

  !> Advances y by dt in place.
  subroutine elastic_pendulum_step(rhs, t, y, dt, counters)
    procedure(elastic_pendulum_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: y(d)
    type(elastic_pendulum_counters), intent(inout), optional :: counters
    real(dp) :: next(d), k(d, stages), x(features), q(d)
    logical :: trained, inside, small

    trained = abs(dt - trained_dt) <= 1e-9_dp * trained_dt
    inside = all(y >= lower .and. y <= upper) ! NaN is outside
    small = .true.
    if (trained .and. inside) then
      call base_step(rhs, t, y, dt, next, k)
      x(1:d) = next - y
      call correction(x, q)
      small = all(abs(q) <= limit) ! NaN is not small
      next = next + q
    end if
    if (.not. (trained .and. inside .and. small)) then
      next = y
      call fall_back(rhs, t, dt, next)
    end if
    y = next
    if (present(counters)) then
      if (.not. trained) then
        counters%step_size = counters%step_size + 1
      else if (.not. inside) then
        counters%domain = counters%domain + 1
      else if (.not. small) then
        counters%correction = counters%correction + 1
      else
        counters%learned = counters%learned + 1
      end if
    end if
  end subroutine

  !> Advances y from t to t_end in steps of the trained dt and, where the interval is no multiple of it, a last shorter
  !! one. ierr is 0, or -1 if the interval cannot be counted in steps.
  subroutine elastic_pendulum_evolve(rhs, t, y, t_end, ierr, counters)
    procedure(elastic_pendulum_rhs) :: rhs
    real(dp), intent(inout) :: t, y(d)
    real(dp), intent(in) :: t_end
    integer, intent(out) :: ierr
    type(elastic_pendulum_counters), intent(inout), optional :: counters
    real(dp) :: start, h, whole, rest
    integer :: i, n

    ierr = -1
    start = t
    h = sign(trained_dt, t_end - start)
    whole = aint((t_end - start) / h + 1e-9_dp)
    if (.not. (whole >= 0.0_dp .and. whole < real(huge(n), dp))) return
    ierr = 0
    n = int(whole)
    do i = 1, n
      call elastic_pendulum_step(rhs, t, y, h, counters)
      t = start + i * h
    end do
    rest = t_end - t
    if (abs(rest) > 1e-9_dp * trained_dt) call elastic_pendulum_step(rhs, t, y, rest, counters)
    t = t_end
  end subroutine

  !> One step of rk4 from u.
  subroutine base_step(rhs, t, u, dt, next, k)
    procedure(elastic_pendulum_rhs) :: rhs
    real(dp), intent(in) :: t, u(d), dt
    real(dp), intent(out) :: next(d), k(d, stages)
    real(dp) :: v(d)

    call rhs(d, t, u, k(:, 1))
    v = u + dt * ((5.0000000000000000e-01_dp) * k(:, 1))
    call rhs(d, t + 5.0000000000000000e-01_dp * dt, v, k(:, 2))
    v = u + dt * ((5.0000000000000000e-01_dp) * k(:, 2))
    call rhs(d, t + 5.0000000000000000e-01_dp * dt, v, k(:, 3))
    v = u + dt * ((1.0000000000000000e+00_dp) * k(:, 3))
    call rhs(d, t + 1.0000000000000000e+00_dp * dt, v, k(:, 4))
    next = u + dt * ((1.6666666666666666e-01_dp) * k(:, 1) &
      + (3.3333333333333331e-01_dp) * k(:, 2) &
      + (3.3333333333333331e-01_dp) * k(:, 3) &
      + (1.6666666666666666e-01_dp) * k(:, 4))
  end subroutine

  !> The base scheme in sub-steps that keep the model's accuracy.
  subroutine fall_back(rhs, t, dt, next)
    procedure(elastic_pendulum_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: next(d)
    real(dp) :: u(d), k(d, stages), h
    integer :: i, count

    count = max(1, ceiling(abs(dt) / 6.2500000000000003e-03_dp * (1.0_dp - 1e-9_dp)))
    h = dt / count
    do i = 0, count - 1
      u = next
      call base_step(rhs, t + i * h, u, h, next, k)
    end do
  end subroutine

  !> y = bias + weight' x
  pure subroutine layer(inputs, outputs, weight, bias, x, y)
    integer, intent(in) :: inputs, outputs
    real(dp), intent(in) :: weight(inputs, outputs), bias(outputs), x(inputs)
    real(dp), intent(out) :: y(outputs)
    integer :: o

    do o = 1, outputs
      y(o) = bias(o) + dot_product(weight(:, o), x)
    end do
  end subroutine

  !> q = output_scale (affine(z) + what is learned beside it)
  pure subroutine correction(x, q)
    real(dp), intent(in) :: x(features)
    real(dp), intent(out) :: q(d)
    real(dp) :: z(features), m(34), p(4)
    integer :: i

    z = (x - input_mean) / input_scale
    call layer(features, d, affine_weight, affine_bias, z, q)
    m(1:features) = z
    do i = 1, 30
      m(features + i) = m(parent(i)) * z(variable(i))
    end do
    call monomial_sum(30, d, coefficient, m(features + 1:), p)
    q = output_scale * (q + p)
  end subroutine

  !> y = coefficient' m
  pure subroutine monomial_sum(inputs, outputs, coefficient, m, y)
    integer, intent(in) :: inputs, outputs
    real(dp), intent(in) :: coefficient(inputs, outputs), m(inputs)
    real(dp), intent(out) :: y(outputs)
    integer :: o

    do o = 1, outputs
      y(o) = dot_product(coefficient(:, o), m)
    end do
  end subroutine

end module elastic_pendulum
