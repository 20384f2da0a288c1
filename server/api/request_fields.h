// What the readers of OpenAI's request bodies share: fields one by one, sampling, tools, schemas that bind output.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "router/types.h"
#include "server/http.h"

namespace server::api {

// How a kind of request calls what errors name.
struct FieldNames {
    const char* format;         // of the output
    const char* format_schema;
    const char* parameters;     // behind "tools[N]"

    std::string parameters_of(std::size_t tool) const { return "tools[" + std::to_string(tool) + "]" + parameters; }
};
inline constexpr FieldNames kChatFields{"response_format", "response_format.json_schema.schema", ".function.parameters"};
inline constexpr FieldNames kResponsesFields{"text.format", "text.format.schema", ".parameters"};

inline bool among(std::span<const char* const> names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

// Whether the object has that member with a value.
template <class AnyJson>
bool has(const AnyJson& object, const char* field) {
    const auto it = object.find(field);
    return it != object.end() && !it->is_null();
}

// That a text is no longer than that, and holds no NUL, which nothing that is kept may: what is said of it names the field.
base::Result<void> check_text(const std::string& field, const std::string& text, std::size_t most_bytes);

// A body that is an object, as it is read and with its keys in order, which a model reads schemas in.
struct ParsedBody {
    base::OrderedJson ordered;
    base::Json plain;
};
base::Result<ParsedBody> parse_body(const std::string& text);

// Reads an object's fields one by one; the first failure stays, and `param` is then the field's name.
class FieldReader {
public:
    FieldReader(const base::Json& json, std::string& param, std::optional<base::Error>& failed, std::string prefix = {})
        : json_(json), param_(param), failed_(failed), prefix_(std::move(prefix)) {}

    void real(const char* field, double least, double most, std::optional<double>& out);
    std::optional<std::int64_t> integer(const char* field, std::int64_t least, std::int64_t most);
    bool boolean(const char* field, bool otherwise);
    std::string text(const char* field, const std::string& otherwise = {});
    // A member that is an object; an empty one where it is absent or null.
    FieldReader inside(const char* field);

    void fail(const std::string& field, base::Error e);
    void wrong(const std::string& field, const std::string& what);  // Error{invalid_argument}
    std::string named(const char* field) const { return prefix_ + field; }
    const base::Json& json() const { return json_; }

private:
    const base::Json& json_;
    std::string& param_;
    std::optional<base::Error>& failed_;
    std::string prefix_;
};

void read_sampling(FieldReader& r, router::SamplingRequest& s);
// The level of a field that says how hard to think; whether it asks for thoughts at all.
bool read_effort(FieldReader& r, const char* field);
// Whether several calls may stand in one reply.
void read_parallel_calls(FieldReader& r, router::ToolChoice& choice);
void check_tool_choice(FieldReader& r, const router::ModelRequest& request);
// An object, true or false: the latter two are schemas that every value and no value satisfies.
bool may_be_schema(const base::OrderedJson& json);
// The schema that binds the output.
void bind_format(FieldReader& r, const base::OrderedJson& schema, const FieldNames& names, router::ModelRequest& out);
// Arguments are held to what JSON Schema says; a strict tool says nothing else. Words that it does not have are added to `ignored`.
void take_tools(FieldReader& r, std::vector<router::ToolSchema> tools, const FieldNames& names, router::ToolMenu& out, std::vector<std::string>& ignored);

// Names the tools whose arguments were held to no more than an object, and where their schemas ask for more, in X-Hearth-Loose-Tools.
void name_loose(Response& response, const std::vector<text::LooseTool>& loose, const FieldNames& names);

// A refusal by `router`, in the words of the request: also names the field with the schema that no model can be held to.
Response refusal_of(const base::Error& error, const router::ToolMenu& tools, const FieldNames& names);

}  // namespace server::api
