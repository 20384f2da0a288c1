// A channel of files, which anything that can write one may speak through: an example of what a channel is, whole in this file, and
// a way in for programs of the house. Whoever may write into the folder is believed to be whom he says.
//
//   FOLDER/inbox/NAME.json    {"from", "name", "text", "choice", "language", "file", "type"}: written elsewhere, then renamed into it; gone once it
//                             was taken in; what cannot be read becomes NAME.json.refused. `file` names one of inbox/ that goes along, of that media type; gone once it is kept
//   FOLDER/outbox/ID.json     {"id", "to", "text", "choices"}: appears whole; whoever reads it removes it
//
// A name counts once, however often it comes. An answer is written under its own id: twice would be the same file, so that here
// nothing is ever in doubt.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "app/channels.h"
#include "base/trim.h"
#include "sandbox/workspace.h"

namespace app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using base::Json;
using server::bridges::Arrival;
using store::Sending;

const std::string kFile = "file";
constexpr std::chrono::milliseconds kBetweenLooks = 250ms, kUsualWait = 5s;
constexpr std::size_t kMostAtOnce = 64, kLongestName = 200, kLargest = std::size_t(1) << 20;

// Nothing: it is no plain file of at most that size, or is gone.
std::optional<std::string> content_of(const fs::path& path, std::size_t most) {
    const sandbox::Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat is {};
    if (!file || ::fstat(file.get(), &is) != 0 || !S_ISREG(is.st_mode) || std::size_t(is.st_size) > most) return std::nullopt;
    std::string out(std::size_t(is.st_size), '\0');
    std::size_t at = 0;
    for (ssize_t n = 1; at < out.size() && n > 0; at += std::size_t(std::max<ssize_t>(n, 0))) n = ::read(file.get(), out.data() + at, out.size() - at);
    out.resize(at);
    return out;
}

bool is_message(const fs::path& path) {
    const std::string name = path.filename();
    return path.extension() == ".json" && name.front() != '.' && name.size() <= kLongestName;
}

// What may go along: no message, and nothing that lies elsewhere.
bool is_enclosure(const fs::path& path) { return path == path.filename() && path.extension() != ".json" && !path.empty() && path.string().front() != '.'; }

class FileTransport final : public server::bridges::Transport {
public:
    FileTransport(fs::path folder, boost::asio::thread_pool& blocking) : folder_(std::move(folder)), blocking_(blocking) {}

    const std::string& name() const override { return kFile; }

    base::Result<Arrival> read(std::string_view body) const override {
        const auto message = base::parse_json(body, 16);
        if (!message) return message.error();
        const auto from = base::string_field(*message, "from");
        if (!from) return from.error();
        Arrival out;
        out.kind = Arrival::Kind::message;
        out.alone = true;
        out.sender = out.chat = *from;
        for (const auto& [field, to] : {std::pair{"text", &out.text}, {"name", &out.sender_name}, {"choice", &out.choice}, {"language", &out.language}, {"file", &out.file.id}, {"type", &out.file.type}}) {
            auto text = base::optional_string(*message, field);
            if (!text) return std::move(text).error();
            *to = text->value_or("");
        }
        out.file.name = out.file.id;
        if (!out.file.id.empty()) out.media = "file";
        if (!out.choice.empty()) out.kind = Arrival::Kind::choice;
        return out;
    }

    net::Task<base::Result<std::string>> fetch(std::string file, std::size_t most) override {
        const auto read = [&]() -> base::Result<std::string> {
            if (!is_enclosure(file)) return base::error(base::Code::not_found, "'" + file + "' is no name of a file in inbox/", "the name alone, of another kind than .json");
            const fs::path path = folder_ / "inbox" / file;
            std::error_code failed;
            if (const auto size = fs::file_size(path, failed); !failed && size > most) return base::error(base::Code::resource_exhausted, path.string() + " is larger than " + std::to_string(most) + " bytes");
            auto content = content_of(path, most);
            if (!content) return base::error(base::Code::not_found, "there is no plain file " + path.string(), "put it there before the message that names it");
            return *std::move(content);
        };
        co_return co_await net::on_pool(blocking_, read);
    }

    net::Task<void> let_go(std::string file) override {
        const auto remove = [&] {
            std::error_code ignored;
            if (is_enclosure(file)) fs::remove(folder_ / "inbox" / file, ignored);
        };
        co_await net::on_pool(blocking_, remove);
    }

    std::vector<std::string> pieces(std::string_view text) const override {
        const std::string_view whole = base::trimmed(text);
        return whole.empty() ? std::vector<std::string>() : std::vector{std::string(whole)};
    }

    bool offers_choices() const override { return true; }

private:
    net::Task<Sending> send(store::Outgoing letter) override {
        Json message = {{"id", letter.id.text()}, {"to", letter.chat}, {"text", letter.content}};
        for (const store::Choice& choice : letter.choices) message["choices"].push_back({{"id", choice.id}, {"label", choice.label}});
        const fs::path whole = folder_ / "outbox" / (letter.id.text() + ".json"), part = folder_ / "outbox" / ("." + letter.id.text());
        const auto write = [&]() -> Sending {
            std::error_code failed;
            std::ofstream out(part);
            out << base::dump(message) << '\n';
            out.close();
            if (out) fs::rename(part, whole, failed);
            if (!out || failed) return {Sending::End::again, "cannot write " + whole.string(), kUsualWait, ""};
            return {Sending::End::delivered, "", 0ms, letter.id.text()};
        };
        co_return co_await net::on_pool(blocking_, write);
    }

    net::Task<void> show_activity(std::string, std::string) override { co_return; }

    const fs::path folder_;
    boost::asio::thread_pool& blocking_;
};

class FileChannel final : public Channel {
public:
    explicit FileChannel(ChannelParts parts) : parts_(std::move(parts)), folder_(parts_.settings.file_folder), transport_(folder_, parts_.blocking) {}

    server::bridges::Transport& transport() override { return transport_; }
    base::Probe probe() const override {
        const std::lock_guard lock(mutex_);
        if (!trouble_.empty()) return {"files", base::Health::warning, "messages do not come in: " + trouble_, "see that file.folder is a folder that the server may write"};
        return {"files", base::Health::ok, "messages are looked for in " + (folder_ / "inbox").string(), ""};
    }

    net::Task<void> watch() override {
        boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
        for (;;) {
            std::string trouble;
            try {
                co_await take_some();
            } catch (const std::exception& e) {
                trouble = e.what();
            }
            say(trouble);
            timer.expires_after(trouble.empty() ? kBetweenLooks : kUsualWait);
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
    }

private:
    // Committed before it is removed: what breaks off between comes again, and counts once.
    net::Task<void> take_some() {
        std::vector<store::Arrived> arrived;
        const auto look = [&] { arrived = found(); };
        co_await net::on_pool(parts_.blocking, look);
        if (arrived.empty()) co_return;
        co_await parts_.keep(arrived);
        const auto remove = [&] {
            for (const store::Arrived& one : arrived) fs::remove(folder_ / "inbox" / one.update);
        };
        co_await net::on_pool(parts_.blocking, remove);
    }

    std::vector<store::Arrived> found() {
        std::vector<fs::path> names;
        for (const auto& entry : fs::directory_iterator(folder_ / "inbox"))
            if (is_message(entry.path())) names.push_back(entry.path());
        std::sort(names.begin(), names.end());
        if (names.size() > kMostAtOnce) names.resize(kMostAtOnce);
        std::vector<store::Arrived> out;
        for (const fs::path& path : names) {
            auto content = content_of(path, kLargest);
            base::Result<Arrival> readable = base::error(base::Code::invalid_argument, "it is no plain file, or too large");
            if (content) readable = transport_.read(*content);
            if (readable) {
                out.push_back({kFile, path.filename(), *std::move(content)});
                continue;
            }
            parts_.log.warn("a message was put aside", {{"file", path.string()}, {"reason", readable.error().text()}});
            fs::rename(path, path.string() + ".refused");
        }
        return out;
    }

    void say(const std::string& trouble) {
        const std::lock_guard lock(mutex_);
        if (trouble != trouble_ && !trouble.empty()) parts_.log.warn("messages are not looked for", {{"reason", trouble}});
        trouble_ = trouble;
    }

    const ChannelParts parts_;
    const fs::path folder_;
    FileTransport transport_;
    mutable std::mutex mutex_;
    std::string trouble_;  // under mutex_
};

base::Result<void> check(const Settings&) { return {}; }

base::Result<std::unique_ptr<Channel>> make(ChannelParts parts) {
    for (const char* name : {"inbox", "outbox"}) {
        const fs::path folder = parts.settings.file_folder / name;
        std::error_code failed;
        if (fs::create_directories(folder, failed)) fs::permissions(folder, fs::perms::owner_all, failed);
        if (failed) return base::error(base::Code::invalid_argument, "file.folder: cannot make " + folder.string() + ": " + failed.message(), "name a folder that the server may write, or none");
    }
    return std::unique_ptr<Channel>(new FileChannel(std::move(parts)));
}

}  // namespace

ChannelRow file_channel() {
    return {"files", [](const Settings& s) { return !s.file_folder.empty(); }, [](const Settings&) { return false; }, check, make};
}

}  // namespace app
