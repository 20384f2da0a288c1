// Vectors of texts by an embedding model, in signed bytes, and which of many stand out beside a question's. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace memory {

// A signed byte for each number: its direction alone counts, and one of zeros is near nothing.
std::string in_bytes(std::span<const float> vector);
// The cosine; 0 where they are of two widths.
double cosine(const std::string& a, const std::string& b);

// What a question means.
struct Meaning {
    std::string model;         // by which, with the width of its vectors
    std::string bytes;
    std::string probe;         // the vector of kProbe by the same: whoever makes another one of it is another model, whatever its name
};
inline constexpr const char* kProbe = "The quick brown fox jumps over the lazy dog.";
inline constexpr double kSameModel = 0.99;

// The vectors of many, by number; those that were never set are near nothing.
class Meanings {
public:
    // Of another width than the first: ignored.
    void set(std::size_t number, const std::string& bytes);
    std::size_t bytes() const { return numbers_.capacity() + scales_.capacity() * sizeof(float); }

    // How near each of `size` is to the question: the cosine; 0 without a vector.
    std::vector<float> near(const std::string& question, std::size_t size) const;

private:
    std::size_t width_ = 0;
    std::vector<std::int8_t> numbers_;  // (number, width)
    std::vector<float> scales_;         // that make the vectors' lengths 1; 0: none
};

// What the nearest of many are worth, 0 to 1: how far each is above the mean, of the nearest's. `alone`: from there on one stands out as none would by chance, of so many as
// near as they are by chance: half a deviation beyond the farthest that is to be expected of n, sqrt(2 ln n). Where all are alike, and of few, none does.
struct Standing {
    std::vector<float> worth;  // by number; 0: it is none of the nearest
    float alone = 2;
};
Standing standing(const std::vector<float>& near);

}  // namespace memory
