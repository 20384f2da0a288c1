#include "memory/sections.h"

#include <algorithm>

#include "base/trim.h"
#include "base/utf8.h"
#include "memory/extract.h"

namespace memory {
namespace {

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t") == std::string_view::npos; }
bool is_fence(std::string_view line) { return line.starts_with("```") || line.starts_with("~~~"); }

// Of "## Care": 2; of what is no heading 0.
std::size_t level_of(std::string_view line) {
    const std::size_t level = std::min(line.find_first_not_of('#'), line.size());
    return level >= 1 && level <= 6 && level < line.size() && line[level] == ' ' ? level : 0;
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Splitter {
public:
    explicit Splitter(Form form) : form_(form) {}

    std::vector<Section> split(std::string_view text) {
        if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
        bool fenced = false;
        while (!text.empty()) {
            const std::string_view line = take_line(text);
            if (form_ == Form::markdown && is_fence(line)) fenced = !fenced;
            const std::size_t level = form_ == Form::markdown && !fenced ? level_of(line) : 0;
            if (level > 0) begin_section(level, line.substr(level));
            else if (is_blank(line) && !fenced) end_paragraph();
            else paragraph_ += (paragraph_.empty() ? "" : "\n") + std::string(line);
        }
        end_section();
        return std::move(out_);
    }

private:
    void begin_section(std::size_t level, std::string_view heading) {
        end_section();
        path_.resize(level - 1);  // levels that were left out are empty
        path_.emplace_back(base::trimmed(heading));
    }

    void end_section() {
        end_paragraph();
        end_piece();
    }

    void end_paragraph() {
        if (paragraph_.empty()) return;
        if (!body_.empty() && body_.size() + 2 + paragraph_.size() > kSectionBytes) end_piece();
        std::string_view rest = paragraph_;
        while (rest.size() > kSectionBytes) {
            const std::size_t end = cut_of(rest);
            body_ = base::trimmed_right(rest.substr(0, end));
            end_piece();
            rest.remove_prefix(end);
            rest.remove_prefix(std::min(rest.find_first_not_of(" \n"), rest.size()));
        }
        if (!rest.empty()) body_ += (body_.empty() ? "" : "\n\n") + std::string(rest);
        paragraph_.clear();
    }

    // Where a text that is too long is cut.
    static std::size_t cut_of(std::string_view text) {
        const std::string_view most = base::beginning(text, kSectionBytes);
        for (const char mark : {'\n', ' '})
            if (const auto at = most.rfind(mark); at != std::string_view::npos && at > kSectionBytes / 2) return at;
        return most.size();
    }

    void end_piece() {
        if (body_.empty()) return;
        std::string heading;
        for (const std::string& one : path_)
            if (!one.empty()) heading += (heading.empty() ? "" : " > ") + one;
        out_.push_back({std::move(heading), std::move(body_)});
        body_.clear();
    }

    const Form form_;
    std::vector<std::string> path_;
    std::string paragraph_, body_;
    std::vector<Section> out_;
};

}  // namespace

// What a reader makes of packed documents and pages has headings as Markdown has.
Form form_of(std::string_view name) {
    const std::string_view type = type_of_name(name);
    const bool marked = type == "text/markdown" || kind_of(type) == Kind::html || kind_of(type) == Kind::packed;
    return marked ? Form::markdown : Form::text;
}

std::vector<Section> sections_of(std::string_view text, Form form) { return Splitter(form).split(text); }

}  // namespace memory
