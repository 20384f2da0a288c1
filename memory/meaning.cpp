#include "memory/meaning.h"

#include <algorithm>
#include <cmath>

namespace memory {
namespace {

constexpr std::size_t kNearest = 50;
constexpr std::size_t kAtOnce = 16;  // a length that the compiler knows becomes vector instructions
constexpr double kBeyond = 0.5;      // deviations: one question in a hundred has one there by chance
constexpr std::size_t kFew = 16;  // of fewer nobody knows what is usual

const std::int8_t* numbers_of(const std::string& bytes) { return reinterpret_cast<const std::int8_t*>(bytes.data()); }

std::int32_t dot(const std::int8_t* a, const std::int8_t* b, std::size_t width) {
    std::int32_t sum = 0;
    std::size_t i = 0;
    for (; i + kAtOnce <= width; i += kAtOnce) {
        std::int32_t part = 0;
        for (std::size_t j = 0; j < kAtOnce; ++j) part += std::int16_t(std::int16_t(a[i + j]) * b[i + j]);
        sum += part;
    }
    for (; i < width; ++i) sum += std::int32_t(a[i]) * b[i];
    return sum;
}

// What makes its length 1; 0 of zeros.
float to_length_one(const std::string& bytes) {
    const std::int32_t squared = dot(numbers_of(bytes), numbers_of(bytes), bytes.size());
    return squared > 0 ? 1 / std::sqrt(float(squared)) : 0;
}

}  // namespace

std::string in_bytes(std::span<const float> vector) {
    float most = 0;
    for (const float x : vector) most = std::max(most, std::abs(x));
    std::string out(vector.size(), '\0');
    if (!(most > 0) || !std::isfinite(most)) return out;
    for (std::size_t i = 0; i < vector.size(); ++i) out[i] = char(std::int8_t(std::lround(vector[i] / most * 127)));
    return out;
}

double cosine(const std::string& a, const std::string& b) {
    if (a.size() != b.size()) return 0;
    return double(to_length_one(a)) * to_length_one(b) * dot(numbers_of(a), numbers_of(b), a.size());
}

void Meanings::set(std::size_t number, const std::string& bytes) {
    if (width_ == 0) width_ = bytes.size();
    if (bytes.size() != width_ || bytes.empty()) return;
    if (scales_.size() <= number) {
        scales_.resize(number + 1);
        numbers_.resize((number + 1) * width_);
    }
    scales_[number] = to_length_one(bytes);
    std::copy_n(numbers_of(bytes), width_, numbers_.begin() + std::ptrdiff_t(number * width_));
}

std::vector<float> Meanings::near(const std::string& question, std::size_t size) const {
    std::vector<float> out(size);
    if (question.size() != width_) return out;
    const float own = to_length_one(question);
    for (std::size_t i = 0; i < std::min(size, scales_.size()); ++i)
        if (scales_[i] > 0) out[i] = own * scales_[i] * float(dot(numbers_of(question), numbers_.data() + i * width_, width_));
    return out;
}

Standing standing(const std::vector<float>& near) {
    Standing out;
    std::vector<std::uint32_t> known;
    double sum = 0, squares = 0;
    for (std::uint32_t i = 0; i < near.size(); ++i)
        if (near[i] != 0) known.push_back(i), sum += near[i], squares += double(near[i]) * near[i];
    if (known.size() < kFew) return out;
    const double n = double(known.size()), mean = sum / n, deviation = std::sqrt(std::max(0.0, squares / n - mean * mean));
    if (deviation < 1e-6) return out;
    const std::size_t kept = std::min(kNearest, known.size());
    std::partial_sort(known.begin(), known.begin() + std::ptrdiff_t(kept), known.end(), [&](std::uint32_t a, std::uint32_t b) { return near[a] > near[b]; });
    const double best = near[known[0]] - mean;
    out.worth.resize(near.size());
    for (std::size_t i = 0; i < kept; ++i) out.worth[known[i]] = float(std::max(0.0, (near[known[i]] - mean) / best));
    out.alone = float((std::sqrt(2 * std::log(n)) + kBeyond) * deviation / best);
    return out;
}

}  // namespace memory
