#include "tools/list_dir.h"

#include "base/utf8.h"
#include "tools/files.h"
#include "tools/near.h"

namespace tools {
namespace {

constexpr std::size_t kMostEntries = 1000;

std::string name_of(const sandbox::Entry& entry) { return base::valid_utf8(std::filesystem::path(entry.path).filename().string()); }

std::string line_for(const sandbox::Entry& entry) {
    const std::string name = name_of(entry);
    switch (entry.kind) {
        case sandbox::Entry::Kind::folder: return name + "/";
        case sandbox::Entry::Kind::symlink: return name + " (symbolic link, not followed)";
        case sandbox::Entry::Kind::other: return name + " (special file)";
        case sandbox::Entry::Kind::file: break;
    }
    return name + "  " + std::to_string(entry.bytes) + " bytes";
}

}  // namespace

net::Task<base::Result<ToolOutput>> list_dir(base::Json arguments, ToolContext& context) {
    auto workspace = workspace_of(context);
    if (!workspace) co_return workspace.error();
    const auto path = base::optional_string(arguments, "path");
    if (!path) co_return path.error();
    const std::string folder = path->value_or(".");
    auto work = [&]() -> base::Result<std::vector<sandbox::Entry>> {
        auto found = (*workspace)->list(folder);
        if (!found) return with_near_names(**workspace, folder, found.error());
        return found;
    };
    const auto entries = co_await net::on_pool(context.blocking, work);
    if (!entries) co_return entries.error();
    ToolOutput out;
    for (std::size_t i = 0; i < entries->size() && i < kMostEntries; ++i) {
        out.text += line_for((*entries)[i]) + "\n";
        out.names.push_back(name_of((*entries)[i]) + ((*entries)[i].kind == sandbox::Entry::Kind::folder ? "/" : ""));
    }
    if (entries->empty()) out.text = "[the folder is empty]\n";
    out.truncated = entries->size() > kMostEntries;
    if (out.truncated) out.text += "[" + std::to_string(entries->size() - kMostEntries) + " more entries]\n";
    out.facts = {{"entries", entries->size()}};
    co_return out;
}

}  // namespace tools
