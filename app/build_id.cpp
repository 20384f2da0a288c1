#include "app/build_id.h"

#include <elf.h>
#include <link.h>

#include <cstdio>
#include <cstring>

#include "app/version.h"

namespace app {
namespace {

constexpr std::size_t kShown = 16;  // hexadecimal digits

std::string id_in(const char* notes, std::size_t size) {
    for (std::size_t at = 0; at + sizeof(ElfW(Nhdr)) <= size;) {
        ElfW(Nhdr) note;
        std::memcpy(&note, notes + at, sizeof note);
        const auto padded = [](std::size_t n) { return (n + 3) / 4 * 4; };
        const char* const name = notes + at + sizeof note;
        const auto* const id = reinterpret_cast<const unsigned char*>(name + padded(note.n_namesz));
        at += sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
        if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || at > size) continue;
        std::string out;
        for (std::size_t i = 0; i < note.n_descsz && out.size() < kShown; ++i) {
            char hex[3];
            std::snprintf(hex, sizeof hex, "%02x", id[i]);
            out += hex;
        }
        return out;
    }
    return {};
}

// Of the first object, which is the program itself.
int look(dl_phdr_info* info, std::size_t, void* out) {
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        const auto& header = info->dlpi_phdr[i];
        if (header.p_type != PT_NOTE) continue;
        std::string found = id_in(reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr), header.p_memsz);
        if (!found.empty()) *static_cast<std::string*>(out) = std::move(found);
    }
    return 1;
}

}  // namespace

std::string build_id() {
    std::string out;
    dl_iterate_phdr(look, &out);
    return out.empty() ? kVersion : out;
}

}  // namespace app
