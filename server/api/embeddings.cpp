// POST /v1/embeddings: texts or token ids to vectors, as OpenAI has it.
#include <algorithm>
#include <bit>
#include <cstring>

#include "base/utf8.h"
#include "router/usage.h"
#include "server/api/body.h"
#include "server/api/handlers.h"
#include "store/digest.h"

namespace server::api {
namespace {

using base::Code;
using base::Json;

constexpr std::size_t kMostInputs = 2048;
constexpr const char* kKnown[] = {"model", "input", "encoding_format", "dimensions", "truncate", "user"};

struct EmbeddingBody {
    router::EmbeddingRequest request;
    bool base64 = false;
    std::vector<std::string> ignored;  // unknown fields
};

bool is_token(const Json& value) { return value.is_number_integer() && value >= 0 && value <= INT32_MAX; }
bool are_tokens(const Json& value) { return value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), is_token); }

base::Error wrong_input(const std::string& found) {
    return base::error(Code::invalid_argument, "input " + found, "give a text, token ids, or a list of one kind of them, none of them empty");
}

// A text that is not empty, or token ids.
base::Result<router::EmbeddingInput> read_one(const Json& value, const std::string& which) {
    if (are_tokens(value)) return router::EmbeddingInput(value.get<std::vector<std::int32_t>>());
    if (value.is_string() && !value.get_ref<const std::string&>().empty()) return router::EmbeddingInput(value.get<std::string>());
    const bool nothing = value.is_string() || (value.is_array() && value.empty());
    return wrong_input(which + (nothing ? "is empty" : "is " + std::string(base::beginning(base::dump(value), 100))));
}

base::Result<std::vector<router::EmbeddingInput>> read_input(const Json& body) {
    const Json input = body.value("input", Json());
    if (input.is_null()) return wrong_input("is missing");
    std::vector<router::EmbeddingInput> out;
    const bool many = input.is_array() && !input.empty() && !are_tokens(input);
    const Json list = many ? input : Json::array({input});
    if (list.size() > kMostInputs) return wrong_input("has " + std::to_string(list.size()) + " entries, at most " + std::to_string(kMostInputs) + " are taken");
    for (const Json& value : list) {
        if (value.type() != list[0].type()) return wrong_input("mixes texts and token ids");
        auto one = read_one(value, many ? "[" + std::to_string(out.size()) + "] " : "");
        if (!one) return std::move(one).error();
        out.push_back(*std::move(one));
    }
    return out;
}

base::Result<EmbeddingBody> read_body(const std::string& text, std::string& param) {
    const auto json = object_of(text);
    if (!json) return json.error();
    EmbeddingBody out;
    out.ignored = fields_beside(kKnown, *json);
    param = "model";
    auto model = base::string_field(*json, param);
    if (!model) return std::move(model).error();
    out.request.alias = *std::move(model);
    param = "input";
    auto inputs = read_input(*json);
    if (!inputs) return std::move(inputs).error();
    out.request.inputs = *std::move(inputs);
    param = "encoding_format";
    auto format = base::optional_string(*json, param);
    if (!format) return std::move(format).error();
    if (*format && **format != "float" && **format != "base64")
        return base::error(Code::invalid_argument, "encoding_format is '" + **format + "' but must be float or base64");
    out.base64 = *format == "base64";
    param = "dimensions";
    auto dimensions = base::optional_integer(*json, param);
    if (!dimensions) return std::move(dimensions).error();
    if (*dimensions && (**dimensions < 1 || **dimensions > 1 << 20))
        return base::error(Code::invalid_argument, "dimensions is " + std::to_string(**dimensions) + " but must be from 1 to " + std::to_string(1 << 20));
    out.request.dimensions = int(dimensions->value_or(0));
    param = "truncate";
    auto truncate = base::optional_bool(*json, param);
    if (!truncate) return std::move(truncate).error();
    out.request.truncate = truncate->value_or(false);
    return out;
}

// Little-endian floats.
std::string bytes_of(const float* values, int n) {
    static_assert(std::endian::native == std::endian::little);
    return {reinterpret_cast<const char*>(values), std::size_t(n) * sizeof(float)};
}

Json shape(const std::string& alias, const router::EmbeddingReply& reply, bool base64) {
    Json out = {{"object", "list"}, {"data", Json::array()}, {"model", alias}};
    out["usage"] = {{"prompt_tokens", reply.usage.prompt_tokens}, {"total_tokens", reply.usage.prompt_tokens}};
    const std::size_t width = std::size_t(reply.width);
    for (std::size_t at = 0; at < reply.values.size(); at += width) {
        const float* vector = reply.values.data() + at;
        Json item = {{"object", "embedding"}, {"index", at / width}};
        item["embedding"] = base64 ? Json(store::base64(bytes_of(vector, reply.width))) : Json(std::vector<double>(vector, vector + reply.width));
        out["data"].push_back(std::move(item));
    }
    return out;
}

// The field at fault for what the model refuses.
std::string param_of(const base::Error& error, bool dimensions) {
    if (error.code == Code::not_found) return "model";
    if (error.code == Code::unsupported) return dimensions ? "dimensions" : "model";
    return error.code == Code::invalid_argument || error.code == Code::context_length_exceeded ? "input" : "";
}

net::Task<Response> answer(EmbeddingBody body, Request request, Caller caller, Services& services) {
    if (!services.gateway.has(body.request.alias))
        co_return error_response(404, "there is no model '" + body.request.alias + "'; GET /v1/models lists what there is", "model_not_found", "model");
    const base::StopSource stop(request.gone);
    body.request.stop = stop.token();
    body.request.purpose = "embedding";
    const std::string alias = body.request.alias;
    const bool dimensions = body.request.dimensions > 0;
    const store::Identity who = agents::identity_of(caller.principal);
    body.request.on_behalf = {who.tenant, who.person, {}, {}};
    const router::CallRecord record(body.request.on_behalf, alias, body.request.purpose, services.clock);
    auto reply = co_await services.gateway.embed(std::move(body.request));
    services.traces.emit(record.ended(reply));
    if (!reply) co_return error_response(reply.error(), param_of(reply.error(), dimensions));
    auto write = [&] { return json_response(shape(alias, *reply, body.base64)); };
    co_return co_await net::on_pool(services.blocking, write);
}

}  // namespace

net::Task<Response> embeddings(Request request, Caller caller, Services& services) {
    std::string param;
    auto body = read_body(request.body, param);
    if (!body) co_return error_response(body.error(), param);
    const auto ignored = body->ignored;
    Response response = co_await answer(*std::move(body), std::move(request), std::move(caller), services);
    name_ignored(response, ignored);
    co_return response;
}

}  // namespace server::api
