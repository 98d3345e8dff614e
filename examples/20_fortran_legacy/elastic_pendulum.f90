! A learned ODE stepper, written by lodestep 0.1.0. Do not edit: export it again.
!
! Problem   elastic_pendulum
! Method    rk4 corrected by a polynomial of degree 3, 4-4 of its state
! Step      0.1; any other is taken by rk4 in sub-steps of at most 0.0125
! Error     1.66e-07 rms of one step, 2.09e-06 rms over 50 (measured on held-out initial states)
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

  ! The approximator, of z = (x - input_mean) / input_scale; weights are (inputs, outputs).
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
    -3.2833675499751172e-03_dp, -2.7428402081348556e-04_dp, 1.0134078402772032e-01_dp, -1.1107668101422536e-03_dp, &
    -9.0496663574098822e-05_dp, -1.6019163956107968e-01_dp, 7.9200062994548679e-05_dp, 1.4390397396346000e+00_dp, &
    3.6371234646093799e-02_dp, 7.0683935654818056e-03_dp, 1.2326448824761854e-03_dp, 3.0791063423180439e-02_dp, &
    -1.2121666570756192e-04_dp, -1.5013363502959469e+00_dp, 3.4154386943312145e-04_dp, -1.5507927474880551e-01_dp /
  real(dp), save :: affine_bias(4)
  data affine_bias(1:4) / &
    1.6204449481510844e-01_dp, 7.2719044950379759e-03_dp, -3.0398414660580988e-02_dp, 8.2625342065199336e-02_dp /
  real(dp), save :: coefficient(120)
  data coefficient(1:120) / &
    -2.4694519334084640e-02_dp, 2.5099366405889922e-01_dp, -2.9286355663190802e-04_dp, -5.1467688761334041e-01_dp, &
    -1.7320890096990305e-01_dp, -3.6004472875374791e+00_dp, -1.0586644722438642e-03_dp, -1.9937592114204063e-02_dp, &
    -3.7139196225103766e-01_dp, -1.6171236000880251e-01_dp, 2.0283954125007938e-02_dp, -2.3778929941236426e-02_dp, &
    -2.7913615014590559e-01_dp, -1.3886601002993690e-03_dp, -1.1873815278800945e-02_dp, -8.3476848086727227e-04_dp, &
    5.0440382455700893e-02_dp, -5.6653251595084907e-02_dp, -2.4103963265113500e-02_dp, 2.7267844407909643e-02_dp, &
    -1.4885662121105354e-02_dp, 1.0646685837688828e-02_dp, 6.9302864540096438e-04_dp, 4.4865075039009876e-02_dp, &
    2.0819761969095996e-01_dp, -1.3498643363012151e-02_dp, 4.6597888761898526e-01_dp, 2.4343534319477438e-03_dp, &
    -5.0835042922893969e-01_dp, 4.6333935863104842e-04_dp, -1.2423144450130848e-02_dp, 2.8486714207780819e-05_dp, &
    8.8878127678866964e-02_dp, -8.0369531004858369e-06_dp, -1.2151692715462785e-02_dp, 8.2365389560219527e-06_dp, &
    -1.1379082404741129e-04_dp, 1.9834367896491435e-02_dp, 7.3827567310055632e-05_dp, -1.1794773502408630e-02_dp, &
    5.1076250992858520e-05_dp, -1.1976806494656341e-03_dp, -6.5037684116500490e-05_dp, -6.0457187557736434e-04_dp, &
    1.9581082859121535e-04_dp, -1.8601869334335035e-03_dp, 1.9406997245440245e-05_dp, -1.0709287397698278e-05_dp, &
    -4.1329265237223757e-03_dp, 1.8412438012193393e-04_dp, 3.3149182080504137e-03_dp, -2.5614214386658832e-05_dp, &
    -1.0123921353185391e-03_dp, 7.7001611336013345e-04_dp, -1.2247558743355423e-05_dp, 3.0990847556372565e-03_dp, &
    1.1307975490138712e-05_dp, 2.8280785578495626e-02_dp, -2.2975190595673056e-05_dp, -9.5199172497374750e-04_dp, &
    3.8384475711596582e-03_dp, -3.3966836945759266e-01_dp, -3.2499835739339422e-03_dp, 3.0901184337608517e-01_dp, &
    3.3526926475531321e-02_dp, 3.8479444375782784e-01_dp, -5.6146835983297925e-03_dp, 4.3432484453379801e-03_dp, &
    -3.5300441752036535e+00_dp, 2.9755736765931694e-02_dp, -2.9090133234890226e-02_dp, 5.0034024092355626e-03_dp, &
    4.8420560094467650e-02_dp, -4.1056390134017870e-03_dp, -2.3489751736832529e-02_dp, 1.4149826579654716e-03_dp, &
    3.4802217747852304e-02_dp, -1.7996239843029010e-01_dp, 3.5741658826953407e-03_dp, -1.1981217792321275e-01_dp, &
    -4.9193202005026722e-03_dp, 1.2710785831198872e-02_dp, -3.6403180854395881e-02_dp, -1.1111335669953952e-02_dp, &
    -6.1898654918288676e-01_dp, -5.1827833560741310e-03_dp, -5.1192124765711083e-02_dp, -6.1245550666360104e-03_dp, &
    1.9306386916853942e-02_dp, -3.5166674271277516e-02_dp, -1.0896650384649478e-01_dp, 2.3077440870858933e-05_dp, &
    -9.5630485631560021e-03_dp, -2.7311576450750327e-05_dp, -1.3100895813404301e-01_dp, 1.9492075006143565e-05_dp, &
    3.4380491594408860e-04_dp, 1.8134986788797544e-01_dp, -1.7760288130706702e-05_dp, -1.2510799200144734e-01_dp, &
    5.5122995825332878e-05_dp, -1.6641388551041417e-02_dp, -2.0553377196584445e-04_dp, 1.0699267912463804e-03_dp, &
    1.2431094572811247e-04_dp, 3.5393896500934261e-03_dp, 3.3843073018992438e-05_dp, 6.4751501537547608e-05_dp, &
    -2.2893724934199253e-02_dp, 4.6780310301088118e-05_dp, 1.4826948959115242e-02_dp, 8.1951893948446926e-05_dp, &
    3.3150660822354534e-03_dp, 1.2930858959566974e-02_dp, -3.6165523564509737e-05_dp, 1.4010029262232007e-02_dp, &
    4.0950834028925119e-05_dp, -4.3054190540451620e-03_dp, 9.2109846529639717e-05_dp, 3.1591058042794956e-03_dp /
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
      x = y
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
