// A platform's devices, bound to the machine whose inputs they drive; no kernel in sight.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "machine.hpp"
#include "peripherals.hpp"
#include "virt.hpp"

namespace pogo::model {

/// Why the spec's platform cannot be built around this machine, if so: the translation or a condition would depend on
/// inputs whose value is asked for only when something reads them.
[[nodiscard]] std::optional<std::string> misread(const isa::Spec& spec);

class Platform {
  public:
    struct Host {
        std::function<std::uint64_t()> now;  ///< the cycle
        /// Call peripheral(number).due() just before this cycle (0: never); replaces what was scheduled for it.
        std::function<void(std::size_t number, std::uint64_t cycle)> schedule;
        std::function<void(char)> print;
        std::function<void(std::uint64_t)> exit;
        std::function<void()> restart;
        std::function<void()> driven = {};  ///< an input has changed
        Htif::Memory bytes = {};            ///< where there is a host-target interface
    };
    /// All devices of the spec that are not RAM, in their order. The spec, its devices and the machine must outlive it.
    Platform(const isa::Spec& spec, Machine& machine, Host host);
    Platform(const Platform&) = delete;
    Platform& operator=(const Platform&) = delete;
    ~Platform() = default;

    /// One more; its number is the one before, plus one.
    void add(const isa::Device& device, std::optional<std::uint64_t> fromhost = std::nullopt);
    [[nodiscard]] std::size_t size() const { return peripherals_.size(); }
    [[nodiscard]] Peripheral& peripheral(std::size_t number) { return *peripherals_[number]; }
    /// Text typed for the first device that takes it.
    void input(std::string_view text);
    /// Drives all inputs as they were driven last: the machine has been reset.
    void drive_again();

  private:
    void drive(const isa::Device& device, unsigned number, std::uint64_t value);
    const isa::Spec& spec_;
    Machine& machine_;
    Host host_;
    std::vector<std::pair<isa::ElementId, std::uint64_t>> driven_;
    std::unique_ptr<Lines> lines_;  ///< what an interrupt controller chooses from
    LineInputs* line_inputs_ = nullptr;
    std::vector<std::unique_ptr<Peripheral>> peripherals_;
};

}  // namespace pogo::model
