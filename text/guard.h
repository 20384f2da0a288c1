// Keeps untrusted values of a prompt apart from the control tokens of the template that prints them.
#pragma once

#include <bitset>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/tokenizer.h"

namespace text {

// Puts a mark into whatever could become a control token: inside each occurrence, and behind a
// beginning of one at the very end, where another value may bring the rest.
class Guard {
public:
    static constexpr std::string_view mark = "\xEF\xB7\x90";  // U+FDD0, a noncharacter: never part of exchanged text

    explicit Guard(const std::vector<std::string>& control_texts);

    std::string guarded(const std::string& raw) const;
    base::OrderedJson guarded(const base::OrderedJson& json) const;
    // A rendered text, cut at the marks. It may be given in parts that no mark touches.
    std::vector<Piece> pieces(std::string_view rendered) const;
    static std::string without_marks(std::string_view text);

private:
    bool occurrence(std::string_view text, std::size_t at) const;
    std::size_t head_at_end(std::string_view text) const;
    std::size_t longest_prefix(std::string_view text) const;

    std::set<std::string, std::less<>> whole_, heads_, tails_;
    std::bitset<256> first_;  // bytes that control texts begin with: nearly none of a text does
    std::size_t longest_ = 0;
};

}  // namespace text
