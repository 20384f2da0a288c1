// hearth memory bench: what recall finds in conversations of which it is known where the answers stand, with plain BM25 beside it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/commands.h"
#include "app/terminal.h"
#include "memory/locomo.h"

namespace app {
namespace {

namespace fs = std::filesystem;
namespace locomo = memory::locomo;
using base::Code;
using base::Json;

constexpr double kTurnBar = 0.50, kSessionBar = 0.94;

base::Result<std::vector<locomo::Conversation>> read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in) return base::error(Code::io, file.string() + " cannot be read");
    const auto json = base::parse_json(text);
    if (!json) return base::error(json.error().code, file.string() + ": " + json.error().message);
    auto read = locomo::read(*json);
    if (!read) return base::error(read.error().code, file.string() + ", " + read.error().message, read.error().remedy);
    return read;
}

struct Data {
    std::vector<locomo::Conversation> conversations;
    std::vector<std::string> skipped;  // files that are something else
};

base::Result<Data> read_folder(const fs::path& folder) {
    std::error_code failed;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, failed))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    if (failed) return base::error(Code::not_found, folder.string() + " cannot be read: " + failed.message(), "name the folder with LoCoMo's conversations by --data");
    std::sort(files.begin(), files.end());
    Data out;
    for (const fs::path& file : files) {
        auto read = read_file(file);
        if (!read) out.skipped.push_back(read.error().message);
        else out.conversations.insert(out.conversations.end(), std::make_move_iterator(read->begin()), std::make_move_iterator(read->end()));
    }
    if (!out.conversations.empty()) return out;
    return base::error(Code::not_found, "no conversation lies in " + folder.string() + (out.skipped.empty() ? "" : "; " + out.skipped[0]),
                       "name the folder with LoCoMo's conversations (JSON, as in its locomo10.json) by --data");
}

struct Measured {
    std::vector<locomo::Score> plain, ours;
    std::vector<double> milliseconds;  // of each recall, the question's words included

    void add(const Measured& other) {
        plain.insert(plain.end(), other.plain.begin(), other.plain.end());
        ours.insert(ours.end(), other.ours.begin(), other.ours.end());
        milliseconds.insert(milliseconds.end(), other.milliseconds.begin(), other.milliseconds.end());
    }
};

Measured measure(const locomo::Conversation& conversation) {
    const memory::Index index = locomo::index_of(conversation, {}), bare = locomo::index_of(conversation, {0, 0});
    Measured out;
    for (const locomo::Asked& asked : conversation.questions) {
        const auto began = std::chrono::steady_clock::now();
        const memory::Question question = memory::question_of(asked.text, conversation.ended);
        memory::recall(index, question);
        out.milliseconds.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began).count());
        out.ours.push_back(locomo::score(conversation, asked, memory::recall(index, question, memory::kAll).hits));
        out.plain.push_back(locomo::score(conversation, asked, memory::recall(bare, question, memory::kAll, memory::kPlain).hits));
    }
    return out;
}

double percentile(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[std::min(values.size() - 1, std::size_t(double(values.size()) * part))];
}

Json to_json(const std::vector<locomo::Score>& scores) {
    const locomo::Summary s = locomo::summary(scores);
    Json categories = Json::object();
    for (const auto& [category, ndcg] : s.by_category) categories[std::to_string(category)] = ndcg;
    return {{"turn_ndcg_10", s.ndcg_10}, {"turn_ndcg_10_micro", s.micro.ndcg_10}, {"turn_recall_5", s.micro.recall_5}, {"turn_recall_10", s.micro.recall_10},
            {"session_recall_5", s.micro.session_5}, {"session_recall_10", s.micro.session_10}, {"turn_ndcg_10_by_category", categories}};
}

Json to_json(const std::string& id, std::size_t turns, const Measured& measured) {
    return {{"id", id}, {"turns", turns}, {"questions", measured.ours.size()}, {"bm25", to_json(measured.plain)}, {"recall", to_json(measured.ours)}};
}

Json bar(const char* what, double value, double least) { return {{"what", what}, {"value", value}, {"at_least", least}, {"met", value >= least}}; }

void print_row(const Json& row) {
    const Json &plain = row["bm25"], &ours = row["recall"];
    std::printf("%-14s %6zu %6zu   %5.3f  %5.3f   %5.3f  %5.3f\n", visible(one_line(row["id"].get<std::string>(), 14)).c_str(), row["turns"].get<std::size_t>(),
                row["questions"].get<std::size_t>(), plain["turn_ndcg_10"].get<double>(), plain["session_recall_10"].get<double>(), ours["turn_ndcg_10"].get<double>(),
                ours["session_recall_10"].get<double>());
}

void print(const Json& out) {
    std::printf("%31s%-15s%s\n", "", "BM25", "recall");
    std::printf("%-14s %6s %6s   %5s  %5s   %5s  %5s\n", "conversation", "turns", "asked", "turn", "sess.", "turn", "sess.");
    for (const Json& row : out["conversations"]) print_row(row);
    print_row(out["all"]);
    std::printf("turn: nDCG@10, the mean over categories of questions; sess.: how much of the evidence's sessions is in the first 10\n");
    std::printf("a question takes %.2f ms in the median, %.2f ms at the 95th percentile\n", out["query_ms"]["p50"].get<double>(), out["query_ms"]["p95"].get<double>());
    for (const Json& one : out["bars"])
        std::printf("%-18s %.3f, at least %.2f: %s\n", one["what"].get<std::string>().c_str(), one["value"].get<double>(), one["at_least"].get<double>(), one["met"] ? "met" : "missed");
}

}  // namespace

int memory_bench(const std::string& folder, bool json) {
    const auto data = read_folder(folder.empty() ? fs::path(".") : fs::path(folder));
    if (!data) return complain(data.error());
    for (const std::string& why : data->skipped) std::fprintf(stderr, "skipped: %s\n", visible(why).c_str());
    Json out = {{"conversations", Json::array()}};
    Measured all;
    std::size_t turns = 0;
    for (const locomo::Conversation& one : data->conversations) {
        const Measured measured = measure(one);
        out["conversations"].push_back(to_json(one.id, one.turns.size(), measured));
        all.add(measured);
        turns += one.turns.size();
    }
    if (all.ours.empty()) return complain(base::error(Code::not_found, "no question of these conversations names evidence", "qa[].evidence names turns, as in LoCoMo's locomo10.json"));
    out["all"] = to_json("all", turns, all);
    out["query_ms"] = {{"p50", percentile(all.milliseconds, 0.5)}, {"p95", percentile(all.milliseconds, 0.95)}};
    const Json& ours = out["all"]["recall"];
    out["bars"] = Json::array({bar("turn nDCG@10", ours["turn_ndcg_10"].get<double>(), kTurnBar), bar("session recall@10", ours["session_recall_10"].get<double>(), kSessionBar)});
    if (json) print_json(out);
    else print(out);
    return 0;
}

}  // namespace app
