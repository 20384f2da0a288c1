#include "server/bridges/whatsapp_markdown.h"

#include <algorithm>
#include <vector>

#include "server/bridges/pieces.h"
#include "server/bridges/telegram_markdown.h"

namespace server::bridges {
namespace {

struct Sign {
    const char* type;  // of an entity
    const char* sign;
    bool over_lines;
};
constexpr Sign kSigns[] = {{"bold", "*", false}, {"italic", "_", false}, {"strikethrough", "~", false}, {"code", "`", false}, {"pre", "```", true}};

struct Span {
    std::size_t from, to;  // bytes
    const Sign* sign;
};

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t'; }

std::vector<Span> spans_of(const MarkedText& marked) {
    std::vector<Span> out;
    for (const base::Json& entity : marked.entities) {
        const std::string type = entity.at("type");
        const auto* const sign = std::find_if(std::begin(kSigns), std::end(kSigns), [&](const Sign& one) { return one.type == type; });
        if (sign == std::end(kSigns)) continue;
        const std::size_t at = entity.at("offset"), length = entity.at("length");
        const std::size_t from = byte_at_unit(marked.text, at), to = byte_at_unit(marked.text, at + length);
        const std::string_view inside = std::string_view(marked.text).substr(from, to - from);
        // A sign beside a blank is shown as itself, and so is one whose partner stands in another line.
        const bool shows = !inside.empty() && (sign->over_lines || (!is_blank(inside.front()) && !is_blank(inside.back()) && inside.find('\n') == inside.npos));
        if (shows) out.push_back({from, to, &*sign});
    }
    return out;
}

}  // namespace

std::string whatsapp_marked(std::string_view markdown) {
    const MarkedText marked = telegram_marked(markdown, false);
    std::vector<Span> spans = spans_of(marked);
    // The outer ones first.
    std::stable_sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.from != b.from ? a.from < b.from : a.to > b.to; });
    std::string out;
    std::vector<Span> open;
    std::size_t done = 0;
    const auto close_until = [&](std::size_t at) {
        while (!open.empty() && open.back().to <= at) {
            out += marked.text.substr(done, open.back().to - done) + open.back().sign->sign;
            done = open.back().to;
            open.pop_back();
        }
    };
    for (const Span& span : spans) {
        close_until(span.from);
        out += marked.text.substr(done, span.from - done) + span.sign->sign;
        done = span.from;
        open.push_back(span);
    }
    close_until(marked.text.size());
    return out + marked.text.substr(done);
}

}  // namespace server::bridges
