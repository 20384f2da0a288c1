#include "memory/reader.h"

#include <unistd.h>

#include <algorithm>

#include "base/embedded.h"
#include "base/utf8.h"
#include "memory/extract.h"
#include "sandbox/launcher.h"

namespace memory {

extern const base::EmbeddedFile reader_files[];
extern const unsigned long reader_files_count;

namespace {

using base::Code;

constexpr std::size_t kMostShown = 256 << 10;
constexpr int kUnknownWindow = 8192, kBytesPerToken = 3;  // low on purpose, as of prompts (agents/transcript.cpp)
constexpr auto kTime = std::chrono::seconds(20);          // more than read_document.py gives pdftotext
constexpr std::size_t kMargin = 4096;                     // what the program may write beyond the text

// The modules come as their names and texts, each behind those that it imports, since the sandbox has no folder of them; then what read_document.py is told.
constexpr const char* kReadModules = R"(import sys, types
given = sys.argv[1:-2]
for name, text in zip(given[::2], given[1::2]):
    module = sys.modules[name.removesuffix(".py")] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
sys.exit(module.main())
)";

// How read_document.py ends.
constexpr int kWhole = 0, kCut = 10;
struct ReadEnding {
    int status;
    Code code;
    const char *what, *remedy;
};
constexpr ReadEnding kReadEndings[] = {
    {11, Code::permission_denied, "is locked with a password", "take that off first"},
    {12, Code::not_found, "has no words in it that could be read: its pages may be pictures, and no model here sees", ""},
    {13, Code::corrupt, "is damaged, or not of the kind that it is called", "save it anew, or as a PDF"},
    {14, Code::resource_exhausted, "holds more than is read of a file", "cut it into parts"},
    {15, Code::unavailable, "is a PDF, and there is no pdftotext here", "apt-get install poppler-utils"},
};
constexpr ReadEnding kKilled{-1, Code::resource_exhausted, "takes more time or memory to read than a file is given", "cut it into parts"};

bool is_plain(const std::string& bytes) { return bytes.find('\0') == bytes.npos && base::valid_utf8(bytes) == bytes; }

Reader::Said beginning_of(std::string text, std::size_t most) {
    const std::size_t kept = base::beginning(text, most).size();
    const bool cut = kept < text.size();
    text.resize(kept);
    return {std::move(text), cut};
}

// What came out of the sandbox is of whoever made the file, too.
Reader::Said said_by(const sandbox::Outcome& outcome, std::size_t most) {
    std::string text = base::valid_utf8(outcome.output);
    std::erase(text, '\0');
    Reader::Said out = beginning_of(std::move(text), most);
    out.cut = out.cut || outcome.output_cut || outcome.exit_code == kCut;
    return out;
}

base::Error why_not(const sandbox::Outcome& outcome, const std::string& name) {
    const auto* const found = std::find_if(std::begin(kReadEndings), std::end(kReadEndings), [&](const ReadEnding& one) { return one.status == outcome.exit_code; });
    const ReadEnding& ending = found == std::end(kReadEndings) || outcome.timed_out || outcome.out_of_memory ? kKilled : *found;
    return base::error(ending.code, name + " " + ending.what, ending.remedy);
}

}  // namespace

std::size_t Reader::most_shown() const {
    const int told = window_();
    return std::min(kMostShown, std::size_t(told > 0 ? told : kUnknownWindow) / 2 * kBytesPerToken);
}

net::Task<base::Result<Reader::Said>> Reader::read(std::string type, std::string name, std::string bytes, std::size_t most) const {
    const Kind kind = kind_of(type);
    if (kind == Kind::none) co_return why_unread(type, name);
    if (bytes.empty()) co_return base::error(Code::not_found, name + " is empty");
    if (kind == Kind::text && is_plain(bytes)) co_return beginning_of(std::move(bytes), most);
    if (!launcher_) co_return base::error(Code::unavailable, name + " is read in a sandbox, and this machine has none", "see hearth doctor");
    sandbox::Command command;
    command.argv = {"python3", "-I", "-S", "-c", kReadModules};
    for (std::size_t n = 0; n < reader_files_count; ++n) command.argv.insert(command.argv.end(), {reader_files[n].name, std::string(reader_files[n].text, reader_files[n].size)});
    command.argv.insert(command.argv.end(), {std::string(memory::name(kind)), std::to_string(most)});
    command.stdin_text = std::move(bytes);
    command.limits.wall = kTime;
    command.limits.output_bytes = most + kMargin;
    auto run = [&] { return launcher_->run(command, sandbox::Level::t2, {}); };
    const auto outcome = co_await net::on_pool(blocking_, run);
    if (!outcome) co_return base::error(Code::unavailable, name + " cannot be read: " + outcome.error().message, outcome.error().remedy);
    const bool ended = !outcome->timed_out && !outcome->out_of_memory && (outcome->exit_code == kWhole || outcome->exit_code == kCut);
    if (!ended) co_return why_not(*outcome, name);
    co_return said_by(*outcome, most);
}

base::Probes reader_probes() {
    base::Probe out{"documents", base::Health::ok, "PDF, office documents, EPUB and HTML are read, in the sandbox", {}};
    if (access("/usr/bin/python3", X_OK) != 0) out = {"documents", base::Health::warning, "no document is read: there is no /usr/bin/python3", "apt-get install python3"};
    else if (access("/usr/bin/pdftotext", X_OK) != 0) out = {"documents", base::Health::warning, "no PDF is read: there is no /usr/bin/pdftotext", "apt-get install poppler-utils"};
    return {out};
}

}  // namespace memory
