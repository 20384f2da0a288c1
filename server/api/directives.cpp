// What the caller wants of every agent, for herself alone; see store/directives.h for who else says what.
#include "server/api/body.h"
#include "server/api/handlers.h"

#include "store/directives.h"

namespace server::api {
namespace {

using base::Json;

constexpr std::int64_t kUsualDays = 90;

Json directive_json(const store::Directive& one) {
    return {{"name", one.name}, {"object", "directive"}, {"text", one.text}, {"of", one.person.is_nil() ? "house" : "person"}, {"created", base::rfc3339(one.created)}, {"expires", base::rfc3339(one.expires)}};
}

struct Wish {
    std::string name, text;
    std::int64_t days = kUsualDays;
    std::vector<std::string> ignored;
};

base::Result<Wish> read_wish(const std::string& body, std::string& param) {
    const auto json = object_of(body);
    if (!json) return json.error();
    Wish out;
    param = "name";
    auto name = base::string_field(*json, "name");
    if (!name) return std::move(name).error();
    param = "text";
    auto text = base::string_field(*json, "text");
    if (!text) return std::move(text).error();
    param = "days";
    auto days = base::optional_integer(*json, "days");
    if (!days) return std::move(days).error();
    if (*days && (**days < 1 || **days > 3650)) return base::error(base::Code::invalid_argument, "days is " + std::to_string(**days) + " but must be from 1 to 3650");
    param.clear();
    out.name = *std::move(name);
    out.text = *std::move(text);
    out.days = days->value_or(kUsualDays);
    for (const char* field : {"name", "text"})
        if ((*json)[field].get_ref<const std::string&>().find('\0') != std::string::npos) {
            param = field;
            return base::error(base::Code::invalid_argument, std::string(field) + " holds a NUL, which no directive does");
        }
    out.ignored = fields_beside({"name", "text", "days"}, *json);
    return out;
}

}  // namespace

net::Task<Response> list_directives(Request, Caller caller, Services& services) {
    const auto list = [](store::Tx& tx) { return store::list_directives(tx); };
    Json data = Json::array();
    for (const auto& one : co_await services.db.read(agents::identity_of(caller.principal), list))
        if (one.person.is_nil() || one.person == caller.principal.person) data.push_back(directive_json(one));
    co_return list_response(std::move(data));
}

net::Task<Response> add_directive(Request request, Caller caller, Services& services) {
    std::string param;
    const auto wish = read_wish(request.body, param);
    if (!wish) co_return error_response(wish.error(), param);
    const auto add = [&](store::Tx& tx) { return store::add_directive(tx, wish->name, wish->text, caller.principal.person, std::chrono::days(wish->days)); };
    const auto added = co_await services.db.run(agents::identity_of(caller.principal), add);
    if (!added) co_return error_response(added.error());
    Response response = json_response(directive_json(*added), 201);
    name_ignored(response, wish->ignored);
    co_return response;
}

net::Task<Response> remove_directive(Request request, Caller caller, Services& services) {
    const std::string& name = request.parameters["name"];
    const bool possible = name.find('\0') == std::string::npos;
    const auto remove = [&](store::Tx& tx) { return store::remove_directive(tx, name, caller.principal.person); };
    base::Result<bool> removed = false;
    if (possible) removed = co_await services.db.run(agents::identity_of(caller.principal), remove);
    if (!removed) co_return error_response(removed.error());
    if (!*removed) co_return error_response(404, "there is no directive of yours with that name that you have added", "not_found");
    co_return json_response({{"name", name}, {"removed", true}});
}

}  // namespace server::api
