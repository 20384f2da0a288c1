// What a model computes on its way to the logits against transformers: the embedding, every mixer's result, every layer's
// state, the last norm and the routing of every golden checkpoint, on every target whose arithmetic is the exact profile's.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "one_sequence.h"
#include "support/fixtures.h"
#include "support/safetensors.h"

using namespace engine;
using nlohmann::json;

namespace {

// Everything by the names of golden.safetensors.
class Recorder final : public Observer {
public:
    void embedded(Mat x) override { keep("embed", x); }
    void mixed(Mat result) override { keep("mixer." + layer(), result); }
    void left(Mat x) override {
        keep("layer." + layer(), x);
        ++layer_;
    }
    void routed(const RouteArgs& routing) override {
        keep("router." + layer() + ".scores", routing.logits);
        const auto n = std::size_t(routing.logits.rows * routing.used);
        seen["router." + layer() + ".indices"] = {routing.chosen, routing.chosen + n};
        seen["router." + layer() + ".weights"] = {routing.weights, routing.weights + n};
    }
    std::map<std::string, std::vector<float>> seen;

private:
    std::string layer() const { return (layer_ < 10 ? "0" : "") + std::to_string(layer_); }
    void keep(const std::string& name, Mat x) { seen[name] = {x.data, x.data + std::size_t(x.rows) * std::size_t(x.cols)}; }
    int layer_ = 0;
};

// Of each row the chosen experts with their weights, in the order of experts.
std::vector<std::map<int, float>> by_expert(const std::vector<float>& indices, const std::vector<float>& weights, std::size_t rows) {
    std::vector<std::map<int, float>> out(rows);
    for (std::size_t i = 0; i < indices.size(); ++i) out[i * rows / indices.size()][int(indices[i])] = weights[i];
    return out;
}

// Probabilities of each row, which is how gemma4's reference gives its scores.
std::vector<float> softmax(std::vector<float> logits, std::size_t rows) {
    const std::size_t width = logits.size() / rows;
    for (std::size_t r = 0; r < rows; ++r) {
        float* const row = logits.data() + r * width;
        const float largest = *std::max_element(row, row + width);
        double sum = 0;
        for (std::size_t i = 0; i < width; ++i) sum += std::exp(double(row[i]) - largest);
        for (std::size_t i = 0; i < width; ++i) row[i] = float(std::exp(double(row[i]) - largest) / sum);
    }
    return logits;
}

// What the recorder has seen against the golden of one folder, and the largest differences.
struct Comparison {
    const std::map<std::string, support::GoldenTensor>& golden;
    const std::map<std::string, std::vector<float>>& seen;
    std::size_t rows;
    double tolerance;
    bool probabilities;  // instead of logits, in the golden's scores
    double state = 0, routing = 0;

    void chosen(const std::string& layer) {
        const auto at = [](const auto& tensors, const std::string& name) -> const auto& { return tensors.at(name); };
        const auto expected = by_expert(at(golden, "h17." + layer + ".indices").values, at(golden, "h17." + layer + ".weights").values, rows);
        const auto found = by_expert(at(seen, layer + ".indices"), at(seen, layer + ".weights"), rows);
        for (std::size_t r = 0; r < rows; ++r)
            for (const auto& [expert, weight] : expected[r]) {
                const auto it = found[r].find(expert);
                ASSERT_NE(it, found[r].end()) << layer << ": row " << r << " does not choose " << expert;
                EXPECT_NEAR(it->second, weight, tolerance) << layer << ": row " << r << ", expert " << expert;
                routing = std::max(routing, double(std::abs(it->second - weight)));
            }
    }
    void values(const std::string& name) {
        const bool scores = name.ends_with(".scores");
        const auto& found = seen.at(name);
        const double worst = largest_difference(scores && probabilities ? softmax(found, rows) : found, golden.at("h17." + name).values);
        EXPECT_LE(worst, tolerance) << name;
        double& largest = scores ? routing : state;
        largest = std::max(largest, worst);
    }
};

// `file`: the folder itself, or its GGUF.
void check_internals(const std::filesystem::path& folder, const std::filesystem::path& file, const Target& target) {
    SCOPED_TRACE(file.string() + " on " + target.name);
    const json golden = json::parse(support::read_text(folder / "golden.json"));
    const auto tensors = support::read_safetensors(folder / "golden.safetensors");
    // As for logits: 20 × the float32–float64 difference of the golden's own implementation, here of its hidden states.
    const double tolerance = 20 * golden["fp32_vs_fp64_max_abs"]["hidden_17"].get<double>();
    const auto ids = golden["prompts"][1]["ids"].get<std::vector<std::int32_t>>();
    OneSequence runner(file, *target.ops);
    Recorder recorder;
    const auto logits = runner.feed(ids, 0, &recorder, &recorder.seen["final_norm"]);
    EXPECT_EQ(logits, runner.feed(ids, 0)) << "what is computed depends on the observer";  // bitwise
    Comparison compare{tensors, recorder.seen, ids.size(), tolerance, std::string(runner.model().config.family->name) == "gemma4"};
    std::set<std::string> expected, seen;
    for (const auto& [name, tensor] : tensors)
        if (name.starts_with("h17.")) expected.insert(name.substr(4));
    for (const auto& [name, values] : recorder.seen) seen.insert(name);
    ASSERT_EQ(expected, seen);
    for (const std::string& name : expected) {
        if (name.ends_with(".indices")) compare.chosen(name.substr(0, name.rfind('.')));
        else if (!name.ends_with(".weights")) compare.values(name);
    }
    std::printf("%-20s %-6s %-6s states %.1e, routing %.1e of %.1e\n", folder.filename().c_str(), file == folder ? "folder" : "GGUF", target.name.c_str(), compare.state, compare.routing,
                tolerance);
}

}  // namespace

// Of each target by itself, so that they run beside each other.
struct InternalsOn : testing::TestWithParam<Target> {};

INSTANTIATE_TEST_SUITE_P(Exact, InternalsOn, testing::ValuesIn(targets(true)), [](const auto& info) { return info.param.name; });

TEST_P(InternalsOn, GoldenCheckpointsAgree) {
    if (!support::golden_dir()) GTEST_SKIP() << "no golden checkpoints";
    if (!GetParam().available) GTEST_SKIP() << GetParam().reason;
    int folders = 0, ggufs = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*support::golden_dir())) {
        const auto file = entry.path() / "golden.safetensors";
        if (!std::filesystem::exists(file) || !support::read_safetensors(file).contains("h17.embed")) continue;
        ++folders;
        check_internals(entry.path(), entry.path(), GetParam());
        if (const auto gguf = entry.path() / "model-f16.gguf"; std::filesystem::exists(gguf)) ++ggufs, check_internals(entry.path(), gguf, GetParam());
    }
    EXPECT_GE(folders, 27);
    EXPECT_GE(ggufs, 22);
}
