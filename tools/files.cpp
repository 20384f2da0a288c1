#include "tools/files.h"

namespace tools {

using base::Code;

base::Result<sandbox::Workspace*> workspace_of(const ToolContext& context) {
    if (!context.workspace)
        return base::error(Code::unavailable, "this turn has no workspace", "name a folder when you start it");
    return context.workspace;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) line.remove_suffix(1);
        out.push_back(line);
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return out;
}

base::Result<std::int64_t> bounded(const base::Json& arguments, std::string_view field, std::int64_t otherwise,
                                   std::int64_t low, std::int64_t high) {
    const auto given = base::optional_integer(arguments, field);
    if (!given) return given.error();
    const std::int64_t value = given->value_or(otherwise);
    if (value < low || value > high)
        return base::error(Code::invalid_argument, std::string(field) + " is " + std::to_string(value) + ", " +
                                                       std::to_string(low) + " to " + std::to_string(high) + " expected");
    return value;
}

}  // namespace tools
