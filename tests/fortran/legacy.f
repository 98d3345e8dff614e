C     The Fortran 77 style interface, in fixed form and without a module.
      PROGRAM LEGACY
      EXTERNAL F
      DOUBLE PRECISION T, Y(4), Z(4), DT
      INTEGER ISTEP, JSTEP, IERR, NEQ, I, NLEARN, NFALL
      CHARACTER*500 FILE, TEXT
      CALL GETARG(1, FILE)
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
