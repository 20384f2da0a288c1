// The most int8 operations a second that one core can do: dot products on registers alone.
#include <immintrin.h>

// Returns operations done: `rounds` times 16 independent dot products of 64 products and 64 sums.
double int8_operations(long rounds, int* result) {
    __m512i sum[16];
    for (int i = 0; i < 16; ++i) sum[i] = _mm512_set1_epi32(i);
    const __m512i a = _mm512_set1_epi8(3);
    __m512i b = _mm512_set1_epi8(-2);
    for (long r = 0; r < rounds; ++r) {
        asm volatile("" : "+v"(b));
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) sum[i] = _mm512_dpbusd_epi32(sum[i], a, b);
    }
    for (int i = 1; i < 16; ++i) sum[0] = _mm512_add_epi32(sum[0], sum[i]);
    *result = _mm512_reduce_add_epi32(sum[0]);
    return double(rounds) * 16 * 128;
}
