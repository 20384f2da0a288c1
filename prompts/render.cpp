#include "prompts/render.h"

#include <deque>
#include <vector>

#include "base/trim.h"

namespace prompts {
namespace {

using base::Code;
using base::error;

std::string trim(std::string_view text) { return std::string(base::trimmed(text)); }

struct Section {
    std::string heading, body;
};

std::vector<Section> sections(std::string_view body) {
    std::vector<Section> out;
    std::size_t at = 0;
    while (at < body.size()) {
        const auto end = std::min(body.find('\n', at), body.size());
        const auto line = body.substr(at, end - at);
        if (line.starts_with("## "))
            out.push_back({trim(line.substr(3)), ""});
        else if (!out.empty())
            out.back().body += std::string(line) + "\n";
        at = end + 1;
    }
    for (Section& section : out) section.body = trim(section.body);
    return out;
}

}  // namespace

base::Result<std::string> render(std::string_view body, const Variables& variables) {
    std::string out;
    std::size_t at = 0;
    while (true) {
        const auto open = body.find("{{", at);
        out += body.substr(at, open == std::string_view::npos ? open : open - at);
        if (open == std::string_view::npos) return out;
        const auto close = body.find("}}", open);
        if (close == std::string_view::npos)
            return error(Code::invalid_argument, "the prompt has an unclosed {{ at byte " + std::to_string(open));
        const auto name = trim(body.substr(open + 2, close - open - 2));
        const auto found = variables.find(name);
        if (found == variables.end())
            return error(Code::invalid_argument, "the prompt asks for {{" + name + "}}, which nobody gives here");
        out += found->second;
        at = close + 2;
    }
}

std::set<std::string> placeholders(std::string_view body) {
    std::set<std::string> out;
    for (auto open = body.find("{{"); open != std::string_view::npos; open = body.find("{{", open)) {
        const auto close = body.find("}}", open);
        if (close == std::string_view::npos) break;
        out.insert(trim(body.substr(open + 2, close - open - 2)));
        open = close + 2;
    }
    return out;
}

base::Result<base::Json> examples(std::string_view body) {
    base::Json out = base::Json::array();
    std::deque<std::string> pending;  // calls without a result yet
    int calls = 0;
    for (const Section& section : sections(body)) {
        const std::string& heading = section.heading;
        if (heading != "tool" && !heading.starts_with("call ") && !pending.empty())
            return error(Code::invalid_argument, "example \"" + heading + "\" comes before the result of call " + pending.front());
        if (heading == "user" || heading == "assistant") {
            out.push_back({{"role", heading}, {"content", section.body}});
        } else if (heading.starts_with("call ")) {
            if (auto arguments = base::parse_json(section.body); !arguments)
                return error(Code::invalid_argument, "example \"" + heading + "\": " + arguments.error().message);
            pending.push_back("example_" + std::to_string(++calls));
            const base::Json call = {{"id", pending.back()},
                                     {"type", "function"},
                                     {"function", {{"name", trim(heading.substr(5))}, {"arguments", section.body}}}};
            if (!out.empty() && out.back().contains("tool_calls"))
                out.back()["tool_calls"].push_back(call);
            else
                out.push_back({{"role", "assistant"}, {"content", ""}, {"tool_calls", base::Json::array({call})}});
        } else if (heading == "tool") {
            if (pending.empty()) return error(Code::invalid_argument, "example \"tool\" comes before any call");
            out.push_back({{"role", "tool"}, {"tool_call_id", pending.front()}, {"content", section.body}});
            pending.pop_front();
        } else {
            return error(Code::invalid_argument, "example heading \"" + heading + "\": expected user, assistant, call NAME or tool");
        }
    }
    return out;
}

}  // namespace prompts
