#include "sandbox/passing.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace sandbox {

bool pass_descriptors(int socket, char byte, const int* descriptors, int count) {
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int) * kMostPassed)] = {};
    const std::size_t size = sizeof(int) * std::size_t(count);
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(head), descriptors, size);
    ssize_t sent = -1;
    do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == 1;
}

int take_descriptors(int socket, char& byte, int* descriptors, int flags) {
    alignas(cmsghdr) char space[CMSG_SPACE(sizeof(int) * kMostPassed)] = {};
    iovec part{&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = space;
    message.msg_controllen = sizeof space;
    errno = 0;  // so that the end of file is none
    ssize_t got = -1;
    do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
    while (got < 0 && errno == EINTR);
    if (got <= 0) return -1;
    const cmsghdr* head = CMSG_FIRSTHDR(&message);
    if (!head || head->cmsg_type != SCM_RIGHTS) return 0;
    const std::size_t size = head->cmsg_len - CMSG_LEN(0);
    std::memcpy(descriptors, CMSG_DATA(head), size);
    return int(size / sizeof(int));
}

}  // namespace sandbox
