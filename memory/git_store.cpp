#include "memory/git_store.h"

#include <git2.h>

namespace memory {
namespace {

namespace fs = std::filesystem;
using base::Code;

constexpr const char* kBranch = "main";

// Of the process, once; the settings of this machine's people (their names, their hooks, their line ends) are not read.
void ready() {
    static const bool done = [] {
        git_libgit2_init();
        for (const int level : {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_GLOBAL, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_PROGRAMDATA}) git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
        git_libgit2_opts(GIT_OPT_ENABLE_FSYNC_GITDIR, 1);
        return true;
    }();
    static_cast<void>(done);
}

base::Error failed(const std::string& what) {
    const git_error* const last = git_error_last();
    return base::error(Code::io, what + ": " + (last && last->message ? last->message : "libgit2 does not say why"), "check permissions and free space of state.folder");
}

template <class T, void (*release)(T*)>
struct Owned {
    T* at = nullptr;
    Owned() = default;
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() {
        if (at) release(at);
    }
};
using Tree = Owned<git_tree, git_tree_free>;
using Commit = Owned<git_commit, git_commit_free>;
using Index = Owned<git_index, git_index_free>;
using Signature = Owned<git_signature, git_signature_free>;
using Entry = Owned<git_tree_entry, git_tree_entry_free>;
using Blob = Owned<git_blob, git_blob_free>;

// The newest commit and its tree; false: there is none yet.
base::Result<bool> newest(git_repository* repository, Commit& commit, Tree& tree) {
    git_oid id;
    const int found = git_reference_name_to_id(&id, repository, "HEAD");
    if (found == GIT_ENOTFOUND || found == GIT_EUNBORNBRANCH) return false;
    if (found != 0 || git_commit_lookup(&commit.at, repository, &id) != 0 || git_commit_tree(&tree.at, commit.at) != 0) return failed("the archive's newest commit cannot be read");
    return true;
}

base::Result<git_oid> tree_with(git_repository* repository, const git_tree* before, const std::vector<GitStore::File>& files) {
    Index index;
    git_oid id;
    if (git_index_new(&index.at) != 0 || (before && git_index_read_tree(index.at, before) != 0)) return failed("the archive's files cannot be listed");
    for (const GitStore::File& file : files) {
        git_index_entry entry{};
        entry.mode = GIT_FILEMODE_BLOB;
        entry.path = file.path.c_str();
        if (git_blob_create_from_buffer(&entry.id, repository, file.content.data(), file.content.size()) != 0 || git_index_add(index.at, &entry) != 0)
            return failed("the archive's file " + file.path + " cannot be written");
    }
    if (git_index_write_tree_to(&id, index.at, repository) != 0) return failed("the archive's files cannot be written");
    return id;
}

void remove_locks(const fs::path& folder) {
    std::error_code ignored;
    for (const fs::path& inside : {folder, folder / "refs" / "heads"})
        for (const auto& entry : fs::directory_iterator(inside, ignored))
            if (entry.path().extension() == ".lock") fs::remove(entry.path(), ignored);
}

base::Result<void> make_private(const fs::path& folder) {
    std::error_code wrong;
    fs::create_directories(folder.parent_path(), wrong);
    for (const fs::path& one : {folder.parent_path(), folder}) {
        if (!wrong) fs::create_directory(one, wrong);
        if (!wrong) fs::permissions(one, fs::perms::owner_all, wrong);
    }
    if (wrong) return base::error(Code::io, "the archive " + folder.string() + " cannot be made: " + wrong.message(), "check permissions and free space of state.folder");
    return {};
}

}  // namespace

base::Result<GitStore> GitStore::open_to_write(const fs::path& folder) {
    ready();
    if (auto made = make_private(folder); !made) return std::move(made).error();
    remove_locks(folder);
    git_repository_init_options options;
    git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION);
    options.flags = GIT_REPOSITORY_INIT_BARE;
    options.initial_head = kBranch;
    git_repository* made = nullptr;
    if (git_repository_init_ext(&made, folder.c_str(), &options) != 0) return failed("the archive " + folder.string() + " cannot be opened");
    return GitStore(Handle(made, git_repository_free));
}

base::Result<std::optional<GitStore>> GitStore::open(const fs::path& folder) {
    ready();
    git_repository* found = nullptr;
    const int opened = git_repository_open_bare(&found, folder.c_str());
    if (opened == GIT_ENOTFOUND) return std::optional<GitStore>();
    if (opened != 0) return failed("the archive " + folder.string() + " cannot be opened");
    return std::optional(GitStore(Handle(found, git_repository_free)));
}

base::Result<bool> GitStore::commit(const std::vector<File>& files, const std::string& message, base::TimePoint now) {
    git_repository* const repository = repository_.get();
    Commit parent;
    Tree before, after;
    const auto has_parent = newest(repository, parent, before);
    if (!has_parent) return has_parent.error();
    const auto id = tree_with(repository, before.at, files);
    if (!id) return id.error();
    if (*has_parent && git_oid_equal(git_tree_id(before.at), &*id)) return false;
    Signature who;
    git_oid made;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (git_tree_lookup(&after.at, repository, &*id) != 0 || git_signature_new(&who.at, "hearth", "hearth@localhost", git_time_t(seconds), 0) != 0 ||
        git_commit_create_v(&made, repository, "HEAD", who.at, who.at, "UTF-8", message.c_str(), after.at, *has_parent ? 1 : 0, parent.at) != 0)
        return failed("the archive's commit cannot be written");
    return true;
}

base::Result<std::optional<std::string>> GitStore::read(const std::string& path) const {
    Commit commit;
    Tree tree;
    const auto there = newest(repository_.get(), commit, tree);
    if (!there) return there.error();
    Entry entry;
    const int found = *there ? git_tree_entry_bypath(&entry.at, tree.at, path.c_str()) : GIT_ENOTFOUND;
    if (found == GIT_ENOTFOUND) return std::optional<std::string>();
    Blob blob;
    if (found != 0 || git_blob_lookup(&blob.at, repository_.get(), git_tree_entry_id(entry.at)) != 0) return failed("the archive's file " + path + " cannot be read");
    return std::optional(std::string(static_cast<const char*>(git_blob_rawcontent(blob.at)), std::size_t(git_blob_rawsize(blob.at))));
}

}  // namespace memory
