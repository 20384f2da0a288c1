#include "store/prompts.h"

#include <algorithm>

#include "base/split.h"
#include "prompts/directives.h"
#include "prompts/render.h"
#include "store/quality.h"

namespace store {
namespace {

using base::Code;

constexpr std::size_t kLongestName = 64;
constexpr const char* kNameLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";
constexpr const char* kOfAgents = "{{date}} {{workspace}}";  // what agents fill

base::Error no_prompt(const std::string& name) {
    if (auto prime = prompts::refuse_prime(name)) return *std::move(prime);
    return base::error(Code::not_found, "there is no prompt '" + name + "'", "hearth prompt list tells which there are");
}

std::string_view name_of(Grounds grounds) {
    switch (grounds) {
        case Grounds::quality: return "quality";
        case Grounds::override_: return "override";
        case Grounds::rollback: return "rollback";
    }
    return "override";
}

// The version that carries the label; 0: none.
int labelled(Tx& tx, const std::string& name, const char* label) {
    const auto rows = tx.exec("select version from prompt_label where name = $1 and label = $2", {name, label});
    return rows.empty() ? 0 : int(rows[0].integer(0));
}

void put_label(Tx& tx, const std::string& name, const char* label, int version) {
    tx.send("insert into prompt_label (tenant_id, name, label, version) values (hearth_tenant(), $1, $2, $3)"
            " on conflict (tenant_id, name, label) do update set version = $3", {name, label, version});
}

// As whoever reads it would find out.
base::Result<void> check_body(const std::string& name, const std::string& shipped, const std::string& body) {
    if (body.find_first_not_of(" \t\r\n") == std::string::npos) return base::error(Code::invalid_argument, "the text of prompt '" + name + "' is empty");
    const auto given = prompts::placeholders(shipped);
    prompts::Variables variables;
    for (const std::string& one : given) variables[one] = one;
    if (auto rendered = prompts::render(body, variables); !rendered) {
        std::string names;
        for (const std::string& one : given) names += (names.empty() ? "{{" : ", {{") + one + "}}";
        return base::error(Code::invalid_argument, "prompt '" + name + "': " + rendered.error().message, given.empty() ? "it may ask for nothing" : "it may ask for " + names);
    }
    if (!name.ends_with("_examples")) return {};
    if (auto turns = prompts::examples(body); !turns) return base::error(Code::invalid_argument, "prompt '" + name + "': " + turns.error().message);
    return {};
}

}  // namespace

base::Result<std::map<std::string, Prompt>> live_prompts(Tx& tx, const std::vector<std::string>& names) {
    std::string listed;
    for (const std::string& name : names) listed += (listed.empty() ? "" : ",") + name;
    const auto rows = tx.exec("select p.name, p.version, p.body from prompt p join prompt_label l using (tenant_id, name, version)"
                              " where p.name = any(string_to_array($1, ',')) and l.label = 'live'", {listed});
    std::map<std::string, Prompt> out;
    for (const Row& row : rows) out.emplace(row.text(0), Prompt{row.text(0), int(row.integer(1)), row.text(2)});
    for (const std::string& name : names)
        if (!out.contains(name))
            return base::error(base::Code::not_found, "there is no live prompt '" + name + "' in the database",
                               "hearth db migrate lays the prompts that ship with the program");
    return out;
}

base::Result<std::map<std::string, Prompt>> prompts_of(Tx& tx, const std::vector<std::string>& names, const std::map<std::string, int>& versions) {
    auto out = live_prompts(tx, names);
    if (!out) return out;
    for (auto& [name, prompt] : *out) {
        const auto wanted = versions.find(name);
        if (wanted == versions.end() || wanted->second == prompt.version) continue;
        const auto rows = tx.exec("select body from prompt where name = $1 and version = $2", {name, wanted->second});
        if (!rows.empty()) prompt = {name, wanted->second, rows[0].text(0)};
    }
    return out;
}

std::vector<PromptSummary> list_prompts(Tx& tx) {
    std::vector<PromptSummary> out;
    for (const Row& row : tx.exec("select p.name, max(p.version), coalesce(max(l.version) filter (where l.label = 'live'), 0),"
                                  " coalesce(max(l.version) filter (where l.label = 'shipped'), 0)"
                                  " from prompt p left join prompt_label l using (tenant_id, name) group by p.name order by p.name"))
        out.push_back({row.text(0), int(row.integer(2)), int(row.integer(1)), int(row.integer(3))});
    return out;
}

base::Result<std::vector<PromptVersion>> prompt_versions(Tx& tx, const std::string& name) {
    std::vector<PromptVersion> out;
    for (const Row& row : tx.exec("select version, body, " + micros("created_at") + ","
                                  " coalesce((select string_agg(l.label, ',' order by l.label) from prompt_label l where l.tenant_id = p.tenant_id and l.name = p.name and l.version = p.version), ''),"
                                  " coalesce((select r.grounds || ': ' || r.reason from prompt_release r where r.tenant_id = p.tenant_id and r.name = p.name and r.version = p.version"
                                  " order by r.created_at desc limit 1), '')"
                                  " from prompt p where name = $1 order by version desc", {name}))
        out.push_back({{name, int(row.integer(0)), row.text(1)}, base::split(row.text(3), ','), row.time(2), row.text(4)});
    if (out.empty()) return no_prompt(name);
    return out;
}

base::Result<PromptVersion> choose_version(const std::vector<PromptVersion>& versions, const std::string& wanted) {
    const std::string by = wanted.empty() ? "live" : wanted;
    for (const auto& one : versions) {
        if (by == std::to_string(one.prompt.version)) return one;
        for (const std::string& label : one.labels)
            if (by == label) return one;
    }
    std::string known;
    for (auto it = versions.rbegin(); it != versions.rend(); ++it) known += (known.empty() ? "" : ", ") + std::to_string(it->prompt.version);
    return base::error(Code::not_found, "prompt '" + versions.front().prompt.name + "' has no version '" + by + "'", "it has " + known + ", and the labels that hearth prompt versions shows");
}

std::optional<std::pair<std::string, std::string>> split_version(const std::string& text) {
    const auto at = text.find('@');
    if (at == 0 || at == text.npos || at + 1 == text.size()) return std::nullopt;
    return std::pair(text.substr(0, at), text.substr(at + 1));
}

base::Result<int> save_prompt(Tx& tx, const std::string& name, const std::string& body) {
    // Two who save at once get two versions.
    tx.exec("select pg_advisory_xact_lock(hashtextextended('prompt ' || $1, 0))", {name});
    const auto versions = prompt_versions(tx, name);
    if (!versions) return versions.error();
    const auto shipped = std::find_if(versions->begin(), versions->end(), [](const PromptVersion& v) { return std::count(v.labels.begin(), v.labels.end(), "shipped") > 0; });
    if (auto fine = check_body(name, shipped == versions->end() ? versions->back().prompt.body : shipped->prompt.body, body); !fine) return std::move(fine).error();
    const int version = versions->front().prompt.version + 1;
    tx.send("insert into prompt (tenant_id, name, version, body, author_id) values (hearth_tenant(), $1, $2, $3, hearth_person())", {name, version, body});
    put_label(tx, name, "draft", version);
    return version;
}

base::Result<int> create_prompt(Tx& tx, const std::string& name, const std::string& body) {
    if (auto prime = prompts::refuse_prime(name)) return *std::move(prime);
    if (name.empty() || name.size() > kLongestName || name.find_first_not_of(kNameLetters) != name.npos)
        return base::error(Code::invalid_argument, "'" + name + "' cannot be a prompt's name", "small letters, digits and _, at most " + std::to_string(kLongestName));
    tx.exec("select pg_advisory_xact_lock(hashtextextended('prompt ' || $1, 0))", {name});
    if (prompt_versions(tx, name)) return base::error(Code::conflict, "there is a prompt '" + name + "' already", "save a version of it without --new");
    if (auto fine = check_body(name, kOfAgents, body); !fine) return std::move(fine).error();
    tx.send("insert into prompt (tenant_id, name, version, body, author_id) values (hearth_tenant(), $1, 1, $2, hearth_person())", {name, body});
    put_label(tx, name, "draft", 1);
    return 1;
}

base::Result<void> release_prompt(Tx& tx, const std::string& name, int version, Grounds grounds, const std::string& reason) {
    if (grounds == Grounds::override_ && reason.find_first_not_of(" \t\r\n") == std::string::npos)
        return base::error(Code::invalid_argument, "an override needs a reason: it is recorded");
    // What speaks for one version does so beside the others that are live: none goes live meanwhile.
    tx.exec("select pg_advisory_xact_lock(hashtextextended('prompt release', 0))");
    const auto versions = prompt_versions(tx, name);
    if (!versions) return versions.error();
    if (std::none_of(versions->begin(), versions->end(), [&](const PromptVersion& v) { return v.prompt.version == version; }))
        return base::error(Code::not_found, "prompt '" + name + "' has no version " + std::to_string(version), "its newest is " + std::to_string(versions->front().prompt.version));
    const int live = labelled(tx, name, "live");
    if (live == version) return base::error(Code::conflict, "version " + std::to_string(version) + " of prompt '" + name + "' is live already");
    const auto speaks = grounds == Grounds::quality ? quality_grounds(tx, name, version) : base::Result<std::string>(reason);
    if (!speaks) return speaks.error();
    tx.send("insert into prompt_release (name, version, grounds, reason) values ($1, $2, $3, $4)", {name, version, name_of(grounds), *speaks});
    if (live > 0) put_label(tx, name, "previous", live);
    put_label(tx, name, "live", version);
    return {};
}

base::Result<int> roll_back_prompt(Tx& tx, const std::string& name) {
    if (auto known = prompt_versions(tx, name); !known) return std::move(known).error();
    const int previous = labelled(tx, name, "previous");
    if (previous == 0) return base::error(Code::not_found, "no other version of prompt '" + name + "' was live before");
    if (auto released = release_prompt(tx, name, previous, Grounds::rollback, "from version " + std::to_string(labelled(tx, name, "live"))); !released)
        return std::move(released).error();
    return previous;
}

}  // namespace store
