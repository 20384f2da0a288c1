#include "engine/emit.h"

#include <algorithm>

namespace engine {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the character that this byte begins; 0 when it cannot begin one.
int length_of(std::uint8_t lead) {
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return 0;
}

// Whether `next` may follow the bytes so far: no overlong forms, surrogates or values past U+10FFFF.
bool continues(std::string_view so_far, std::uint8_t next) {
    if ((next & 0xC0) != 0x80) return false;
    if (so_far.size() != 1) return true;
    switch (std::uint8_t(so_far[0])) {
        case 0xE0: return next >= 0xA0;
        case 0xED: return next <= 0x9F;
        case 0xF0: return next >= 0x90;
        case 0xF4: return next <= 0x8F;
        default: return true;
    }
}

}  // namespace

Emitter::Emitter(std::vector<std::string> stops) : stops_(std::move(stops)) {
    std::erase_if(stops_, [](const std::string& s) { return s.empty(); });
    std::size_t longest = 0;
    for (const auto& stop : stops_) longest = std::max(longest, stop.size());
    partial_.reserve(8);
    held_.reserve(longest + 512);
}

void Emitter::characters(std::string_view bytes) {
    for (std::size_t i = 0; i < bytes.size();) {
        const auto byte = std::uint8_t(bytes[i]);
        if (partial_.empty()) {
            const int length = length_of(byte);
            ++i;
            if (length == 1)
                held_ += char(byte);
            else if (length == 0)
                held_ += kReplacement;
            else
                partial_ += char(byte);
        } else if (continues(partial_, byte)) {
            partial_ += char(byte);
            ++i;
            if (int(partial_.size()) == length_of(std::uint8_t(partial_[0]))) {
                held_ += partial_;
                partial_.clear();
            }
        } else {  // the byte is looked at again as a beginning
            held_ += kReplacement;
            partial_.clear();
        }
    }
}

bool Emitter::push(std::string_view bytes, std::string& out) {
    characters(bytes);
    std::size_t first = std::string::npos;
    for (const auto& stop : stops_) first = std::min(first, held_.find(stop));
    if (first != std::string::npos) {
        out.append(held_, 0, first);
        held_.clear();
        partial_.clear();
        return true;
    }
    std::size_t keep = 0;  // the longest end of held_ that begins a stop text
    for (const auto& stop : stops_)
        for (std::size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n)
            if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) keep = n;
    out.append(held_, 0, held_.size() - keep);
    held_.erase(0, held_.size() - keep);
    return false;
}

void Emitter::flush(std::string& out) {
    partial_.clear();
    out += held_;
    held_.clear();
}

}  // namespace engine
