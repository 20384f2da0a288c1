#include "server/socket_access.h"

#include <endian.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace server {
namespace {

constexpr const char* kAttribute = "system.posix_acl_access";

struct Entry {
    unsigned tag = 0, permissions = 0, id = ACL_UNDEFINED_ID;
};
using Acl = std::vector<Entry>;

Acl of_mode(mode_t mode) { return {{ACL_USER_OBJ, (mode >> 6) & 7}, {ACL_GROUP_OBJ, (mode >> 3) & 7}, {ACL_OTHER, mode & 7}}; }

Acl read_acl(const char* path, mode_t mode) {
    std::vector<char> bytes(4096);
    const ssize_t size = getxattr(path, kAttribute, bytes.data(), bytes.size());
    if (size < ssize_t(sizeof(posix_acl_xattr_header))) return of_mode(mode);
    Acl out;
    for (std::size_t at = sizeof(posix_acl_xattr_header); at + sizeof(posix_acl_xattr_entry) <= std::size_t(size); at += sizeof(posix_acl_xattr_entry)) {
        posix_acl_xattr_entry entry;
        std::memcpy(&entry, bytes.data() + at, sizeof entry);
        out.push_back({le16toh(entry.e_tag), le16toh(entry.e_perm), le32toh(entry.e_id)});
    }
    return out;
}

bool write_acl(const char* path, const Acl& acl) {
    std::vector<char> bytes(sizeof(posix_acl_xattr_header) + acl.size() * sizeof(posix_acl_xattr_entry));
    const posix_acl_xattr_header header{htole32(POSIX_ACL_XATTR_VERSION)};
    std::memcpy(bytes.data(), &header, sizeof header);
    for (std::size_t i = 0; i < acl.size(); ++i) {
        const posix_acl_xattr_entry entry{htole16(acl[i].tag), htole16(acl[i].permissions), htole32(acl[i].id)};
        std::memcpy(bytes.data() + sizeof header + i * sizeof entry, &entry, sizeof entry);
    }
    return setxattr(path, kAttribute, bytes.data(), bytes.size(), 0) == 0;
}

// Adds `permissions` for the user; the mask, which bounds all but owner and others, grows with them.
Acl with_user(Acl acl, unsigned uid, unsigned permissions) {
    const auto find = [&](unsigned tag, unsigned id) {
        return std::find_if(acl.begin(), acl.end(), [&](const Entry& e) { return e.tag == tag && (tag != ACL_USER || e.id == id); });
    };
    if (const auto mine = find(ACL_USER, uid); mine != acl.end()) mine->permissions |= permissions;
    else acl.push_back({ACL_USER, permissions, uid});
    if (const auto mask = find(ACL_MASK, 0); mask != acl.end()) mask->permissions |= permissions;
    else acl.push_back({ACL_MASK, permissions | find(ACL_GROUP_OBJ, 0)->permissions});
    // The kernel wants them by tag, then by id.
    std::sort(acl.begin(), acl.end(), [](const Entry& a, const Entry& b) { return a.tag != b.tag ? a.tag < b.tag : a.id < b.id; });
    return acl;
}

base::Result<void> grant(const std::filesystem::path& path, unsigned uid, unsigned permissions) {
    struct stat info {};
    const bool read = stat(path.c_str(), &info) == 0;
    if (read && write_acl(path.c_str(), with_user(read_acl(path.c_str(), info.st_mode), uid, permissions))) return {};
    return base::error(errno == ENOTSUP ? base::Code::unsupported : base::Code::io,
                       "cannot let uid " + std::to_string(uid) + " through " + path.string() + ": " + std::strerror(errno),
                       "add that user to the group of the server's user");
}

}  // namespace

base::Result<void> admit_user(const std::filesystem::path& socket, unsigned uid) {
    if (auto granted = grant(socket, uid, ACL_READ | ACL_WRITE); !granted) return granted;
    for (auto folder = socket.parent_path(); folder != folder.root_path(); folder = folder.parent_path()) {
        struct stat info {};
        const bool ours = stat(folder.c_str(), &info) == 0 && info.st_uid == geteuid();
        if (!ours || (info.st_mode & S_IXOTH)) return {};
        if (auto granted = grant(folder, uid, ACL_EXECUTE); !granted) return granted;
        if (geteuid() == 0) return {};  // what lies above is not the server's alone
    }
    return {};
}

}  // namespace server
