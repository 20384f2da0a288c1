#include "tools/write_file.h"

#include "tools/files.h"

namespace tools {

net::Task<base::Result<ToolOutput>> write_file(base::Json arguments, ToolContext& context) {
    auto workspace = workspace_of(context);
    if (!workspace) co_return workspace.error();
    const auto path = base::string_field(arguments, "path");
    if (!path) co_return path.error();
    const auto content = base::string_field(arguments, "content");
    if (!content) co_return content.error();
    if (content->size() > kMostFileBytes)
        co_return base::error(base::Code::resource_exhausted, "content has " + std::to_string(content->size()) + " bytes, at most " +
                                                                  std::to_string(kMostFileBytes) + " are written");
    auto work = [&] { return (*workspace)->write(*path, *content); };
    const auto written = co_await net::on_pool(context.blocking, work);
    if (!written) co_return written.error();
    ToolOutput out;
    out.text = "Wrote " + std::to_string(content->size()) + " bytes to " + *path + ".";
    out.facts = {{"bytes", content->size()}};
    co_return out;
}

}  // namespace tools
