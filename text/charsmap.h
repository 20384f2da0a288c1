// SentencePiece's precompiled_charsmap: texts and what stands for them, as NFKC and its relatives were compiled by the trainer.
// A double array of Darts-clone, then the replacements, each behind a zero byte.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace text {

class Charsmap {
public:
    static base::Result<std::shared_ptr<const Charsmap>> read(std::string_view bytes);

    // SentencePiece: at each place the longest text that has a replacement.
    std::string apply(std::string_view text) const;
    // Hugging Face's tokenizers: what stands for the first text that a grapheme cluster of up to five bytes begins with stands for
    // all of it; else each character is looked up by itself.
    std::string apply_by_cluster(std::string_view text) const;

private:
    struct Match {
        std::size_t length = 0;  // 0: none
        std::size_t at = 0;      // of the replacement
    };
    Match find(std::string_view text, bool longest) const;
    std::string_view replacement(std::size_t at) const;

    std::vector<std::uint32_t> units_;
    std::string replacements_;
};

std::optional<std::string> from_base64(std::string_view text);  // nothing: it is none

}  // namespace text
