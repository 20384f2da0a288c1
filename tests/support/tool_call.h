// Calls one tool in a fresh workspace, as the dispatcher would: arguments are checked against its schema first.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <string>

#include "base/json_schema.h"
#include "sandbox/launcher.h"
#include "sandbox/workspace.h"
#include "support/fixtures.h"
#include "tools/registry.h"

namespace support {

class ToolBench {
public:
    explicit ToolBench(sandbox::Workspace::Access access = sandbox::Workspace::Access::read_write, sandbox::Launcher* launcher = nullptr)
        : workspace_(sandbox::Workspace::open(dir_.path(), access, {}).value()), launcher_(launcher) {}

    base::Result<tools::ToolOutput> call(const std::string& name, base::Json arguments) {
        const tools::Tool* tool = tools::Builtins().find(name);
        if (!tool) throw std::logic_error("no tool " + name);
        if (auto fits = base::Schema::parse(base::Json(tool->input)).value().validate(arguments); !fits) return fits.error();
        tools::ToolContext context{principal_, workspace_.get(), launcher_, pool_, nullptr, {}, result_bytes};
        context.secrets = secrets;
        base::Result<tools::ToolOutput> out = base::error(base::Code::internal, "the tool did not end");
        boost::asio::io_context io;
        auto run = [&]() -> net::Task<void> { out = co_await tool->run(std::move(arguments), context); };
        boost::asio::co_spawn(io, run, [](std::exception_ptr e) { if (e) std::rethrow_exception(e); });
        io.run();
        if (out) base::Schema::parse(base::Json(tool->output)).value().validate(out->facts).value();
        return out;
    }

    void put(const std::string& path, const std::string& content) {
        std::filesystem::create_directories((dir_.path() / path).parent_path());
        std::ofstream(dir_.path() / path, std::ios::binary) << content;
    }
    std::string get(const std::string& path) const { return read_text(dir_.path() / path); }
    const std::filesystem::path& path() const { return dir_.path(); }
    std::size_t result_bytes = 16000;
    const tools::OpenSecrets* secrets = nullptr;

private:
    TempDir dir_;
    std::unique_ptr<sandbox::Workspace> workspace_;
    sandbox::Launcher* launcher_;
    policy::Principal principal_;
    boost::asio::thread_pool pool_{1};
};

}  // namespace support
