#include "engine/convert.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "engine/inspect.h"
#include "engine/memory_plan.h"
#include "engine/model/builder.h"
#include "engine/model/checkpoint.h"
#include "engine/model/checksum.h"
#include "engine/model/converted_file.h"
#include "engine/model/encoder_file.h"
#include "engine/model/gguf_file.h"
#include "engine/raw_bytes.h"
#include "engine/target_choice.h"

namespace engine {
namespace {

namespace fs = std::filesystem;
using base::Code;
using base::Json;

// Asks another source and remembers. No matrix is used where it lies, so that all have a place in the image.
class RecordingSource final : public TensorSource {
public:
    explicit RecordingSource(TensorSource& from) : from_(from) {}
    SourceRecord record;

    bool has(const std::string& name) const override {
        const bool found = from_.has(name);
        if (found) has_.insert(name);
        return found;
    }

    base::Result<Stored> matrices(const std::string& name, int rows, int cols, int count) override {
        auto found = from_.matrices(name, rows, cols, count);
        if (!found) return found;
        record.matrices[name] = {found->format, rows, found->cols, count, cols, found->eight_bits, found->scales, found->order};
        Stored out = *found;
        out.in_place.assign(out.in_place.size(), nullptr);
        out.read = [from = *std::move(found)](int matrix, int begin, int end, std::uint8_t* to) { from.copy_rows(matrix, begin, end, to); };
        return out;
    }

    base::Result<std::vector<float>> values(const std::string& name, const std::vector<std::uint64_t>& dims) override {
        auto found = from_.values(name, dims);
        if (found) record.values[name] = {dims, *found};
        return found;
    }

    base::Result<void> finish() override {
        record.has = has_;
        return from_.finish();
    }

private:
    TensorSource& from_;
    mutable std::set<std::string> has_;
};

std::size_t up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }

// Parts one after another, and where each lies.
class Parts {
public:
    template <class T>
    Json add(const std::vector<T>& values) { return add({reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(T)}); }
    Json add(std::span<const std::uint8_t> part) {
        bytes.resize(up(bytes.size(), ConvertedFile::kPartAlignment));
        const Json at = {bytes.size(), part.size()};
        bytes.insert(bytes.end(), part.begin(), part.end());
        return at;
    }
    std::vector<std::uint8_t> bytes;
};

// What an index says of a source's tensors, their values in `parts`.
void write_record(const SourceRecord& record, Parts& parts, Json& index) {
    index["has"] = record.has;
    Json values = Json::object(), matrices = Json::object();
    for (const auto& [name, value] : record.values) values[name] = {{"dims", value.first}, {"at", parts.add(value.second)}};
    for (const auto& [name, m] : record.matrices) {
        Json& row = matrices[name] = {{"format", info(m.format).name}, {"rows", m.rows}, {"cols", m.cols}, {"count", m.count}, {"inputs", m.inputs}, {"eight_bits", m.eight_bits}};
        if (!m.scales.empty()) row["scales"] = parts.add(m.scales);
        if (!m.order.empty()) row["order"] = parts.add(m.order);
    }
    index["values"] = std::move(values);
    index["matrices"] = std::move(matrices);
}

// All of the source that is no weight.
base::Result<void> write_texts(const ModelFile& file, Parts& parts, Json& index) {
    Json texts = Json::object();
    if (const auto* gguf = dynamic_cast<const GgufFile*>(&file)) {
        index["source"] = "gguf";
        texts["gguf"] = parts.add(gguf->gguf().head());
    } else if (const auto* checkpoint = dynamic_cast<const Checkpoint*>(&file)) {
        index["source"] = "checkpoint";
        for (const std::string& name : checkpoint->files().present()) {
            const auto text = checkpoint->files().text(name.c_str());
            if (!text) return text.error();
            texts[name] = parts.add({reinterpret_cast<const std::uint8_t*>(text->data()), text->size()});
        }
    } else {
        return base::error(Code::invalid_argument, file.path().string() + ": was converted already", "convert the model that it was made of");
    }
    index["texts"] = std::move(texts);
    return {};
}

// A file that takes its name when it is whole.
class Draft {
public:
    static base::Result<std::unique_ptr<Draft>> begin(const fs::path& out, std::uint64_t bytes) {
        std::unique_ptr<Draft> draft(new Draft(out));
        const fs::path folder = out.has_parent_path() ? out.parent_path() : fs::path(".");
        std::error_code unreadable;
        if (!fs::is_directory(folder, unreadable)) return base::error(Code::not_found, out.string() + " has no folder: there is no " + folder.string(), "make it, or name a file elsewhere");
        struct statvfs disk {};
        if (statvfs(folder.c_str(), &disk) != 0) return draft->failed("look at the folder of");
        if (const std::uint64_t room = std::uint64_t(disk.f_bavail) * disk.f_frsize; room < bytes)
            return base::error(Code::resource_exhausted, folder.string() + " has room for " + std::to_string(room >> 20) + " MiB, " + out.filename().string() + " wants " + std::to_string((bytes >> 20) + 1) + " MiB",
                               "make room there, or name a file on another disk");
        draft->fd_ = ::open(draft->draft_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (draft->fd_ < 0) return draft->failed("write");
        // A draft that another conversion finished or dropped in between is a file of another name, or of none.
        struct stat mine {}, there {};
        const bool held = flock(draft->fd_, LOCK_EX | LOCK_NB) == 0 && fstat(draft->fd_, &mine) == 0 && stat(draft->draft_.c_str(), &there) == 0 &&
                          mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
        if (!held) {
            ::close(draft->fd_);
            draft->fd_ = -1;
            return base::error(Code::conflict, out.string() + " is being written by another conversion", "wait for its end");
        }
        if (ftruncate(draft->fd_, 0) != 0 || ftruncate(draft->fd_, off_t(bytes)) != 0) return draft->failed("write");
        return draft;
    }
    ~Draft() {
        if (fd_ < 0) return;
        unlink(draft_.c_str());
        ::close(fd_);
    }
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    base::Result<void> write(std::span<const std::uint8_t> bytes, std::uint64_t at) {
        while (!bytes.empty()) {
            const ssize_t n = pwrite(fd_, bytes.data(), bytes.size(), off_t(at));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return failed("write");
            bytes = bytes.subspan(std::size_t(n));
            at += std::uint64_t(n);
        }
        return {};
    }

    base::Result<void> finish() {
        if (fsync(fd_) != 0) return failed("finish");
        posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);  // a mapping that reads it anew gets large pages, which written ones are not
        if (std::rename(draft_.c_str(), out_.c_str()) != 0) return failed("finish");
        ::close(fd_);
        fd_ = -1;
        const int folder = ::open(out_.has_parent_path() ? out_.parent_path().c_str() : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0) {
            fsync(folder);
            ::close(folder);
        }
        return {};
    }

private:
    explicit Draft(const fs::path& out) : out_(out), draft_(out.parent_path() / ("." + out.filename().string() + ".partial")) {}
    base::Error failed(const char* what) const { return base::error(Code::io, std::string("cannot ") + what + " " + out_.string() + ": " + std::strerror(errno), "look at the folder's rights and room"); }

    fs::path out_, draft_;
    int fd_ = -1;
};

// Checksums of the stretches of a stream that end where it is told.
class StretchSums {
public:
    // `key`: theirs in the index.
    StretchSums(const char* key, std::vector<std::size_t> ends) : key(key), ends_(std::move(ends)) {}
    std::size_t stretches() const { return ends_.size(); }
    void add(std::span<const std::uint8_t> bytes) {
        while (!bytes.empty()) {
            const std::size_t part = std::min(bytes.size(), ends_[sums.size()] - at_);
            held_.insert(held_.end(), bytes.begin(), bytes.begin() + std::ptrdiff_t(part));
            at_ += part;
            bytes = bytes.subspan(part);
            if (at_ < ends_[sums.size()]) continue;
            sums.push_back(xxh64(held_));
            held_.clear();
        }
    }
    const char* key;
    std::vector<std::uint64_t> sums;

private:
    std::vector<std::size_t> ends_;
    std::size_t at_ = 0;
    std::vector<std::uint8_t> held_;
};

std::vector<std::size_t> image_chunks(const ModelLayout& layout) {
    std::vector<std::size_t> ends;
    for (std::size_t at = 0; at < layout.bytes.packed;) ends.push_back(at = std::min(layout.bytes.packed, at + WeightImage::chunk));
    return ends;
}

// The image in pieces of about `piece` bytes, each packed by the pool.
base::Result<void> write_image(ModelLayout& layout, const Ops& ops, Pool& pool, Draft& draft, std::uint64_t begin, std::span<StretchSums> sums,
                               const std::function<void(std::uint64_t, std::uint64_t)>& progress, const base::StopToken& stop) {
    constexpr std::size_t piece = 64 << 20;
    std::ranges::sort(layout.packings, {}, &ModelLayout::Packing::offset);
    std::vector<std::uint8_t> bytes;
    const std::size_t n = layout.packings.size(), all = layout.bytes.packed;
    for (std::size_t first = 0, last = 0; first < n; first = last) {
        if (stop.stopped()) return stop.error("the conversion");
        const std::size_t at = layout.packings[first].offset;
        const auto end_of = [&](std::size_t i) { return i + 1 < n ? layout.packings[i + 1].offset : all; };
        do ++last;
        while (last < n && end_of(last) - at <= piece);
        bytes.assign(end_of(last - 1) - at, 0);
        pool.run(int(last - first), [&](int item, int) {
            const auto& packing = layout.packings[first + std::size_t(item)];
            bring(layout, packing, ops, bytes.data() + (packing.offset - at));
        });
        if (auto written = draft.write(bytes, begin + at); !written) return std::move(written).error();
        for (StretchSums& of : sums) of.add(bytes);
        if (progress) progress(at + bytes.size(), all);
    }
    return {};
}

void put(std::vector<std::uint8_t>& head, std::size_t at, std::uint64_t value) { std::memcpy(head.data() + at, &value, sizeof value); }

// Preamble, index and parts, up to the image.
std::vector<std::uint8_t> head_of(const Json& index, const std::vector<std::uint8_t>& parts, std::uint64_t image) {
    const std::string text = base::dump(index);
    const std::size_t at = up(ConvertedFile::kPreamble + text.size(), ConvertedFile::kPartAlignment);
    std::vector<std::uint8_t> head(up(at + parts.size(), ConvertedFile::kImageAlignment));
    std::memcpy(head.data(), ConvertedFile::kMagic.data(), ConvertedFile::kMagic.size());
    std::memcpy(head.data() + ConvertedFile::kPreamble, text.data(), text.size());
    std::copy(parts.begin(), parts.end(), head.begin() + std::ptrdiff_t(at));
    put(head, 16, text.size());
    put(head, 24, head.size());
    put(head, 32, image);
    put(head, 8, xxh64(std::span(head).subspan(ConvertedFile::kSummed)));
    return head;
}

base::Result<void> check_out(const fs::path& source, const fs::path& out) {
    std::error_code none;
    if (fs::is_directory(out, none)) return base::error(Code::invalid_argument, out.string() + " is a folder", "name the file to write");
    if (fs::exists(out, none) && (fs::equivalent(source, out, none) || !ConvertedFile::is_one(out)))
        return base::error(Code::conflict, out.string() + " is there already and is no converted model", "name another file");
    if (Checkpoint::is_one(out)) return base::error(Code::invalid_argument, out.string() + " has the name of a checkpoint's file", "name it otherwise, for example " + out.stem().string() + ".hearth");
    return {};
}

}  // namespace

base::Result<Conversion> convert(const LoadOptions& options, const fs::path& out, const std::function<void(std::uint64_t, std::uint64_t)>& progress, base::StopToken stop) {
    if (auto fine = check_out(options.path, out); !fine) return std::move(fine).error();
    if (is_encoder(options.path)) return base::error(Code::unsupported, options.path.string() + " is an encoder", "it is small and loads as it is: name it in embedding.path");
    auto opened = ModelFile::open(options.path);
    if (!opened) return std::move(opened).error();
    const ModelFile& file = **opened;
    auto head = read_head(file);
    if (!head) return std::move(head).error();
    auto described = describe(file, head->config, head->vocabulary);
    if (!described) return std::move(described).error();
    auto target = choose_target(options);
    if (!target) return std::move(target).error();
    const Ops& ops = *target->ops;

    Parts parts;
    Json index = {{"version", ConvertedFile::kVersion}, {"target", target->name}, {"name", head->config.name},
                  {"sizes", {{"format", described->format}, {"parameters", described->parameters}, {"active_parameters", described->active_parameters}, {"bytes_per_token", described->weight_bytes_per_token}}}};
    if (auto written = write_texts(file, parts, index); !written) return std::move(written).error();
    Model model;
    const auto tensors = file.tensors(head->config);
    RecordingSource source(*tensors);
    auto layout = lay_out(source, head->config, ops, model);
    if (!layout) return std::move(layout).error();
    index["packing"] = raw::hex(packing_print(ops, layout->values));
    index["layout"] = raw::hex(layout_print(*layout));
    write_record(source.record, parts, index);
    // Of the size that they will have, so that the image's place is known.
    const std::uint64_t image = layout->bytes.packed;
    std::vector<StretchSums> sums = {{"checksums", image_chunks(*layout)}};
    if (!layout->stacks.empty()) sums.emplace_back("piece_checksums", image_pieces(*layout));
    for (const StretchSums& of : sums) index[of.key] = parts.add(std::vector<std::uint64_t>(of.stretches()));
    const std::uint64_t begin = head_of(index, parts.bytes, image).size();

    auto draft = Draft::begin(out, begin + image);
    if (!draft) return std::move(draft).error();
    Pool pool(options.threads ? options.threads : usable_cpus());
    if (auto written = write_image(*layout, ops, pool, **draft, begin, sums, progress, stop); !written) return std::move(written).error();
    for (const StretchSums& of : sums) std::memcpy(parts.bytes.data() + index[of.key][0].get<std::size_t>(), of.sums.data(), of.sums.size() * sizeof(std::uint64_t));
    if (auto written = (*draft)->write(head_of(index, parts.bytes, image), 0); !written) return std::move(written).error();
    if (auto finished = (*draft)->finish(); !finished) return std::move(finished).error();
    return Conversion{begin + image, target->name};
}

}  // namespace engine
