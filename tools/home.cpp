#include "tools/home.h"

#include <cstdio>

#include "memory/recall.h"
#include "store/facts.h"
#include "store/groups.h"
#include "tools/ports.h"
#include "tools/schemas.h"

namespace tools {
namespace {

using base::Code;
using base::Json;
using policy::Integrity;
using namespace schemas;

constexpr std::size_t kRecallLimit = 8, kRecallSaid = 3, kRecallSections = 3;  // facts, segments of conversations, sections of documents
constexpr std::size_t kFactBytes = 2000;
constexpr std::size_t kSubjectBytes = 200;

// "2026-03-01": its beginning in UTC.
base::Result<base::TimePoint> day_of(const std::string& text) {
    int year = 0;
    unsigned month = 0, day = 0;
    char more = 0;
    const bool read = text.size() == 10 && std::sscanf(text.c_str(), "%4d-%2u-%2u%c", &year, &month, &day, &more) == 3;
    const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month), std::chrono::day(day)};
    if (!read || !date.ok()) return base::error(Code::invalid_argument, "since is '" + text + "' but must be a day such as 2026-03-01");
    return base::TimePoint(std::chrono::sys_days(date));
}

// Of a fact as recall tells it, its words alone.
std::string words_of_told(const std::string& told) {
    for (const char* note : {" (told ", " (noted "})
        if (const auto at = told.rfind(note); at != std::string::npos) return told.substr(0, at);
    return told;
}

base::Result<store::Observation> observation_of(const Json& arguments) {
    store::Observation out;
    auto text = base::string_field(arguments, "text");
    if (!text) return std::move(text).error();
    if (text->empty() || text->size() > kFactBytes)
        return base::error(Code::invalid_argument, "text has " + std::to_string(text->size()) + " bytes, 1 to " + std::to_string(kFactBytes) + " expected");
    out.body = *std::move(text);
    out.subject = arguments.value("about", "");
    if (out.subject.size() > kSubjectBytes)
        return base::error(Code::invalid_argument, "about has " + std::to_string(out.subject.size()) + " bytes, at most " + std::to_string(kSubjectBytes) + " expected", "name what it is about in a few words");
    out.instead_of = words_of_told(arguments.value("replaces", ""));
    if (const std::string since = arguments.value("since", ""); !since.empty()) {
        const auto day = day_of(since);
        if (!day) return day.error();
        out.since = *day;
    }
    return out;
}

}  // namespace

base::Error no_memory() { return base::error(Code::unavailable, "the memory cannot be reached in this call"); }

net::Task<base::Result<ToolOutput>> remember(Json arguments, ToolContext& context) {
    auto told = observation_of(arguments);
    if (!told) co_return std::move(told).error();
    if (!context.ports) co_return no_memory();
    const auto id = base::FactId::make(context.ports->clock.now());
    ToolOutput out{"Remembered: " + told->body};
    out.integrity = Integrity::trusted;
    told->trusted = context.label == Integrity::trusted;
    const std::string group = arguments.value("group", "");
    if (!group.empty() || !context.ports->company.is_nil()) {
        // What others will be told must be somebody's word.
        if (!told->trusted) co_return base::error(Code::permission_denied, "a text from outside is in this conversation, so nothing of it is remembered for others", "remember it for the person alone, or ask in a new conversation");
        const auto find = [&](store::Tx& tx) { return group.empty() ? context.ports->company : store::own_group(tx, group); };
        const std::optional<base::AudienceId> found = co_await context.ports->db.read(context.ports->who, find);
        if (!found) co_return base::error(Code::not_found, "the person is in no group '" + group + "'", "leave group out: then it is remembered for the person alone");
        told->audience = *found;
    }
    told->run = context.ports->run;
    if (context.call) told->call = context.call->id;
    context.ports->writes.push_back([id, told = *std::move(told)](store::Tx& tx) { store::remember(tx, told, id); });
    out.facts["fact"] = id.text();
    co_return out;
}

net::Task<base::Result<ToolOutput>> recall(Json arguments, ToolContext& context) {
    auto query = base::string_field(arguments, "query");
    if (!query) co_return std::move(query).error();
    if (!context.ports || !context.ports->memory) co_return no_memory();
    const Ports& ports = *context.ports;
    struct Found {
        std::vector<memory::RecalledFact> facts;
        std::vector<memory::RecalledSegment> said;
        std::vector<memory::RecalledSection> sections;
    };
    const auto meaning = co_await ports.memory->meaning_of(*query, ports.who, context.stop);
    const memory::Asked asked(*query, meaning);
    const auto read = [&](store::Tx& tx) {
        const base::TimePoint now = ports.clock.now();
        return Found{ports.memory->recall(tx, asked, now, kRecallLimit), ports.memory->recall_said(tx, asked, now, kRecallSaid, {}), ports.memory->recall_sections(tx, *query, now, kRecallSections)};
    };
    const Found found = co_await ports.db.read(ports.who, read);
    const auto recalled = memory::pack(found.facts, kRecallLimit * kFactBytes);
    ToolOutput out;
    out.integrity = Integrity::trusted;
    out.facts["count"] = recalled.size() + found.said.size() + found.sections.size();
    out.facts["sources"] = Json::array();
    for (const memory::RecalledFact& one : recalled) {
        out.text += "- " + memory::told(one.fact) + "\n";
        out.facts["sources"].push_back(memory::source_of(one));
        if (!one.fact.trusted) out.integrity = Integrity::untrusted;
    }
    for (const memory::RecalledSegment& one : found.said) {
        out.text += "- " + memory::told(one) + "\n";
        out.facts["sources"].push_back(memory::source_of(one));
        if (!one.segment.trusted) out.integrity = Integrity::untrusted;
    }
    for (const memory::RecalledSection& one : found.sections) {
        out.text += "- " + memory::told(one) + "\n";
        out.facts["sources"].push_back(memory::source_of(one));
        out.integrity = Integrity::untrusted;
    }
    if (out.text.empty()) out.text = "Nothing is remembered about \"" + *query + "\".";
    co_return out;
}

net::Task<base::Result<ToolOutput>> current_time(Json, ToolContext& context) {
    if (!context.ports) co_return base::error(Code::unavailable, "the clock cannot be reached in this call");
    const base::TimePoint now = context.ports->clock.now();
    ToolOutput out{(context.ports->wall_clock ? context.ports->wall_clock(now) + "; " : "") + base::rfc3339(now)};
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
        {"remember", "Remember a fact that the person wants kept for later.",
         object({{"text", text("the fact, as one sentence")}, {"about", text("what of whom it tells, where that can change, such as: phone number of Anna; it takes the place of what was told about that before")},
                 {"replaces", text("an earlier fact that is wrong now, word for word")}, {"since", text("the day from which it holds, such as 2026-03-01; default: today")},
                 {"group", text("the name of a group of people who are to know it too, only where the person names one")}}, {"text"}),
         facts({{"fact", "string"}}), {Scope::home}, Effect::transactional, {Permission::memory_write}, quick, remember},
        {"recall", "Look up what the person told you, and what was talked about, earlier, and what is in the documents that the person has given you.", object({{"query", text("what to look for")}}, {"query"}),
         facts({{"count", "integer"}, {"sources", "array"}}), {Scope::home}, Effect::pure, {Permission::memory_read}, quick, recall},
        {"time", "The date and the time now.", nothing, facts({{"utc", "string"}}), {Scope::home}, Effect::pure, {}, quick,
         current_time},
    };
}

}  // namespace tools
