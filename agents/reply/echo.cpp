#include "agents/reply/echo.h"

#include <set>
#include <string>
#include <utility>

#include "agents/reply/words.h"
#include "base/unicode.h"

namespace agents::reply {
namespace {

constexpr std::size_t kLeastEchoed = 12;  // bytes of letters and digits
constexpr std::size_t kOneNewIn = 10;     // words
constexpr std::size_t kLeastOfForm = 8;

std::string letters_of(std::string_view text) {
    std::string out;
    int length = 1;
    for (std::size_t at = 0; at < text.size(); at += std::size_t(length)) {
        const char32_t c = base::decode_utf8(text, at, length);
        if (c != base::no_char && (base::classes(c) & (base::letter | base::number)) != 0) base::append_utf8(out, base::to_lower(c));
    }
    return out;
}

std::set<std::string> all_words_of(std::string_view text) {
    std::set<std::string> out;
    for (Word& word : words_of(text)) out.insert(std::move(word.text));
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

bool is_filled_form(std::string_view text, std::string_view form, std::string_view told) {
    const std::set<std::string> of_form = all_words_of(form), known = all_words_of(told);
    std::size_t all = 0, formal = 0, fresh = 0;
    for (const Word& word : words_of(text)) {
        if (word.named || is_wordless(word.text)) continue;
        ++all;
        if (of_form.contains(word.text)) ++formal;
        else if (!known.contains(word.text)) ++fresh;
    }
    return all >= kLeastOfForm && formal * 2 >= all && fresh * kOneNewIn <= all;
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
