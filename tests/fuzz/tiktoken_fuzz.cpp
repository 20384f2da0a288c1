// The length of a text, the text, and tiktoken.model: what is accepted encodes any text as tokenizer_json_fuzz says.
#include "text/tiktoken.h"
#include "tokenizer_check.h"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const std::size_t length = std::min<std::size_t>(fuzz::take_byte(input), input.size());
    const std::string content(input.substr(0, length));
    auto vocabulary = text::read_tiktoken(input.substr(length), "TikTokenTokenizer", "tiktoken.model");
    if (!vocabulary) {
        require(vocabulary.error().message.find("tiktoken.model") != std::string::npos, "an error names the file: " + vocabulary.error().message);
        return 0;
    }
    const auto tokenizer = text::Tokenizer::create(*std::move(vocabulary));
    require(tokenizer.ok(), "what is read can be made");
    fuzz::check(**tokenizer, content);
    return 0;
}
