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

namespace pogo::model {

/// Interrupt lines and what becomes of them: the number of the highest enabled line above the threshold.
class Lines {
  public:
    explicit Lines(std::function<void(unsigned)> output) : output_(std::move(output)) {}
    void set(unsigned line, bool level) {
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
    std::function<void(bool)> line;               ///< drive the interrupt line
    std::function<void(std::uint64_t)> schedule;  ///< call due() just before this cycle; replaces what was scheduled
    std::function<void(std::uint64_t)> exit;      ///< end the run with this code
};

class Peripheral {
  public:
    explicit Peripheral(PeripheralHost host) : host_(std::move(host)) {}
    virtual ~Peripheral() = default;
    virtual std::uint64_t read(unsigned reg, std::uint64_t cycle) = 0;
    virtual void write(unsigned reg, std::uint64_t value, std::uint64_t cycle) = 0;
    virtual void due(std::uint64_t /*cycle*/) {}

  protected:
    PeripheralHost host_;
};

class Uart final : public Peripheral {
  public:
    using Peripheral::Peripheral;
    std::uint64_t read(unsigned reg, std::uint64_t cycle) override;
    void write(unsigned reg, std::uint64_t value, std::uint64_t cycle) override;
    void add_input(std::string_view text);
    [[nodiscard]] std::string take_output() { return std::exchange(output_, {}); }

  private:
    [[nodiscard]] bool has_input() const { return next_ < input_.size(); }
    void update() { host_.line(interrupts_ && has_input()); }
    std::string input_;
    std::size_t next_ = 0;
    std::string output_;
    bool interrupts_ = false;
};

class Timer final : public Peripheral {
  public:
    using Peripheral::Peripheral;
    std::uint64_t read(unsigned reg, std::uint64_t cycle) override;
    void write(unsigned reg, std::uint64_t value, std::uint64_t cycle) override;
    void due(std::uint64_t cycle) override { update(cycle); }

  private:
    void update(std::uint64_t cycle);
    std::uint64_t base_ = 0;  ///< count = cycle − base, modulo 2^64
    std::uint64_t compare_ = ~std::uint64_t{0};
    bool enabled_ = false;
};

class InterruptController final : public Peripheral {
  public:
    InterruptController(PeripheralHost host, Lines& lines) : Peripheral(std::move(host)), lines_(lines) {
        lines_.enable(0);
    }
    std::uint64_t read(unsigned reg, std::uint64_t cycle) override;
    void write(unsigned reg, std::uint64_t value, std::uint64_t cycle) override;

  private:
    Lines& lines_;
};

class ExitDevice final : public Peripheral {
  public:
    using Peripheral::Peripheral;
    std::uint64_t read(unsigned, std::uint64_t) override { return 0; }
    void write(unsigned, std::uint64_t value, std::uint64_t) override { host_.exit(value); }
};

}  // namespace pogo::model
