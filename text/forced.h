// Which tokens must come next, where a grammar leaves one text only. Internal to grammar.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/automaton.h"
#include "text/masks.h"
#include "text/token_table.h"

namespace text {

// Of one grammar over one vocabulary. Not for concurrent use.
class Forced {
public:
    Forced(Places& places, Masks& masks, std::shared_ptr<const TokenTable> table);

    // The bytes that must come behind this place, at most `limit`.
    std::string bytes_after(Places::Place place, std::size_t limit);
    // See GrammarState::forced. Valid until the next call.
    const std::vector<TokenId>& after(Places::Place place);
    std::size_t bytes() const { return bytes_; }

private:
    // A forced text, the places behind its bytes, and tokens that write it from its beginning.
    struct Run {
        std::string text;
        std::vector<Places::Place> places;  // (text + 1)
        std::vector<TokenId> tokens;
        std::vector<std::size_t> begins;    // (tokens + 1), in text
    };
    Run forced_text(Places::Place place, std::size_t limit);
    std::vector<TokenId> write(std::string_view text) const;
    void split(Run& run) const;
    std::size_t certain(const Run& run);

    Places& places_;
    Masks& masks_;
    std::shared_ptr<const TokenTable> table_;
    std::unordered_map<Places::Place, std::vector<TokenId>> known_;
    std::vector<TokenId> none_;
    std::size_t put_before_ = 0;  // bytes that encoding puts before a text
    std::size_t bytes_ = 0;
};

}  // namespace text
