#include "text/bare_call.h"

#include <algorithm>

#include "text/call_dialects.h"
#include "text/json_members.h"

namespace text {
namespace {

// JSON as RFC 8259 has it.
constexpr std::string_view rules = R"(root ::= ( call braces | "```" "json"? ws call braces ws "```" ) ws
braces ::= ( ws "}" )*
call ::= "{" ws ( name "," ws arguments | arguments "," ws name ) "}"
name ::= "\"name\"" colon tool ws
arguments ::= ( "\"arguments\"" | "\"parameters\"" ) colon object ws
object ::= "{" ws ( member ( "," ws member )* )? "}"
member ::= string colon value ws
array ::= "[" ws ( value ws ( "," ws value ws )* )? "]"
value ::= object | array | string | number | "true" | "false" | "null"
string ::= "\"" ( [^"\\\x00-\x1F] | "\\" ( ["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] ) )* "\""
number ::= "-"? ( "0" | [1-9] [0-9]* ) ( "." [0-9]+ )? ( [eE] [-+]? [0-9]+ )?
colon ::= ws ":" ws
ws ::= [ \t\r\n]*
)";

}  // namespace

base::Result<BareCall> BareCall::create(const base::OrderedJson& tools) {
    std::string names;
    for (const std::string& name : calls::names_of(tools)) names += (names.empty() ? "tool ::= " : " | ") + ebnf_literal(calls::json_text(name));
    const auto parsed = parse_ebnf(std::string(rules) + names + "\n");
    if (!parsed) return parsed.error();
    auto machine = Machine::build(*parsed);
    if (!machine) return std::move(machine).error();
    std::map<std::string, base::Schema> strict;
    for (const std::string& name : calls::names_of(tools)) {
        if (!calls::is_strict(tools, name)) continue;
        const base::OrderedJson* const parameters = calls::parameters_of(tools, name);
        auto schema = base::Schema::parse(parameters ? base::Json(*parameters) : base::Json::object());
        if (!schema) return std::move(schema).error();
        strict.emplace(name, *std::move(schema));
    }
    return BareCall(*std::move(machine), std::move(strict));
}

bool BareCall::may_become(std::string_view message) {
    for (; at_ < message.size() && place_ >= 0; ++at_) place_ = places_.next(place_, static_cast<std::uint8_t>(message[at_]));
    return place_ >= 0;
}

bool BareCall::whole() const { return place_ >= 0 && places_.ends(place_); }

bool BareCall::holds(const Call& call) const {
    const auto schema = strict_.find(call.name);
    if (schema == strict_.end()) return true;
    const auto arguments = base::parse_json(call.arguments);
    return arguments && schema->second.validate(*arguments);
}

BareCall::Call BareCall::read(std::string_view message) {
    Call call;
    JsonMembers members;
    members.read(message, message.find('{'));
    for (const auto& member : members.members()) {
        const std::string_view written = message.substr(member.begin, member.end - member.begin);
        if (member.key == "name") call.name = base::parse_json(written)->get<std::string>();
        else call.arguments = written;
    }
    call.beside = calls::trimmed(message.substr(members.end(), std::min(message.rfind('}') + 1, message.size()) - members.end()));
    return call;
}

}  // namespace text
