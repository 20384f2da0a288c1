#include "tools/glob_files.h"

#include "base/utf8.h"
#include "tools/files.h"
#include "tools/glob.h"

namespace tools {
namespace {

constexpr std::size_t kMostMatches = 500;

base::Result<ToolOutput> find(sandbox::Workspace& workspace, const std::string& folder, const std::string& pattern) {
    const auto glob = Glob::parse(pattern.find('/') == std::string::npos ? "**/" + pattern : pattern);
    if (!glob) return glob.error();
    const auto entries = workspace.walk(folder, kMostWalked);
    if (!entries) return entries.error();
    const auto base = std::filesystem::path(folder).lexically_normal();
    const std::filesystem::path below = base.is_absolute() ? base.lexically_relative(workspace.root()) : base;
    ToolOutput out;
    std::size_t found = 0;
    for (const sandbox::Entry& entry : *entries) {
        if (entry.kind != sandbox::Entry::Kind::file) continue;
        if (!glob->matches(std::filesystem::path(entry.path).lexically_relative(below).string())) continue;
        if (++found > kMostMatches) continue;
        out.names.push_back(base::valid_utf8(entry.path));
        out.text += out.names.back() + "\n";
    }
    if (found == 0) out.text = "[no file matches " + pattern + "]\n";
    if (found > kMostMatches) out.text += "[" + std::to_string(found - kMostMatches) + " more files match]\n";
    if (entries->size() >= kMostWalked) out.text += "[only the first " + std::to_string(kMostWalked) + " entries were looked at; name a folder in path]\n";
    out.truncated = found > kMostMatches || entries->size() >= kMostWalked;
    out.facts = {{"files", found}};
    return out;
}

}  // namespace

net::Task<base::Result<ToolOutput>> glob_files(base::Json arguments, ToolContext& context) {
    auto workspace = workspace_of(context);
    if (!workspace) co_return workspace.error();
    const auto pattern = base::string_field(arguments, "pattern");
    if (!pattern) co_return pattern.error();
    const auto path = base::optional_string(arguments, "path");
    if (!path) co_return path.error();
    auto work = [&] { return find(**workspace, path->value_or("."), *pattern); };
    co_return co_await net::on_pool(context.blocking, work);
}

}  // namespace tools
