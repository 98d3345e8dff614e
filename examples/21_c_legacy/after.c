/* A pendulum code of 1989: fixed steps of RK4, and how far the last state is from the truth. */
#include "elastic_pendulum.h"
#include <math.h>
#include <stdio.h>

#define N 4

static void f(double t, const double y[], double ydot[]) {
  (void)t;
  ydot[0] = y[2];
  ydot[1] = y[3];
  ydot[2] = -(9.81 * sin(y[0]) + 2.0 * y[2] * y[3]) / y[1];
  ydot[3] = y[1] * y[2] * y[2] - 40.0 * (y[1] - 10.0) + 9.81 * cos(y[0]);
}

static void rk4(double t, double y[], double h) {
  double k1[N], k2[N], k3[N], k4[N], z[N];
  int i;
  f(t, y, k1);
  for (i = 0; i < N; ++i) z[i] = y[i] + h / 2 * k1[i];
  f(t + h / 2, z, k2);
  for (i = 0; i < N; ++i) z[i] = y[i] + h / 2 * k2[i];
  f(t + h / 2, z, k3);
  for (i = 0; i < N; ++i) z[i] = y[i] + h * k3[i];
  f(t + h, z, k4);
  for (i = 0; i < N; ++i) y[i] += h / 6 * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
}

static int rhs(double t, const double *y, double *ydot, void *user) {
  (void)user;
  f(t, y, ydot);
  return 0;
}
int main(void) {
  const double h = 0.1;
  double y[N] = {0.2, 10.0, 0.0, 0.0}, fine[N] = {0.2, 10.0, 0.0, 0.0}, error = 0.0;
  int i;
  for (i = 0; i < 500; ++i) elastic_pendulum_step(rhs, NULL, i * h, y, h, NULL);
  for (i = 0; i < 500 * 256; ++i) rk4(i * h / 256, fine, h / 256);
  for (i = 0; i < N; ++i) error = fmax(error, fabs(y[i] - fine[i]));
  printf("at t = 50: %.6f %.6f %.6f %.6f\n", y[0], y[1], y[2], y[3]);
  printf("largest error %.1e\n", error);
  return 0;
}
