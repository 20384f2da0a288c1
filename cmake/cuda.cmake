# The CUDA target of the engine: real architectures alone, so that nothing is compiled at the start, and the runtime linked statically,
# so that the program starts where no driver is.
set(CMAKE_CUDA_ARCHITECTURES ${HEARTH_CUDA_ARCHITECTURES})
if(HEARTH_CUDA_ARCHITECTURES STREQUAL "all")
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
        set(CMAKE_CUDA_ARCHITECTURES 87 90a 110a 121a)
    else()
        set(CMAKE_CUDA_ARCHITECTURES 80 86 89 90a 100a 120a)
    endif()
endif()
list(TRANSFORM CMAKE_CUDA_ARCHITECTURES APPEND "-real")
set(CMAKE_CUDA_RUNTIME_LIBRARY Static)
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX} AND EXISTS /usr/local/cuda/bin/nvcc)
    set(CMAKE_CUDA_COMPILER /usr/local/cuda/bin/nvcc)
endif()
enable_language(CUDA)
set(CMAKE_CUDA_FLAGS_RELEASE "-O3 -DNDEBUG")
# A format's value is rounded after each operation, as on the CPU; kernels fuse where they say so.
add_compile_options($<$<COMPILE_LANGUAGE:CUDA>:--fmad=false>)
