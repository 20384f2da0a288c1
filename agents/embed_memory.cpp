#include "agents/embed_memory.h"

#include "router/gateway.h"
#include "store/vectors.h"

namespace agents {
namespace {

using base::Code;
using namespace std::chrono_literals;

constexpr int kTexts = 32;            // that are embedded at once
constexpr auto kMostOfQuestion = 2s;  // then a question is answered by its words

struct Vectors {
    std::string model;                // with its width
    std::string probe;
    std::vector<std::string> bytes;   // of the texts
};

net::Task<base::Result<Vectors>> vectors_of(router::Gateway& gateway, std::string alias, store::Identity who, std::vector<std::string> texts, base::StopToken stop) {
    router::EmbeddingRequest request;
    request.alias = std::move(alias);
    request.purpose = "memory";
    request.truncate = true;
    request.on_behalf.tenant = who.tenant;
    request.on_behalf.person = who.person;
    request.stop = std::move(stop);
    request.inputs.emplace_back(std::string(memory::kProbe));
    for (std::string& text : texts) request.inputs.emplace_back(std::move(text));
    const std::size_t all = request.inputs.size();
    const auto reply = co_await gateway.embed(std::move(request));
    if (!reply) co_return reply.error();
    const auto width = std::size_t(reply->width);
    if (width == 0 || reply->values.size() != all * width)
        co_return base::error(Code::corrupt, "the model '" + reply->model + "' made " + std::to_string(reply->values.size()) + " numbers of " + std::to_string(all) + " texts, " + std::to_string(all * width) + " expected");
    Vectors out{reply->model + "/" + std::to_string(width), memory::in_bytes({reply->values.data(), width}), {}};
    for (std::size_t i = 1; i < all; ++i) out.bytes.push_back(memory::in_bytes({reply->values.data() + i * width, width}));
    co_return out;
}

net::Task<std::optional<memory::Meaning>> meaning(router::Gateway& gateway, std::string alias, std::string text, store::Identity who, base::StopToken stop) {
    const base::StopSource timed(stop, std::chrono::steady_clock::now() + kMostOfQuestion);
    std::vector<std::string> texts;
    texts.push_back(std::move(text));
    auto made = co_await vectors_of(gateway, std::move(alias), who, std::move(texts), timed.token());
    if (!made) co_return std::nullopt;
    co_return memory::Meaning{std::move(made->model), std::move(made->bytes[0]), std::move(made->probe)};
}

// Those that another model than this has made are made anew.
void begin(store::Tx& tx, const Vectors& now) {
    for (const store::VectorProbe& one : store::vector_probes(tx, now.model))
        if (memory::cosine(one.probe, now.probe) < memory::kSameModel) store::begin_vectors(tx, one.audience, now.model, now.probe);
}

}  // namespace

memory::Embedder embedder(router::Gateway& gateway, std::string alias) {
    if (alias.empty()) return {};
    return [&gateway, alias](std::string text, store::Identity who, base::StopToken stop) { return meaning(gateway, alias, std::move(text), who, std::move(stop)); };
}

net::Task<Embedded> embed_memory(const Parts& parts, const Options& options, store::Identity who, base::StopToken stop) {
    Embedded out;
    out.done = options.embedding.empty();
    std::string model;
    while (!out.done && !stop.stopped()) {
        const auto next = [&](store::Tx& tx) { return model.empty() ? std::vector<store::Unembedded>() : store::without_vector(tx, model, kTexts); };
        const auto open = co_await parts.db.read(who, next);
        out.done = open.empty() && !model.empty();
        if (out.done) break;
        std::vector<std::string> texts;
        for (const store::Unembedded& one : open) texts.push_back(one.text);
        const auto made = co_await vectors_of(parts.gateway, options.embedding, who, std::move(texts), stop);
        if (!made) out.trouble = made.error();
        else if (!model.empty() && made->model != model)
            out.trouble = base::error(Code::conflict, "the model '" + options.embedding + "' was " + model + " and is " + made->model + " now (its name and the width of its vectors)", "consolidate again: what is remembered gets vectors of the new one");
        if (!out.trouble.message.empty()) break;
        const auto keep = [&](store::Tx& tx) {
            begin(tx, *made);
            for (std::size_t i = 0; i < open.size(); ++i) store::keep_vector(tx, made->model, open[i], made->bytes[i]);
        };
        co_await parts.db.run(who, keep);
        model = made->model;
        out.vectors += int(open.size());
    }
    co_return out;
}

}  // namespace agents
