#include "router/roster_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "base/utf8.h"
#include "router/dialect.h"

namespace router {
namespace {

using base::Code;

constexpr int kMostRows = 1000, kLongestChain = 16;

// What is wrong with the file, thrown within this file only: a row has many fields, and each may be wrong.
struct Wrong {
    base::Error error;
};

[[noreturn]] void wrong(const std::string& file, const YAML::Node& at, const std::string& what, const std::string& remedy = {}) {
    throw Wrong{base::error(Code::invalid_argument, file + ", line " + std::to_string(at.Mark().line + 1) + ": " + what, remedy)};
}

std::string shown(const YAML::Node& node) { return node.IsScalar() ? "'" + std::string(base::beginning(node.Scalar(), 100)) + "'" : node.IsMap() ? "a map" : node.IsSequence() ? "a list" : "nothing"; }

// One map of the file, field by field; what is left over at the end is unknown.
class Fields {
public:
    Fields(const std::string& file, const YAML::Node& node, std::string path) : file_(file), node_(node), path_(std::move(path)) {
        if (!node_.IsMap()) wrong(file_, node_, path_ + " is " + shown(node_) + " but must be a map of 'name: value'");
        std::set<std::string> seen;
        for (const auto& entry : node_) {
            if (!seen.insert(entry.first.Scalar()).second) wrong(file_, entry.first, "'" + place(entry.first.Scalar()) + "' is given twice");
            if (seen.size() > kMostRows) wrong(file_, entry.first, path_ + " has more than " + std::to_string(kMostRows) + " entries");
        }
    }

    std::vector<std::string> names() const {
        std::vector<std::string> out;
        for (const auto& entry : node_) out.push_back(entry.first.Scalar());
        return out;
    }
    // Null where it is absent.
    YAML::Node take(const char* name) {
        known_.insert(name);
        return node_[name];
    }
    YAML::Node take(const std::string& name) { return take(name.c_str()); }
    void text(const char* name, std::string& to) {
        const YAML::Node value = take(name);
        if (!value || value.IsNull()) return;
        if (!value.IsScalar()) refuse(name, value, "a text");
        to = value.Scalar();
    }
    template <class Number>
    void number(const char* name, Number& to, double least, double most) {
        const YAML::Node value = take(name);
        if (!value) return;
        double read = 0;
        constexpr bool whole = std::is_integral_v<Number>;
        try {
            read = value.as<double>();
        } catch (const YAML::Exception&) {
            read = std::nan("");
        }
        if (!(read >= least && read <= most) || (whole && read != std::floor(read))) refuse(name, value, (whole ? "a whole number from " : "a number from ") + figure(least) + " to " + figure(most));
        to = Number(read);
    }
    template <class Number>
    void number(const char* name, std::optional<Number>& to, double least, double most) {
        if (!node_[name]) return;
        Number value{};
        number(name, value, least, most);
        to = value;
    }
    void flag(const char* name, std::optional<bool>& to) {
        const YAML::Node value = take(name);
        if (!value) return;
        if (!value.IsScalar() || (value.Scalar() != "true" && value.Scalar() != "false")) refuse(name, value, "true or false");
        to = value.Scalar() == "true";
    }
    // All that was not asked for.
    void end() const {
        std::string known;
        for (const auto& name : known_) known += (known.empty() ? "" : ", ") + name;
        for (const auto& entry : node_)
            if (!known_.contains(entry.first.Scalar())) wrong(file_, entry.first, "unknown setting '" + place(entry.first.Scalar()) + "'", "there are " + known);
    }
    [[noreturn]] void refuse(const char* name, const YAML::Node& value, const std::string& expected) const {
        wrong(file_, value, place(name) + " is " + shown(value) + " but must be " + expected);
    }
    std::string place(const std::string& name) const { return path_.empty() ? name : path_ + "." + name; }
    const YAML::Node& node() const { return node_; }

private:
    static std::string figure(double value) {
        const bool whole = value == std::floor(value);
        return whole ? std::to_string(std::int64_t(value)) : std::to_string(value);
    }

    const std::string& file_;
    const YAML::Node node_;
    const std::string path_;
    std::set<std::string> known_;
};

class Reader {
public:
    Reader(const std::string& file, const std::vector<std::string>& backends, const std::vector<std::string>& taken) : file_(file), here_(backends), taken_(taken) {}

    RosterFile read(const YAML::Node& root) {
        RosterFile out;
        if (const YAML::Node section = root["models"]; section && !section.IsNull()) {
            Fields rows(file_, section, "models");
            for (const auto& id : rows.names()) out.models.push_back(model(id, rows));
            for (const auto& row : out.models) here_.push_back(row.id);
        }
        if (const YAML::Node section = root["upstreams"]; section && !section.IsNull()) {
            Fields rows(file_, section, "upstreams");
            for (const auto& id : rows.names()) out.upstreams.push_back(upstream(id, rows));
        }
        if (const YAML::Node section = root["roster"]; section && !section.IsNull()) {
            Fields rows(file_, section, "roster");
            for (const auto& name : rows.names()) out.rows.push_back(row(name, rows, out.upstreams));
        }
        if (const YAML::Node section = root["budgets"]; section && !section.IsNull()) {
            Fields budgets(file_, section, "budgets");
            if (const YAML::Node person = budgets.take("person")) out.person = budget(person, "budgets.person");
            budgets.end();
        }
        return out;
    }

private:
    // Of a backend: none that there is already.
    void check_id(const std::string& id, const YAML::Node& node, const std::string& what) const {
        if (!is_model_name(id) || std::find(here_.begin(), here_.end(), id) != here_.end())
            wrong(file_, node, what + " is called '" + id + "'", "choose another name of letters, digits, - and _, but none of " + listed(here_));
    }

    ModelRow model(const std::string& id, Fields& rows) {
        const YAML::Node node = rows.take(id);
        check_id(id, node, "a model");
        if (std::find(taken_.begin(), taken_.end(), id) != taken_.end()) wrong(file_, node, "a model is called '" + id + "'", "choose another name: agents and the embedding model have theirs");
        Fields fields(file_, node, rows.place(id));
        ModelRow out{id};
        out.line = node.Mark().line + 1;
        fields.text("path", out.path);
        fields.text("draft", out.draft);
        fields.number("context", out.context, 0, 1 << 24);
        fields.number("memory_mib", out.memory_mib, 0, 1 << 24);
        fields.number("threads", out.threads, 0, 1024);
        fields.number("sequences", out.sequences, 1, 256);
        std::optional<bool> loaded;
        fields.flag("loaded", loaded);
        out.loaded = loaded.value_or(true);
        fields.end();
        if (out.path.empty()) wrong(file_, node, fields.place("path") + " is missing", "name a GGUF file, or the folder of a checkpoint");
        return out;
    }

    UpstreamRow upstream(const std::string& id, Fields& rows) {
        const YAML::Node node = rows.take(id);
        check_id(id, node, "an upstream");
        Fields fields(file_, node, rows.place(id));
        UpstreamRow out{id};
        fields.text("dialect", out.dialect);
        fields.text("url", out.url);
        fields.text("model", out.model);
        fields.text("key", out.key);
        fields.text("key_file", out.key_file);
        fields.number("context", out.context, 0, 1 << 30);
        fields.number("silence_seconds", out.silence_seconds, 1, 3600);
        fields.flag("continues", out.continues);
        if (const YAML::Node prices = fields.take("prices")) out.prices = this->prices(prices, fields.place("prices"));
        fields.end();
        const Dialect* dialect = find_dialect(out.dialect);
        if (!dialect) fields.refuse("dialect", node["dialect"], "one of " + dialect_names());
        if (!out.url.starts_with("http://") && !out.url.starts_with("https://"))
            node["url"] ? fields.refuse("url", node["url"], std::string("an http or https URL, like ") + dialect->url_hint) : wrong(file_, node, fields.place("url") + " is missing");
        while (out.url.ends_with('/')) out.url.pop_back();
        if (out.model.empty()) wrong(file_, node, fields.place("model") + " is missing", "name a model that it serves");
        return out;
    }

    Prices prices(const YAML::Node& node, const std::string& place) {
        Fields fields(file_, node, place);
        Prices out;
        fields.number("input", out.input, 0, 1e6);
        out.cached_input = out.input;
        fields.number("cached_input", out.cached_input, 0, 1e6);
        fields.number("output", out.output, 0, 1e6);
        fields.end();
        return out;
    }

    RosterRow row(const std::string& name, Fields& rows, const std::vector<UpstreamRow>& upstreams) {
        const YAML::Node node = rows.take(name);
        if (!is_model_name(name) || std::find(taken_.begin(), taken_.end(), name) != taken_.end())
            wrong(file_, node, "a model of the roster is called '" + name + "'", "choose another name of letters, digits, - and _; agents and the embedding model have theirs");
        Fields fields(file_, node, rows.place(name));
        RosterRow out;
        out.line = node.Mark().line + 1;
        out.alias.name = name;
        chain(fields, out.alias.chain, upstreams);
        fields.text("character", out.alias.character);
        fields.text("strengths", out.alias.strengths);
        fields.text("prompt", out.alias.prompt);
        fields.number("max_tokens", out.alias.max_tokens, 1, 1 << 24);
        std::optional<bool> local_end;
        fields.flag("local_end", local_end);
        out.local_end = local_end.value_or(true);
        if (const YAML::Node sampling = fields.take("sampling")) out.alias.sampling = this->sampling(sampling, fields.place("sampling"));
        if (const YAML::Node budget = fields.take("budget")) out.alias.budget = this->budget(budget, fields.place("budget"));
        if (const YAML::Node shadow = fields.take("shadow")) out.alias.shadow = this->shadow(shadow, name, fields.place("shadow"));
        fields.end();
        return out;
    }

    void chain(Fields& fields, std::vector<std::string>& to, const std::vector<UpstreamRow>& upstreams) {
        const YAML::Node list = fields.take("chain");
        if (!list) return;
        if (!list.IsSequence() || list.size() > std::size_t(kLongestChain)) fields.refuse("chain", list, "a list of at most " + std::to_string(kLongestChain) + " backends");
        for (const auto& item : list) {
            const std::string id = item.IsScalar() ? item.Scalar() : std::string();
            std::vector<std::string> known = here_;
            for (const auto& upstream : upstreams) known.push_back(upstream.id);
            if (std::find(known.begin(), known.end(), id) == known.end()) wrong(file_, item, fields.place("chain") + " names " + shown(item) + ", which is no backend", "there are " + listed(known));
            if (std::find(to.begin(), to.end(), id) != to.end()) wrong(file_, item, fields.place("chain") + " names '" + id + "' twice");
            to.push_back(id);
        }
    }

    SamplingRequest sampling(const YAML::Node& node, const std::string& place) {
        Fields fields(file_, node, place);
        SamplingRequest out;
        fields.number("temperature", out.temperature, 0, 2);
        fields.number("top_p", out.top_p, 0, 1);
        fields.number("min_p", out.min_p, 0, 1);
        fields.number("top_k", out.top_k, 0, 1 << 20);
        fields.number("repetition_penalty", out.repetition_penalty, 0.01, 10);
        fields.number("presence_penalty", out.presence_penalty, -2, 2);
        fields.number("frequency_penalty", out.frequency_penalty, -2, 2);
        fields.end();
        return out;
    }

    Budget budget(const YAML::Node& node, const std::string& place) {
        Fields fields(file_, node, place);
        const auto amount = [&](const char* name) {
            Amount out;
            const YAML::Node limits = fields.take(name);
            if (!limits) return out;
            Fields of(file_, limits, fields.place(name));
            of.number("tokens", out.tokens, 1, 1e15);
            of.number("cost", out.cost, 1e-6, 1e9);
            of.end();
            return out;
        };
        const Budget out{amount("request"), amount("day")};
        fields.end();
        return out;
    }

    ShadowRow shadow(const YAML::Node& node, const std::string& of, const std::string& place) {
        Fields fields(file_, node, place);
        ShadowRow out{{}, 0.05};
        fields.text("model", out.model);
        fields.number("share", out.share, 0, 1);
        fields.end();
        if (out.model.empty() || out.model == of) wrong(file_, node, place + ".model must name another model of the roster, found '" + out.model + "'");
        return out;
    }

    static std::string listed(const std::vector<std::string>& names) {
        std::string out;
        for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
        return out;
    }

    const std::string& file_;
    std::vector<std::string> here_;  // ids of backends without upstreams
    const std::vector<std::string>& taken_;
};

}  // namespace

bool is_model_name(const std::string& text) {
    return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
}

bool ModelRow::operator==(const ModelRow& other) const {
    const auto words = [](const ModelRow& row) { return std::tie(row.id, row.path, row.draft, row.context, row.memory_mib, row.threads, row.sequences, row.loaded); };
    return words(*this) == words(other);
}

const std::vector<std::string>& roster_sections() {
    static const std::vector<std::string> names = {"models", "upstreams", "roster", "budgets"};
    return names;
}

base::Result<RosterFile> read_roster(const std::string& text, const std::string& file, const std::vector<std::string>& backends, const std::vector<std::string>& taken) {
    try {
        const YAML::Node root = YAML::Load(text);
        if (!root.IsMap()) return RosterFile{};
        return Reader(file, backends, taken).read(root);
    } catch (const Wrong& found) {
        return found.error;
    } catch (const YAML::Exception& e) {
        return base::error(Code::invalid_argument, file + ", line " + std::to_string(e.mark.line + 1) + ": " + e.msg);
    }
}

}  // namespace router
