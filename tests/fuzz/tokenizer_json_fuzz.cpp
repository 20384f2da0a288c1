// tokenizer.json, then a NUL, a text, a NUL and tokenizer_config.json: what is accepted encodes any text into ids that
// exist, and the text of a control token that comes from outside never becomes that token.
#include "fuzz.h"
#include "text/tokenizer.h"
#include "text/tokenizer_json.h"

namespace {

using fuzz::require;

void check(const text::Tokenizer& tokenizer, const std::string& content) {
    const auto encoded = tokenizer.encode(content, false);
    for (const text::TokenId id : encoded) {
        require(id >= 0 && id < tokenizer.size(), "an id is in the vocabulary");
        require(!tokenizer.is_control(id) || tokenizer.vocabulary().unknown == id, "a text from outside makes no control token: " + tokenizer.bytes(id, true));
    }
    const std::size_t half = content.size() / 2;
    const text::Piece pieces[] = {{content.substr(0, half), false}, {content.substr(half), false}};
    require(tokenizer.encode(pieces) == encoded, "a border between two texts from outside changes nothing");
    for (const text::TokenId id : tokenizer.encode(content, true)) require(id >= 0 && id < tokenizer.size(), "an id is in the vocabulary");
    tokenizer.decode(encoded);
    std::string joined;
    for (const text::TokenId id : encoded) joined += tokenizer.bytes(id);
    require(joined.ends_with(tokenizer.decode(encoded)), "decoding is the tokens' bytes");
}

}  // namespace

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
    check(**tokenizer, std::string(content));
    std::string specials = "a";
    for (const std::string& token : (*tokenizer)->vocabulary().tokens)
        if (specials.size() < 200) specials += token;
    check(**tokenizer, specials);
    return 0;
}
