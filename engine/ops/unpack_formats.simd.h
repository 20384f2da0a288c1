// Which function unpacks the panels of a format to int8. Included behind what it names, by unpack.simd.h and unpack.avx512.cpp.
#pragma once

namespace engine::HEARTH_TARGET {

void unpack_int8(Format format, const uint8_t* panel, int columns, const Unpacked& u, int p, int n_panels) {
    const Out to{u.q + 64 * p, u.scale + 16 * p, u.minimum + 16 * p, size_t(64) * n_panels, size_t(16) * n_panels};
    switch (format) {
        case Format::q4_0: return unpack_pairs<Format::q4_0>(panel, columns, to);
        case Format::q4_1: return unpack_minimum<false>(panel, columns, to);
        case Format::q5_1: return unpack_minimum<true>(panel, columns, to);
        case Format::q5_0: return unpack_pairs<Format::q5_0>(panel, columns, to);
        case Format::q8_0: return unpack_pairs<Format::q8_0>(panel, columns, to);
        case Format::q4_k: return unpack_k<false>(panel, columns, to);
        case Format::q5_k: return unpack_k<true>(panel, columns, to);
        case Format::q6_k: return unpack_quarters<Format::q6_k>(panel, columns, to);
        case Format::q3_k: return unpack_quarters<Format::q3_k>(panel, columns, to);
        case Format::q2_k: return unpack_quarters<Format::q2_k>(panel, columns, to);
        case Format::mxfp4: return unpack_float_scales<Format::mxfp4>(panel, columns, to);
        case Format::iq4_nl: case Format::iq4_xs: return unpack_float_scales<Format::iq4_nl>(panel, columns, to);
        case Format::nvfp4: case Format::e2m1: return unpack_e4m3_scales(panel, columns, to);
        case Format::int4: return unpack_float_scales<Format::int4>(panel, columns, to);
        default: return unpack_words(format, panel, columns, u, p, n_panels);
    }
}

}  // namespace engine::HEARTH_TARGET
