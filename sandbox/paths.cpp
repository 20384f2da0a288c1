#include "sandbox/paths.h"

#include <algorithm>

#include "base/unicode.h"

namespace sandbox {

namespace fs = std::filesystem;
using base::Code;

namespace {

bool valid_utf8(const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
        int length = 1;
        if (base::decode_utf8(text, at, length) == base::no_char) return false;
        at += std::size_t(length);
    }
    return true;
}

}  // namespace

bool lies_in(const fs::path& path, const fs::path& folder) {
    const auto [in_folder, in_path] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
    return in_folder == folder.end() || (std::next(in_folder) == folder.end() && in_folder->empty());
}

base::Result<std::string> relative_path(const fs::path& root, const std::string& path) {
    if (path.find('\0') != std::string::npos)
        return base::error(Code::invalid_argument, "the path \"" + path.substr(0, path.find('\0')) + "\\0…\" holds a NUL byte");
    if (!valid_utf8(path)) return base::error(Code::invalid_argument, "the path is not valid UTF-8");
    fs::path clean = fs::path(path).lexically_normal();
    if (clean.is_absolute()) {
        if (!lies_in(clean, root))
            return base::error(Code::permission_denied, "the path \"" + path + "\" lies outside the workspace",
                               "use a path inside " + root.string());
        clean = clean.lexically_relative(root);
    }
    if (clean.empty()) return std::string(".");
    if (*clean.begin() == "..")
        return base::error(Code::permission_denied, "the path \"" + path + "\" leads outside the workspace",
                           "use a path inside " + root.string());
    std::string out = clean.string();
    while (out.size() > 1 && out.back() == '/') out.pop_back();
    return out;
}

const std::vector<Protected>& protected_paths() {
    static const std::vector<Protected> table = {
        {".git/hooks", true},  {".git/config", false},   {".git/config.worktree", false}, {".git/commondir", false},
        {".bashrc", false},    {".bash_profile", false}, {".bash_login", false},          {".bash_logout", false},
        {".profile", false},   {".zshrc", false},        {".zshenv", false},              {".zprofile", false},
        {".zlogin", false},    {".gitconfig", false},    {".mcp.json", false},            {"hearth.yaml", false},
        {".hearth", true},
    };
    return table;
}

bool is_protected(const std::string& relative) {
    for (const Protected& row : protected_paths())
        if (lies_in(relative, row.path)) return true;
    const fs::path whole(relative);
    for (auto part = whole.begin(); part != whole.end(); ++part) {
        if (*part != ".git") continue;
        const auto inner = std::next(part);
        if (inner == whole.end()) return true;
        for (const char* obeyed : {"hooks", "config", "config.worktree", "commondir", "modules", "worktrees", "rebase-merge"})
            if (*inner == obeyed) return true;
    }
    return false;
}

}  // namespace sandbox
