#include "store/prompts.h"

namespace store {

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

}  // namespace store
