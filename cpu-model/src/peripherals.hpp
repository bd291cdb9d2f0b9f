// The devices of a platform as plain objects: registers, lines and deadlines; no kernel in sight.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "isa/spec.hpp"
#include "model/devices.hpp"
#include "units.hpp"

namespace pogo::model {

/// Where the interrupt lines of devices lead.
class LineInputs {
  public:
    virtual ~LineInputs() = default;
    virtual void set(unsigned line, bool level) = 0;
};

/// Interrupt lines and what becomes of them: the number of the highest enabled line above the threshold.
class Lines final : public LineInputs {
  public:
    explicit Lines(std::function<void(unsigned)> output) : output_(std::move(output)) {}
    void set(unsigned line, bool level) override {
        const std::uint64_t bit = std::uint64_t{1} << line;
        levels_ = level ? levels_ | bit : levels_ & ~bit;
        update();
    }
    void enable(std::uint64_t lines) { enabled_ = lines, update(); }
    void set_threshold(std::uint64_t threshold) { threshold_ = threshold, update(); }
    [[nodiscard]] std::uint64_t levels() const { return levels_; }
    [[nodiscard]] std::uint64_t enabled() const { return enabled_; }
    [[nodiscard]] std::uint64_t threshold() const { return threshold_; }
    [[nodiscard]] unsigned active() const { return active_; }

  private:
    void update();
    std::function<void(unsigned)> output_;
    std::uint64_t levels_ = 0;
    std::uint64_t enabled_ = ~std::uint64_t{0};
    std::uint64_t threshold_ = 0;
    unsigned active_ = 0;
};

/// What a device can do to the world around it.
struct PeripheralHost {
    std::function<void(bool)> line;                                   ///< drive the interrupt line
    std::function<void(unsigned output, std::uint64_t value)> drive;  ///< drive an output of the device's kind
    std::function<void(std::uint64_t)> schedule;  ///< call due() just before this cycle; replaces what was scheduled
    std::function<std::uint64_t()> now;           ///< the cycle
    std::function<void(char)> print;              ///< a character for people
    std::function<void(std::uint64_t)> exit;      ///< end the run with this code
    std::function<void()> restart;                ///< end the run, as a reset is wanted
};

class Peripheral {
  public:
    explicit Peripheral(PeripheralHost host) : host_(std::move(host)) {}
    virtual ~Peripheral() = default;
    /// An access of `size` units (together at most 64 bits) that begins at a byte `offset` from the device's base.
    virtual std::uint64_t read(std::uint64_t offset, unsigned size, std::uint64_t cycle) = 0;
    virtual void write(std::uint64_t offset, unsigned size, std::uint64_t value, std::uint64_t cycle) = 0;
    virtual void due(std::uint64_t /*cycle*/) {}
    /// Text typed for it; false if it takes none.
    virtual bool add_input(std::string_view) { return false; }

  protected:
    PeripheralHost host_;
};

/// A transaction of consecutive units that begins at a byte `offset` of the device. More than it takes in one access
/// reads zero and writes nothing.
void transfer(Peripheral& device, const Units& format, bool write, std::uint64_t offset, unsigned units,
              std::byte* bytes, std::uint64_t cycle);

/// A device with registers 8 bytes apart, each accessed in any size.
class RegisterPeripheral : public Peripheral {
  public:
    using Peripheral::Peripheral;
    std::uint64_t read(std::uint64_t offset, unsigned, std::uint64_t cycle) final {
        return offset % 8 == 0 ? read_register(static_cast<unsigned>(offset / 8), cycle) : 0;
    }
    void write(std::uint64_t offset, unsigned, std::uint64_t value, std::uint64_t cycle) final {
        if (offset % 8 == 0) write_register(static_cast<unsigned>(offset / 8), value, cycle);
    }

  private:
    virtual std::uint64_t read_register(unsigned reg, std::uint64_t cycle) = 0;
    virtual void write_register(unsigned reg, std::uint64_t value, std::uint64_t cycle) = 0;
};

class Uart final : public RegisterPeripheral {
  public:
    using RegisterPeripheral::RegisterPeripheral;
    bool add_input(std::string_view text) override;

  private:
    std::uint64_t read_register(unsigned reg, std::uint64_t cycle) override;
    void write_register(unsigned reg, std::uint64_t value, std::uint64_t cycle) override;
    [[nodiscard]] bool has_input() const { return next_ < input_.size(); }
    void update() { host_.line(interrupts_ && has_input()); }
    std::string input_;
    std::size_t next_ = 0;
    bool interrupts_ = false;
};

class Timer final : public RegisterPeripheral {
  public:
    using RegisterPeripheral::RegisterPeripheral;
    void due(std::uint64_t cycle) override { update(cycle); }

  private:
    std::uint64_t read_register(unsigned reg, std::uint64_t cycle) override;
    void write_register(unsigned reg, std::uint64_t value, std::uint64_t cycle) override;
    void update(std::uint64_t cycle);
    std::uint64_t base_ = 0;  ///< count = cycle − base, modulo 2^64
    std::uint64_t compare_ = ~std::uint64_t{0};
    bool enabled_ = false;
};

class InterruptController final : public RegisterPeripheral {
  public:
    InterruptController(PeripheralHost host, Lines& lines) : RegisterPeripheral(std::move(host)), lines_(lines) {
        lines_.enable(0);
    }

  private:
    std::uint64_t read_register(unsigned reg, std::uint64_t cycle) override;
    void write_register(unsigned reg, std::uint64_t value, std::uint64_t cycle) override;
    Lines& lines_;
};

class ExitDevice final : public RegisterPeripheral {
  public:
    using RegisterPeripheral::RegisterPeripheral;

  private:
    std::uint64_t read_register(unsigned, std::uint64_t) override { return 0; }
    void write_register(unsigned, std::uint64_t value, std::uint64_t) override { host_.exit(value); }
};

}  // namespace pogo::model
