#include "engine/model/tensor_source.h"

#include <cstring>

namespace engine {

bool Stored::lies_whole() const {
    for (std::size_t i = 0; i < in_place.size(); ++i) {
        if (!in_place[i]) return false;
        if (i > 1 && in_place[i] - in_place[i - 1] != in_place[1] - in_place[0]) return false;
    }
    return in_place.size() < 2 || in_place[1] > in_place[0];
}

void Stored::copy_rows(int matrix, int begin, int end, std::uint8_t* out) const {
    const std::uint8_t* const from = in_place[std::size_t(matrix)];
    if (!from) return read(matrix, begin, end, out);
    const std::size_t one = row_bytes(format, std::size_t(cols));
    std::memcpy(out, from + one * std::size_t(begin), one * std::size_t(end - begin));
}

Stored Stored::part(int first, int n) const {
    Stored out = *this;
    out.rows = n;
    for (const std::uint8_t*& at : out.in_place)
        if (at) at += row_bytes(format, std::size_t(cols)) * std::size_t(first);
    if (read)
        out.read = [read = read, first](int matrix, int begin, int end, std::uint8_t* to) { read(matrix, first + begin, first + end, to); };
    return out;
}

}  // namespace engine
