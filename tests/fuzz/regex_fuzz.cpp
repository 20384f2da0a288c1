// A regular expression, then a NUL and a text: the matcher and the grammar of one pattern agree on the text.
#include "base/json.h"
#include "base/regex.h"
#include "fuzz.h"
#include "text/grammar.h"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const std::string_view pattern = fuzz::take_part(input);
    const auto text = base::parse_json(base::dump(std::string(input)))->get<std::string>();  // with U+FFFD for what is no UTF-8
    const auto regex = base::Regex::compile(pattern);
    const auto grammar = text::Grammar::from_regex(pattern);
    if (regex) {
        require(!regex->matches(text) || regex->search(text), "what matches the whole is found in it");
        regex->search(input);
    } else {
        require(!regex.error().message.empty(), "a refusal says why");
    }
    if (!grammar) require(!grammar.error().message.empty(), "a refusal says why");
    if (regex && grammar) require((*grammar)->accepts(text) == regex->matches(text), "matcher and grammar agree");
    return 0;
}
