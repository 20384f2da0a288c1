#include "engine/expert_record.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include "engine/raw_bytes.h"

namespace engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRecordMagic = "HearthE1";
constexpr double kPriorTokens = 16;  // with which an expert that was never chosen is not taken for one that never will be

// Fields of a text of the right length, one after another.
template <class T>
T take_field(std::string_view& from) {
    const T value = raw::value_at<T>(from, 0);
    from.remove_prefix(sizeof value);
    return value;
}

}  // namespace

ExpertRecord::ExpertRecord(fs::path folder, const ModelInfo& model, const ExpertPlan& plan)
    : folder_(std::move(folder)), layers_(plan.layers), experts_(plan.experts), used_(plan.used), choices_(std::size_t(plan.all())) {
    std::string about = model.architecture + '\n' + model.name;
    for (const std::uint64_t word : {model.parameters, std::uint64_t(model.hidden), std::uint64_t(model.vocabulary), std::uint64_t(plan.used)}) raw::append(about, word);
    model_ = raw::checksum(about);
    if (!folder_.empty()) read();
}

fs::path ExpertRecord::file() const {
    return folder_ / (raw::hex(model_) + ".experts");
}

void ExpertRecord::read() {
    std::ifstream in(file(), std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(in)), {});
    constexpr std::size_t head = kRecordMagic.size() + 8, fixed = head + 8 + 4 + 4 + 8 + 16 + sizeof costs.read;
    if (bytes.size() != fixed + choices_.size() * sizeof(float) || !bytes.starts_with(kRecordMagic)) return;
    std::string_view rest = std::string_view(bytes).substr(kRecordMagic.size());
    if (const auto sum = take_field<std::uint64_t>(rest); sum != raw::checksum(rest)) return;
    if (take_field<std::uint64_t>(rest) != model_ || take_field<std::uint32_t>(rest) != std::uint32_t(layers_) || take_field<std::uint32_t>(rest) != std::uint32_t(experts_)) return;
    tokens_ = take_field<double>(rest);
    costs.computing = take_field<double>(rest), costs.layer = take_field<double>(rest);
    for (double& seconds : costs.read) seconds = take_field<double>(rest);
    for (float& choices : choices_) choices = take_field<float>(rest);
}

base::Result<void> ExpertRecord::write() const {
    if (folder_.empty()) return {};
    std::string body;
    raw::append(body, model_), raw::append(body, std::uint32_t(layers_)), raw::append(body, std::uint32_t(experts_)), raw::append(body, tokens_), raw::append(body, costs.computing), raw::append(body, costs.layer);
    for (const double seconds : costs.read) raw::append(body, seconds);
    for (const float choices : choices_) raw::append(body, choices);
    std::string bytes(kRecordMagic);
    raw::append(bytes, raw::checksum(body));
    bytes += body;

    std::error_code there;
    if (fs::create_directories(folder_, there)) fs::permissions(folder_, fs::perms::owner_all, there);
    const fs::path draft = file().string() + "." + std::to_string(getpid());
    if ((std::ofstream(draft, std::ios::binary) << bytes << std::flush) && std::rename(draft.c_str(), file().c_str()) == 0) return {};
    const int why = errno;
    std::error_code none;
    fs::remove(draft, none);  // where the disk is full a part of it lies there
    return base::error(base::Code::io, "cannot keep " + file().string() + ": " + std::strerror(why), "look at the folder's rights and room");
}

void ExpertRecord::count(int stack, const std::int32_t* chosen, int rows, int used) {
    float* const of_stack = choices_.data() + std::size_t(stack) * std::size_t(experts_);
    for (int i = 0; i < rows * used; ++i) of_stack[chosen[i]] += 1;
    if (stack > 0) return;
    tokens_ += rows;
    if (tokens_ < 2 * kHalved) return;
    tokens_ /= 2;
    for (float& choices : choices_) choices /= 2;
}

std::vector<double> ExpertRecord::chances() const {
    const double alike = double(used_) / std::max(1, experts_);
    std::vector<double> out(choices_.size(), alike);
    if (!tells()) return out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::min(1.0, (double(choices_[i]) + kPriorTokens * alike) / (tokens_ + kPriorTokens));
    return out;
}

std::size_t pinned_slots(const ExpertPlan& plan, const ExpertRecord& record) {
    if (!record.tells()) return 0;
    return std::size_t(std::min(plan.slots / 2, plan.slots - std::uint64_t(plan.used)));
}

ExpertForecast forecast(const ExpertPlan& plan, const ExpertRecord& record) {
    ExpertForecast out;
    out.of_traffic = record.tells();
    out.hits = predict_hits(record.chances(), std::size_t(plan.slots), pinned_slots(plan, record));
    if (record.costs.known()) out.tokens_per_second = 1 / predict_seconds(plan, out.hits, record.costs);
    return out;
}

}  // namespace engine
