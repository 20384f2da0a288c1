// How a vocabulary encodes text that holds no special token; the two algorithms behind Tokenizer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace text {

class OrdinaryEncoder {
public:
    virtual ~OrdinaryEncoder() = default;
    // after_special: the text begins the input or follows a special token.
    virtual void encode(std::string_view text, bool after_special, std::vector<TokenId>& out) const = 0;
    // The bytes that an ordinary token stands for, from its text as stored.
    virtual std::string bytes(std::string_view stored, TokenType type) const = 0;
};

// Whether ordinary text may come to this token: never to a control token or one with a meaning of its own.
bool may_be_ordinary(const Vocabulary& vocabulary, TokenId id);

// What each kind needs of its vocabulary; the makers refuse nothing else.
base::Result<void> check_bpe(const Vocabulary& vocabulary);
base::Result<void> check_spm(const Vocabulary& vocabulary);
std::unique_ptr<OrdinaryEncoder> make_bpe(const Vocabulary& vocabulary);
std::unique_ptr<OrdinaryEncoder> make_spm(const Vocabulary& vocabulary);

}  // namespace text
