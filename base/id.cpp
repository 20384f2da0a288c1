#include "base/id.h"

#include <sys/random.h>

#include <stdexcept>

namespace base {
namespace {

constexpr char kHex[] = "0123456789abcdef";

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool dash_after(int byte) { return byte == 3 || byte == 5 || byte == 7 || byte == 9; }

}  // namespace

std::string Uuid::text() const {
    std::string out;
    out.reserve(36);
    for (int i = 0; i < 16; ++i) {
        out += kHex[bytes[i] >> 4];
        out += kHex[bytes[i] & 15];
        if (dash_after(i)) out += '-';
    }
    return out;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
    if (text.size() != 36) return std::nullopt;
    Uuid id;
    std::size_t at = 0;
    for (int i = 0; i < 16; ++i) {
        const int high = hex_value(text[at]), low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        id.bytes[i] = std::uint8_t(high << 4 | low);
        at += 2;
        if (dash_after(i) && text[at++] != '-') return std::nullopt;
    }
    return id;
}

// RFC 9562 §6.2, method 3: the bits behind the milliseconds hold more of the time, so that what one process makes sorts by it.
Uuid Uuid::v7(TimePoint now) {
    Uuid id;
    if (getrandom(id.bytes.data(), id.bytes.size(), 0) != ssize_t(id.bytes.size()))
        throw std::runtime_error("getrandom gave too few bytes");
    const auto ms = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch());
    for (int i = 0; i < 6; ++i) id.bytes[i] = std::uint8_t(std::uint64_t(ms.count()) >> (40 - 8 * i));
    const auto micros = unsigned((now.time_since_epoch() - ms).count());  // 0 to 999, above two random bits
    id.bytes[6] = std::uint8_t(0x70 | micros >> 6);
    id.bytes[7] = std::uint8_t((micros & 0x3f) << 2 | (id.bytes[7] & 3));
    id.bytes[8] = std::uint8_t(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

}  // namespace base
