// The private PostgreSQL cluster: a daemon of its own on a Unix socket under the state folder,
// never as root, shared by all hearth processes.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>

#include "base/log.h"
#include "base/probe.h"
#include "base/result.h"

namespace store {

struct ClusterOptions {
    std::filesystem::path folder;      // data, socket and log lie under it
    std::filesystem::path binaries;    // empty: of /usr/lib/postgresql/*/bin, then PATH
    std::string run_as;                // user to drop to when root; empty: the current user (root refused)
    std::function<void(const std::string&)> progress;
    std::chrono::seconds patience{1800};  // with one that broke off and reads its log before it takes connections
};

struct ClusterStatus {
    bool initialised = false, running = false;
    bool crashed = false;  // it does not run, and nobody stopped it
    std::string version, socket;
    int pid = 0;
};

base::Result<ClusterStatus> cluster_status(const ClusterOptions& options);
// initdb when new, then start; idempotent. Errors name binary, folder, full disk and the remedy.
base::Result<ClusterStatus> start_cluster(const ClusterOptions& options);
base::Result<void> stop_cluster(const ClusterOptions& options);

// Conninfo for the two roles of a started cluster.
std::string owner_url(const ClusterOptions& options);  // role hearth_owner: migrates
std::string app_url(const ClusterOptions& options);    // role hearth_app: runs

}  // namespace store
