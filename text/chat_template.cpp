#include "text/chat_template.h"

#include <algorithm>
#include <set>

#include "text/jinja/ast.h"
#include "text/jinja/evaluator.h"
#include "text/unicode.h"

namespace text {
namespace {

using base::OrderedJson;

constexpr std::string_view mark = "\xEF\xB7\x90";  // U+FDD0, a noncharacter: never part of exchanged text
constexpr std::string_view escaped_mark = "\\ufdd0";

std::size_t first_length(std::string_view s) {
    int n = 1;
    decode_utf8(s, 0, n);
    return std::size_t(n);
}

// Puts a mark into whatever could become a control token: inside each occurrence, and behind a
// beginning of one at the very end, where another value may bring the rest.
class Guard {
public:
    explicit Guard(const std::vector<std::string>& control_texts) {
        for (const auto& text : control_texts) {
            if (text.empty()) continue;
            whole_.insert(text);
            longest_ = std::max(longest_, text.size());
            if (first_length(text) == text.size()) tails_.insert(text);  // nothing can stand inside it
            for (std::size_t n = 1; n < text.size(); ++n) {
                heads_.insert(text.substr(0, n));
                tails_.insert(text.substr(n));
            }
        }
    }

    std::string guarded(const std::string& raw) const {
        std::string text = without_marks(raw), out;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const std::size_t n = occurrence(text, i) ? first_length(std::string_view(text).substr(i)) : 0;
            if (n && whole_.count(text.substr(i, n))) out += mark;
            out += text[i];
            if (n) {
                out.append(text, i + 1, n - 1);
                i += n - 1;
                out += mark;
            }
        }
        const std::size_t end = out.find_last_not_of(" \t\r\n") + 1;
        if (head_at_end(std::string_view(out).substr(0, end)) && !out.substr(0, end).ends_with(mark)) out.insert(end, mark);
        return out;
    }

    OrderedJson guarded(const OrderedJson& json) const {
        if (json.is_string()) return guarded(json.get<std::string>());
        OrderedJson out = json;
        if (json.is_array())
            for (auto& item : out) item = guarded(item);
        if (json.is_object()) {
            out = OrderedJson::object();
            for (const auto& [key, value] : json.items()) out[guarded(key)] = guarded(value);
        }
        return out;
    }

    // The rendered text, cut at the marks.
    std::vector<Piece> pieces(const std::string& rendered) const {
        const std::string text = jinja::replaced(rendered, std::string(escaped_mark), std::string(mark), -1);
        std::vector<Piece> out;
        std::size_t from = 0;
        for (bool more = true; more;) {
            const std::size_t at = std::min(text.find(mark, from), text.size());
            more = at < text.size();
            std::string_view part = std::string_view(text).substr(from, at - from);
            const std::size_t tail = from ? longest_prefix(part) : 0;
            add(out, part.substr(0, tail), false);
            part.remove_prefix(tail);
            const std::size_t head = more ? head_at_end(part) : 0;
            add(out, part.substr(0, part.size() - head), true);
            add(out, part.substr(part.size() - head), false);
            from = at + mark.size();
        }
        return out;
    }

private:
    static void add(std::vector<Piece>& out, std::string_view text, bool trusted) {
        if (!text.empty()) out.push_back({std::string(text), trusted});
    }
    static std::string without_marks(const std::string& text) { return jinja::replaced(text, std::string(mark), "", -1); }
    bool occurrence(std::string_view text, std::size_t at) const {
        for (std::size_t n = 1; n <= std::min(longest_, text.size() - at); ++n)
            if (whole_.count(std::string(text.substr(at, n)))) return true;
        return false;
    }
    std::size_t head_at_end(std::string_view text) const {
        for (std::size_t n = std::min(longest_, text.size()); n > 0; --n)
            if (heads_.count(std::string(text.substr(text.size() - n)))) return n;
        return 0;
    }
    std::size_t longest_prefix(std::string_view text) const {
        for (std::size_t n = std::min(longest_, text.size()); n > 0; --n)
            if (tails_.count(std::string(text.substr(0, n)))) return n;
        return 0;
    }

    std::set<std::string> whole_, heads_, tails_;
    std::size_t longest_ = 0;
};

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

    base::Result<std::vector<Piece>> render_pieces(const RenderInput& input, const std::vector<std::string>& control_texts) const override {
        const Guard guard(control_texts);
        OrderedJson variables = guard.guarded(variables_of(input));
        variables["add_generation_prompt"] = input.add_generation_prompt;
        variables["bos_token"] = input.bos_token;
        variables["eos_token"] = input.eos_token;
        auto text = render(variables, input.now);
        if (!text) return base::error(text.error().code, jinja::replaced(text.error().message, std::string(mark), "", -1));
        return guard.pieces(*text);
    }
    const std::string& source() const override { return source_; }

private:
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
