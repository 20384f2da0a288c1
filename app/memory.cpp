// hearth memory bench: what recall finds in conversations of which it is known where the answers stand, with plain BM25 beside it, and with vectors where an encoder is given.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "app/commands.h"
#include "app/terminal.h"
#include "engine/engine.h"
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

// Vectors in bytes, as memory keeps them, by a model that is loaded for it.
class Encoder {
public:
    static base::Result<Encoder> load(const std::string& path) {
        engine::LoadOptions options;
        options.path = path;
        auto engine = engine::Engine::load(options);
        if (!engine) return std::move(engine).error();
        Encoder out;
        out.engine_ = *std::move(engine);
        if (auto tried = out.bytes_of({memory::kProbe}); !tried) return std::move(tried).error();
        return out;
    }
    base::Result<std::vector<std::string>> bytes_of(const std::vector<std::string>& texts) const {
        const auto made = engine_->embed({{texts.begin(), texts.end()}, true});
        if (!made) return made.error();
        const auto width = std::size_t(made->width);
        std::vector<std::string> out;
        for (std::size_t i = 0; i < texts.size(); ++i) out.push_back(memory::in_bytes({made->values.data() + i * width, width}));
        return out;
    }

private:
    std::unique_ptr<engine::Engine> engine_;
};

struct Measured {
    std::vector<locomo::Score> plain, ours, meant;  // meant: with vectors, where there is an encoder
    std::vector<double> milliseconds;  // of each recall, the question's words included

    void add(const Measured& other) {
        plain.insert(plain.end(), other.plain.begin(), other.plain.end());
        ours.insert(ours.end(), other.ours.begin(), other.ours.end());
        meant.insert(meant.end(), other.meant.begin(), other.meant.end());
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

base::Result<void> measure_vectors(const locomo::Conversation& conversation, const Encoder& encoder, Measured& out) {
    std::vector<std::string> turns, questions;
    for (const locomo::Turn& turn : conversation.turns) turns.push_back(turn.text);
    for (const locomo::Asked& asked : conversation.questions) questions.push_back(asked.text);
    const auto of_turns = encoder.bytes_of(turns), of_questions = encoder.bytes_of(questions);
    if (!of_turns) return of_turns.error();
    if (!of_questions) return of_questions.error();
    memory::Meanings meanings;
    for (std::size_t i = 0; i < turns.size(); ++i) meanings.set(i, (*of_turns)[i]);
    const memory::Index index = locomo::index_of(conversation, {});
    for (std::size_t i = 0; i < questions.size(); ++i) {
        const memory::Standing standing = memory::standing(meanings.near((*of_questions)[i], turns.size()));
        memory::Cut cut = memory::kAll;
        cut.meant = &standing;
        out.meant.push_back(locomo::score(conversation, conversation.questions[i], memory::recall(index, memory::question_of(questions[i], conversation.ended), cut).hits));
    }
    return {};
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
    return {{"id", id}, {"turns", turns}, {"questions", measured.ours.size()}, {"bm25", to_json(measured.plain)}, {"recall", to_json(measured.ours)}, {"vectors", measured.meant.empty() ? Json(nullptr) : to_json(measured.meant)}};
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
    if (const Json& meant = out["all"]["vectors"]; !meant.is_null())
        std::printf("with vectors of the encoder beside words: turn %.3f, sess. %.3f\n", meant["turn_ndcg_10"].get<double>(), meant["session_recall_10"].get<double>());
    for (const Json& one : out["bars"])
        std::printf("%-18s %.3f, at least %.2f: %s\n", one["what"].get<std::string>().c_str(), one["value"].get<double>(), one["at_least"].get<double>(), one["met"] ? "met" : "missed");
}

}  // namespace

int memory_bench(const std::string& folder, const std::string& encoder, bool json) {
    const auto data = read_folder(folder.empty() ? fs::path(".") : fs::path(folder));
    if (!data) return complain(data.error());
    for (const std::string& why : data->skipped) std::fprintf(stderr, "skipped: %s\n", visible(why).c_str());
    std::optional<Encoder> by;
    if (!encoder.empty()) {
        auto loaded = Encoder::load(encoder);
        if (!loaded) return complain(loaded.error());
        by = *std::move(loaded);
    }
    Json out = {{"conversations", Json::array()}};
    Measured all;
    std::size_t turns = 0;
    for (const locomo::Conversation& one : data->conversations) {
        Measured measured = measure(one);
        if (by)
            if (const auto done = measure_vectors(one, *by, measured); !done) return complain(done.error());
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
