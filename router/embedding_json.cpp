#include "router/embedding_json.h"

namespace router {
namespace {

using base::Json;

base::Error wrong(const std::string& what) { return base::error(base::Code::corrupt, "the answer to an embedding request " + what); }

base::Result<void> read_vector(const Json& item, std::size_t inputs, EmbeddingReply& out, std::vector<bool>& there) {
    if (!item.is_object() || !item.contains("embedding") || !item["embedding"].is_array()) return wrong("has an entry without a list of numbers");
    auto index = base::integer_field(item, "index");
    if (!index || *index < 0 || std::size_t(*index) >= inputs || there[std::size_t(*index)]) return wrong("has an entry with the index " + base::dump(item.value("index", Json())));
    there[std::size_t(*index)] = true;
    const Json& numbers = item["embedding"];
    if (out.width == 0) {
        out.width = int(numbers.size());
        out.values.resize(inputs * numbers.size());
    }
    if (numbers.empty() || int(numbers.size()) != out.width) return wrong("has vectors of " + std::to_string(out.width) + " and of " + std::to_string(numbers.size()) + " numbers");
    float* to = out.values.data() + std::size_t(*index) * numbers.size();
    for (const Json& number : numbers) {
        if (!number.is_number()) return wrong("has a vector with " + base::dump(number) + " in it");
        *to++ = number.get<float>();
    }
    return {};
}

}  // namespace

Json embedding_body(const EmbeddingRequest& request, const std::string& model) {
    Json body = {{"model", model}, {"encoding_format", "float"}, {"input", Json::array()}};
    for (const auto& input : request.inputs) std::visit([&](const auto& value) { body["input"].push_back(value); }, input);
    if (request.dimensions > 0) body["dimensions"] = request.dimensions;
    if (request.truncate) body["truncate"] = true;
    return body;
}

base::Result<EmbeddingReply> read_embeddings(const std::string& body, std::size_t inputs) {
    const auto json = base::parse_json(body);
    if (!json || !json->is_object() || !json->contains("data") || !(*json)["data"].is_array()) return wrong("has no list of vectors");
    const Json& data = (*json)["data"];
    if (data.size() != inputs) return wrong("has " + std::to_string(data.size()) + " vectors for " + std::to_string(inputs) + " inputs");
    EmbeddingReply out;
    std::vector<bool> there(inputs);
    for (const Json& item : data)
        if (auto read = read_vector(item, inputs, out, there); !read) return std::move(read).error();
    if (const auto name = base::optional_string(*json, "model"); name && *name) out.model = **name;
    if (json->contains("usage") && (*json)["usage"].is_object())
        if (const auto tokens = base::optional_integer((*json)["usage"], "prompt_tokens"); tokens && *tokens) out.usage.prompt_tokens = int(**tokens);
    return out;
}

}  // namespace router
