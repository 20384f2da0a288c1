// What holds of any tokenizer that was accepted.
#pragma once

#include "fuzz.h"
#include "text/tokenizer.h"

namespace fuzz {

inline void check(const text::Tokenizer& tokenizer, const std::string& content) {
    const auto encoded = tokenizer.encode(content, false);
    for (const text::TokenId id : encoded) {
        require(id >= 0 && id < tokenizer.size(), "an id is in the vocabulary");
        require(!tokenizer.is_control(id) || tokenizer.vocabulary().unknown == id, [&] { return "a text from outside makes no control token: " + tokenizer.bytes(id, true); });
    }
    const std::size_t half = content.size() / 2;
    const text::Piece pieces[] = {{content.substr(0, half), false}, {content.substr(half), false}};
    require(tokenizer.encode(pieces) == encoded, "a border between two texts from outside changes nothing");
    for (const text::TokenId id : tokenizer.encode(content, true)) require(id >= 0 && id < tokenizer.size(), "an id is in the vocabulary");
    tokenizer.decode(encoded);
    std::string joined;
    for (const text::TokenId id : encoded) joined += tokenizer.bytes(id);
    require(joined.ends_with(tokenizer.decode(encoded)), "decoding is the tokens' bytes");
}

}  // namespace fuzz
