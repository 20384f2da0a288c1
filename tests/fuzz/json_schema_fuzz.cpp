// A JSON Schema as a grammar; the first byte chooses its options and the chance of the walks. A document written
// under the grammar is a sentence of it, is JSON, and is valid by the schema.
#include "base/json_schema.h"
#include "fuzz.h"
#include "text/grammar.h"
#include "walk.h"

using fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto tokenizer = text::words();
    static const auto table = text::make_token_table(tokenizer);
    std::string_view input = fuzz::text_of(data, size);
    const unsigned chance = fuzz::take_byte(input);
    const auto schema = base::parse_ordered_json(input);
    if (!schema) return 0;
    const text::SchemaOptions options{.allow_additional = (chance & 1) == 0, .any_whitespace = (chance & 2) != 0, .plain_less_than = (chance & 4) == 0};
    const auto grammar = text::Grammar::from_json_schema(*schema, options);
    if (!grammar) {
        require(!grammar.error().message.empty(), "a refusal says why");
        return 0;
    }
    const auto meaning = base::Schema::parse(base::Json::parse(input));
    const auto written = text::walk(*grammar, table, *tokenizer, chance, {}, 200);
    if (!written) return 0;
    require((*grammar)->accepts(*written), "a walk is a sentence: " + *written);
    const auto document = base::parse_json(*written, 1000);
    require(document.ok(), "a sentence is JSON: " + *written);
    if (!meaning) return 0;
    const auto valid = meaning->validate(*document);
    require(valid.ok(), "a sentence is valid: " + *written + (valid ? "" : ": " + valid.error().message));
    return 0;
}
