#include "engine/draft_file.h"

#include <algorithm>

#include "engine/inspect.h"
#include "engine/model/encoder_file.h"

namespace engine {
namespace {

base::Error unfit(const std::string& draft, const std::string& target, const std::string& why) {
    return base::error(base::Code::unsupported, draft + " cannot guess for " + target + ": " + why, "name a smaller model of the same family in model.draft, or leave it empty");
}

// Ids behind the shorter vocabulary fill a matrix up and stand for nothing.
base::Result<void> check_vocabulary(const std::string& draft, const text::Vocabulary& its, const std::string& target, const text::Vocabulary& of_target) {
    const std::size_t common = std::min(its.tokens.size(), of_target.tokens.size());
    for (std::size_t id = 0; id < common; ++id)
        if (its.tokens[id] != of_target.tokens[id])
            return unfit(draft, target, "its token " + std::to_string(id) + " is '" + its.tokens[id] + "', expected '" + of_target.tokens[id] + "': a model that guesses has the same vocabulary");
    for (const text::Vocabulary* longer : {&its, &of_target})
        for (std::size_t id = common; id < longer->tokens.size(); ++id)
            if (longer->types.size() <= id || longer->types[id] != text::TokenType::unused)
                return unfit(draft, target, "its vocabulary has " + std::to_string(its.tokens.size()) + " tokens, expected " + std::to_string(of_target.tokens.size()));
    return {};
}

}  // namespace

base::Result<DraftFile> open_draft(const std::filesystem::path& path, const Ops& ops, const text::Vocabulary& vocabulary, const std::string& target) {
    if (is_encoder(path)) return unfit(path.string(), target, "it makes vectors of texts and writes none");
    auto file = ModelFile::open(path);
    if (!file) return std::move(file).error();
    auto head = read_head(**file);
    if (!head) return std::move(head).error();
    if (head->config.state_values > 0) return unfit(path.string(), target, "it has recurrent layers (" + head->config.architecture + "), whose state cannot be cut back to where a guess was wrong");
    if (auto same = check_vocabulary(path.string(), head->vocabulary, target, vocabulary); !same) return std::move(same).error();
    auto measured = measure_model(**file, head->config, ops);
    if (!measured) return std::move(measured).error();
    head->config.widest = measured->widest;
    return DraftFile{*std::move(file), std::move(head->config), measured->bytes.packed + measured->bytes.mapped};
}

base::Result<std::unique_ptr<DraftModel>> load_draft(DraftFile draft, const Ops& ops, const RunnerShape& shape, const Model& target, std::shared_ptr<Pool> pool, int vocabulary) {
    auto model = load_model(std::move(draft.file), std::move(draft.config), ops, *pool, {});
    if (!model) return std::move(model).error();
    const double share = double((*model)->bytes_per_token) / double(std::max<std::uint64_t>(1, target.bytes_per_token));
    auto runner = Runner::create(*std::move(model), std::move(pool), shape);
    if (!runner) return std::move(runner).error();
    return std::make_unique<DraftModel>(*std::move(runner), vocabulary, share);
}

}  // namespace engine
