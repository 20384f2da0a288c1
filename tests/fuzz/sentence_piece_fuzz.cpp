// The length of a text, the text, and tokenizer.model: what is accepted encodes any text as tokenizer_json_fuzz says.
#include "text/sentence_piece.h"
#include "tokenizer_check.h"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const std::size_t length = std::min<std::size_t>(fuzz::take_byte(input), input.size());
    const std::string content(input.substr(0, length));
    auto vocabulary = text::read_sentence_piece(input.substr(length), "tokenizer.model");
    if (!vocabulary) {
        require(vocabulary.error().message.find("tokenizer.model") != std::string::npos, "an error names the file: " + vocabulary.error().message);
        return 0;
    }
    const bool checked = text::Tokenizer::check(*vocabulary).ok();
    const auto tokenizer = text::Tokenizer::create(*std::move(vocabulary));
    require(tokenizer.ok() == checked, "what is checked can be made");
    if (tokenizer) fuzz::check(**tokenizer, content);
    return 0;
}
