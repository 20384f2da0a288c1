#include "tools/edit_file.h"

#include <algorithm>

#include "tools/files.h"
#include "tools/near.h"

namespace tools {
namespace {

using base::Code;

constexpr std::size_t kLinesNamed = 10;

struct Edit {
    std::string path, before, after;
    bool all = false;
};

std::vector<std::size_t> places_of(const std::string& content, const std::string& wanted) {
    std::vector<std::size_t> out;
    for (std::size_t at = content.find(wanted); at != std::string::npos; at = content.find(wanted, at + wanted.size())) out.push_back(at);
    return out;
}

std::int64_t line_at(const std::string& content, std::size_t at) {
    return 1 + std::count(content.begin(), content.begin() + std::ptrdiff_t(at), '\n');
}

base::Error ambiguous(const Edit& edit, const std::string& content, const std::vector<std::size_t>& places) {
    std::string lines;
    for (std::size_t i = 0; i < places.size() && i < kLinesNamed; ++i)
        lines += (i ? ", " : "") + std::to_string(line_at(content, places[i]));
    if (places.size() > kLinesNamed) lines += ", …";
    return base::error(Code::conflict, "old_string occurs " + std::to_string(places.size()) + " times in " + edit.path + ", on lines " + lines,
                       "take more of the text around it, or set replace_all");
}

// The nearest thing to a match: a line that holds the first wanted line without its blanks.
base::Error missing(const Edit& edit, const std::string& content) {
    std::string first = edit.before.substr(0, edit.before.find('\n'));
    first.erase(0, std::min(first.size(), first.find_first_not_of(" \t")));
    while (!first.empty() && (first.back() == ' ' || first.back() == '\t' || first.back() == '\r')) first.pop_back();
    const std::size_t near = first.empty() ? std::string::npos : content.find(first);
    const std::string hint = near == std::string::npos ? "" : "; its first line stands on line " + std::to_string(line_at(content, near)) + " in other blanks or company";
    return base::error(Code::not_found, "old_string does not occur in " + edit.path + " (0 matches in " + std::to_string(lines_of(content).size()) + " lines)" + hint,
                       "read the file and copy the text exactly");
}

base::Result<ToolOutput> apply(sandbox::Workspace& workspace, const Edit& edit) {
    const auto content = workspace.read(edit.path, kMostFileBytes);
    if (!content) return with_near_names(workspace, edit.path, content.error());
    const auto places = places_of(*content, edit.before);
    if (places.empty()) return missing(edit, *content);
    if (places.size() > 1 && !edit.all) return ambiguous(edit, *content, places);
    std::string changed;
    std::size_t at = 0;
    for (std::size_t place : places) {
        changed.append(*content, at, place - at).append(edit.after);
        at = place + edit.before.size();
    }
    changed.append(*content, at);
    if (changed.size() > kMostFileBytes)
        return base::error(Code::resource_exhausted, edit.path + " would have " + std::to_string(changed.size()) + " bytes, at most " + std::to_string(kMostFileBytes) + " are written");
    if (auto written = workspace.write(edit.path, changed); !written) return written.error();
    ToolOutput out;
    out.text = "Replaced " + std::to_string(places.size()) + (places.size() == 1 ? " place in " : " places in ") + edit.path + ", first on line " +
               std::to_string(line_at(*content, places[0])) + ".";
    out.facts = {{"replaced", places.size()}};
    return out;
}

}  // namespace

net::Task<base::Result<ToolOutput>> edit_file(base::Json arguments, ToolContext& context) {
    auto workspace = workspace_of(context);
    if (!workspace) co_return workspace.error();
    const auto path = base::string_field(arguments, "path");
    if (!path) co_return path.error();
    const auto before = base::string_field(arguments, "old_string");
    if (!before) co_return before.error();
    const auto after = base::string_field(arguments, "new_string");
    if (!after) co_return after.error();
    const auto all = base::optional_bool(arguments, "replace_all");
    if (!all) co_return all.error();
    if (before->empty()) co_return base::error(Code::invalid_argument, "old_string is empty", "use write_file to make a file");
    if (*before == *after) co_return base::error(Code::invalid_argument, "old_string and new_string are the same");
    const Edit edit{*path, *before, *after, all->value_or(false)};
    auto work = [&] { return apply(**workspace, edit); };
    co_return co_await net::on_pool(context.blocking, work);
}

}  // namespace tools
