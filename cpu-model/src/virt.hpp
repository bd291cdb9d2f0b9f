// The devices of QEMU's RISC-V virt machine as plain objects; the maps are in model/devices.hpp.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <vector>

#include "machine.hpp"
#include "peripherals.hpp"

namespace pogo::model {

class Ns16550 final : public Peripheral {
  public:
    using Peripheral::Peripheral;
    std::uint64_t read(std::uint64_t offset, unsigned size, std::uint64_t cycle) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t cycle) override;
    bool add_input(std::string_view text) override;

  private:
    using Byte = std::uint8_t;
    [[nodiscard]] bool divisor_latch() const { return (lcr_ & 0x80) != 0; }
    [[nodiscard]] bool loopback() const { return (mcr_ & 0x10) != 0; }
    [[nodiscard]] std::size_t received() const { return looped_.size() + (loopback() ? 0 : typed_.size()); }
    [[nodiscard]] Byte modem_lines() const;
    [[nodiscard]] Byte interrupt() const;  ///< IIR without the bits that say that FIFOs are on
    Byte receive();
    void send(Byte character);
    void write(std::uint64_t offset, Byte value);
    void set_modem(Byte value);
    void update() { host_.line(interrupt() != 1); }

    std::deque<Byte> looped_;  ///< sent and received in loopback
    std::deque<Byte> typed_;   ///< by the other end
    bool fifos_ = false;
    unsigned trigger_ = 1;
    bool emptied_ = false;  ///< the transmitter has become empty, and IIR has not been read since
    bool overrun_ = false;
    Byte divisor_low_ = 0;
    Byte divisor_high_ = 0;
    Byte ier_ = 0;
    Byte lcr_ = 0;
    Byte mcr_ = 0;
    Byte modem_changes_ = 0;
    Byte scr_ = 0;
};

class Clint final : public Peripheral, public Clock {
  public:
    Clint(PeripheralHost host, unsigned timebase) : Peripheral(std::move(host)), timebase_(timebase) {}
    std::uint64_t read(std::uint64_t offset, unsigned size, std::uint64_t cycle) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t cycle) override;
    void due(std::uint64_t cycle) override;
    [[nodiscard]] std::uint64_t time() override { return count(host_.now()); }
    void wake(std::optional<std::uint64_t> time) override;

  private:
    [[nodiscard]] std::uint64_t count(std::uint64_t cycle) const { return cycle / timebase_ + offset_; }
    void update(std::uint64_t cycle);
    void schedule(std::uint64_t cycle);
    unsigned timebase_;
    bool software_ = false;
    std::uint64_t compare_ = ~std::uint64_t{0};
    std::uint64_t offset_ = 0;           ///< time = ticks since power-on + offset, modulo 2^64
    std::optional<std::uint64_t> wake_;  ///< time at which the core wants to look again
};

class Plic final : public Peripheral, public LineInputs {
  public:
    Plic(PeripheralHost host, unsigned sources) : Peripheral(std::move(host)), sources_(sources + 1) {}
    std::uint64_t read(std::uint64_t offset, unsigned size, std::uint64_t cycle) override;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t cycle) override;
    void set(unsigned line, bool level) override;

  private:
    struct Source {
        unsigned priority = 0;
        bool level = false;
        bool pending = false;
        bool served = false;  ///< claimed and not completed: its gateway passes no request on
        std::array<bool, plic::contexts> enabled{};
    };
    struct Register {
        enum class Kind : std::uint8_t { none, priority, pending, enable, threshold, claim };
        Kind kind = Kind::none;
        unsigned context = 0;
        unsigned number = 0;  ///< source, or word
    };
    [[nodiscard]] static Register at(std::uint64_t offset, unsigned size);
    /// The source that a claim gets, 0 for none.
    [[nodiscard]] unsigned best(unsigned context) const;
    template <class Visit>
    void each_of_word(unsigned word, Visit visit);
    static void request(Source& source) { source.pending = source.pending || (source.level && !source.served); }
    void update();
    std::vector<Source> sources_;  ///< [0] does not exist
    std::array<unsigned, plic::contexts> thresholds_{};
};

class Finisher final : public Peripheral {
  public:
    using Peripheral::Peripheral;
    std::uint64_t read(std::uint64_t, unsigned, std::uint64_t) override { return 0; }
    void write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t cycle) override;
};

/// Lies over memory and is told of stores after they have been done.
class Htif final : public Peripheral {
  public:
    /// Memory by physical address.
    struct Memory {
        std::function<std::uint64_t(std::uint64_t address)> load;  ///< 8 bytes
        std::function<void(std::uint64_t address, std::uint64_t value)> store;
        std::function<std::optional<char>(std::uint64_t address)> byte;
    };
    Htif(PeripheralHost host, Memory memory, std::uint64_t tohost, std::optional<std::uint64_t> fromhost)
        : Peripheral(std::move(host)), memory_(std::move(memory)), tohost_(tohost), fromhost_(fromhost) {}
    std::uint64_t read(std::uint64_t, unsigned, std::uint64_t) override { return 0; }
    void write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t cycle) override;

  private:
    void serve(std::uint64_t at);
    [[nodiscard]] std::uint64_t print(std::uint64_t address, std::uint64_t count);
    Memory memory_;
    std::uint64_t tohost_;
    std::optional<std::uint64_t> fromhost_;
};

}  // namespace pogo::model
