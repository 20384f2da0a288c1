// Mounts the folder that a program works in into a sandbox that bubblewrap has made without one. Nothing has run in
// it yet, and what is mounted is what is there now: no mount is older than the call that it is made for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sandbox/wire.h"

namespace sandbox {

// Where the program's files live inside: the workspace's own path, or an empty folder.
std::string folder_inside(const Request& request);

// Puts this process into a sandbox's mount namespace `mounts`, and the user namespace that owns it, and mounts there the
// workspace (-1: an empty folder of memory), which `folder` is then. The workspace is reached by its descriptor, so that
// this process needs the right to enter that folder, and none above it. For a process with one CPU thread that has become
// the owner of the sandbox and ends afterwards. Empty on success, else why not.
std::string mount_folder(int mounts, const Request& request, int workspace, Fd& folder);

// What is to be mounted over itself, known by device and inode.
struct Cover {
    std::string path;  // relative to the workspace
    bool writable = false;
    std::uint64_t device = 0, inode = 0;
};

// Then, over `folder`: the covers in their order, nothing but empty folders and files that nobody can open over what is masked; and nothing more can be made in the
// sandbox's root. All mounts are nosuid and nodev. Empty on success, else why not.
std::string cover_folder(const Request& request, const Fd& folder, const std::vector<Cover>& covers);

}  // namespace sandbox
