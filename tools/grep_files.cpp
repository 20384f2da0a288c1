#include "tools/grep_files.h"

#include <re2/re2.h>

#include <cctype>

#include "base/utf8.h"
#include "tools/files.h"
#include "tools/glob.h"
#include "tools/near.h"

namespace tools {
namespace {

using base::Code;

constexpr std::size_t kMostMatches = 200;
constexpr std::size_t kMostLineBytes = 400;
constexpr std::size_t kMostOutput = 100000;
constexpr std::uint64_t kMostSearched = 2ull << 20;  // bytes of one file; larger ones are counted as passed over

struct Search {
    std::string pattern, path;
    std::optional<std::string> include;
    std::int64_t context = 0;
    bool ignore_case = false;
};

struct Found {
    std::string text;
    std::size_t matches = 0, files = 0, passed_over = 0;
    bool full() const { return matches >= kMostMatches || text.size() >= kMostOutput; }
};

// A letter after a backslash is a class, not a letter.
bool has_capital(const std::string& pattern) {
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (pattern[i] == '\\') ++i;
        else if (std::isupper(static_cast<unsigned char>(pattern[i]))) return true;
    }
    return false;
}

void show(Found& found, const std::string& path, std::size_t line, std::string_view text, char mark) {
    const std::string number = std::to_string(line + 1);
    found.text += base::valid_utf8(path) + mark + number + mark + base::valid_utf8(base::beginning(text, kMostLineBytes)) + (text.size() > kMostLineBytes ? " […]" : "") + "\n";
}

void search_text(const std::string& path, const std::string& content, const RE2& regex, std::size_t context, Found& found) {
    const auto lines = lines_of(content);
    std::size_t shown = 0;  // lines below this one are printed already
    std::size_t here = 0;
    for (std::size_t i = 0; i < lines.size() && !found.full(); ++i) {
        if (!RE2::PartialMatch(re2::StringPiece(lines[i].data(), lines[i].size()), regex)) continue;
        const std::size_t from = std::max(shown, i > context ? i - context : 0);
        if (context && shown && from > shown) found.text += "--\n";
        for (std::size_t k = from; k < i; ++k) show(found, path, k, lines[k], '-');
        show(found, path, i, lines[i], ':');
        shown = i + 1;
        ++here, ++found.matches;
        for (std::size_t k = i + 1; k < lines.size() && k <= i + context; ++k) {
            if (RE2::PartialMatch(re2::StringPiece(lines[k].data(), lines[k].size()), regex)) break;
            show(found, path, k, lines[k], '-');
            shown = k + 1;
        }
    }
    if (here) ++found.files;
}

struct Candidates {
    std::vector<std::string> paths;
    bool named = false;  // the one file that was asked for
    bool cut = false;
};

// A file by itself, or what lies below a folder.
base::Result<Candidates> candidates(sandbox::Workspace& workspace, const Search& search) {
    Candidates out;
    const auto entries = workspace.walk(search.path, kMostWalked);
    if (!entries && entries.error().code == Code::invalid_argument) return Candidates{{search.path}, true, false};
    if (!entries) return with_near_names(workspace, search.path, entries.error());
    out.cut = entries->size() >= kMostWalked;
    std::optional<Glob> glob;
    if (search.include) {
        auto parsed = Glob::parse(search.include->find('/') == std::string::npos ? "**/" + *search.include : *search.include);
        if (!parsed) return parsed.error();
        glob = *parsed;
    }
    for (const sandbox::Entry& entry : *entries)
        if (entry.kind == sandbox::Entry::Kind::file && (!glob || glob->matches(entry.path))) out.paths.push_back(entry.path);
    return out;
}

base::Result<ToolOutput> grep(sandbox::Workspace& workspace, const Search& search, const base::StopToken& stop) {
    RE2::Options options(RE2::Quiet);
    options.set_case_sensitive(!search.ignore_case);
    options.set_max_mem(8 << 20);
    const RE2 regex(search.pattern, options);
    if (!regex.ok())
        return base::error(Code::invalid_argument, "the pattern \"" + std::string(base::beginning(search.pattern, 80)) + "\" is not a regular expression: " + regex.error(),
                           "RE2 syntax; escape ( ) [ ] { } . * + ? to search for them");
    const auto files = candidates(workspace, search);
    if (!files) return files.error();
    Found found;
    for (const std::string& path : files->paths) {
        if (found.full()) break;
        if (stop.stopped()) return stop.error("grep_files");
        const auto content = workspace.read(path, kMostSearched);
        if (content) search_text(path, *content, regex, std::size_t(search.context), found);
        else if (files->named) return content.error();
        else ++found.passed_over;
    }
    ToolOutput out;
    out.truncated = found.full() || files->cut;
    out.text = found.matches ? found.text : "[no line matches " + search.pattern + "]\n";
    if (found.full()) out.text += "[stopped after " + std::to_string(found.matches) + " matches; narrow the pattern or path]\n";
    if (files->cut) out.text += "[only the first " + std::to_string(kMostWalked) + " entries were looked at; name a folder in path]\n";
    if (found.passed_over) out.text += "[" + std::to_string(found.passed_over) + " binary, large or unreadable files passed over]\n";
    out.facts = {{"matches", found.matches}, {"files", found.files}};
    return out;
}

}  // namespace

net::Task<base::Result<ToolOutput>> grep_files(base::Json arguments, ToolContext& context) {
    auto workspace = workspace_of(context);
    if (!workspace) co_return workspace.error();
    const auto pattern = base::string_field(arguments, "pattern");
    if (!pattern) co_return pattern.error();
    const auto path = base::optional_string(arguments, "path");
    if (!path) co_return path.error();
    const auto include = base::optional_string(arguments, "include");
    if (!include) co_return include.error();
    const auto around = bounded(arguments, "context", 0, 0, 10);
    if (!around) co_return around.error();
    const auto ignore_case = base::optional_bool(arguments, "ignore_case");
    if (!ignore_case) co_return ignore_case.error();
    const Search search{*pattern, path->value_or("."), *include, *around, ignore_case->value_or(!has_capital(*pattern))};
    auto work = [&] { return grep(**workspace, search, context.stop); };
    co_return co_await net::on_pool(context.blocking, work);
}

}  // namespace tools
