#include "sandbox/git_config.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <set>
#include <string_view>

namespace sandbox {
namespace {

struct Setting {
    std::string section, subsection, key;
    std::optional<std::string> value;  // none: a key alone, which means true
    auto operator<=>(const Setting&) const = default;
};

// Names of one section without a subsection, and of sections whose subsection is a name of the person's.
const std::set<std::string_view> kHarmless = {
    "core.repositoryformatversion", "core.filemode", "core.bare", "core.logallrefupdates", "core.ignorecase", "core.precomposeunicode",
    "core.symlinks", "core.autocrlf", "core.eol", "core.safecrlf", "core.abbrev", "core.quotepath", "core.untrackedcache",
    "core.compression", "core.sparsecheckout", "core.sparsecheckoutcone", "core.whitespace", "core.commentchar", "core.checkstat",
    "core.trustctime", "core.protecthfs", "core.protectntfs", "extensions.objectformat", "extensions.refstorage",
    "extensions.worktreeconfig", "user.name", "user.email", "author.name", "author.email", "committer.name", "committer.email",
    "init.defaultbranch", "pull.rebase", "pull.ff", "push.default", "push.autosetupremote", "fetch.prune", "merge.ff",
    "merge.conflictstyle", "merge.renames", "diff.renames", "diff.algorithm", "rebase.autosquash", "rebase.autostash", "status.short",
    "status.showuntrackedfiles", "log.date", "log.decorate", "color.ui", "gc.auto", "index.version", "commit.verbose", "rerere.enabled",
    "submodule.active",
};
const std::set<std::string_view> kHarmlessOfNamed = {
    "remote.url", "remote.pushurl", "remote.fetch", "remote.push", "remote.tagopt", "remote.prune", "remote.mirror",
    "branch.remote", "branch.pushremote", "branch.merge", "branch.rebase", "branch.description",
    "submodule.url", "submodule.active", "submodule.branch", "submodule.ignore", "submodule.shallow",
};

// "ext::sh -c …": a transport by the name of a program.
bool names_program(const std::string& url) {
    const auto scheme = [](unsigned char c) { return std::isalnum(c) || c == '+' || c == '-' || c == '.'; };
    const auto end = std::find_if_not(url.begin(), url.end(), scheme);
    return url.starts_with("-") || (url.end() - end >= 2 && end[0] == ':' && end[1] == ':');
}

bool harmless(const Setting& setting) {
    const std::string name = setting.section + "." + setting.key;
    if (!(setting.subsection.empty() ? kHarmless : kHarmlessOfNamed).contains(name)) return false;
    return setting.subsection.empty() || !setting.value || !names_program(*setting.value);
}

// Git's own rules (config.c: git_parse_source); ends at what it does not understand, where git gives up.
class Parser {
public:
    explicit Parser(std::string_view in) : in_(in) {
        if (in_.starts_with("\xEF\xBB\xBF")) in_.remove_prefix(3);
    }
    std::vector<Setting> settings() {
        while (at_ < in_.size() && line()) {}
        return std::move(out_);
    }

private:
    static constexpr int kEnd = '\n';  // the end of the text is one of a line
    int peek() const { return at_ < in_.size() ? static_cast<unsigned char>(in_[at_]) : kEnd; }
    int next() {
        int c = peek();
        ++at_;
        if (c == '\r' && peek() == '\n') c = next();
        return c;
    }
    void skip_line() {
        while (at_ < in_.size() && next() != '\n') {}
    }

    bool line() {
        const int c = next();
        if (std::isspace(c)) return true;
        if (c == '#' || c == ';') return skip_line(), true;
        if (c == '[') return header();
        return std::isalpha(c) && setting(c);
    }

    bool header() {
        section_.clear(), subsection_.clear();
        for (int c = next(); c != ']'; c = next()) {
            if (std::isspace(c)) return c != '\n' && quoted_subsection();
            if (!std::isalnum(c) && c != '-' && c != '.') return false;
            section_ += char(std::tolower(c));
        }
        if (const std::size_t dot = section_.find('.'); dot != std::string::npos) subsection_ = section_.substr(dot + 1), section_.resize(dot);
        return true;
    }

    bool quoted_subsection() {
        while (peek() == ' ' || peek() == '\t') next();
        if (next() != '"') return false;
        for (int c = next(); c != '"'; c = next()) {
            if (c == '\\') c = next();
            if (c == '\n') return false;
            subsection_ += char(c);
        }
        return next() == ']';
    }

    bool setting(int first) {
        std::string key(1, char(std::tolower(first)));
        while (std::isalnum(peek()) || peek() == '-') key += char(std::tolower(next()));
        while (peek() == ' ' || peek() == '\t') next();
        int c = next();
        std::optional<std::string> value;
        if (c == '=') {
            value = read_value();
            if (!value) return false;
        } else if (c != '\n') {
            return false;
        }
        if (!section_.empty()) out_.push_back({section_, subsection_, std::move(key), std::move(value)});
        return true;
    }

    std::optional<std::string> read_value() {
        std::string out, blanks;
        bool quoted = false;
        for (;;) {
            int c = next();
            if (c == '\n') return quoted ? std::nullopt : std::optional(out);
            if (!quoted && std::isspace(c)) {
                if (!out.empty()) blanks += char(c);
                continue;
            }
            if (!quoted && (c == '#' || c == ';')) return skip_line(), out;
            out += blanks, blanks.clear();
            if (c == '"') {
                quoted = !quoted;
                continue;
            }
            if (c != '\\') {
                out += char(c);
                continue;
            }
            c = next();
            if (c == '\n') continue;
            static constexpr std::string_view kNamed = "tbn\\\"", kMeant = "\t\b\n\\\"";
            const std::size_t at = kNamed.find(char(c));
            if (at == std::string_view::npos) return std::nullopt;
            out += kMeant[at];
        }
    }

    std::string_view in_;
    std::size_t at_ = 0;
    std::string section_, subsection_;
    std::vector<Setting> out_;
};

std::string escaped(const std::string& text, bool line_ends) {
    std::string out;
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (line_ends && c == '\n') out += "\\n";
        else if (line_ends && c == '\t') out += "\\t";
        else if (line_ends && c == '\b') out += "\\b";
        else out += c;
    }
    return out;
}

std::string written(const std::vector<Setting>& settings) {
    std::string out;
    const Setting* last = nullptr;
    for (const Setting& one : settings) {
        if (!last || last->section != one.section || last->subsection != one.subsection)
            out += "[" + one.section + (one.subsection.empty() ? "" : " \"" + escaped(one.subsection, false) + "\"") + "]\n";
        last = &one;
        out += "\t" + one.key;
        if (one.value) {
            const bool quote = one.value->find_first_of(";#\r") != std::string::npos || one.value->starts_with(' ') || one.value->ends_with(' ');
            out += (quote ? " = \"" : " = ") + escaped(*one.value, true) + (quote ? "\"" : "");
        }
        out += "\n";
    }
    return out;
}

std::string full_name(const Setting& setting) {
    return setting.section + "." + (setting.subsection.empty() ? "" : setting.subsection + ".") + setting.key;
}

bool has_nul(const Setting& setting) {
    return setting.subsection.find('\0') != std::string::npos || (setting.value && setting.value->find('\0') != std::string::npos);
}

}  // namespace

DisarmedConfig disarm_config(const std::string& now, const std::string& before) {
    const std::vector<Setting> old = Parser(before).settings();
    const std::set<Setting> trusted(old.begin(), old.end());
    DisarmedConfig out;
    std::vector<Setting> kept;
    for (Setting& setting : Parser(now).settings()) {
        if (!has_nul(setting) && (harmless(setting) || trusted.contains(setting))) kept.push_back(std::move(setting));
        else out.removed.push_back(full_name(setting));
    }
    out.text = written(kept);
    return out;
}

}  // namespace sandbox
