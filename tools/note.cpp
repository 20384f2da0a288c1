#include "tools/note.h"

#include "store/scratchpad.h"
#include "tools/ports.h"
#include "tools/schemas.h"

namespace tools {
namespace {

using base::Code;
using policy::Integrity;

net::Task<base::Result<ToolOutput>> note(base::Json arguments, ToolContext& context) {
    const auto text = base::string_field(arguments, "text");
    if (!text) co_return text.error();
    if (text->size() > store::kScratchpadBytes)
        co_return base::error(Code::invalid_argument, "text has " + std::to_string(text->size()) + " bytes, at most " + std::to_string(store::kScratchpadBytes) + " expected", "keep what still matters");
    if (!context.ports) co_return base::error(Code::unavailable, "nothing can be noted in this call");
    const store::Scratchpad written{*text, context.label == Integrity::trusted};
    context.ports->writes.push_back([written, run = context.ports->run](store::Tx& tx) { store::set_scratchpad(tx, run, written); });
    ToolOutput out{text->empty() ? "The note is cleared." : "Noted for the rest of this conversation."};
    out.integrity = Integrity::trusted;
    out.facts["bytes"] = text->size();
    co_return out;
}

}  // namespace

Tool note_tool() {
    return {kNote,
            "Keep in mind for the rest of this conversation what you will need: aims, decisions, open questions. It replaces your earlier note; what is to last beyond the conversation is for remember.",
            schemas::object({{"text", schemas::text("the whole note; empty: clear it")}}, {"text"}),
            schemas::facts({{"bytes", "integer"}}),
            {policy::Scope::home, policy::Scope::dev},
            policy::Effect::transactional,
            {policy::Permission::memory_write},
            std::chrono::milliseconds(5000),
            note};
}

}  // namespace tools
