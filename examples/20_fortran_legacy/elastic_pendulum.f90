! A learned ODE stepper, written by lodestep 0.1.0. Do not edit: export it again.
!
! Problem   elastic_pendulum
! Method    rk4 corrected by a polynomial of degree 3, 4-4 of its state
! Step      0.1; any other is taken by rk4 in sub-steps of at most 0.0125
! Error     1.69e-07 rms of one step, 2.49e-06 rms over 50 (measured on held-out initial states)
! Domain    outside of which rk4 takes over:
!             -0.427394 <= theta <= 0.42746 rad
!             9.94802 <= r <= 10.5568 m
!             -0.431064 <= theta_dot <= 0.431892 rad/s
!             -1.8705 <= r_dot <= 1.87052 m/s
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
    integer :: step_size = 0  !< by the fallback scheme: dt is not the trained one
    integer :: domain = 0     !< by the fallback scheme: the state is outside the domain
    integer :: correction = 0 !< by the fallback scheme: the correction was larger than any in training
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
    -4.2739389432909175e-01_dp, 9.9480177047497911e+00_dp, -4.3106379069958667e-01_dp, -1.8705038467683532e+00_dp /
  real(dp), save :: upper(4)
  data upper(1:4) / &
    4.2745976971928956e-01_dp, 1.0556789039662817e+01_dp, 4.3189234705235441e-01_dp, 1.8705153995868389e+00_dp /
  real(dp), save :: limit(4)
  data limit(1:4) / &
    4.7187064956683011e-06_dp, 4.1198278055887272e-04_dp, 2.5858636160780435e-05_dp, 2.6056260694502509e-03_dp /
  real(dp), save :: error_scale(4)
  data error_scale(1:4) / &
    3.6768544795248801e-09_dp, 1.8822780756816764e-08_dp, 2.2718553996537839e-08_dp, 2.3892855537149137e-07_dp /
  ! The density of training states.
  real(dp), save :: density_mean(4)
  data density_mean(1:4) / &
    3.2937695098905762e-05_dp, 1.0252403372206304e+01_dp, 4.1427817638386988e-04_dp, 5.7764092428191915e-06_dp /
  real(dp), save :: density_factor(4)
  data density_factor(1:4) / &
    2.8214169056576273e+00_dp, 3.9619122013260624e+00_dp, 2.7949260386427373e+00_dp, 6.4471696636133002e-01_dp /
  real(dp), save :: density_weight(60)
  data density_weight(1:60) / &
    1.5428094722925412e+00_dp, -1.0489494158125380e-01_dp, -1.8051003713602388e-02_dp, 1.8896641084421931e-01_dp, &
    -2.9622181346141191e-01_dp, 3.8000865513804982e-01_dp, -7.1044416335381733e-01_dp, 1.6525730778036796e+00_dp, &
    8.3162848752852525e-01_dp, -1.6085122493679986e+00_dp, -8.0489178645608575e-02_dp, 2.9410024736843854e-03_dp, &
    -1.3625474024704070e+00_dp, -2.1250164341724270e-01_dp, -1.6922850485603962e+00_dp, 5.4477114159300555e-01_dp, &
    -7.8760032477795905e-01_dp, 9.3561737230510880e-02_dp, -6.0260413402494280e-02_dp, -1.1819930303168216e-01_dp, &
    -5.8796234295387073e-01_dp, -5.4864691549252620e-01_dp, -1.6691248333146828e-02_dp, 7.5370394160150689e-01_dp, &
    5.8251289215773688e-02_dp, 4.0010269775495738e-01_dp, -7.2970321668849414e-01_dp, -8.9121757928065415e-01_dp, &
    7.7491599483527967e-03_dp, -4.1611592034873796e-01_dp, 6.6730202339781852e-01_dp, -9.1582596826538909e-02_dp, &
    3.8461389653739304e-02_dp, -4.9722293567246334e-01_dp, -2.4187028943183100e-01_dp, -5.1098859315089362e-01_dp, &
    -3.8436946866751764e-01_dp, -5.8862094534668818e-01_dp, -6.6409670071489624e-01_dp, -5.4112501895676635e-01_dp, &
    2.1590800548069289e-01_dp, 6.3974541145455621e-01_dp, 4.7393896746377046e-01_dp, 5.2309578057408612e-01_dp, &
    -3.2317749239387822e-01_dp, 7.4103563557659999e-02_dp, -2.3390382641429494e-01_dp, -1.4485354160064379e-01_dp, &
    -2.9496577633807664e-01_dp, -1.6862572665783734e-01_dp, -3.6146826011237981e-01_dp, -9.5364307287183602e-03_dp, &
    -2.7096365265540923e-01_dp, 9.0245201624045576e-02_dp, -1.2366329384673586e-01_dp, 2.1988911153429622e-01_dp, &
    -4.5526542565326100e-01_dp, 2.1748832047282124e-01_dp, 3.3667737892224858e-01_dp, 3.1204646578006371e-02_dp /
  integer, save :: density_parent(10)
  data density_parent(1:10) / &
    1, 1, 1, 1, &
    2, 2, 2, 3, &
    3, 4 /
  integer, save :: density_variable(10)
  data density_variable(1:10) / &
    1, 2, 3, 4, &
    2, 3, 4, 3, &
    4, 4 /

  ! The correction, of z = (x - input_mean) / input_scale; weights are (inputs, outputs).
  real(dp), save :: input_mean(4)
  data input_mean(1:4) / &
    3.2937695098905762e-05_dp, 1.0252403372206304e+01_dp, 4.1427817638386988e-04_dp, 5.7764092428191915e-06_dp /
  real(dp), save :: input_scale(4)
  data input_scale(1:4) / &
    3.5443184521747095e-01_dp, 2.5240337220630416e-01_dp, 3.5779122101049110e-01_dp, 1.5510682240050628e+00_dp /
  real(dp), save :: output_scale(4)
  data output_scale(1:4) / &
    6.7233480674971516e-07_dp, 1.4244614079170445e-04_dp, 3.9636390729135563e-06_dp, 9.0100122512185943e-04_dp /
  real(dp), save :: affine_weight(16)
  data affine_weight(1:16) / &
    -5.2883316641849911e-03_dp, -1.2943389184919288e-02_dp, 1.0417835320605490e-01_dp, 1.4694220631459169e-02_dp, &
    -2.3195155181848063e-04_dp, -1.6028783569548347e-01_dp, 3.5309223389924597e-05_dp, 1.4386759389760146e+00_dp, &
    3.8339932815787722e-02_dp, -3.3391728263617352e-03_dp, -2.0930067436416397e-03_dp, -1.5277990074548501e-02_dp, &
    -7.8235577023451765e-05_dp, -1.5022991039198161e+00_dp, 2.8408763574160989e-04_dp, -1.5515809731490235e-01_dp /
  real(dp), save :: affine_bias(4)
  data affine_bias(1:4) / &
    -4.3767535536549116e-03_dp, 6.4993146676186235e-03_dp, -1.1805849560963033e-01_dp, 8.9606051243979565e-02_dp /
  real(dp), save :: coefficient(120)
  data coefficient(1:120) / &
    1.0483775832015175e-03_dp, 2.5091786176562147e-01_dp, -7.9277069424276672e-04_dp, -5.1469707706902545e-01_dp, &
    5.9042540118505989e-03_dp, -3.6016983082566472e+00_dp, -6.6725459334190604e-04_dp, 1.4982812340762510e-03_dp, &
    -3.7167885355117031e-01_dp, 3.2448424371844006e-03_dp, 1.5372883877642188e-02_dp, 1.8999808180708278e-03_dp, &
    -2.8423336964475848e-01_dp, -2.3912015784042645e-03_dp, -8.0681275251472673e-03_dp, -1.4404281722493651e-03_dp, &
    5.2480160711119814e-02_dp, -5.7945922617019016e-02_dp, 9.8053369856213718e-04_dp, 3.0643506596894236e-02_dp, &
    9.8154131370732610e-03_dp, 1.3362313782110863e-02_dp, -1.5287026978239334e-02_dp, 2.0434438725368487e-04_dp, &
    2.0865870800843522e-01_dp, 8.3346072723211317e-03_dp, 4.6401047150025948e-01_dp, -2.6811285316452913e-04_dp, &
    -5.1454387382848454e-01_dp, -1.5552877055792572e-02_dp, -1.2292274364664348e-02_dp, 2.7947750579783905e-05_dp, &
    8.8886722728882581e-02_dp, -5.5812459660607917e-06_dp, -1.1333222384227673e-02_dp, 7.8082665315753989e-07_dp, &
    -1.0936978728263141e-04_dp, 1.9923913409368797e-02_dp, 7.4236232936929035e-05_dp, -1.1021738911877080e-02_dp, &
    7.0677187076484920e-05_dp, -1.0315454472727386e-03_dp, -3.2941720349625702e-05_dp, -4.6359894704131360e-04_dp, &
    3.5666462221282453e-04_dp, -1.8928500616480245e-03_dp, 1.3879792103521270e-05_dp, 3.8475840709244557e-05_dp, &
    -4.1060334957955559e-03_dp, 3.0301915029878364e-04_dp, 3.4222858057563182e-03_dp, 1.8587615578964833e-05_dp, &
    -6.7438140580744379e-04_dp, 6.6348599134190170e-04_dp, 4.9871653931563593e-06_dp, 3.3332741200408572e-03_dp, &
    -5.9474010936637357e-08_dp, 2.8418848130680525e-02_dp, 1.8888555796892586e-05_dp, -5.8748453980870120e-04_dp, &
    1.7902344711455038e-02_dp, -3.3947839318470469e-01_dp, 2.9686533932108680e-04_dp, 3.0854090718795296e-01_dp, &
    1.2579861291504080e-01_dp, 3.8430918273203518e-01_dp, 1.4472845320749159e-03_dp, 1.4345812490460512e-02_dp, &
    -3.5313626571061758e+00_dp, 1.1821630473883607e-01_dp, -2.4528604092421552e-02_dp, 1.9742939559171020e-02_dp, &
    4.4911030698309151e-02_dp, 1.1284659675702899e-03_dp, -2.5813958140888233e-02_dp, 1.5085539284625960e-03_dp, &
    3.5120003282196249e-02_dp, -1.7398647401362841e-01_dp, 1.4189048038826148e-02_dp, -1.2358598562123597e-01_dp, &
    1.1698079018930900e-02_dp, 1.4051979179760509e-02_dp, 1.1560146287542346e-02_dp, -3.2138237409642972e-02_dp, &
    -6.0338528503924693e-01_dp, 1.0347541014684292e-02_dp, -5.3934586976386437e-02_dp, 2.5862196196585192e-04_dp, &
    2.8324988704685989e-02_dp, 1.1290220597277011e-02_dp, -1.0992854119795469e-01_dp, -1.5587038687801520e-05_dp, &
    -9.5906489720206604e-03_dp, -1.5272747430704743e-05_dp, -1.3834936722245680e-01_dp, 5.7500695763558639e-06_dp, &
    2.4953539653683256e-04_dp, 1.8027308782643217e-01_dp, -5.2808092977094067e-06_dp, -1.3212786392195108e-01_dp, &
    3.3248062005830691e-05_dp, -1.7569579946163712e-02_dp, -1.7291490817676543e-04_dp, 9.0432563027923168e-04_dp, &
    5.5051319741321505e-05_dp, 3.4904642253167080e-03_dp, 9.0501307951369195e-06_dp, 9.2293976232611831e-05_dp, &
    -2.3821956855335814e-02_dp, 2.4360128636923078e-06_dp, 1.5259219121978628e-02_dp, 1.2359295891001051e-04_dp, &
    3.4778424552772786e-03_dp, 1.5046121813443489e-02_dp, -6.9895612598831533e-05_dp, 1.4949065164903420e-02_dp, &
    5.8885809646750571e-06_dp, -4.2201693022477149e-03_dp, 1.9913865108663672e-04_dp, 3.2334562479478177e-03_dp /
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
  !! error receives an estimate of the step's local error, one standard deviation of each variable.
  subroutine elastic_pendulum_step(rhs, t, y, dt, counters, error)
    procedure(elastic_pendulum_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: y(d)
    type(elastic_pendulum_counters), intent(inout), optional :: counters
    real(dp), intent(out), optional :: error(d)
    real(dp) :: next(d), k(d, stages), x(features), q(d), distance, h, size_of_error
    logical :: trained, inside, small

    trained = abs(dt - trained_dt) <= 1e-9_dp * trained_dt
    inside = all(y >= lower .and. y <= upper) ! NaN is outside
    distance = 0.0_dp
    small = .true.
    if (trained .and. inside) then
      call base_step(rhs, t, y, dt, next, k)
      x(1:d) = y
      call correction(x, q)
      ! NaN is not small, and 0 times what is not finite is NaN.
      small = all(abs(q) + 0.0_dp * next <= limit)
      next = next + q
      if (small) then
        distance = leverage(y)
        inside = distance <= 1.0_dp ! NaN is outside
      end if
    end if
    if (.not. (trained .and. inside .and. small)) then
      next = y
      call fall_back(rhs, t, dt, next)
    end if
    if (present(error)) then
      if (trained .and. inside .and. small) then
        size_of_error = 1.0_dp * sqrt(1.0_dp + 3.0000000000000000e+01_dp * distance)
      else
        ! As many steps of the fallback as make one of the model's have about its error; a shorter one has less.
        h = abs(dt) / 1.2500000000000001e-02_dp
        size_of_error = merge(h, h**5, h >= 1.0_dp) * 1.2500000000000000e-01_dp
      end if
      error = size_of_error * error_scale
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
    v = u + ((dt * (5.0000000000000000e-01_dp)) * k(:, 1))
    call rhs(d, t + 5.0000000000000000e-01_dp * dt, v, k(:, 2))
    v = u + ((dt * (5.0000000000000000e-01_dp)) * k(:, 2))
    call rhs(d, t + 5.0000000000000000e-01_dp * dt, v, k(:, 3))
    v = u + ((dt * (1.0000000000000000e+00_dp)) * k(:, 3))
    call rhs(d, t + 1.0000000000000000e+00_dp * dt, v, k(:, 4))
    next = u + ((dt * (1.6666666666666666e-01_dp)) * k(:, 1) &
      + (dt * (3.3333333333333331e-01_dp)) * k(:, 2) &
      + (dt * (3.3333333333333331e-01_dp)) * k(:, 3) &
      + (dt * (1.6666666666666666e-01_dp)) * k(:, 4))
  end subroutine

  !> rk4 in sub-steps that keep the model's accuracy.
  subroutine fall_back(rhs, t, dt, next)
    procedure(elastic_pendulum_rhs) :: rhs
    real(dp), intent(in) :: t, dt
    real(dp), intent(inout) :: next(d)
    real(dp) :: u(d), k(d, stages), h
    integer :: i, count

    count = max(1, ceiling(abs(dt) / 1.2500000000000001e-02_dp * (1.0_dp - 1e-9_dp)))
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

  !> q = output_scale (affine(z) + what is learned beside it)
  pure subroutine correction(x, q)
    real(dp), intent(in) :: x(4)
    real(dp), intent(out) :: q(4)
    real(dp) :: z(4), m(34), p(4)
    integer :: i

    z = (x - input_mean) / input_scale
    call layer(4, 4, affine_weight, affine_bias, z, q)
    m(1:4) = z
    do i = 1, 30
      m(4 + i) = m(parent(i)) * z(variable(i))
    end do
    call monomial_sum(30, 4, coefficient, m(4 + 1:), p)
    q = output_scale * (q + p)
  end subroutine

  !> How far x is from the states of training: up to 1 is inside.
  pure function leverage(x) result(total)
    real(dp), intent(in) :: x(4)
    real(dp) :: total, m(15)
    integer :: i

    m(1) = 1.0_dp
    m(2:5) = (x - density_mean) * density_factor
    do i = 1, 10
      m(5 + i) = m(1 + density_parent(i)) * m(1 + density_variable(i))
    end do
    total = 0.0_dp
    do i = 0, 4 - 1
      total = total + dot_product(density_weight(15 * i + 1:15 * (i + 1)), m)**2
    end do
    total = total / 4.9614213312004210e+01_dp
  end function

end module elastic_pendulum
