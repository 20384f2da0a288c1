#include "text/chat_template.h"

#include <algorithm>

#include "text/jinja/ast.h"
#include "text/jinja/evaluator.h"

namespace text {
namespace {

using base::OrderedJson;

OrderedJson variables_of(const RenderInput& input) {
    OrderedJson v = {{"messages", input.messages}, {"tools", input.tools}, {"documents", nullptr}};
    for (const auto& [key, value] : input.extra.items()) v[key] = value;
    return v;
}

class JinjaTemplate final : public ChatTemplate {
public:
    JinjaTemplate(std::string source, jinja::Body body) : source_(std::move(source)), body_(std::move(body)) {}

    base::Result<std::string> render(const OrderedJson& variables, std::int64_t now) const override {
        try {
            return jinja::Evaluator(now).render(body_, variables);
        } catch (const jinja::TemplateError& e) {
            if (e.raised) return base::error(base::Code::invalid_argument, e.what());
            return base::error(base::Code::invalid_argument, std::string("the chat template failed: ") + e.what());
        }
    }

    base::Result<Rendered> render_guarded(const RenderInput& input, const Guard& guard) const override {
        OrderedJson variables = variables_for(input, guard);
        auto text = print(variables, input.now);
        if (!text) return std::move(text).error();
        Rendered out{*std::move(text), 0};
        variables["add_generation_prompt"] = false;
        const auto before = input.add_generation_prompt ? print(variables, input.now) : out.text;
        const std::string_view shared = before ? std::string_view(*before) : std::string_view(out.text);
        out.turn = std::size_t(std::mismatch(shared.begin(), shared.end(), out.text.begin(), out.text.end()).first - shared.begin());
        return out;
    }
    const std::string& source() const override { return source_; }

private:
    static OrderedJson variables_for(const RenderInput& input, const Guard& guard) {
        OrderedJson variables = guard.guarded(variables_of(input));
        variables["add_generation_prompt"] = input.add_generation_prompt;
        variables["bos_token"] = input.bos_token;
        variables["eos_token"] = input.eos_token;
        return variables;
    }

    base::Result<std::string> print(const OrderedJson& variables, std::int64_t now) const {
        auto text = render(variables, now);
        if (!text) return base::error(text.error().code, jinja::replaced(text.error().message, std::string(Guard::mark), "", -1));
        return jinja::replaced(*text, "\\ufdd0", std::string(Guard::mark), -1);  // as a template's tojson escapes it
    }

    std::string source_;
    jinja::Body body_;
};

}  // namespace

base::Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::parse(std::string_view source) {
    if (source.size() > (std::size_t(1) << 20)) return base::error(base::Code::invalid_argument, "the chat template is larger than 1 MiB");
    try {
        return std::shared_ptr<const ChatTemplate>(std::make_shared<JinjaTemplate>(std::string(source), jinja::parse(source)));
    } catch (const jinja::TemplateError& e) {
        return base::error(base::Code::invalid_argument, std::string("the chat template cannot be parsed: ") + e.what());
    }
}

}  // namespace text
