// Which instruction sets the kernels are compiled for. Included before any header of Highway.
#pragma once

// Scalable vectors (SVE, RISC-V) have no size at compile time, and the kernels keep arrays of vectors; NEON serves
// those Arm processors. SSSE3 alone, without SSE4, is too old to pay for; what came after AVX-512's first form (all
// bits below HWY_AVX3) has nothing that the kernels would use, and each set costs a compilation of all of them.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | (HWY_AVX3 - 1))
