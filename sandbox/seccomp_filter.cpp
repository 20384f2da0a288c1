#include "sandbox/seccomp_filter.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sandbox/wire.h"

namespace sandbox {
namespace {

constexpr unsigned long kTioclinux = 0x541C;

// Looked up by name: a call that this architecture lacks is skipped.
const char* const kDenied[] = {
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "process_madvise", "kcmp",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "bpf", "perf_event_open", "userfaultfd",
    "add_key", "request_key", "keyctl", "socket",
    "mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree",
    "open_tree_attr", "mount_setattr", "unshare", "setns", "open_by_handle_at", "name_to_handle_at", "fanotify_init",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "syslog", "lookup_dcookie", "nfsservctl",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
    "iopl", "ioperm", "modify_ldt", "vhangup", "vmsplice", "memfd_secret",
};

const char* const kHiddenMemory[] = {"memfd_create", "shmget"};

bool deny(scmp_filter_ctx filter, const char* call) {
    const int number = seccomp_syscall_resolve_name(call);
    return number < 0 || seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), number, 0) == 0;
}

bool add_rules(scmp_filter_ctx filter, const SeccompOptions& options) {
    const auto denied = [&](const char* call) { return deny(filter, call); };
    if (!std::all_of(std::begin(kDenied), std::end(kDenied), denied)) return false;
    if (!options.hidden_memory && !std::all_of(std::begin(kHiddenMemory), std::end(kHiddenMemory), denied)) return false;
    const unsigned long spaces[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP};
    for (unsigned long space : spaces)
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, space, space)) != 0) return false;
    for (unsigned long request : {static_cast<unsigned long>(TIOCSTI), kTioclinux})
        if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, SCMP_A1(SCMP_CMP_MASKED_EQ, 0xFFFFFFFFu, request)) != 0) return false;
    return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_NE, AF_UNIX)) == 0;
}

}  // namespace

base::Result<std::vector<sock_filter>> seccomp_program(SeccompOptions options) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    const Fd file = memory_file("");
    const bool good = filter && file && seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 && add_rules(filter, options) &&
                      seccomp_export_bpf(filter, file.get()) == 0;
    if (filter) seccomp_release(filter);
    const std::string bytes = good ? read_file(file.get()) : std::string();
    if (bytes.empty()) return base::error(base::Code::unavailable, "the seccomp filter cannot be built");
    std::vector<sock_filter> program(bytes.size() / sizeof(sock_filter));
    std::memcpy(program.data(), bytes.data(), program.size() * sizeof(sock_filter));
    return program;
}

}  // namespace sandbox
