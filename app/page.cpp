#include "app/page.h"

#include <algorithm>
#include <cstdio>

namespace app {
namespace {

// Where the character number `n` begins; the size when there are no more.
std::size_t place_of(std::string_view text, std::size_t n) {
    std::size_t at = 0;
    for (; at < text.size(); ++at)
        if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80 && n-- == 0) break;
    return at;
}

void wrap_line(std::string_view line, std::size_t width, std::vector<std::string>& out) {
    const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
    const std::string margin(indent < width / 2 ? indent : 0, ' ');
    std::string rest(line);
    while (width_of(rest) > width) {
        const std::size_t end = place_of(rest, width), blank = rest.rfind(' ', end), text = rest.find_first_not_of(' ');
        const std::size_t stop = blank == rest.npos || text >= blank ? end : blank;
        out.push_back(rest.substr(0, stop));
        const std::size_t next = rest.find_first_not_of(' ', stop);
        if (next == rest.npos) return;
        rest = margin + rest.substr(next);
    }
    out.push_back(rest);
}

}  // namespace

std::string inked(const std::string& text, Ink ink, bool coloured) {
    if (!coloured || ink == Ink::plain || text.empty()) return text;
    const char* code = ink == Ink::faint ? "2" : ink == Ink::bold ? "1" : ink == Ink::green ? "32" : ink == Ink::yellow ? "33" : "31";
    return "\033[" + std::string(code) + "m" + text + "\033[0m";
}

std::size_t width_of(std::string_view text) {
    return std::size_t(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string fitted(std::string_view text, std::size_t width) {
    if (width_of(text) <= width) return std::string(text);
    return width == 0 ? std::string() : std::string(text.substr(0, place_of(text, width - 1))) + "…";
}

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out.emplace_back(text.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
    std::vector<std::string> out;
    for (const std::string& line : lines_of(text)) wrap_line(line, std::max<std::size_t>(width, 1), out);
    return out;
}

std::string shown_time(std::chrono::microseconds time) {
    const double ms = double(time.count()) / 1000, s = ms / 1000;
    char text[40];
    if (ms < 9.95) std::snprintf(text, sizeof text, "%.1f ms", ms);
    else if (ms < 999.5) std::snprintf(text, sizeof text, "%.0f ms", ms);
    else if (s < 59.95) std::snprintf(text, sizeof text, "%.1f s", s);
    else std::snprintf(text, sizeof text, "%lld min %lld s", static_cast<long long>(s / 60), static_cast<long long>(s) % 60);
    return text;
}

}  // namespace app
