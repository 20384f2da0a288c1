// HEARTH_BOTH marks what code of the host and of a CUDA device share.
#pragma once

#ifdef __CUDACC__
#define HEARTH_BOTH __host__ __device__
#else
#define HEARTH_BOTH
#endif
