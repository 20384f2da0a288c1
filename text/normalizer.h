// What happens to text before it is cut into words.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace text {

// first: the text begins the whole input; else it follows a special token.
std::string normalize(std::span<const NormalizerStep> steps, std::string_view text, bool first);

// What SentencePiece does to text, as the normalizer_spec of its models says.
struct SentencePieceNormalizer {
    std::shared_ptr<const Charsmap> charsmap = {};
    bool one_space = true;     // remove_extra_whitespaces
    bool space_before = true;  // add_dummy_prefix
    std::vector<NormalizerStep> steps() const;
};

// What BERT does to text, as its four switches say.
struct BertNormalizer {
    bool clean = true, space_ideographs = true, strip_accents = true, lowercase = true;
    std::vector<NormalizerStep> steps() const;
};

}  // namespace text
