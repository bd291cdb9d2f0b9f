// Bytes over file descriptors and sockets.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "cosim/gdb.hpp"

namespace pogo::cosim {

DescriptorStream::~DescriptorStream() { ::close(descriptor_); }

void DescriptorStream::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw PeerEnded(fmt::format("the connection is broken: {}", std::strerror(errno)));
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

bool DescriptorStream::receive(std::string& into, std::chrono::milliseconds patience) {
    std::array<char, 16384> buffer{};
    for (;;) {
        pollfd wait{descriptor_, POLLIN, 0};
        const int ready = ::poll(&wait, 1, static_cast<int>(patience.count()));
        if (ready == 0) throw PeerError(fmt::format("no answer within {} s", patience.count() / 1000));
        const ssize_t count = ready < 0 ? -1 : ::recv(descriptor_, buffer.data(), buffer.size(), 0);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        into.append(buffer.data(), static_cast<std::size_t>(count));
        return true;
    }
}

std::unique_ptr<Stream> connect(const std::string& address) {
    const auto fail = [&](const char* why) {
        return PeerError(fmt::format("cannot connect to `{}`: {}", address, why));
    };
    if (address.starts_with("unix:")) {
        const std::string path = address.substr(5);
        sockaddr_un name{};
        name.sun_family = AF_UNIX;
        if (path.empty() || path.size() >= sizeof name.sun_path) throw fail("the path is empty or too long");
        std::memcpy(name.sun_path, path.data(), path.size());
        const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (descriptor < 0) throw fail(std::strerror(errno));
        auto stream = std::make_unique<DescriptorStream>(descriptor);
        if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
            throw fail(std::strerror(errno));
        return stream;
    }
    const auto colon = address.rfind(':');
    if (!address.starts_with("tcp:") || colon < 5) throw fail("addresses are unix:PATH or tcp:HOST:PORT");
    const std::string host = address.substr(4, colon - 4);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found); error != 0)
        throw fail(::gai_strerror(error));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
    int error = ECONNREFUSED;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
        const int descriptor = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (descriptor < 0) continue;
        auto stream = std::make_unique<DescriptorStream>(descriptor);
        if (::connect(descriptor, at->ai_addr, at->ai_addrlen) == 0) return stream;
        error = errno;
    }
    throw fail(std::strerror(error));
}

}  // namespace pogo::cosim
