#include "app/terminal.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "net/config.h"

namespace app {
namespace {

// Bytes that the UTF-8 character with this first byte has; 1 for what cannot begin one.
std::size_t length_of(unsigned char first) { return first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1; }

// Where an unfinished character at the end begins; the size when there is none.
std::size_t unfinished(std::string_view text) {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xc0) == 0x80) continue;
        return length_of(byte) > back ? text.size() - back : text.size();
    }
    return text.size();
}

}  // namespace

std::string VisibleStream::feed(std::string_view piece) {
    pending_ += piece;
    const std::size_t end = unfinished(pending_);
    const std::string whole = pending_.substr(0, end);
    pending_.erase(0, end);
    return visible(whole);
}

std::string VisibleStream::finish() {
    const std::string rest = std::move(pending_);
    pending_.clear();
    return visible(rest);
}

std::string one_line(std::string text, std::size_t most) {
    for (char& c : text)
        if (c == '\n' || c == '\t') c = ' ';
    if (text.size() <= most) return visible(text);
    text.resize(most);
    text.resize(unfinished(text));
    return visible(text) + "…";
}

void print_json(const base::Json& value, int indent) {
    std::puts(visible(value.dump(indent, ' ', false, base::Json::error_handler_t::replace)).c_str());
}

std::string faint(const std::string& words) {
    static const bool coloured = isatty(STDERR_FILENO) == 1 && !net::environment("NO_COLOR");
    return coloured ? "\033[2m" + words + "\033[0m" : words;
}

void show_progress(const std::string& stage, std::uint64_t done, std::uint64_t total) {
    static std::string last;
    static std::chrono::steady_clock::time_point said;
    const bool terminal = isatty(STDERR_FILENO), in_bytes = total > 1000;
    const auto now = std::chrono::steady_clock::now();
    if (!terminal && stage == last && now - said < std::chrono::seconds(2)) return;
    char amount[64] = "…";
    if (in_bytes) std::snprintf(amount, sizeof amount, "%5.1f %% of %llu MiB", 100.0 * double(done) / double(total), (unsigned long long)(total >> 20));
    else if (total > 0) std::snprintf(amount, sizeof amount, "(%llu of %llu)", (unsigned long long)done + 1, (unsigned long long)total);
    std::fprintf(stderr, terminal ? "\r%-40s %-22s" : "%s %s\n", stage.c_str(), amount);
    last = stage;
    said = now;
}

void end_progress() {
    if (isatty(STDERR_FILENO)) std::fputs("\n", stderr);
}

}  // namespace app
