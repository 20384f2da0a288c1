#include "server/bridges/telegram_markdown.h"

#include <algorithm>
#include <cctype>

#include "base/trim.h"
#include "server/bridges/pieces.h"

namespace server::bridges {
namespace {

// The bracket that ends a link's address, which may hold pairs of them: ".../wiki/Pump_(machine)". npos: there is none.
std::size_t address_end(std::string_view line, std::size_t begin) {
    int open = 0;
    for (std::size_t at = begin; at < line.size(); ++at) {
        if (line[at] == '(') ++open;
        else if (line[at] == ')' && open-- == 0) return at;
    }
    return line.find(')', begin);
}

using base::Json;

constexpr std::size_t kMostEntities = 100;   // that the API takes of a message
constexpr std::size_t kMostLanguage = 32;    // bytes
constexpr int kMostDepth = 8;                // of marks in marks

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }

class Marker {
public:
    explicit Marker(bool behind_words) : behind_words_(behind_words) {}

    void say(std::string_view text) {
        out_.text += text;
        units_ += units_of(text);
    }
    std::size_t here() const { return units_; }
    // From there to here.
    void mark(const char* type, std::size_t from, Json more = Json::object()) {
        if (units_ == from || out_.entities.size() >= kMostEntities) return;
        Json entity = {{"type", type}, {"offset", from}, {"length", units_ - from}};
        entity.update(more);
        out_.entities.push_back(std::move(entity));
    }
    void inlines(std::string_view line, int depth = 0);
    MarkedText done();

private:
    // Each says `before` and then what it makes of the line from `at` on. How much that is; 0: it is no mark, and nothing was said.
    std::size_t span(std::string_view before, std::string_view line, std::size_t at, int depth);
    std::size_t code(std::string_view before, std::string_view line, std::size_t at);
    std::size_t link(std::string_view before, std::string_view line, std::size_t at);

    const bool behind_words_;
    MarkedText out_;
    std::size_t units_ = 0;
};

struct Mark {
    std::string_view sign;
    const char* type;
    bool between_words;  // it is no mark within a word
};
constexpr Mark kMarks[] = {{"**", "bold", false}, {"__", "bold", true}, {"~~", "strikethrough", false}, {"*", "italic", false}, {"_", "italic", true}};

// Where the mark that opens at `at` ends; npos: it is none.
std::size_t closing(std::string_view line, std::size_t at, const Mark& mark) {
    const std::size_t inside = at + mark.sign.size();
    if (inside >= line.size() || is_blank(line[inside]) || line[inside] == mark.sign[0]) return line.npos;
    if (mark.between_words && at > 0 && is_word(line[at - 1])) return line.npos;
    for (std::size_t end = line.find(mark.sign, inside + 1); end != line.npos; end = line.find(mark.sign, end + 1)) {
        if (is_blank(line[end - 1]) || line[end - 1] == '\\') continue;
        const std::size_t behind = end + mark.sign.size();
        if (mark.sign.size() == 1 && (line[end - 1] == mark.sign[0] || (behind < line.size() && line[behind] == mark.sign[0]))) continue;  // of a longer one
        if (mark.between_words && behind < line.size() && is_word(line[behind])) continue;
        // Of three the first one closes what began inside: "**a *b***".
        const std::string_view between = line.substr(inside, end - inside);
        const bool shares = mark.sign.size() == 2 && behind < line.size() && line[behind] == mark.sign[0] && std::count(between.begin(), between.end(), mark.sign[0]) % 2 == 1;
        return shares ? end + 1 : end;
    }
    return line.npos;
}

std::size_t Marker::span(std::string_view before, std::string_view line, std::size_t at, int depth) {
    for (const Mark& mark : kMarks) {
        if (line.substr(at, mark.sign.size()) != mark.sign) continue;
        const std::size_t end = closing(line, at, mark);
        if (end == line.npos) continue;
        say(before);
        const std::size_t from = here();
        inlines(line.substr(at + mark.sign.size(), end - at - mark.sign.size()), depth + 1);
        this->mark(mark.type, from);
        return end + mark.sign.size() - at;
    }
    return 0;
}

std::size_t Marker::code(std::string_view before, std::string_view line, std::size_t at) {
    const std::size_t inside = std::min(line.find_first_not_of('`', at), line.size());
    const std::string_view fence = line.substr(at, inside - at);
    const std::size_t end = line.find(fence, inside);
    if (end == line.npos || end == inside) return 0;
    say(before);
    const std::size_t from = here();
    say(line.substr(inside, end - inside));
    mark("code", from);
    return end + fence.size() - at;
}

std::size_t Marker::link(std::string_view before, std::string_view line, std::size_t at) {
    const std::size_t begin = at + (line[at] == '!' ? 2 : 1);
    const std::size_t middle = line.find("](", begin);
    if (middle == line.npos || middle == begin || line.substr(begin, middle - begin).find_first_of("[]") != line.npos) return 0;
    const std::size_t end = address_end(line, middle + 2);
    if (end == line.npos) return 0;
    const std::string_view words = line.substr(begin, middle - begin), address = line.substr(middle + 2, end - middle - 2);
    if (address.empty() || address.find_first_of(" \t<>\"") != address.npos) return 0;
    say(before);
    const std::size_t from = here();
    say(words);
    const bool leads_out = address.starts_with("https://") || address.starts_with("http://");
    if (behind_words_ && leads_out) mark("text_link", from, {{"url", address}});
    else if (words != address) say(" (" + std::string(address) + ")");
    return end + 1 - at;
}

void Marker::inlines(std::string_view line, int depth) {
    std::size_t plain = 0;
    for (std::size_t at = 0; at < line.size();) {
        const char c = line[at];
        if (c == '\\' && at + 1 < line.size() && std::ispunct(static_cast<unsigned char>(line[at + 1]))) {
            say(line.substr(plain, at - plain));
            say(line.substr(at + 1, 1));
            plain = at += 2;
            continue;
        }
        const bool may_mark = depth < kMostDepth && (c == '*' || c == '_' || c == '~' || c == '`' || c == '[' || (c == '!' && line.substr(at, 2) == "!["));
        if (!may_mark) {
            ++at;
            continue;
        }
        const std::string_view before = line.substr(plain, at - plain);
        const std::size_t taken = c == '`' ? code(before, line, at) : c == '[' || c == '!' ? link(before, line, at) : span(before, line, at, depth);
        if (taken == 0) {
            at = std::max(at + 1, std::min(line.find_first_not_of(c, at), line.size()));
            continue;
        }
        plain = at += taken;
    }
    say(line.substr(plain));
}

MarkedText Marker::done() {
    out_.text = std::string(base::trimmed_right(out_.text));
    const std::size_t all = units_of(out_.text);
    Json inside = Json::array();
    for (Json& entity : out_.entities) {
        const auto offset = entity["offset"].get<std::size_t>();
        if (offset >= all) continue;
        entity["length"] = std::min(entity["length"].get<std::size_t>(), all - offset);
        inside.push_back(std::move(entity));
    }
    out_.entities = std::move(inside);
    return std::move(out_);
}

// "```" with what follows it; empty: the line is none.
std::string_view fence_of(std::string_view line) {
    const std::string_view text = base::trimmed(line);
    return text.starts_with("```") || text.starts_with("~~~") ? text : std::string_view();
}
std::string_view sign_of(std::string_view fence) { return fence.substr(0, std::min(fence.find_first_not_of(fence[0]), fence.size())); }
bool closes(std::string_view line, std::string_view opened) {
    const std::string_view fence = fence_of(line);
    return !fence.empty() && fence == sign_of(fence) && fence.starts_with(sign_of(opened));
}

std::string_view next_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    return line;
}

void say_line(Marker& marker, std::string_view line) {
    const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
    const std::string_view text = line.substr(indent);
    const std::size_t signs = std::min(text.find_first_not_of('#'), text.size());
    if (signs >= 1 && signs <= 6 && signs < text.size() && is_blank(text[signs])) {
        const std::size_t from = marker.here();
        marker.inlines(base::trimmed(text.substr(signs)));
        marker.mark("bold", from);
    } else if (text.size() > 2 && (text[0] == '-' || text[0] == '*' || text[0] == '+') && is_blank(text[1])) {
        marker.say(line.substr(0, indent));
        marker.say("• ");
        marker.inlines(base::trimmed_left(text.substr(1)));
    } else {
        marker.inlines(line);
    }
}

// Of code that is open at the end: how it was opened.
std::string_view open_fence(std::string_view markdown) {
    std::string_view opened;
    while (!markdown.empty()) {
        const std::string_view line = next_line(markdown);
        if (opened.empty()) opened = fence_of(line);
        else if (closes(line, opened)) opened = {};
    }
    return opened;
}

bool fits(std::string_view markdown) { return units_of(telegram_marked(markdown, false).text) <= kMessageUnits; }

// The end of the last line up to which the text fits; 0: not even the first does.
std::size_t fitting_lines(std::string_view markdown) {
    std::vector<std::size_t> ends;
    for (std::size_t at = markdown.find('\n'); at != markdown.npos; at = markdown.find('\n', at + 1)) ends.push_back(at);
    const auto over = std::partition_point(ends.begin(), ends.end(), [&](std::size_t end) { return fits(markdown.substr(0, end)); });
    return over == ends.begin() ? 0 : *(over - 1);
}

std::size_t cut_of(std::string_view markdown) {
    const std::size_t lines = fitting_lines(markdown);
    if (telegram_marked(markdown.substr(0, lines), false).text.empty()) return first_end(markdown, kMessageUnits);
    const std::size_t paragraph = markdown.substr(0, lines).rfind("\n\n");
    return paragraph != markdown.npos && paragraph > lines / 2 ? paragraph : lines;
}

}  // namespace

MarkedText telegram_marked(std::string_view markdown, bool behind_words) {
    Marker marker(behind_words);
    std::string_view opened;  // code goes on
    std::size_t from = 0;
    const auto end_code = [&] {
        const std::string_view language = base::trimmed(opened.substr(sign_of(opened).size()));
        marker.mark("pre", from, language.empty() || language.size() > kMostLanguage ? Json::object() : Json{{"language", language}});
        opened = {};
    };
    for (bool first = true; !markdown.empty();) {
        const std::string_view line = next_line(markdown);
        if (opened.empty() ? !fence_of(line).empty() : closes(line, opened)) {
            if (!opened.empty()) {
                end_code();
                continue;
            }
            opened = fence_of(line);
            if (!first) marker.say("\n");
            first = true;  // the code begins here
            from = marker.here();
            continue;
        }
        if (!first) marker.say("\n");
        first = false;
        if (opened.empty()) say_line(marker, line);
        else marker.say(line);
    }
    if (!opened.empty()) end_code();
    return marker.done();
}

std::vector<std::string> telegram_marked_pieces(std::string_view markdown) {
    std::vector<std::string> out;
    std::string rest(base::trimmed(markdown));
    while (!rest.empty()) {
        if (fits(rest)) {
            out.push_back(std::move(rest));
            break;
        }
        const std::size_t cut = cut_of(rest);
        std::string piece(base::trimmed_right(std::string_view(rest).substr(0, cut)));
        const std::string fence(open_fence(piece).substr(0, kMostLanguage));
        rest.erase(0, cut);
        rest.erase(0, std::min(rest.find_first_not_of(fence.empty() ? base::kBlanks : std::string_view("\r\n")), rest.size()));
        if (!fence.empty() && !rest.empty()) {
            piece += "\n" + std::string(sign_of(fence));
            rest.insert(0, fence + "\n");
        }
        out.push_back(std::move(piece));
    }
    return out;
}

}  // namespace server::bridges
