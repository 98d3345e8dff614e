C     The Fortran 77 style interface, in fixed form and without a module.
      PROGRAM LEGACY
      EXTERNAL F, G
      DOUBLE PRECISION T, Y(4), Z(4), DT, TIMES(2)
      DOUBLE PRECISION S(2, 0:24), P(2, 0:24)
      INTEGER ISTEP, JSTEP, IERR, NEQ, I, NLEARN, NFALL
      CHARACTER*500 FILE, FLOW, TEXT
      CALL GETARG(1, FILE)
      CALL GETARG(2, FLOW)
C
      CALL LSLOAD('no/such/file', F, ISTEP, IERR)
      CALL LSMSG(TEXT)
      IF (IERR .NE. -5 .OR. ISTEP .NE. 0) STOP 1
      IF (INDEX(TEXT, 'no/such/file') .EQ. 0) STOP 2
      CALL LSSTEP(7, 0D0, Y, 0.1D0, IERR)
      IF (IERR .NE. -2) STOP 3
C
      CALL LSLOAD(FILE, F, ISTEP, IERR)
      IF (IERR .NE. 0 .OR. ISTEP .EQ. 0) STOP 4
      CALL LSLOAD(FILE, F, JSTEP, IERR)
      IF (IERR .NE. 0 .OR. JSTEP .EQ. ISTEP) STOP 5
      CALL LSINFO(ISTEP, NEQ, DT)
      IF (NEQ .NE. 4 .OR. DT .NE. 0.1D0) STOP 6
      CALL START(Y)
      CALL START(Z)
      DO 10 I = 0, 9
        CALL LSSTEP(ISTEP, I * DT, Y, DT, IERR)
        IF (IERR .NE. 0) STOP 7
   10 CONTINUE
      CALL LSCNTS(ISTEP, NLEARN, NFALL)
      IF (NLEARN .NE. 10 .OR. NFALL .NE. 0) STOP 8
      T = 0D0
      CALL LSEVOL(JSTEP, T, Z, 1D0, IERR)
      IF (IERR .NE. 0 .OR. T .NE. 1D0) STOP 9
      DO 20 I = 1, 4
        IF (Y(I) .NE. Z(I)) STOP 10
   20 CONTINUE
      IF (ABS(Y(1) - 0.2D0) .LT. 0.01D0) STOP 11
      CALL LSFREE(ISTEP)
      IF (ISTEP .NE. 0) STOP 12
      CALL LSFREE(JSTEP)
      CALL LSSTEP(1, 0D0, Y, 0.1D0, IERR)
      IF (IERR .NE. -2) STOP 13
C
C     A flow map: fine states, and the same by parareal, which are the
C     oscillator's to what RK4 makes of it.
      CALL LSLOAD(FLOW, G, ISTEP, IERR)
      IF (IERR .NE. 0) STOP 14
      CALL LSFDT(ISTEP, DT)
      IF (DT .NE. 0.1D0) STOP 15
      Y(1) = 1D0
      Y(2) = 0D0
      T = 0D0
      CALL LSFINE(ISTEP, T, Y, 24, 0, S, IERR)
      IF (IERR .NE. 0 .OR. ABS(T - 2.4D0) .GT. 1D-12) STOP 16
      IF (Y(1) .NE. S(1, 24) .OR. S(1, 0) .NE. 1D0) STOP 17
      Y(1) = 1D0
      Y(2) = 0D0
      T = 0D0
      CALL LSFINE(ISTEP, T, Y, 24, 9, P, IERR)
      IF (IERR .NE. 0) STOP 18
      DO 30 I = 0, 24
        IF (ABS(P(1, I) - COS(I * DT)) .GT. 3D-6) STOP 19
        IF (ABS(P(2, I) + SIN(I * DT)) .GT. 3D-6) STOP 20
        IF (ABS(S(1, I) - COS(I * DT)) .GT. 3D-3) STOP 21
   30 CONTINUE
      IF (ABS(S(1, 24) - COS(2.4D0)) .LT. 1D-4) STOP 22
      Y(1) = 1D0
      Y(2) = 0D0
      T = 0D0
      TIMES(1) = 0.25D0
      TIMES(2) = 1D0
      CALL LSAT(ISTEP, T, Y, 2, TIMES, S, IERR)
      IF (IERR .NE. 0 .OR. T .NE. 0.8D0) STOP 23
      IF (ABS(S(1, 0) - COS(0.25D0)) .GT. 3D-6) STOP 24
      CALL LSPARM(ISTEP, 'k', 1D0, IERR)
      CALL LSMSG(TEXT)
      IF (IERR .NE. -2 .OR. INDEX(TEXT, '''k''') .EQ. 0) STOP 25
      CALL LSFREE(ISTEP)
      END

      SUBROUTINE G(NEQ, T, Y, YDOT)
      INTEGER NEQ
      DOUBLE PRECISION T, Y(NEQ), YDOT(NEQ)
      YDOT(1) = Y(2) + 0 * T
      YDOT(2) = -Y(1)
      END

      SUBROUTINE START(Y)
      DOUBLE PRECISION Y(4)
      Y(1) = 0.2D0
      Y(2) = 10.2D0
      Y(3) = 0D0
      Y(4) = 0.3D0
      END

      SUBROUTINE F(NEQ, T, Y, YDOT)
      INTEGER NEQ
      DOUBLE PRECISION T, Y(NEQ), YDOT(NEQ)
      YDOT(1) = Y(3) + 0 * T
      YDOT(2) = Y(4)
      YDOT(3) = -(9.81D0 * SIN(Y(1)) + 2 * Y(3) * Y(4)) / Y(2)
      YDOT(4) = Y(2) * Y(3)**2 - 40 * (Y(2) - 10) + 9.81D0 * COS(Y(1))
      END
