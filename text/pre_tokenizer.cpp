#include "text/pre_tokenizer.h"

#include <algorithm>

#include "text/unicode.h"

namespace text {
namespace {

using namespace patterns;

constexpr int most_steps = 6;
struct Scheme {
    const char* names;  // separated by spaces
    const char* steps[most_steps] = {};
    bool nfc = false;
    bool whole_words = false;
};

const Scheme schemes[] = {
    {"default", {signs, gpt2, numbers, ascii_digits_3}},
    {"gpt-2 mpt phi-2 olmo jais jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code a.x-4.0 mellum trillion granite-docling",
     {gpt2}},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 dbrx smaug-bpe chatglm-bpe glm4", {llama3}, false, true},
    {"qwen2 deepseek-r1-qwen megrez stablelm2 hunyuan", {qwen2}, true},
    {"seed-coder", {seed}},
    {"qwen35", {qwen35}, true},
    {"starcoder refact command-r smollm codeshell exaone minerva-7b", {number, gpt2}},
    {"falcon", {falcon_signs, gpt2, ascii_digits_3}},
    {"deepseek-llm", {line_end, cased_words, wide_signs, spaces_at_end, east_asian, numbers}},
    {"deepseek-coder", {line_end, space_words, space_punctuation, east_asian, number}},
    {"deepseek-v3 hunyuan-dense", {numbers_3, han_kana, deepseek_v3}},
    {"gpt-4o llama4 minimax-m2", {gpt4o}},
    {"kimi-k2", {kimi_k2}},
    {"tekken", {tekken}, false, true},
    {"bloom poro-chat gpt3-finnish", {bloom}},
    {"viking", {bloom, number}},
};

bool has_name(std::string_view names, std::string_view wanted) {
    for (std::size_t at = 0; at <= names.size();) {
        const std::size_t end = std::min(names.find(' ', at), names.size());
        if (names.substr(at, end - at) == wanted) return true;
        at = end + 1;
    }
    return false;
}

std::u32string characters(std::string_view text) {
    std::u32string out;
    int length = 1;
    for (std::size_t at = 0; at < text.size(); at += std::size_t(length)) out += decode_utf8(text, at, length);
    return out;
}

}  // namespace

base::Result<NamedPreTokenizer> named_pre_tokenizer(std::string_view name) {
    if (name.empty()) name = "default";
    for (const Scheme& scheme : schemes) {
        if (!has_name(scheme.names, name)) continue;
        NamedPreTokenizer out;
        for (const char* pattern : scheme.steps)
            if (pattern) out.splitter.push_back({.pattern = pattern});
        if (scheme.nfc) out.normalizer.push_back({.kind = NormalizerStep::Kind::nfc});
        out.whole_words = scheme.whole_words;
        return out;
    }
    return base::error(base::Code::unsupported, "pre-tokenizer \"" + std::string(name) + "\" is not known; " + std::to_string(pre_tokenizer_names().size()) +
                                                    " are, qwen2, llama-bpe and gpt-2 among them",
                       "use a model with another tokenizer.ggml.pre");
}

std::vector<std::string> pre_tokenizer_names() {
    std::vector<std::string> out;
    for (const Scheme& scheme : schemes) {
        const std::string_view names = scheme.names;
        for (std::size_t at = 0; at < names.size();) {
            const std::size_t end = std::min(names.find(' ', at), names.size());
            out.emplace_back(names.substr(at, end - at));
            at = end + 1;
        }
    }
    return out;
}

base::Result<PreTokenizer> PreTokenizer::create(const std::vector<SplitterStep>& steps) {
    PreTokenizer out;
    for (const SplitterStep& step : steps) {
        Step made{nullptr, {}, step.behavior, step.invert};
        if (step.pattern.empty()) return base::error(base::Code::corrupt, "a pre-tokenizer's pattern is empty");
        if (step.literal)
            made.literal = characters(step.pattern);
        else if (made.pattern = find_split_pattern(step.pattern); !made.pattern)
            return base::error(base::Code::unsupported,
                               "the pre-tokenizer's pattern \"" + step.pattern + "\" is not one of the " + std::to_string(split_patterns().size()) +
                                   " that this engine knows",
                               "use a model of a supported family");
        out.steps_.push_back(std::move(made));
    }
    return out;
}

// Matches and what lies between them.
void PreTokenizer::cut(const Step& step, Chars all, std::size_t begin, std::size_t end, std::vector<Part>& parts) {
    const Chars text = all.subspan(begin, end - begin);
    const auto match = [&](std::size_t at) {
        if (step.pattern) return step.pattern->match(text, at);
        const std::size_t n = step.literal.size();
        const bool here = at + n <= text.size() &&
                          std::equal(step.literal.begin(), step.literal.end(), text.begin() + long(at), [](char32_t a, const Char& b) { return a == b.c; });
        return here ? at + n : at;
    };
    parts.clear();
    std::size_t pending = 0;  // start of what has not matched
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t to = match(at);
        if (to == at) {
            ++at;
            continue;
        }
        if (pending < at) parts.push_back({begin + pending, begin + at, step.invert});
        parts.push_back({begin + at, begin + to, !step.invert});
        pending = at = to;
    }
    if (pending < text.size()) parts.push_back({begin + pending, end, step.invert});
}

void PreTokenizer::keep(const Step& step, const std::vector<Part>& parts, std::vector<Word>& words) {
    using Behavior = SplitterStep::Behavior;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Part& part = parts[i];
        const bool before = i > 0 && parts[i - 1].match;
        bool joins = false;  // the word before it
        switch (step.behavior) {
            case Behavior::isolated: break;
            case Behavior::removed:
                if (part.match) continue;
                break;
            case Behavior::merged_with_previous: joins = i > 0 && part.match && !before; break;
            case Behavior::merged_with_next: joins = i > 0 && !part.match && before; break;
            case Behavior::contiguous: joins = i > 0 && part.match == before; break;
        }
        if (joins)
            words.back().end = part.end;
        else
            words.push_back({part.begin, part.end});
    }
}

std::vector<Word> PreTokenizer::split(std::string_view text) const {
    if (text.empty()) return {};
    if (steps_.empty()) return {{0, text.size()}};
    std::vector<Char> chars;
    std::vector<std::size_t> offsets;
    chars.reserve(text.size());
    offsets.reserve(text.size() + 1);
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        const char32_t c = decode_utf8(text, at, length);
        chars.push_back({c, c == no_char ? std::uint8_t(0) : classes(c)});
        offsets.push_back(at);
        at += std::size_t(length);
    }
    offsets.push_back(text.size());
    std::vector<Word> words = {{0, chars.size()}}, next;
    std::vector<Part> parts;
    for (const Step& step : steps_) {
        next.clear();
        for (const Word& word : words) {
            cut(step, chars, word.begin, word.end, parts);
            keep(step, parts, next);
        }
        words.swap(next);
    }
    for (Word& word : words) word = {offsets[word.begin], offsets[word.end]};
    return words;
}

}  // namespace text
