#include "agents/reply/echo.h"

#include <utility>

#include "base/unicode.h"

namespace agents::reply {
namespace {

constexpr std::size_t kLeastEchoed = 12;  // bytes of letters and digits

std::string letters_of(std::string_view text) {
    std::string out;
    int length = 1;
    for (std::size_t at = 0; at < text.size(); at += std::size_t(length)) {
        const char32_t c = base::decode_utf8(text, at, length);
        if (c != base::no_char && (base::classes(c) & (base::letter | base::number)) != 0) base::append_utf8(out, base::to_lower(c));
    }
    return out;
}

}  // namespace

Echo::Echo(std::string_view request) : request_(letters_of(request)) { through_ = request_.size() < kLeastEchoed; }

std::string Echo::take(std::string_view piece) {
    if (through_) return std::string(piece);
    pending_ += piece;
    through_ = !request_.starts_with(letters_of(pending_));
    return through_ ? std::exchange(pending_, {}) : std::string();
}

std::string Echo::finish() {
    echoed_ = !through_ && letters_of(pending_) == request_;
    through_ = true;
    return echoed_ ? std::string() : std::exchange(pending_, {});
}

bool is_wordless(std::string_view text) {
    int length = 1;
    for (std::size_t at = 0; at < text.size(); at += std::size_t(length)) {
        const char32_t c = base::decode_utf8(text, at, length);
        if (c == base::no_char || (base::classes(c) & base::letter) != 0) return false;
    }
    return true;
}

}  // namespace agents::reply
