// A GGUF of version 3 whose keys and tensors can be changed, written anew.
#pragma once

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "support/fixtures.h"
#include "support/gguf_writer.h"

namespace support {

class GgufCopy {
public:
    struct Tensor {
        std::vector<std::uint64_t> dims;
        std::uint32_t type = 0;      // ggml's number
        std::string data;
    };

    explicit GgufCopy(const std::filesystem::path& from) : bytes_(read_text(from)), at_(8) {
        const auto n_tensors = take<std::uint64_t>(), n_values = take<std::uint64_t>();
        for (std::uint64_t i = 0; i < n_values; ++i) {
            const std::string key = take_text();
            const std::size_t begin = at_;
            pass(take<std::uint32_t>());
            keys[key] = bytes_.substr(begin, at_ - begin);
        }
        std::map<std::uint64_t, std::string> by_offset;
        for (std::uint64_t i = 0; i < n_tensors; ++i) {
            const std::string name = take_text();
            Tensor& tensor = tensors[name];
            tensor.dims.resize(take<std::uint32_t>());
            for (std::uint64_t& dim : tensor.dims) dim = take<std::uint64_t>();
            tensor.type = take<std::uint32_t>();
            by_offset[take<std::uint64_t>()] = name;
        }
        const std::size_t base = (at_ + 31) / 32 * 32;
        for (auto it = by_offset.begin(); it != by_offset.end(); ++it) {
            const auto next = std::next(it);
            tensors[it->second].data = bytes_.substr(base + it->first, next == by_offset.end() ? std::string::npos : next->first - it->first);
        }
    }

    template <class T>
    void set(const std::string& key, const T& value) {
        GgufWriter w(0, 0);
        const std::size_t begin = w.bytes.size() + 8 + key.size();
        w.value(key, value);
        keys[key] = w.bytes.substr(begin);
    }
    // A tensor of another name with the values of `of`.
    void copy(const std::string& of, const std::string& name) { tensors[name] = tensors.at(of); }

    void write(const std::filesystem::path& path) const {
        GgufWriter w(tensors.size(), keys.size());
        for (const auto& [key, value] : keys) w.text(key), w.bytes += value;
        std::uint64_t offset = 0;
        for (const auto& [name, tensor] : tensors) {
            w.text(name), w.u32(std::uint32_t(tensor.dims.size()));
            for (const std::uint64_t dim : tensor.dims) w.u64(dim);
            w.u32(tensor.type), w.u64(offset);
            offset += (tensor.data.size() + 31) / 32 * 32;
        }
        w.pad();
        for (const auto& [name, tensor] : tensors) w.bytes += tensor.data, w.pad();
        std::ofstream(path, std::ios::binary) << w.bytes;
    }

    std::map<std::string, std::string> keys;  // their types and values, as they lie in the file
    std::map<std::string, Tensor> tensors;

private:
    template <class T>
    T take() {
        T out;
        std::memcpy(&out, bytes_.data() + at_, sizeof out);
        at_ += sizeof out;
        return out;
    }
    std::string take_text() {
        const auto length = take<std::uint64_t>();
        at_ += length;
        return bytes_.substr(at_ - length, length);
    }
    void pass(std::uint32_t type) {
        constexpr std::size_t kBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
        constexpr std::uint32_t kText = 8, kArray = 9;
        if (type == kText) take_text();
        else if (type != kArray) at_ += kBytes[type];
        if (type != kArray) return;
        const auto element = take<std::uint32_t>();
        const auto count = take<std::uint64_t>();
        for (std::uint64_t i = 0; i < count; ++i) pass(element);
    }

    std::string bytes_;
    std::size_t at_;
};

}  // namespace support
