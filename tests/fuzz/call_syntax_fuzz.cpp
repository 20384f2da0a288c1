// A tool's parameters as JSON Schema; the first byte chooses the dialect of its calls, the second the chance of the walk.
// What the dialect's grammars write, with its markup and without, its parser reads: calls of the tool and nothing else, with arguments that are valid.
#include "base/json_schema.h"
#include "fuzz.h"
#include "text/grammar.h"
#include "text/output_parser.h"
#include "walk.h"

using fuzz::require;

namespace {

// What is written under the rules is a call or calls.
void check(const std::string& rules, const std::string& trigger, const text::ParserOptions& options, const base::Json& parameters, unsigned chance) {
    static const auto tokenizer = text::words();
    static const auto table = text::make_token_table(tokenizer);
    const auto grammar = text::Grammar::from_ebnf(rules);
    if (!grammar) return;
    const auto written = text::walk(*grammar, table, *tokenizer, chance, {}, 200);
    if (!written) return;
    require(written->starts_with(trigger), "a call begins with what triggers its grammar: " + *written);
    const auto parser = text::OutputParser::create(options).value();
    parser->feed(*written);
    parser->finish();
    const auto& result = parser->result();
    const std::string where = options.dialect + ": " + *written;
    require(result.content.empty() && result.reasoning.empty() && !result.tool_calls.empty(), "a call is read whole: " + where);
    const auto meaning = base::Schema::parse(parameters);
    for (const auto& call : result.tool_calls) {
        const auto arguments = base::parse_json(call.arguments, 1000);
        require(call.name == "f" && arguments.ok() && arguments->is_object(), "a call has a name and arguments: " + where);
        if (!meaning) continue;
        const auto valid = meaning->validate(*arguments);
        require(valid.ok(), "arguments are valid: " + where + "\n" + call.arguments + (valid ? "" : ": " + valid.error().message));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto dialects = text::dialects();
    std::string_view input = fuzz::text_of(data, size);
    text::ParserOptions options;
    options.dialect = dialects[fuzz::take_byte(input) % dialects.size()];
    const unsigned chance = fuzz::take_byte(input);
    const auto schema = base::parse_ordered_json(input);
    if (!schema) return 0;
    options.tools = {{{"name", "f"}, {"parameters", *schema}}};
    const auto syntax = text::call_syntax(options.dialect, options.tools, 2);
    if (!syntax) return 0;
    const base::Json parameters = base::Json::parse(input);
    check(syntax->ebnf, syntax->trigger, options, parameters, chance);
    if (!syntax->bare.empty()) check("root ::= bare\ncalls" + syntax->ebnf.substr(4) + syntax->bare, "", options, parameters, chance);
    return 0;
}
