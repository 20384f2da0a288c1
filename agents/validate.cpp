#include "agents/validate.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <vector>

#include "agents/reply/words.h"
#include "base/split.h"

namespace agents {
namespace {

constexpr std::size_t kTellingWord = 3;  // letters: "the" and "md" would join anything with anything, a name of a file is whole

constexpr std::size_t kStem = 4, kEnding = 2;  // letters: "pump" and "pumps"

using Set = std::set<std::string, std::less<>>;

// The strings of the arguments, whatever they lie in.
void collect(const base::Json& value, std::vector<std::string>& out) {
    if (value.is_string()) out.push_back(value.get<std::string>());
    if (value.is_structured())
        for (const base::Json& one : value) collect(one, out);
}

// Those in quotes too.
std::vector<reply::Word> all_words(std::string_view text) {
    std::string bare(text);
    std::replace_if(bare.begin(), bare.end(), [](char c) { return c == '"' || c == '`'; }, ' ');
    return reply::words_of(bare);
}

// Names whole and in parts, without their endings: "notes/shopping.txt" as itself, "notes", "shopping.txt" and "shopping".
void add_words(std::string_view text, Set& out) {
    for (const reply::Word& word : all_words(text)) {
        out.insert(word.text);
        for (const std::string& part : base::split(word.text.substr(0, word.text.rfind('.')), '_')) out.insert(part);
    }
}

bool is_telling(const std::string& word) {
    static const Set common = {"the", "and", "for", "der", "die", "das", "und", "les", "des", "une", "txt"};
    return (word.size() >= kTellingWord || word.find('.') != std::string::npos) && !common.contains(word);
}

// The same word, or its plural and the like.
bool is_alike(const std::string& a, const std::string& b) {
    const std::string &shorter = a.size() < b.size() ? a : b, &longer = a.size() < b.size() ? b : a;
    return shorter == longer || (shorter.size() >= kStem && longer.size() - shorter.size() <= kEnding && longer.starts_with(shorter));
}

}  // namespace

int files_named(std::string_view request) {
    Set files;
    for (const reply::Word& word : all_words(request)) {
        const auto dot = word.text.rfind('.');
        if (dot == std::string::npos || !std::isalpha(static_cast<unsigned char>(word.text[dot + 1]))) continue;  // "3.50"
        if (word.named || dot + 2 < word.text.size()) files.insert(word.text);                                     // not "e.g"
    }
    return int(files.size());
}

bool in_scope(const router::ToolCall& call, std::string_view request) {
    const auto arguments = base::parse_json(call.arguments);
    std::vector<std::string> strings;
    if (arguments) collect(*arguments, strings);
    Set mine, asked;
    for (const std::string& text : strings) add_words(text, mine);
    add_words(request, asked);
    return std::any_of(mine.begin(), mine.end(), [&](const std::string& word) {
        return is_telling(word) && std::any_of(asked.begin(), asked.end(), [&](const std::string& other) { return is_alike(word, other); });
    });
}

}  // namespace agents
