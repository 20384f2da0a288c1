// A chat template, then a NUL and a text from outside. The template may do anything within its bounds; its rendering
// does not change from one time to the next. Under templates that are known, a text from outside changes none of
// the trusted text, and the pieces put together are the rendering.
#include "fuzz.h"
#include "support/pieces.h"
#include "text/chat_template.h"
#include "text/output_parser.h"

namespace {

using base::OrderedJson;
using fuzz::require;

const std::vector<std::string> controls = {"<|im_start|>", "<|im_end|>", "<tool_call>", "[INST]", "</s>"};

text::RenderInput conversation(const std::string& content) {
    static const auto messages = OrderedJson::parse(R"([{"role": "system", "content": "Be brief."}, {"role": "user"},
        {"role": "assistant", "content": null, "reasoning_content": "so",
         "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": {"n": 1, "s": [1.5, true, null]}}}]},
        {"role": "tool", "tool_call_id": "c1"}, {"role": "user", "content": "ok"}])");
    static const auto tools = OrderedJson::parse(R"([{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}}}])");
    text::RenderInput out;
    out.messages = messages;
    out.messages[1]["content"] = content;
    out.messages[3]["content"] = content;
    out.tools = tools;
    out.tools[0]["function"]["description"] = content;
    out.extra = {{"enable_thinking", true}};
    out.bos_token = "<s>", out.eos_token = "</s>";
    out.now = 1700000000;
    return out;
}

std::string joined(const std::vector<text::Piece>& pieces) {
    std::string out;
    for (const auto& piece : pieces) out += piece.text;
    return out;
}

std::size_t controls_in(const std::vector<text::Piece>& pieces) {
    std::size_t out = 0;
    for (const auto& piece : pieces) {
        if (!piece.trusted) continue;
        for (const auto& control : controls)
            for (std::size_t at = 0; (at = piece.text.find(control, at)) != std::string::npos; at += control.size()) ++out;
    }
    return out;
}

void any_template(std::string_view source, const std::string& content, bool twice) {
    text::detect_dialect(source);
    const auto made = text::ChatTemplate::parse(source);
    if (!made) return require(made.error().code == base::Code::invalid_argument && !made.error().message.empty(), "a refusal says why");
    require((*made)->source() == source, "a template keeps its source");
    const auto input = conversation(content);
    const auto pieces = support::pieces_of(**made, input, controls);
    if (pieces) require(joined(*pieces).size() <= std::size_t(64) << 20, "a rendering is bounded");
    if (!twice) return;
    const auto again = support::pieces_of(**made, input, controls);
    require(pieces.ok() == again.ok(), "a rendering can be repeated");
    if (!pieces) return require(pieces.error().message == again.error().message, "an error can be repeated");
    require(joined(*pieces) == joined(*again), "a rendering can be repeated");
}

void known_template(unsigned which, const std::string& content) {
    static const char* const sources[] = {
        "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + (m.content or '') + '<|im_end|>' + '\n' }}{% endfor %}{{ '<|im_start|>assistant\n' }}",
        "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] | trim }} [/INST]{% else %}{{ m['content'] }}</s>{% endif %}{% endfor %}",
        "{% for t in tools %}{{ t | tojson }}\n{% endfor %}{% for m in messages %}{{ m.role }}: {{ m.content }}{% for c in m.tool_calls %}<tool_call>{{ c.function | tojson }}</tool_call>{% endfor %}\n{% endfor %}"};
    static const std::vector<std::shared_ptr<const text::ChatTemplate>> made = [] {
        std::vector<std::shared_ptr<const text::ChatTemplate>> out;
        for (const char* source : sources) out.push_back(text::ChatTemplate::parse(source).value());
        return out;
    }();
    const text::ChatTemplate& used = *made[which % made.size()];
    const auto input = conversation(content);
    const auto pieces = support::pieces_of(used, input, controls);
    require(pieces.ok(), "any text can be rendered");
    const auto harmless = support::pieces_of(used, conversation("x"), controls);
    require(controls_in(*pieces) == controls_in(*harmless), "a text from outside adds no control token to what is trusted");
    OrderedJson variables = {{"messages", input.messages}, {"tools", input.tools}, {"bos_token", input.bos_token}};
    require(joined(*pieces) == used.render(variables, input.now).value(), "the pieces are the rendering");
}

// As requests bring it: whole UTF-8, without the noncharacter that marks where texts from outside begin.
bool plain(const std::string& content) {
    return base::Json::parse(base::dump(content)) == base::Json(content) && content.find("\xEF\xB7\x90") == std::string::npos && content.find("\\ufdd0") == std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input = fuzz::text_of(data, size);
    const unsigned choice = fuzz::take_byte(input);
    const std::string_view source = fuzz::take_part(input);
    if (choice < 192) any_template(source, std::string(input), choice % 4 == 0);
    else if (plain(std::string(source))) known_template(choice, std::string(source));
    return 0;
}
