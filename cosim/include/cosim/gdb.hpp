// A machine behind a GDB stub, such as QEMU's.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cosim/packets.hpp"
#include "cosim/peer.hpp"

namespace pogo::cosim {

/// Bytes to and from a stub.
class Stream {
  public:
    virtual ~Stream() = default;
    virtual void send(std::string_view bytes) = 0;
    /// Appends at least one byte; false when the other end has closed. Throws PeerError when the time is over.
    [[nodiscard]] virtual bool receive(std::string& into, std::chrono::milliseconds patience) = 0;
};

/// Over a file descriptor, which it closes.
class DescriptorStream final : public Stream {
  public:
    explicit DescriptorStream(int descriptor) : descriptor_(descriptor) {}
    ~DescriptorStream() override;
    DescriptorStream(const DescriptorStream&) = delete;
    DescriptorStream& operator=(const DescriptorStream&) = delete;
    void send(std::string_view bytes) override;
    [[nodiscard]] bool receive(std::string& into, std::chrono::milliseconds patience) override;

  private:
    int descriptor_;
};

/// Connects to a stub that listens at `unix:PATH` or `tcp:HOST:PORT`. Throws PeerError.
[[nodiscard]] std::unique_ptr<Stream> connect(const std::string& address);

/// A client of the protocol: what a stub must know is g, p, P, M, vCont;s or s, and qXfer:features:read. Memory is read
/// from a stub that takes physical addresses, as QEMU's does when asked.
class Gdb final : public Peer {
  public:
    Gdb(std::unique_ptr<Stream> stream, std::string name, bool big_endian);

    [[nodiscard]] std::string name() const override { return name_; }
    [[nodiscard]] const std::vector<Register>& registers() const override { return registers_; }
    void watch(std::vector<std::size_t> registers) override;
    void step() override;
    [[nodiscard]] const View& look(bool everything, std::span<const Range> ranges) override;
    void set(std::size_t reg, std::uint64_t value) override;
    void set_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) override;

    /// How long an instruction may take, and any other answer.
    static constexpr std::chrono::milliseconds patience{10'000};

  private:
    void post(std::string_view data);
    [[nodiscard]] std::string reply();
    [[nodiscard]] std::string ask(std::string_view data);
    [[nodiscard]] std::string read_feature(const std::string& file);
    void read_description(const std::string& file, unsigned depth, unsigned& number);
    void find_together();
    [[nodiscard]] std::optional<std::uint64_t> number_of(std::string_view hex, unsigned width) const;

    std::unique_ptr<Stream> stream_;
    std::string name_;
    bool big_endian_;
    PacketReader reader_;
    std::string received_;
    std::string last_;  ///< packet sent
    bool acknowledge_ = true;
    bool by_thread_ = false;     ///< vCont is there
    bool physical_ = false;      ///< addresses of m and M are physical
    std::size_t described_ = 0;  ///< bytes of the description read so far
    std::vector<Register> registers_;
    std::vector<unsigned> numbers_;     ///< the stub's, by register
    std::vector<std::size_t> offsets_;  ///< of registers that are read together, in the answer to g: digits
    std::vector<std::size_t> watched_;
    View view_;
};

}  // namespace pogo::cosim
