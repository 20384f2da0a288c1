// A GGUF's keys as KeyValues.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/model/config_keys.h"
#include "engine/model/gguf.h"

namespace engine {

class GgufKeys final : public KeyValues {
public:
    explicit GgufKeys(const Gguf& gguf) : gguf_(gguf) {}

    bool has(const std::string& key) const override { return gguf_.value(key); }
    base::Result<std::optional<std::string>> text(const std::string& key) const override { return gguf_.text(key); }
    base::Result<std::optional<std::int64_t>> integer(const std::string& key) const override { return gguf_.integer(key); }
    base::Result<std::optional<double>> real(const std::string& key) const override { return gguf_.real(key); }
    base::Result<std::optional<bool>> boolean(const std::string& key) const override { return gguf_.boolean(key); }
    base::Result<std::optional<std::vector<std::int64_t>>> integers(const std::string& key) const override { return gguf_.integers(key); }
    bool is_array(const std::string& key) const override {
        const GgufValue* const value = gguf_.value(key);
        return value && value->type == GgufType::array;
    }
    std::optional<std::vector<bool>> flags(const std::string& key) const override {
        const GgufValue* const value = gguf_.value(key);
        if (!value || value->type != GgufType::array || value->element != GgufType::boolean) return std::nullopt;
        return std::vector<bool>(value->bytes.begin(), value->bytes.end());
    }
    std::string shown(const std::string& key) const override { return key; }
    // Between layers of experts there may be dense ones: those have the tensors of one.
    bool has_experts(int layer) const override {
        const std::string block = "blk." + std::to_string(layer) + ".";
        return gguf_.tensor(block + "ffn_gate_inp.weight") || !gguf_.tensor(block + "ffn_gate.weight");
    }
    base::Result<int> vocabulary(int hidden) const override {
        const GgufTensor* const embedding = gguf_.tensor("token_embd.weight");
        if (!embedding) return gguf_.error("tensor 'token_embd.weight' is missing");
        if (embedding->dims.size() != 2 || embedding->dims[1] > std::uint64_t(INT32_MAX))
            return gguf_.error("tensor 'token_embd.weight' has shape " + embedding->shape() + ", expected [" + std::to_string(hidden) + ", vocabulary]");
        return int(embedding->dims[1]);
    }
    base::Error error(std::string what, base::Code code) const override { return gguf_.error(std::move(what), code); }

private:
    const Gguf& gguf_;
};

}  // namespace engine
