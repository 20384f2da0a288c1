#include "tools/home.h"

#include <ctime>

#include "memory/recall.h"
#include "tools/ports.h"
#include "tools/schemas.h"

namespace tools {
namespace {

using base::Code;
using base::Json;
using policy::Integrity;
using namespace schemas;

constexpr std::size_t kRecallLimit = 8;
constexpr std::size_t kFactBytes = 2000;

base::Error no_memory() {
    return base::error(Code::unavailable, "the memory cannot be reached in this call");
}

std::string local_text(base::TimePoint now) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    std::tm parts{};
    localtime_r(&seconds, &parts);
    char text[96];
    std::strftime(text, sizeof text, "%A, %Y-%m-%d %H:%M:%S %Z (UTC%z)", &parts);
    return text;
}

}  // namespace

net::Task<base::Result<ToolOutput>> remember(Json arguments, ToolContext& context) {
    auto text = base::string_field(arguments, "text");
    if (!text) co_return std::move(text).error();
    if (text->empty() || text->size() > kFactBytes)
        co_return base::error(Code::invalid_argument, "text has " + std::to_string(text->size()) + " bytes, 1 to " +
                                                          std::to_string(kFactBytes) + " expected");
    if (!context.ports) co_return no_memory();
    const auto id = base::FactId::make(context.ports->clock.now());
    ToolOutput out{"Remembered: " + *text};
    out.integrity = Integrity::trusted;
    const bool trusted = context.label == Integrity::trusted;
    context.ports->writes.push_back([id, trusted, body = *std::move(text), run = context.ports->run](store::Tx& tx) { store::remember(tx, body, run, id, trusted); });
    out.facts["fact"] = id.text();
    co_return out;
}

net::Task<base::Result<ToolOutput>> recall(Json arguments, ToolContext& context) {
    auto query = base::string_field(arguments, "query");
    if (!query) co_return std::move(query).error();
    if (!context.ports || !context.ports->memory) co_return no_memory();
    const Ports& ports = *context.ports;
    const auto read = [&](store::Tx& tx) { return ports.memory->recall(tx, *query, ports.clock.now(), kRecallLimit); };
    const auto found = co_await ports.db.read(ports.who, read);
    const auto recalled = memory::pack(found, kRecallLimit * kFactBytes);
    ToolOutput out;
    out.integrity = Integrity::trusted;
    out.facts["count"] = recalled.size();
    out.facts["sources"] = Json::array();
    for (const memory::RecalledFact& one : recalled) {
        out.text += "- " + memory::told(one.fact) + "\n";
        out.facts["sources"].push_back(memory::source_of(one));
        if (!one.fact.trusted) out.integrity = Integrity::untrusted;
    }
    if (recalled.empty()) out.text = "Nothing is remembered about \"" + *query + "\".";
    co_return out;
}

net::Task<base::Result<ToolOutput>> current_time(Json, ToolContext& context) {
    if (!context.ports) co_return base::error(Code::unavailable, "the clock cannot be reached in this call");
    const base::TimePoint now = context.ports->clock.now();
    ToolOutput out{local_text(now) + "; " + base::rfc3339(now)};
    out.integrity = Integrity::trusted;
    out.facts["utc"] = base::rfc3339(now);
    co_return out;
}

std::vector<Tool> home_tools() {
    using policy::Effect;
    using policy::Permission;
    using policy::Scope;
    const base::OrderedJson nothing = {
        {"type", "object"}, {"properties", base::OrderedJson::object()}, {"additionalProperties", false}};
    const std::chrono::milliseconds quick{5000};
    return {
        {"remember", "Remember a fact that the person wants kept for later.", object({{"text", text("the fact, as one sentence")}}, {"text"}),
         facts({{"fact", "string"}}), {Scope::home}, Effect::transactional, {Permission::memory_write}, quick, remember},
        {"recall", "Look up what the person told you earlier.", object({{"query", text("what to look for")}}, {"query"}),
         facts({{"count", "integer"}, {"sources", "array"}}), {Scope::home}, Effect::pure, {Permission::memory_read}, quick, recall},
        {"time", "The date and the time now.", nothing, facts({{"utc", "string"}}), {Scope::home}, Effect::pure, {}, quick,
         current_time},
    };
}

}  // namespace tools
