// tokenizer.json, then a NUL, a text, a NUL and tokenizer_config.json: what is accepted encodes any text into ids that
// exist, and the text of a control token that comes from outside never becomes that token.
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"
#include "tokenizer_check.h"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const std::string_view json = fuzz::take_part(input), content = fuzz::take_part(input);
    auto vocabulary = text::read_tokenizer_json(json, "tokenizer.json");
    if (!vocabulary) {
        require(vocabulary.error().message.find("tokenizer.json") != std::string::npos, "an error names the file: " + vocabulary.error().message);
        return 0;
    }
    if (auto applied = text::apply_tokenizer_config(*vocabulary, input, "tokenizer_config.json"); !applied)
        require(applied.error().message.find("tokenizer_config.json") != std::string::npos, "an error names the file: " + applied.error().message);
    const bool checked = text::Tokenizer::check(*vocabulary).ok();
    const auto tokenizer = text::Tokenizer::create(*std::move(vocabulary));
    require(tokenizer.ok() == checked, "what is checked can be made");
    if (!tokenizer) return 0;
    fuzz::check(**tokenizer, std::string(content));
    std::string specials = "a";
    for (const std::string& token : (*tokenizer)->vocabulary().tokens)
        if (specials.size() < 200) specials += token;
    fuzz::check(**tokenizer, specials);
    return 0;
}
