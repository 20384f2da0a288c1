#include "net/config.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace net {
namespace {

using base::Code;

// A part of the file, which begins in a line of it, from 1.
struct Part {
    const std::filesystem::path& file;
    std::string text;
    int first = 1;
    std::string name = {};  // of a section
    std::string key = {};   // that it begins with: its name, or "server.port"
};

base::Error at(const Part& part, int line, const std::string& what, const std::string& remedy = {}) {
    return base::error(Code::invalid_argument, part.file.string() + ", line " + std::to_string(part.first + line) + ": " + what, remedy);
}

base::Error twice(const Part& part, int line, const std::string& name, int first) {
    return at(part, line, "'" + name + "' stands twice: it began in line " + std::to_string(first) + " already", "put together what belongs to it");
}

// Collects a file's scalars by dotted path. Aliases can make a small file endless, so what is looked at is counted.
class Flattening {
public:
    // `others`: top-level names that are left out.
    Flattening(const Part& part, const std::vector<std::string>& others, std::map<std::string, std::string>& out) : part_(part), others_(others), out_(out) {}

    base::Result<void> add(const YAML::Node& node, const std::string& path, int depth = 0) {
        if (depth > kDeepest) return at(part_, node.Mark().line, "'" + path.substr(0, 100) + "' is nested too deep for a setting");
        if (--left_ < 0) return too_many(node);
        if (node.IsMap()) {
            std::map<std::string, int> lines;
            for (const auto& entry : node) {
                const int line = entry.first.Mark().line;
                const auto [first, fresh] = lines.emplace(entry.first.Scalar(), part_.first + line);
                if (!fresh) return twice(part_, line, (path.empty() ? "" : path + ".") + first->first, first->second);
                if (path.empty() && std::find(others_.begin(), others_.end(), first->first) != others_.end()) continue;
                const std::string key = path.empty() ? entry.first.Scalar() : path + "." + entry.first.Scalar();
                if (auto done = add(entry.second, key, depth + 1); !done) return done;
            }
            return {};
        }
        if (path.empty()) return at(part_, node.Mark().line, "expected settings as 'name: value'");
        if (out_.count(path)) return at(part_, node.Mark().line, "'" + path + "' is given twice");
        if (node.IsSequence()) {
            auto text = list_text(node);
            if (!text) return std::move(text).error();
            out_[path] = *text;
        } else {
            out_[path] = node.IsNull() ? "" : node.Scalar();
        }
        return {};
    }

private:
    static constexpr int kDeepest = 8, kMost = 10'000;

    base::Error too_many(const YAML::Node& node) const {
        return at(part_, node.Mark().line, "the file has more than " + std::to_string(kMost) + " values");
    }

    base::Result<std::string> list_text(const YAML::Node& list) {
        std::string out;
        for (const auto& item : list) {
            if (--left_ < 0) return too_many(item);
            if (!item.IsScalar()) return at(part_, item.Mark().line, "a list of settings holds plain values only");
            out += (out.empty() ? "" : ",") + item.Scalar();
        }
        return out;
    }

    const Part& part_;
    const std::vector<std::string>& others_;
    std::map<std::string, std::string>& out_;
    int left_ = kMost;
};

// The first line, from 0, with a tab among the blanks that it begins with; -1 when there is none.
int tabbed_line(const std::string& text) {
    int line = 0;
    for (std::size_t start = 0; start < text.size(); ++line) {
        const auto end = std::min(text.find('\n', start), text.size());
        if (text.find('\t', start) < std::min(text.find_first_not_of(" \t", start), end)) return line;
        start = end + 1;
    }
    return -1;
}

// The line, from 0, of what stands behind the first document of the text; -1 when there is nothing. By the lines alone: the library, asked for
// all documents of "{a\n,", never ends.
int second_document(const std::string& text) {
    bool begun = false, ended = false;
    int line = 0;
    for (std::size_t start = 0; start < text.size(); ++line) {
        const auto end = std::min(text.find('\n', start), text.size());
        std::string_view rest = std::string_view(text).substr(start, end - start);
        start = end + 1;
        const std::string_view mark = rest.substr(0, 3);
        if ((mark == "---" || mark == "...") && (rest.size() == 3 || rest[3] == ' ' || rest[3] == '\t' || rest[3] == '\r')) {
            ended = begun;
            rest.remove_prefix(3);
        }
        const auto word = rest.find_first_not_of(" \t\r");
        if (word == rest.npos || rest[word] == '#') continue;
        if (ended) return line;
        begun = true;
    }
    return -1;
}

base::Result<void> read_part(const Part& part, const std::vector<std::string>& others, std::map<std::string, std::string>& out) {
    try {
        const YAML::Node root = YAML::Load(part.text);
        if (const int line = second_document(part.text); line >= 0) return at(part, line, "a second document begins behind '---', and nothing of it would be read", "take the '---' away");
        if (root.IsNull()) return {};
        return Flattening(part, others, out).add(root, "");
    } catch (const YAML::Exception& e) {
        // The library tells of a map that does not end, or of a wrong token.
        if (const int line = tabbed_line(part.text); line >= 0) return at(part, line, "a tab begins the line, and YAML allows no tabs there", "indent it with blanks");
        return at(part, e.mark.line, e.msg);
    }
}

// A section begins with a line that is neither indented nor the end of what went before.
std::vector<Part> sections_of(const std::filesystem::path& file, const std::string& text) {
    std::vector<Part> out;
    int number = 1;
    for (std::size_t start = 0; start < text.size(); ++number) {
        const auto end = std::min(text.find('\n', start), text.size());
        const std::string line = text.substr(start, end - start);
        start = end + 1;
        if (line.find_first_of("# \t\r-]}.") != 0 && !line.empty()) {
            const auto name_end = line.find_first_of(".:");
            std::string name = name_end == line.npos ? std::string() : line.substr(0, name_end);
            name.erase(std::remove_if(name.begin(), name.end(), [](char c) { return c == '"' || c == '\'' || c == ' '; }), name.end());
            out.push_back({file, {}, number, std::move(name), line.substr(0, line.find(':'))});
        }
        if (!out.empty()) out.back().text += line + '\n';
    }
    return out;
}

// Nothing, and errno says why, where it cannot be read.
std::optional<std::string> rest_of(int descriptor) {
    std::string out;
    char block[4096];
    ssize_t n = 0;
    while ((n = read(descriptor, block, sizeof block)) > 0) out.append(block, std::size_t(n));
    return n == 0 ? std::optional(std::move(out)) : std::nullopt;
}

// Opened without waiting: a pipe would hold whoever reads it until somebody writes.
base::Result<std::string> text_of(const std::filesystem::path& file) {
    const auto cannot = [&](const std::string& why) {
        return base::error(Code::io, "cannot read the settings file " + file.string() + ": " + why, "let the user that hearth runs as read it, or name another with --settings");
    };
    const int descriptor = open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0) return cannot(std::strerror(errno));
    struct stat about {};
    const bool examined = fstat(descriptor, &about) == 0, regular = examined && S_ISREG(about.st_mode);
    auto text = regular ? rest_of(descriptor) : std::nullopt;
    const int why = errno;
    close(descriptor);
    if (!regular) return cannot(examined && S_ISDIR(about.st_mode) ? "it is a folder" : "it is no regular file");
    if (!text) return cannot(std::strerror(why));
    return *std::move(text);
}

std::filesystem::path home() {
    if (const auto set = environment("HOME")) return *set;
    const passwd* entry = getpwuid(getuid());
    return entry && entry->pw_dir ? entry->pw_dir : "/";
}

std::filesystem::path xdg(const char* variable, const char* below_home) {
    const auto set = environment(variable);
    return (set ? std::filesystem::path(*set) : home() / below_home) / "hearth";
}

}  // namespace

base::Result<std::map<std::string, std::string>> read_yaml_settings(const std::filesystem::path& file, bool required, const std::vector<std::string>& others) {
    std::map<std::string, std::string> out;
    std::error_code failed;
    const auto kind = std::filesystem::status(file, failed).type();
    if (kind == std::filesystem::file_type::not_found) {
        if (required) return base::error(Code::not_found, "there is no settings file " + file.string(), "name one that is there with --settings");
        return out;
    }
    const auto text = text_of(file);
    if (!text) return text.error();
    const Part whole{file, *text};
    if (auto done = read_part(whole, others, out); !done) return std::move(done).error();
    return out;
}

YamlSections read_yaml_sections(const std::filesystem::path& file, const std::vector<std::string>& others) {
    YamlSections out;
    const auto text = text_of(file);
    std::map<std::string, int> lines;
    for (const Part& section : sections_of(file, text ? *text : std::string())) {
        const auto [first, fresh] = lines.emplace(section.key, section.first);
        if (!fresh) {
            out.faults.emplace(section.name, twice(section, 0, section.name, first->second));
            continue;
        }
        auto values = out.values;
        if (auto done = read_part(section, others, values)) out.values = std::move(values);
        else out.faults.emplace(section.name, std::move(done).error());
    }
    return out;
}

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (!value || !*value) return std::nullopt;
    return std::string(value);
}

std::vector<std::string> environment_names(const std::string& prefix) {
    std::vector<std::string> out;
    for (char** entry = environ; *entry; ++entry) {
        const std::string text = *entry;
        const auto equals = text.find('=');
        if (text.rfind(prefix, 0) == 0 && equals + 1 < text.size()) out.push_back(text.substr(0, equals));
    }
    return out;
}

XdgFolders xdg_folders() {
    return {xdg("XDG_CONFIG_HOME", ".config"), xdg("XDG_STATE_HOME", ".local/state"),
            xdg("XDG_DATA_HOME", ".local/share"), xdg("XDG_CACHE_HOME", ".cache")};
}

}  // namespace net
