// Register accesses of the devices; the maps are in model/devices.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "peripherals.hpp"

#include <bit>

namespace pogo::model {

void transfer(Peripheral& device, const Units& format, bool write, std::uint64_t offset, unsigned units,
              std::byte* bytes, std::uint64_t cycle) {
    const bool whole = units * format.bits <= 128 && units <= 8;
    if (write) {
        if (whole) device.write(offset, units, static_cast<std::uint64_t>(format.compose(bytes, units)), cycle);
    } else {
        const Word value = whole ? device.read(offset, units, cycle) : 0;
        format.split(bytes, units, value);
    }
}

void Lines::update() {
    const std::uint64_t above = threshold_ >= 63 ? 0 : ~std::uint64_t{0} << (threshold_ + 1);
    const std::uint64_t candidates = levels_ & enabled_ & above;
    active_ = candidates == 0 ? 0 : static_cast<unsigned>(std::bit_width(candidates)) - 1;
    output_(active_);
}

std::uint64_t Uart::read_register(unsigned reg, std::uint64_t) {
    switch (reg) {
        case uart::data: {
            if (!has_input()) return 0;
            const auto character = static_cast<unsigned char>(input_[next_++]);
            update();
            return character;
        }
        case uart::status:
            return has_input() ? 3 : 2;
        default:
            return 0;
    }
}

void Uart::write_register(unsigned reg, std::uint64_t value, std::uint64_t) {
    switch (reg) {
        case uart::data:
            host_.print(static_cast<char>(value));
            break;
        case uart::status:
            interrupts_ = (value & 1) != 0;
            update();
            break;
        default:
            break;
    }
}

bool Uart::add_input(std::string_view text) {
    input_.erase(0, next_);
    next_ = 0;
    input_ += text;
    update();
    return true;
}

std::uint64_t Timer::read_register(unsigned reg, std::uint64_t cycle) {
    switch (reg) {
        case timer::count:
            return cycle - base_;
        case timer::compare:
            return compare_;
        case timer::control:
            return enabled_ ? 1 : 0;
        default:
            return 0;
    }
}

void Timer::write_register(unsigned reg, std::uint64_t value, std::uint64_t cycle) {
    switch (reg) {
        case timer::count:
            base_ = cycle - value;
            break;
        case timer::compare:
            compare_ = value;
            break;
        case timer::control:
            enabled_ = (value & 1) != 0;
            break;
        default:
            return;
    }
    update(cycle);
}

void Timer::update(std::uint64_t cycle) {
    const std::uint64_t count = cycle - base_;
    host_.line(enabled_ && count >= compare_);
    if (enabled_ && count < compare_ && compare_ - count < (std::uint64_t{1} << 48))
        host_.schedule(cycle + (compare_ - count));
    else
        host_.schedule(0);
}

std::uint64_t InterruptController::read_register(unsigned reg, std::uint64_t) {
    switch (reg) {
        case interrupt_controller::pending:
            return lines_.levels();
        case interrupt_controller::enable:
            return lines_.enabled();
        case interrupt_controller::threshold:
            return lines_.threshold();
        case interrupt_controller::active:
            return lines_.active();
        default:
            return 0;
    }
}

void InterruptController::write_register(unsigned reg, std::uint64_t value, std::uint64_t) {
    switch (reg) {
        case interrupt_controller::enable:
            lines_.enable(value);
            break;
        case interrupt_controller::threshold:
            lines_.set_threshold(value);
            break;
        default:
            break;
    }
}

}  // namespace pogo::model
