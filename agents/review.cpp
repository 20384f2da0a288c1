#include "agents/review.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

#include "base/split.h"
#include "base/utf8.h"

namespace agents {
namespace {

constexpr std::size_t kLongestPattern = 160;  // bytes
constexpr std::chrono::hours kFirstLook{24};

// Quoted texts become one mark; what an apostrophe begins is no quote.
std::string without_quoted(std::string_view text) {
    static constexpr std::pair<std::string_view, std::string_view> kQuotes[] = {{"\"", "\""}, {"“", "”"}, {"`", "`"}, {"'", "'"}};
    std::string out;
    while (!text.empty()) {
        const auto* const quote = std::find_if(std::begin(kQuotes), std::end(kQuotes), [&](const auto& one) { return text.starts_with(one.first); });
        const bool begins = quote != std::end(kQuotes) && (out.empty() || !std::isalnum(static_cast<unsigned char>(out.back())));
        const std::size_t end = begins ? text.find(quote->second, quote->first.size()) : text.npos;
        if (end == text.npos) {
            out += text[0];
            text.remove_prefix(1);
            continue;
        }
        out += "*";
        text.remove_prefix(end + quote->second.size());
    }
    return out;
}

bool is_name(std::string_view word) {
    return std::any_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c) || c == '/' || c == '\\' || c == '@' || c == '*'; });
}

}  // namespace

std::string pattern_of(const std::string& error) {
    const std::string line = without_quoted(std::string_view(error).substr(0, error.find('\n')));
    std::string out;
    for (const std::string& word : base::split(line, ' ')) {
        const bool again = is_name(word) && (out == "*" || out.ends_with(" *"));
        if (!again) out += (out.empty() ? "" : " ") + (is_name(word) ? std::string("*") : word);
    }
    return std::string(base::beginning(out, kLongestPattern));
}

std::vector<store::Cluster> clusters_of(const std::vector<store::Failure>& failures) {
    std::map<std::string, store::Cluster> all;
    std::map<std::string, std::set<base::RunId>> runs;
    std::map<std::string, bool> of_tools;
    for (const store::Failure& one : failures) {
        const std::string pattern = pattern_of(one.error);
        const std::string signature = one.of + " " + one.name + " " + one.state + ": " + pattern;
        store::Cluster& cluster = all[signature];
        if (cluster.count == 0) cluster.signature = signature, cluster.first = one.at;
        cluster.title = (one.of == "run" ? "Runs of " : "Calls of ") + one.name + " end as " + one.state + (pattern.empty() ? "" : ": " + pattern);
        cluster.count += 1;
        cluster.last = one.at;
        if (runs[signature].insert(one.run).second) cluster.runs.push_back(one.run);
        of_tools[signature] = one.of == "tool" && one.state != "unknown";
    }
    std::vector<store::Cluster> out;
    for (auto& [signature, cluster] : all)
        if (!of_tools[signature] || cluster.runs.size() >= kRunsOfTool) out.push_back(std::move(cluster));
    return out;
}

Reviewed review(store::Tx& tx, base::TimePoint now, const std::string& build) {
    const base::TimePoint since = store::hold_review(tx).value_or(now - kFirstLook);
    const std::vector<store::Failure> failures = store::failures_between(tx, since, now);
    Reviewed out;
    out.failures = failures.size();
    for (const store::Cluster& cluster : clusters_of(failures)) {
        const store::Filed filed = store::file_issue(tx, cluster, build);
        ++(filed == store::Filed::fresh ? out.fresh : filed == store::Filed::back ? out.back : out.known);
    }
    store::end_review(tx, now);
    return out;
}

}  // namespace agents
