// QEMU as a child process, its GDB stub on one end of a pair of sockets.
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "cosim/target.hpp"

namespace pogo::cosim {

namespace {

constexpr int stub = 3;  // descriptor of the child's end
constexpr int no_such_program = 127;

class ChildStream final : public Stream {
  public:
    ChildStream(int descriptor, pid_t child, std::string_view program)
        : stream_(descriptor), child_(child), program_(program) {}
    ~ChildStream() override {
        ::kill(child_, SIGKILL);
        wait();
    }
    ChildStream(const ChildStream&) = delete;
    ChildStream& operator=(const ChildStream&) = delete;
    void send(std::string_view bytes) override {
        try {
            stream_.send(bytes);
        } catch (const PeerEnded&) {
            require_program();
            throw;
        }
    }
    bool receive(std::string& into, std::chrono::milliseconds patience) override {
        if (stream_.receive(into, patience)) return true;
        require_program();
        return false;
    }

  private:
    // The other end is closed, so the child has ended or is about to.
    void require_program() {
        if (!reaped_ && wait() == no_such_program) throw PeerError(fmt::format("cannot run {}", program_));
    }
    int wait() {
        int status = 0;
        while (!reaped_ && ::waitpid(child_, &status, 0) < 0 && errno == EINTR) continue;
        reaped_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    DescriptorStream stream_;
    pid_t child_;
    std::string program_;
    bool reaped_ = false;
};

}  // namespace

std::unique_ptr<Stream> start_qemu(const Target& target, const isa::Spec& spec) {
    if (target.arguments == nullptr)
        throw PeerError(
            fmt::format("there is no QEMU for machine {} here, only a stub that is already running", spec.name));
    std::vector<std::string> words{std::string(target.program)};
    for (auto& word : target.arguments(spec)) words.push_back(std::move(word));
    for (const char* word : {"-nodefaults", "-display", "none", "-serial", "null", "-no-reboot", "-S", "-chardev",
                             "socket,id=stub,fd=3", "-gdb", "chardev:stub"})
        words.emplace_back(word);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw PeerError(fmt::format("no pair of sockets: {}", std::strerror(errno)));
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) {
        ::close(ends[0]);
        ::close(ends[1]);
        throw PeerError(fmt::format("no new process: {}", std::strerror(errno)));
    }
    if (child == 0) {  // nothing but calls that are safe between fork and exec
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(no_such_program);
        if (ends[1] == stub)
            ::fcntl(stub, F_SETFD, 0);
        else
            ::dup2(ends[1], stub);
        ::execvp(arguments[0], arguments.data());
        ::_exit(no_such_program);
    }
    ::close(ends[1]);
    return std::make_unique<ChildStream>(ends[0], child, target.program);
}

}  // namespace pogo::cosim
