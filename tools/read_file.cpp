#include "tools/read_file.h"

#include "base/utf8.h"
#include "tools/files.h"
#include "tools/near.h"

namespace tools {
namespace {

constexpr std::int64_t kMostLines = 2000;
constexpr std::size_t kMostLineBytes = 2000;
constexpr std::size_t kNotice = 100;  // bytes for the last line, which says how to go on

std::string shown(std::string_view line) {
    if (line.size() <= kMostLineBytes) return base::valid_utf8(line);
    const std::string_view shown = base::beginning(line, kMostLineBytes);
    return base::valid_utf8(shown) + " [… " + std::to_string(line.size() - shown.size()) + " bytes of this line cut …]";
}

// At least one line, then whole lines while there is room.
ToolOutput excerpt(const std::string& content, std::int64_t offset, std::int64_t limit, std::size_t room) {
    const auto lines = lines_of(content);
    const auto total = std::int64_t(lines.size());
    ToolOutput out;
    std::int64_t at = offset - 1;
    for (; at < total && at < offset - 1 + limit; ++at) {
        const std::string line = std::to_string(at + 1) + "\t" + shown(lines[std::size_t(at)]) + "\n";
        if (!out.text.empty() && out.text.size() + line.size() + kNotice > room) break;
        out.text += line;
    }
    out.truncated = at < total;
    if (total == 0) out.text = "[the file is empty]\n";
    else if (offset > total) out.text = "[the file has " + std::to_string(total) + " lines; offset " + std::to_string(offset) + " is beyond its end]\n";
    else if (out.truncated)
        out.text += "[" + std::to_string(total - at) + " more lines; go on with offset " + std::to_string(at + 1) + "]\n";
    out.facts = {{"lines", total}, {"bytes", content.size()}};
    return out;
}

}  // namespace

net::Task<base::Result<ToolOutput>> read_file(base::Json arguments, ToolContext& context) {
    auto workspace = workspace_of(context);
    if (!workspace) co_return workspace.error();
    const auto path = base::string_field(arguments, "path");
    if (!path) co_return path.error();
    const auto offset = bounded(arguments, "offset", 1, 1, 1000000000);
    if (!offset) co_return offset.error();
    const auto limit = bounded(arguments, "limit", kMostLines, 1, kMostLines);
    if (!limit) co_return limit.error();
    auto work = [&]() -> base::Result<ToolOutput> {
        const auto content = (*workspace)->read(*path, kMostFileBytes);
        if (!content) return with_near_names(**workspace, *path, content.error());
        return excerpt(*content, *offset, *limit, context.result_bytes);
    };
    co_return co_await net::on_pool(context.blocking, work);
}

}  // namespace tools
