// Cuts text into the words within which tokens are made: the splitter steps of a vocabulary, one after the
// other, each over the words that the one before it left.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/split_patterns.h"
#include "text/tokenizer.h"

namespace text {

struct Word {
    std::size_t begin, end;  // bytes of the text
};

class PreTokenizer {
public:
    // A pattern that no matcher is known for: Error{unsupported} with its text.
    static base::Result<PreTokenizer> create(const std::vector<SplitterStep>& steps);

    // In order; white space may lie between them. No word is empty.
    std::vector<Word> split(std::string_view text) const;

private:
    struct Step {
        const SplitPattern* pattern = nullptr;  // null: the literal
        std::u32string literal;
        SplitterStep::Behavior behavior{};
        bool invert = false;
    };
    struct Part {
        std::size_t begin, end;  // characters
        bool match;
    };
    static void cut(const Step& step, Chars text, std::size_t begin, std::size_t end, std::vector<Part>& parts);
    static void keep(const Step& step, const std::vector<Part>& parts, std::vector<Word>& words);

    std::vector<Step> steps_;
};

// What a value of `tokenizer.ggml.pre` stands for. An empty name means "default". Unknown: Error{unsupported}.
struct NamedPreTokenizer {
    std::vector<SplitterStep> splitter;
    std::vector<NormalizerStep> normalizer;
    bool whole_words = false;
};
base::Result<NamedPreTokenizer> named_pre_tokenizer(std::string_view name);
std::vector<std::string> pre_tokenizer_names();

}  // namespace text
