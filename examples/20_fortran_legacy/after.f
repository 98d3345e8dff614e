C     A pendulum code of 1979: fixed steps of RK4, and how far the last
C     state is from the truth.
      PROGRAM PENDUL
      USE ELASTIC_PENDULUM
      EXTERNAL F
      DOUBLE PRECISION H, T, Y(4), FINE(4), ERR
      INTEGER I
      H = 0.1D0
      CALL START(Y)
      DO 10 I = 1, 500
        T = (I - 1) * H
        CALL ELASTIC_PENDULUM_STEP(F, T, Y, H)
   10 CONTINUE
      CALL START(FINE)
      DO 20 I = 1, 500 * 256
        T = (I - 1) * H / 256
        CALL RK4(F, T, FINE, H / 256)
   20 CONTINUE
      ERR = 0D0
      DO 30 I = 1, 4
        ERR = MAX(ERR, ABS(Y(I) - FINE(I)))
   30 CONTINUE
      WRITE (*, 100) Y
      WRITE (*, 200) ERR
  100 FORMAT ('at t = 50:', 4F12.6)
  200 FORMAT ('largest error', 1PE8.1)
      END

      SUBROUTINE START(Y)
      DOUBLE PRECISION Y(4)
      Y(1) = 0.2D0
      Y(2) = 10D0
      Y(3) = 0D0
      Y(4) = 0D0
      END

      SUBROUTINE F(N, T, Y, YDOT)
      INTEGER N
      DOUBLE PRECISION T, Y(N), YDOT(N)
      YDOT(1) = Y(3) + 0D0 * T
      YDOT(2) = Y(4)
      YDOT(3) = -(9.81D0 * SIN(Y(1)) + 2D0 * Y(3) * Y(4)) / Y(2)
      YDOT(4) = Y(2) * Y(3)**2 - 40D0 * (Y(2) - 10D0)
     &  + 9.81D0 * COS(Y(1))
      END

      SUBROUTINE RK4(F, T, Y, H)
      EXTERNAL F
      DOUBLE PRECISION T, Y(4), H, K1(4), K2(4), K3(4), K4(4), Z(4)
      INTEGER I
      CALL F(4, T, Y, K1)
      DO 10 I = 1, 4
        Z(I) = Y(I) + H / 2 * K1(I)
   10 CONTINUE
      CALL F(4, T + H / 2, Z, K2)
      DO 20 I = 1, 4
        Z(I) = Y(I) + H / 2 * K2(I)
   20 CONTINUE
      CALL F(4, T + H / 2, Z, K3)
      DO 30 I = 1, 4
        Z(I) = Y(I) + H * K3(I)
   30 CONTINUE
      CALL F(4, T + H, Z, K4)
      DO 40 I = 1, 4
        Y(I) = Y(I) + H / 6 * (K1(I) + 2 * K2(I) + 2 * K3(I) + K4(I))
   40 CONTINUE
      END
