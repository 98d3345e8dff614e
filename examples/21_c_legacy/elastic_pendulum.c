/*
 * A learned ODE stepper, written by lodestep 0.1.0. Do not edit: export it again.
 *
 * Problem   elastic_pendulum
 * Method    rk4 corrected by a polynomial of degree 3, 4-4 of its state
 * Step      0.1; any other is taken by rk4 in sub-steps of at most 0.0125
 * Error     1.69e-07 rms of one step, 2.49e-06 rms over 50 (measured on held-out initial states)
 * Domain    outside of which rk4 takes over:
 *             -0.427394 <= theta <= 0.42746 rad
 *             9.94802 <= r <= 10.5568 m
 *             -0.431064 <= theta_dot <= 0.431892 rad/s
 *             -1.8705 <= r_dot <= 1.87052 m/s
 */
#include "elastic_pendulum.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { DIMENSION = 4, FEATURES = 4, STAGES = 4 };

/* Where the model may be used, and the largest correction it may apply. */
static const double lower[4] = {
  -0x1.b5a6beba9d36bp-2, 0x1.3e562939bdbd2p+3, -0x1.b968c94e2d95p-2, -0x1.ded95710e98abp+0};
static const double upper[4] = {
  0x1.b5b8038d333dap-2, 0x1.51d1373f83fp+3, 0x1.ba41fcc7ee201p-2, 0x1.deda18e3e3ccep+0};
static const double limit[4] = {
  0x1.3caac2a3e4p-18, 0x1.affec91abp-12, 0x1.b1d5ff232p-16, 0x1.55864d81fe6p-9};
static const double error_scale[4] = {
  0x1.f957d0ed822d1p-29, 0x1.435f7719c22cep-26, 0x1.864d41d40b8a1p-26, 0x1.008c2e63c1c2cp-22};

/* The density of training states. */
static const double density_mean[4] = {
  0x1.144d29606fp-15, 0x1.4813b03ca0d69p+3, 0x1.b266f381162p-12, 0x1.83a5f4846p-18};
static const double density_factor[4] = {
  0x1.6924306d172bep+1, 0x1.fb1ff06328ceap+1, 0x1.65c022ed5acd4p+1, 0x1.4a18579b65805p-1};
static const double density_weight[60] = {
  0x1.8af58fc3749a8p+0, -0x1.ada65179b7909p-4, -0x1.27bf65a7088cap-6, 0x1.8300d254f2871p-3,
  -0x1.2f54c564b6dcdp-2, 0x1.8520fd280f392p-2, -0x1.6bbf565e7a3a7p-1, 0x1.a70f077b6ab7dp+0,
  0x1.a9cb3588b6c37p-1, -0x1.9bc77572403e5p+0, -0x1.49af055f6fc81p-4, 0x1.817baae244969p-9,
  -0x1.5ccfe814dc32ap+0, -0x1.b3340fc696242p-3, -0x1.b13997cb13a0ep+0, 0x1.16ec3e39e4a17p-1,
  -0x1.9340598a7b0a4p-1, 0x1.7f3a9798fde91p-4, -0x1.eda73f19d4329p-5, -0x1.e424f3cee5a82p-4,
  -0x1.2d0966748867p-1, -0x1.18e83f9e2ef02p-1, -0x1.11782b6e1911ep-6, 0x1.81e57ba816eb9p-1,
  0x1.dd31cec435f2cp-5, 0x1.99b48587987d1p-2, -0x1.759ba8f6ed195p-1, -0x1.c84daba942eabp-1,
  0x1.fbd9548cb5c07p-8, -0x1.aa1a4ab4f898dp-2, 0x1.55a89c5e18b53p-1, -0x1.771f50240b37p-4,
  0x1.3b13615716b79p-5, -0x1.fd28025e232a8p-2, -0x1.ef59b0b7dec21p-3, -0x1.05a04c006c9d5p-1,
  -0x1.899826660813p-2, -0x1.2d5fb97c025ecp-1, -0x1.54047b95e769dp-1, -0x1.150e56a6eef23p-1,
  0x1.ba2df9f3df91cp-3, 0x1.478cb5e7ed408p-1, 0x1.e55041b63a449p-2, 0x1.0bd335cc7b8aap-1,
  -0x1.4aef0a628a3c5p-2, 0x1.2f8737dff48f7p-4, -0x1.df08f826de87fp-3, -0x1.28a8f93f138ap-3,
  -0x1.2e0b822b3ec2cp-2, -0x1.595871ea13c1bp-3, -0x1.7224bc4ee615dp-2, -0x1.387d610cda647p-7,
  -0x1.15777eea3d1e6p-2, 0x1.71a4f3d98a0afp-4, -0x1.fa865cac990fcp-4, 0x1.c25538f64a56fp-3,
  -0x1.d2311988b89a2p-2, 0x1.bd6a843d8ab86p-3, 0x1.58c1f46f18a28p-2, 0x1.ff41c6224a261p-6};
static const unsigned char density_parent[10] = {
  1, 1, 1, 1, 2, 2, 2, 3, 3, 4};
static const unsigned char density_variable[10] = {
  1, 2, 3, 4, 2, 3, 4, 3, 4, 4};

/* How far x is from the states of training: up to 1 is inside. */
static double leverage(const double *x) {
  double m[15], sum = 0.0;
  size_t i, o;
  m[0] = 1.0;
  for (i = 0; i < 4; ++i) m[1 + i] = (x[i] - density_mean[i]) * density_factor[i];
  for (i = 5; i < 15; ++i) m[i] = m[density_parent[i - 5]] * m[density_variable[i - 5]];
  for (o = 0; o < 4; ++o) {
    double y = 0.0;
    for (i = 0; i < 15; ++i) y += density_weight[o * 15 + i] * m[i];
    sum += y * y;
  }
  return sum * 0x1.4a3a5afe51aa7p-6;
}

/* The correction, of z = (x - input_mean) * input_factor. Layers are transposed, and padded with zeros. */
static const double input_mean[4] = {
  0x1.144d29606fp-15, 0x1.4813b03ca0d69p+3, 0x1.b266f381162p-12, 0x1.83a5f4846p-18};
static const double input_factor[4] = {
  0x1.6924306d172bep+1, 0x1.fb1ff06328ceap+1, 0x1.65c022ed5acd4p+1, 0x1.4a18579b65805p-1};
static const double output_scale[4] = {
  0x1.68f4fe024adeep-21, 0x1.2abb30843bc55p-13, 0x1.09feccfef37f1p-18, 0x1.d862565d4b955p-11};
static const double affine_weight[16] = {
  -0x1.5a937b8c4eb1fp-8, -0x1.e6700a89c36f7p-13, 0x1.3a14aab2637eep-5, -0x1.4824cfa927bb8p-14,
  -0x1.a821049fd30e8p-7, -0x1.4844fd2211dd5p-3, -0x1.b5ac0c2b7a0cbp-9, -0x1.8096ac90254dap+0,
  0x1.aab6ebbf89cccp-4, 0x1.2831fad7acd92p-15, -0x1.1255a7074b8d9p-9, 0x1.29e331ace27acp-12,
  0x1.e1800e86b29afp-7, 0x1.704d10fb71aeep+0, -0x1.f4a111dc01962p-7, -0x1.3dc3874d6aaebp-3};
static const double sum_weight[128] = {
  0x1.12d36dbc1e7bep-10, 0x1.00f09ca90ff7ap-2, -0x1.9fa3e1a3d6fcap-11, -0x1.07866012b76d5p-1,
  0x1.82f0f1e35f71dp-8, -0x1.cd04733e02aa7p+1, -0x1.5dd5654087ee1p-11, 0x1.88c3f39a2e80bp-10,
  -0x1.7c9961a277dbfp-2, 0x1.a94ed84bf8747p-9, 0x1.f7bd18bff57a2p-7, 0x1.f2118de814b7bp-10,
  -0x1.230e128c3976bp-2, -0x1.396b69279fa6p-9, -0x1.08605bee23b7p-7, -0x1.79997f91750d2p-10,
  0x1.adeadfbe2dbdep-5, -0x1.dab1685273dcep-5, 0x1.010a80abfb29fp-10, 0x1.f6102eaac768ep-6,
  0x1.41a1a735d194ep-7, 0x1.b5db3658b611p-7, -0x1.f4ece076598b1p-7, 0x1.ac8a8ebb65e52p-13,
  0x1.ab5541b75fefp-3, 0x1.111bc0d46e87p-7, 0x1.db258fa061703p-2, -0x1.1922fef9c5039p-12,
  -0x1.07724b6ce6a6dp-1, -0x1.fda2fd281b748p-7, 0x0p+0, 0x0p+0,
  -0x1.92cb1231e1721p-7, 0x1.d4e2acbb8f557p-16, 0x1.6c147bf2b4ec3p-4, -0x1.768d135940edp-18,
  -0x1.735df5bfd095bp-7, 0x1.a333ff80670ap-21, -0x1.cabaea360e98dp-14, 0x1.466ef32019cd6p-6,
  0x1.375e8c5440926p-14, -0x1.69290c15f5c42p-7, 0x1.28710d4095026p-14, -0x1.0e69d7d76c4f3p-10,
  -0x1.1455ce481c23ap-15, -0x1.e61e650e589d4p-12, 0x1.75fd6e356dea5p-12, -0x1.f0330471ac90ep-10,
  0x1.d1ba819e2cbf4p-17, 0x1.42c23d1fc75cep-15, -0x1.0d17cf94aa3a4p-8, 0x1.3dbd157313b9fp-12,
  0x1.c090db3a00efcp-9, 0x1.37d93376321cep-16, -0x1.6191f0a9edff6p-11, 0x1.5bdb9512c6776p-11,
  0x1.4eaed95b9041cp-18, 0x1.b4e61eab19772p-9, -0x1.fee0bbafc24dfp-25, 0x1.d19d49d3ebbe2p-6,
  0x1.3ce5babb073c8p-16, -0x1.3402d71544327p-11, 0x0p+0, 0x0p+0,
  0x1.254fe043acbc5p-6, -0x1.5ba03951b52ebp-2, 0x1.37492ec779a99p-12, 0x1.3bf225c766d6fp-2,
  0x1.01a2b402d16f8p-3, 0x1.898858ad8bdb6p-2, 0x1.7b659eeeddeb2p-10, 0x1.d61565bd93e7cp-7,
  -0x1.c403b1094b189p+1, 0x1.e436c7ab50fb2p-4, -0x1.91e06c192ed08p-6, 0x1.4377e3eef2635p-6,
  0x1.6fe942028644p-5, 0x1.27d211b39276p-10, -0x1.a6ef967fb5175p-6, 0x1.8b755725e31c8p-10,
  0x1.1fb3fc3109cb4p-5, -0x1.6453053eadd9bp-3, 0x1.d0f25ca4e17c1p-7, -0x1.fa354c67cb4ddp-4,
  0x1.7f529967fa7e9p-7, 0x1.cc748b82b4db3p-7, 0x1.7acd891ef8e11p-7, -0x1.0746c4d404194p-5,
  -0x1.34eeea84432d2p-1, 0x1.531177204468dp-7, -0x1.b9d506e5faa72p-5, 0x1.0f2f4de6133ccp-12,
  0x1.d0139d095b455p-6, 0x1.71f53c1d6e5b9p-7, 0x0p+0, 0x0p+0,
  -0x1.c2446e1579aafp-4, -0x1.0581d247a3143p-16, -0x1.3a4431d753cbdp-7, -0x1.003bf3635d878p-16,
  -0x1.1b56e9bd24583p-3, 0x1.81e171705b908p-18, 0x1.05a825e08b073p-12, 0x1.7133044481f85p-3,
  -0x1.62639ce8583d3p-18, -0x1.0e990db37b1f4p-3, 0x1.16e7ab6362008p-15, -0x1.1fdc28d17c9c2p-6,
  -0x1.6aa0fc04ff5e6p-13, 0x1.da20880e4d918p-11, 0x1.cdcdcf170a281p-15, 0x1.c9808b6424cbfp-9,
  0x1.2fac081594409p-17, 0x1.831be702a6edap-14, -0x1.864c8767b479ap-6, 0x1.46f4c3c098e28p-19,
  0x1.f4039b8bb2dd9p-7, 0x1.033176edd97b1p-13, 0x1.c7d907364d016p-9, 0x1.ed08048f68598p-7,
  -0x1.2529d7b21bb89p-14, 0x1.e9d9d8fe98a27p-7, 0x1.8b2d0cf79019fp-18, -0x1.1492b12301337p-8,
  0x1.a19fbfcd19ae4p-13, 0x1.a7d0c9ad0c13p-9, 0x0p+0, 0x0p+0};
static const double affine_bias[4] = {
  -0x1.1ed5bd60274c1p-8, 0x1.a9f067f19f2d5p-8, -0x1.e3914e1a887c8p-4, 0x1.6f06c139dd8ffp-4};

/* y = bias + weight' x; weight is [inputs, outputs], inputs a multiple of four. */
static inline void layer(size_t inputs, size_t outputs, const double *restrict weight, const double *restrict bias,
                         const double *restrict x, double *restrict y) {
  size_t i, o;
  for (o = 0; o < outputs; ++o) y[o] = bias[o];
  for (i = 0; i < inputs; i += 4) {
    const double *restrict w = weight + i * outputs;
    for (o = 0; o < outputs; ++o) {
      y[o] += (w[o] * x[i] + w[outputs + o] * x[i + 1]) + (w[2 * outputs + o] * x[i + 2] + w[3 * outputs + o] * x[i + 3]);
    }
  }
}

/* sum of w a; count is a multiple of eight. */
static inline double dot(size_t count, const double *restrict w, const double *restrict a) {
  double s[8] = {0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
  size_t i, l;
  for (i = 0; i < count; i += 8) {
    for (l = 0; l < 8; ++l) s[l] += w[i + l] * a[i + l];
  }
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

/* q = output_scale (affine(z) + polynomial(z)) */
static void correction(const double *restrict x, double *restrict q) {
  double z[4], m[32] = {0.0};
  size_t i;
  for (i = 0; i < 4; ++i) z[i] = (x[i] - input_mean[i]) * input_factor[i];
  layer(4, 4, affine_weight, affine_bias, z, q);
  m[0] = z[0] * z[0];
  m[1] = z[0] * z[1];
  m[2] = z[0] * z[2];
  m[3] = z[0] * z[3];
  m[4] = z[1] * z[1];
  m[5] = z[1] * z[2];
  m[6] = z[1] * z[3];
  m[7] = z[2] * z[2];
  m[8] = z[2] * z[3];
  m[9] = z[3] * z[3];
  m[10] = m[0] * z[0];
  m[11] = m[0] * z[1];
  m[12] = m[0] * z[2];
  m[13] = m[0] * z[3];
  m[14] = m[1] * z[1];
  m[15] = m[1] * z[2];
  m[16] = m[1] * z[3];
  m[17] = m[2] * z[2];
  m[18] = m[2] * z[3];
  m[19] = m[3] * z[3];
  m[20] = m[4] * z[1];
  m[21] = m[4] * z[2];
  m[22] = m[4] * z[3];
  m[23] = m[5] * z[2];
  m[24] = m[5] * z[3];
  m[25] = m[6] * z[3];
  m[26] = m[7] * z[2];
  m[27] = m[7] * z[3];
  m[28] = m[8] * z[3];
  m[29] = m[9] * z[3];
  for (i = 0; i < 4; ++i) q[i] += dot(32, sum_weight + 32 * i, m);
  for (i = 0; i < 4; ++i) q[i] *= output_scale[i];
}

/* What a right-hand side has just stored number by number is not loaded back by the vector: that would wait for the
 * stores to reach the cache. */
#if defined(__GNUC__) && !defined(__clang__)
#define SCALAR __attribute__((optimize("no-tree-vectorize", "no-tree-slp-vectorize")))
#else
#define SCALAR
#endif

/* One step of rk4 from u; k receives the stage derivatives. next may be u. */
SCALAR static int base_step(elastic_pendulum_rhs rhs, void *user, double t, const double *u, double dt, double *next,
    double (*k)[DIMENSION]) {
  double v[DIMENSION];
  int result;
  size_t n;
  result = rhs(t, u, k[0], user);
  if (result != 0) return result;
  for (n = 0; n < DIMENSION; ++n) v[n] = u[n] + (dt * 0x1p-1 * k[0][n]);
  result = rhs(t + 0x1p-1 * dt, v, k[1], user);
  if (result != 0) return result;
  for (n = 0; n < DIMENSION; ++n) v[n] = u[n] + (dt * 0x1p-1 * k[1][n]);
  result = rhs(t + 0x1p-1 * dt, v, k[2], user);
  if (result != 0) return result;
  for (n = 0; n < DIMENSION; ++n) v[n] = u[n] + (dt * 0x1p+0 * k[2][n]);
  result = rhs(t + 0x1p+0 * dt, v, k[3], user);
  if (result != 0) return result;
  for (n = 0; n < DIMENSION; ++n) next[n] = u[n] + (dt * 0x1.5555555555555p-3 * k[0][n] + dt * 0x1.5555555555555p-2 * k[1][n] + dt * 0x1.5555555555555p-2 * k[2][n] + dt * 0x1.5555555555555p-3 * k[3][n]);
  return 0;
}

/* rk4 in sub-steps that keep the model's accuracy. */
static int fall_back(elastic_pendulum_rhs rhs, void *user, double t, double dt, double *next, double (*k)[DIMENSION]) {
  const double ratio = ceil(fabs(dt) / 0x1.999999999999ap-7 * (1.0 - 1e-9));
  const double count = ratio < 1.0 ? 1.0 : ratio;
  const double h = dt / count;
  double i;
  for (i = 0.0; i < count; i += 1.0) {
    const int result = base_step(rhs, user, t + i * h, next, h, next, k);
    if (result != 0) return result;
  }
  return 0;
}

static int take_step(elastic_pendulum_rhs rhs, void *user, double t, double *u, double dt, double *error, elastic_pendulum_counters *counters) {
  enum { LEARNED, STEP_SIZE, DOMAIN_LEFT, CORRECTION } verdict = LEARNED;
  double next[DIMENSION], k[STAGES][DIMENSION];
  double distance = 0.0;
  int inside = 1, small = 1, result;
  size_t n;
  for (n = 0; n < DIMENSION; ++n) inside &= (u[n] >= lower[n]) & (u[n] <= upper[n]); /* NaN is outside */
  if (!inside) verdict = DOMAIN_LEFT;
  if (!(fabs(dt - 0.10000000000000001) <= 1e-9 * 0.10000000000000001)) verdict = STEP_SIZE;
  if (verdict == LEARNED) {
    double x[FEATURES], q[DIMENSION];
    result = base_step(rhs, user, t, u, dt, next, k);
    if (result != 0) return result;
    for (n = 0; n < DIMENSION; ++n) x[n] = u[n];
    correction(x, q);
    /* NaN is not small, and 0 times what is not finite is NaN. */
    for (n = 0; n < DIMENSION; ++n) small &= fabs(q[n]) + 0.0 * next[n] <= limit[n];
    for (n = 0; n < DIMENSION; ++n) next[n] += q[n];
    if (!small) verdict = CORRECTION;
    if (small) {
      if (!((distance = leverage(u)) <= 1.0)) verdict = DOMAIN_LEFT; /* NaN is outside */
    }
  }
  if (verdict != LEARNED) {
    memcpy(next, u, sizeof next);
    result = fall_back(rhs, user, t, dt, next, k);
    if (result != 0) return result;
  }
  if (error) {
    /* As many steps of the fallback as make one of the model's have about its error; a shorter one has less. */
    const double h = fabs(dt) / 0x1.999999999999ap-7;
    const double size = verdict == LEARNED ? 1.0 * sqrt(1.0 + 0x1.ep+4 * distance)
                                           : (h >= 1.0 ? h : pow(h, 5.0)) * 0x1p-3;
    for (n = 0; n < DIMENSION; ++n) error[n] = size * error_scale[n];
  }
  memcpy(u, next, sizeof next);
  if (counters) {
    counters->learned += verdict == LEARNED;
    counters->step_size += verdict == STEP_SIZE;
    counters->domain += verdict == DOMAIN_LEFT;
    counters->correction += verdict == CORRECTION;
  }
  return 0;
}

int elastic_pendulum_step(elastic_pendulum_rhs rhs, void *user, double t, double *u, double dt, elastic_pendulum_counters *counters) {
  return take_step(rhs, user, t, u, dt, NULL, counters);
}

int elastic_pendulum_step_error(elastic_pendulum_rhs rhs, void *user, double t, double *u, double dt, double *error,
    elastic_pendulum_counters *counters) {
  return take_step(rhs, user, t, u, dt, error, counters);
}

int elastic_pendulum_evolve(elastic_pendulum_rhs rhs, void *user, double *t, double *u, double t_end, elastic_pendulum_counters *counters) {
  const double start = *t, h = t_end < start ? -0.10000000000000001 : 0.10000000000000001;
  const double whole = floor((t_end - start) / h + 1e-9);
  const double rest = t_end - (start + whole * h);
  const int exact = fabs(rest) <= 1e-9 * 0.10000000000000001;
  double i;
  int result;
  if (!(fabs(start) <= DBL_MAX && fabs(t_end) <= DBL_MAX && whole < 0x1p+53)) return -1;
  if (start + h / 2 == start || t_end + h / 2 == t_end) return -1;
  for (i = 0.0; i < whole; i += 1.0) {
    result = elastic_pendulum_step(rhs, user, start + i * h, u, h, counters);
    if (result != 0) return result;
    *t = exact && i + 1.0 == whole ? t_end : start + (i + 1.0) * h;
  }
  if (!exact) {
    result = elastic_pendulum_step(rhs, user, *t, u, rest, counters);
    if (result != 0) return result;
    *t = t_end;
  }
  return 0;
}
