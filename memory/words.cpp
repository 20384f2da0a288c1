#include "memory/words.h"

#include <libstemmer.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "base/unicode.h"
#include "memory/stop_words.h"

namespace memory {
namespace {

// What Unicode does not decompose, and people write apart.
std::string_view ligature(char32_t c) {
    switch (c) {
        case U'œ': return "oe";
        case U'æ': return "ae";
        case U'ß': return "ss";
        case U'ø': return "o";
        case U'ł': return "l";
        case U'đ': return "d";
        default: return {};
    }
}

std::string without_accents(const std::string& lower) {
    if (std::all_of(lower.begin(), lower.end(), [](unsigned char c) { return c < 0x80; })) return lower;
    const std::string apart = base::to_nfkd(lower);
    std::string out;
    for (std::size_t at = 0; at < apart.size();) {
        int length = 0;
        const char32_t c = base::decode_utf8(apart, at, length);
        if (const std::string_view two = ligature(c); !two.empty()) out += two;
        else if (c != base::no_char && !(base::classes(c) & base::mark)) base::append_utf8(out, c);
        at += std::size_t(length);
    }
    return out;
}

bool is_apostrophe(char32_t c) { return c == U'\'' || c == U'’' || c == U'ʼ'; }
bool ends_sentence(char32_t c) { return c == U'.' || c == U'!' || c == U'?' || c == U'…' || c == U'\n'; }

// Collects words; what stands before an apostrophe decides what becomes of the parts.
class Splitter {
public:
    std::vector<Word> split(const std::string& text) {
        for (std::size_t at = 0; at < text.size();) {
            int length = 0;
            const char32_t c = base::decode_utf8(text, at, length);
            at += std::size_t(length);
            if (c != base::no_char && (base::classes(c) & (base::letter | base::number | base::mark))) {
                if (lower_.empty()) capital_ = base::classes(c) & base::upper_case;
                base::append_utf8(lower_, base::to_lower(c));
                continue;
            }
            const bool apostrophe = c != base::no_char && is_apostrophe(c);
            end(apostrophe);
            if (c != base::no_char && ends_sentence(c)) first_ = true;
        }
        end(false);
        return std::move(out_);
    }

private:
    void end(bool apostrophe) {
        const bool joined = joined_;
        joined_ = apostrophe && !lower_.empty();
        if (lower_.empty()) return;
        Word word;
        word.surface = without_accents(lower_);
        word.lower = std::move(lower_);
        word.capital = capital_;
        word.first = first_;
        lower_.clear();
        if (word.surface.empty()) return;
        first_ = false;
        if (joined) settle(word);
        out_.push_back(std::move(word));
    }

    // "don't" is one function word, and so are "j'ai" and "c'est".
    void settle(Word& word) {
        Word& before = out_.back();
        if (word.surface == "t" && before.surface.ends_with('n')) before.stop = word.stop = true;
        if (before.surface.size() == 1 && (word.surface == "ai" || word.surface == "as")) word.stop = true;
    }

    std::vector<Word> out_;
    std::string lower_;
    bool capital_ = false, first_ = true, joined_ = false;
};

Language language_of(const std::vector<Word>& words) {
    int english = 0, french = 0;
    for (const Word& word : words) {
        const bool en = is_stop_word(word.surface, Language::english), fr = is_stop_word(word.surface, Language::french);
        english += en && !fr;
        french += fr && !en;
    }
    return english > french ? Language::english : french > english ? Language::french : Language::unclear;
}

struct Delete {
    void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

std::string stem(const std::string& lower, const char* language) {
    const std::unique_ptr<sb_stemmer, Delete> stemmer(sb_stemmer_new(language, "UTF_8"));
    if (!stemmer) throw std::runtime_error(std::string("libstemmer knows no ") + language);
    const auto* const out = sb_stemmer_stem(stemmer.get(), reinterpret_cast<const sb_symbol*>(lower.data()), int(lower.size()));
    if (!out) throw std::bad_alloc();
    return without_accents(std::string(reinterpret_cast<const char*>(out), std::size_t(sb_stemmer_length(stemmer.get()))));
}

}  // namespace

Words words_of(std::string_view text) {
    Words out;
    out.all = Splitter().split(base::to_nfc(text));
    out.language = language_of(out.all);
    for (Word& word : out.all) {
        if (out.language != Language::french) word.stop |= is_stop_word(word.surface, Language::english);
        if (out.language != Language::english) word.stop |= is_stop_word(word.surface, Language::french);
    }
    return out;
}

std::vector<std::string> stems(const Word& word, Language language) {
    std::vector<std::string> out;
    if (language != Language::french) out.push_back(stem(word.lower, "english"));
    if (language != Language::english) {
        std::string other = stem(word.lower, "french");
        if (out.empty() || out[0] != other) out.push_back(std::move(other));
    }
    return out;
}

}  // namespace memory
