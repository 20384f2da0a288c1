#include "agents/reply/words.h"

#include <algorithm>
#include <utility>

#include "base/unicode.h"

namespace agents::reply {
namespace {

constexpr std::string_view kElided[] = {"j'", "l'", "d'", "n'", "s'", "t'", "m'", "c'", "qu'"};

bool is_word(char32_t c) { return c != base::no_char && (base::classes(c) & (base::letter | base::number | base::mark)) != 0; }
bool opens(char32_t c) { return c == U'"' || c == U'“' || c == U'„' || c == U'«'; }
bool closes(char32_t c) { return c == U'"' || c == U'”' || c == U'“' || c == U'»'; }
bool parts_clauses(char32_t c) { return c == U',' || c == U';' || c == U':' || c == U'(' || c == U')' || c == U'–' || c == U'—' || c == U'.' || c == U'!' || c == U'?'; }

// "notes.txt" is a name, "e.g." and "3.5" are none.
std::size_t longest_part(std::string_view word) {
    std::size_t longest = 0;
    for (std::size_t at = 0; at <= word.size();) {
        const std::size_t end = std::min(word.find_first_of("._", at), word.size());
        longest = std::max(longest, end - at);
        at = end + 1;
    }
    return longest;
}

// "a.py" is one too, "b.c" is not.
bool has_extension(std::string_view word) {
    static constexpr std::string_view kExtensions[] = {"c", "cc", "cfg", "conf", "cpp", "cs", "css", "csv", "docx", "go", "gz", "h", "hpp", "html", "ini", "ipynb", "java", "jpg", "js",
                                                       "json", "kt", "log", "md", "pdf", "php", "png", "py", "rb", "rs", "sh", "sql", "toml", "ts", "txt", "xlsx", "xml", "yaml", "yml", "zip"};
    const std::size_t dot = word.rfind('.');
    return dot != word.npos && dot > 0 && word.size() > 3 && std::find(std::begin(kExtensions), std::end(kExtensions), word.substr(dot + 1)) != std::end(kExtensions);
}

class Reader {
public:
    Reader(std::string_view text, bool& quoted) : text_(text), quoted_(quoted) {}

    std::vector<Word> words() && {
        bool in_code = false;
        if (quoted_) name_something();
        while (at_ < text_.size()) {
            int length = 1;
            const char32_t c = base::decode_utf8(text_, at_, length);
            if (c == U'`') {
                end_word();
                in_code = !in_code;
                if (in_code) name_something();
            } else if (!in_code && (quoted_ ? closes(c) : opens(c))) {
                end_word();
                quoted_ = !quoted_;
                if (quoted_) name_something();
            } else if (!in_code && !quoted_) {
                read(c, length);
            }
            at_ += std::size_t(length);
        }
        end_word();
        return std::move(words_);
    }

private:
    void name_something() { words_.push_back({"", std::exchange(clause_, false), true}); }

    // What joins two letters: an apostrophe, a hyphen, a dot, an underscore.
    bool joins(char32_t c, int length) const {
        if (word_.empty() || (c != U'\'' && c != U'’' && c != U'-' && c != U'_' && c != U'.')) return false;
        int next = 1;
        return at_ + std::size_t(length) < text_.size() && is_word(base::decode_utf8(text_, at_ + std::size_t(length), next));
    }

    void read(char32_t c, int length) {
        if (is_word(c)) {
            base::append_utf8(word_, base::to_lower(c));
        } else if (joins(c, length)) {
            if (c == U'\'' || c == U'’') {
                word_ += '\'';
                if (std::find(std::begin(kElided), std::end(kElided), word_) != std::end(kElided)) end_word();
            } else {
                word_ += char(c);
                dotted_ |= c == U'.' || c == U'_';
            }
        } else {
            end_word();
            clause_ |= parts_clauses(c);
        }
    }

    void end_word() {
        const bool name = std::exchange(dotted_, false) && (longest_part(word_) >= 3 || has_extension(word_));
        if (!word_.empty()) words_.push_back({std::move(word_), std::exchange(clause_, false), name});
        word_.clear();
    }

    std::string_view text_;
    bool& quoted_;
    std::size_t at_ = 0;
    std::vector<Word> words_;
    std::string word_;
    bool clause_ = true, dotted_ = false;
};

}  // namespace

std::vector<Word> words_of(std::string_view text, bool& quoted) { return Reader(text, quoted).words(); }

std::vector<Word> words_of(std::string_view text) {
    bool quoted = false;
    return words_of(text, quoted);
}

}  // namespace agents::reply
