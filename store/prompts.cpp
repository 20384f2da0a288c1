#include "store/prompts.h"

namespace store {

base::Result<Prompt> live_prompt(Tx& tx, const std::string& name) {
    const auto rows = tx.exec("select p.name, p.version, p.body from prompt p join prompt_label l using (tenant_id, name, version)"
                              " where p.name = $1 and l.label = 'live'", {name});
    if (rows.empty())
        return base::error(base::Code::not_found, "there is no live prompt '" + name + "' in the database",
                           "hearth db migrate lays the prompts that ship with the program");
    return Prompt{rows[0].text(0), int(rows[0].integer(1)), rows[0].text(2)};
}

}  // namespace store
