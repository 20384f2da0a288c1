#include <algorithm>
#include <fstream>

#include "agents/quality.h"
#include "store/digest.h"

namespace agents::quality {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;
using base::OrderedJson;

// Those of several turns need the leaderboard's own simulated services.
constexpr const char* kCategories[] = {"simple_python", "multiple",               "parallel",    "parallel_multiple", "live_simple",   "live_multiple",
                                       "live_parallel", "live_parallel_multiple", "irrelevance", "live_irrelevance",  "live_relevance"};

// It writes Python's names of types, and keywords of its own.
OrderedJson schema_of(const OrderedJson& parameters) {
    OrderedJson out = OrderedJson::object();
    for (const char* kept : {"description", "enum", "required"})
        if (parameters.contains(kept)) out[kept] = parameters[kept];
    const std::string type = parameters.value("type", "any");
    if (type != "any") out["type"] = type == "dict" ? "object" : type == "float" ? "number" : type == "tuple" ? "array" : type;
    if (parameters.contains("properties")) {
        out["properties"] = OrderedJson::object();
        for (const auto& [name, value] : parameters["properties"].items()) out["properties"][name] = schema_of(value);
    }
    if (parameters.contains("items") && parameters["items"].is_object()) out["items"] = schema_of(parameters["items"]);
    return out;
}

base::Result<std::vector<OrderedJson>> lines_of(const fs::path& file) {
    std::ifstream in(file);
    if (!in) return base::error(Code::not_found, file.string() + " cannot be read", "name the folder with BFCL_v4_*.jsonl and possible_answer");
    std::vector<OrderedJson> out;
    int number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.find_first_not_of(" \t\r") == line.npos) continue;
        auto json = base::parse_ordered_json(line);
        if (!json || !json->is_object() || !json->contains("id") || !(*json)["id"].is_string())
            return base::error(Code::corrupt, file.string() + ", line " + std::to_string(number) + ": " + (json ? "an object with an id is expected" : json.error().message));
        out.push_back(*std::move(json));
    }
    return out;
}

}  // namespace

base::Result<Case> bfcl_case(const std::string& category, const OrderedJson& item, const Json& answer) {
    try {
        Case out;
        out.name = "bfcl/" + category + "/" + item.at("id").get<std::string>();
        out.agent = "hearth";
        for (const auto& f : item.at("function"))
            out.tools.push_back({{"type", "function"}, {"function", {{"name", f.at("name")}, {"description", f.at("description")}, {"parameters", schema_of(f.at("parameters"))}}}});
        out.turns.emplace_back();
        for (const auto& message : item.at("question").at(0)) out.turns[0].push_back(Json(message));
        if (category.ends_with("irrelevance")) {
            out.expect.client_calls.emplace();
        } else if (category.ends_with("relevance")) {
            out.expect.some_client_call = true;
        } else {
            out.expect.client_calls.emplace();
            for (const Json& call : answer)
                for (const auto& [name, accepted] : call.items()) out.expect.client_calls->push_back({name, accepted});
            if (out.expect.client_calls->empty()) return base::error(Code::corrupt, out.name + " has no possible answer");
        }
        return out;
    } catch (const Json::exception& e) {
        return base::error(Code::corrupt, std::string("a case of the leaderboard cannot be read: ") + e.what());
    }
}

base::Result<Cases> read_bfcl(const fs::path& folder, int each) {
    Cases out;
    std::string read;
    for (const std::string category : kCategories) {
        const std::string file = "BFCL_v4_" + category + ".jsonl";
        const auto items = lines_of(folder / file);
        if (!items) return items.error();
        std::map<std::string, Json> answers;
        if (!category.ends_with("relevance")) {
            const auto rows = lines_of(folder / "possible_answer" / file);
            if (!rows) return rows.error();
            for (const OrderedJson& row : *rows) answers[row["id"].get<std::string>()] = Json(row.value("ground_truth", OrderedJson::array()));
        }
        const std::size_t wanted = std::min(items->size(), std::size_t(each));
        for (std::size_t i = 0; i < wanted; ++i) {
            const OrderedJson& item = (*items)[i * items->size() / wanted];
            const Json& answer = answers[item["id"].get<std::string>()];
            read += item.dump() + base::dump(answer) + "\n";
            auto made = bfcl_case(category, item, answer);
            if (!made) return std::move(made).error();
            out.all.push_back(*std::move(made));
        }
    }
    out.digest = store::sha256_hex(read);
    return out;
}

}  // namespace agents::quality
