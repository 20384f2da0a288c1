#include "tools/near.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/edits.h"
#include "base/utf8.h"
#include "tools/files.h"

namespace tools {
namespace {

constexpr std::size_t kMostLookedAt = 5000, kMostNamed = 3;
constexpr std::size_t kLongestName = 255;

bool same(std::string_view a, std::string_view b) { return a.size() == b.size() && edits_between(a, b) == 0; }
std::string_view stem(std::string_view name) { return name.substr(0, name.find('.', 1)); }

// Lower is nearer; none is 9.
int distance(std::string_view wanted, std::string_view name) {
    if (same(wanted, name)) return 0;
    if (same(stem(wanted), stem(name))) return 1;
    const std::size_t edits = edits_between(wanted, name);
    return edits <= std::max<std::size_t>(1, wanted.size() / 4) && edits < wanted.size() ? 1 + int(edits) : 9;
}

}  // namespace

std::size_t edits_between(std::string_view a, std::string_view b) { return base::edits_between(base::ascii_lower(a), base::ascii_lower(b)); }

base::Error with_near_names(const sandbox::Workspace& workspace, const std::string& path, base::Error error) {
    if (error.code != base::Code::not_found) return error;
    std::string wanted = path;
    while (wanted.size() > 1 && wanted.back() == '/') wanted.pop_back();
    wanted = std::filesystem::path(wanted).filename().string();
    const auto entries = workspace.walk(".", kMostLookedAt);
    if (!entries || wanted.empty() || wanted.size() > kLongestName) return error;
    std::vector<std::pair<int, std::string>> near;
    for (const sandbox::Entry& entry : *entries)
        if (const int far = distance(wanted, std::filesystem::path(entry.path).filename().string()); far < 9)
            near.emplace_back(far, base::valid_utf8(entry.path));
    if (near.empty()) return error;
    std::sort(near.begin(), near.end());
    near.resize(std::min(near.size(), kMostNamed));
    error.remedy = "near that name:";
    for (const auto& [far, name] : near) error.remedy += (&name == &near[0].second ? " " : ", ") + name;
    return error;
}

}  // namespace tools
