// hearth memory export: what the person asked and was answered well, as a file that models are trained on.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "app/client.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "store/node_days.h"

namespace app {
namespace {

using base::Code;
using base::Json;

constexpr std::size_t kPage = 500;

base::Result<std::string> lines_of(const std::string& socket, const std::string& days, int& count) {
    std::string out, before;
    for (;;) {
        const auto page = ask_server_json(socket, "GET", "/v1/memory/interactions?limit=" + std::to_string(kPage) + days + before);
        if (!page) return page.error();
        for (const Json& one : (*page)["data"]) out += base::dump(one) + "\n", ++count;
        if ((*page)["data"].size() < kPage) return out;
        before = "&before=" + (*page)["data"].back()["metadata"]["id"].get<std::string>();
    }
}

// Whole or not at all, and for nobody else to read.
base::Result<void> write_private(const std::string& file, const std::string& text) {
    const std::string fresh = file + "." + std::to_string(getpid()) + ".new";
    const int fd = ::open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written = fd >= 0;
    for (std::size_t at = 0; written && at < text.size();) {
        const ssize_t n = ::write(fd, text.data() + at, text.size() - at);
        written = n > 0;
        if (written) at += std::size_t(n);
    }
    written = written && fsync(fd) == 0 && ::rename(fresh.c_str(), file.c_str()) == 0;
    const base::Error failed = base::error(Code::io, file + " cannot be written: " + std::strerror(errno));
    if (fd < 0) return failed;
    ::close(fd);
    if (written) return {};
    ::unlink(fresh.c_str());
    return failed;
}

}  // namespace

int memory_export(const LoadedSettings& loaded, const std::string& file, const std::string& since, const std::string& until) {
    int count = 0;
    std::string days;
    for (const auto& [field, day] : {std::pair{"since", since}, {"until", until}}) {
        if (day.empty()) continue;
        if (!store::parse_day(day)) return complain(base::error(Code::invalid_argument, std::string("--") + field + " is '" + day + "'", "it takes a day such as 2026-03-01"));
        days += std::string("&") + field + "=" + day;
    }
    const auto lines = lines_of(loaded.settings.server.socket, days, count);
    if (!lines) return complain(lines.error());
    if (count == 0) return complain(base::error(Code::not_found, "the critic has let no answer of that time pass", "name the model that judges by backend.critic, and ask something"));
    if (auto written = write_private(file, *lines); !written) return complain(written.error());
    std::printf("%d interactions in %s\n", count, visible(file).c_str());
    return 0;
}

}  // namespace app
