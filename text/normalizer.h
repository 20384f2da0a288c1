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

// What BERT does to text, as its four switches say.
struct BertNormalizer {
    bool clean = true, space_ideographs = true, strip_accents = true, lowercase = true;
    std::vector<NormalizerStep> steps() const;
};

}  // namespace text
