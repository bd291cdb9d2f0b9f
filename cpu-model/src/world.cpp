// Transactions, memory pages and the two views.
// SPDX-License-Identifier: Apache-2.0
#include "world.hpp"

#include <algorithm>
#include <limits>

#include "isa/require.hpp"

// The library's own main() asks for one. Ours drives the kernel itself.
int sc_main(int, char**) { return 0; }

namespace pogo::model {

using sc_core::sc_time;
using tlm::tlm_generic_payload;

Ram::Ram(const sc_core::sc_module_name& name) : sc_module(name), zeros_(std::make_unique<Page>()) {
    socket.register_b_transport(this, &Ram::b_transport);
    socket.register_get_direct_mem_ptr(this, &Ram::get_direct_mem_ptr);
}

void Ram::clear() {
    if (pages_.empty()) return;
    for (auto& [number, page] : pages_) {
        if (free_.size() == 64) break;
        page->fill(std::byte{0});
        free_.push_back(std::move(page));
    }
    pages_.clear();
    socket->invalidate_direct_mem_ptr(0, ~sc_dt::uint64{0});
}

std::byte* Ram::at(std::uint64_t address, bool write) {
    const std::uint64_t number = address >> page_bits;
    const std::uint64_t offset = address & (page_size - 1);
    if (const auto found = pages_.find(number); found != pages_.end()) return found->second->data() + offset;
    if (!write) return zeros_->data() + offset;
    if ((pages_.size() + 1) * page_size > limit_) return nullptr;
    std::unique_ptr<Page> page;
    if (free_.empty()) {
        page = std::make_unique<Page>();
    } else {
        page = std::move(free_.back());
        free_.pop_back();
    }
    std::byte* const data = page->data();
    pages_.emplace(number, std::move(page));
    // Whoever looks at the page of zeros here must look again.
    socket->invalidate_direct_mem_ptr(number << page_bits, (number << page_bits) + page_size - 1);
    return data + offset;
}

void Ram::b_transport(tlm_generic_payload& payload, sc_time&) {
    std::uint64_t address = payload.get_address();
    auto* data = reinterpret_cast<std::byte*>(payload.get_data_ptr());
    std::uint64_t left = payload.get_data_length();
    const bool write = payload.is_write();
    while (left > 0) {
        const std::uint64_t part = std::min(left, page_size - (address & (page_size - 1)));
        std::byte* const memory = at(address, write);
        if (memory == nullptr) return payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
        std::copy_n(write ? data : memory, part, write ? memory : data);
        address += part;
        data += part;
        left -= part;
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

bool Ram::get_direct_mem_ptr(tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    const std::uint64_t first = payload.get_address() & ~(page_size - 1);
    std::byte* const data = at(first, payload.is_write());
    if (data == nullptr) return false;
    dmi.set_start_address(first);
    dmi.set_end_address(first + page_size - 1);
    dmi.set_dmi_ptr(reinterpret_cast<unsigned char*>(data));
    if (data == zeros_->data())
        dmi.allow_read();
    else
        dmi.allow_read_write();
    return true;
}

Slot::Slot(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_b_transport(this, &Slot::b_transport);
    SC_METHOD(due);
    sensitive << event_;
    dont_initialize();
}

// Half a cycle early, so that the core sees the change in that cycle whatever the order of events.
void Slot::schedule(std::uint64_t cycle) {
    event_.cancel();
    due_cycle_ = cycle;
    if (cycle == 0) return;
    const auto& driver = World::get().driver;
    event_.notify(driver.time_of(cycle) - driver.period() / 2 - sc_core::sc_time_stamp());
}

// NOLINTNEXTLINE(readability-make-member-function-const): SystemC registers no const members.
void Slot::due() {
    if (device != nullptr) device->due(due_cycle_);
}

// NOLINTNEXTLINE(readability-make-member-function-const): SystemC registers no const members.
void Slot::b_transport(tlm_generic_payload& payload, sc_time& delay) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    transfer(*device, format, payload.is_write(), payload.get_address(), payload.get_data_length() >> format.shift,
             reinterpret_cast<std::byte*>(payload.get_data_ptr()), World::get().driver.cycle(delay));
}

Router::Router(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_b_transport(this, &Router::b_transport);
    socket.register_get_direct_mem_ptr(this, &Router::get_direct_mem_ptr);
    for (std::size_t i = 0; i < ports.size(); ++i)
        ports[i].register_invalidate_direct_mem_ptr(this, &Router::invalidate_direct_mem_ptr, static_cast<int>(i));
}

const Router::Range* Router::find(std::uint64_t address) const {
    const auto next = std::upper_bound(map_.begin(), map_.end(), address,
                                       [](std::uint64_t a, const Range& range) { return a < range.first; });
    if (next == map_.begin() || address > std::prev(next)->last) return nullptr;
    return &*std::prev(next);
}

void Router::b_transport(tlm_generic_payload& payload, sc_time& delay) {
    const std::uint64_t address = payload.get_address();
    const Range* const range = find(address);
    if (range == nullptr || range->last - address < payload.get_data_length() - 1)
        return payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    if (range->port == ram_port || range->over_ram) ports[ram_port]->b_transport(payload, delay);
    if (range->port != ram_port && (!range->over_ram || payload.is_write())) {
        payload.set_address(address - range->first);
        ports[range->port]->b_transport(payload, delay);
        payload.set_address(address);
    }
}

bool Router::get_direct_mem_ptr(tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    const Range* const range = find(payload.get_address());
    if (range == nullptr || range->port != ram_port) return false;
    if (!ports[ram_port]->get_direct_mem_ptr(payload, dmi)) return false;
    if (dmi.get_start_address() < range->first) {
        dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (range->first - dmi.get_start_address()));
        dmi.set_start_address(range->first);
    }
    dmi.set_end_address(std::min<sc_dt::uint64>(dmi.get_end_address(), range->last));
    return true;
}

void Router::invalidate_direct_mem_ptr(int, sc_dt::uint64 first, sc_dt::uint64 last) {
    socket->invalidate_direct_mem_ptr(first, last);
}

Driver::Driver(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_invalidate_direct_mem_ptr(this, &Driver::invalidate_direct_mem_ptr);
    // Methods, not threads: coroutines cost more, and address sanitizers lose track of the stack after a switch.
    SC_METHOD(batch);
    sensitive << batch_;
    dont_initialize();
    SC_METHOD(tick);
    sensitive << tick_;
    dont_initialize();
}

void Driver::bind(Core* core, const Units& format) {
    core_ = core;
    format_ = format;
    start_ = sc_core::sc_time_stamp();
}

std::uint64_t Driver::cycle(const sc_time& delay) const {
    return (sc_core::sc_time_stamp() + delay - start_).value() / period_.value();
}

sc_time Driver::time_of(std::uint64_t cycle) const { return start_ + sc_time::from_value(cycle * period_.value()); }

void Driver::run(View view, std::uint64_t limit) {
    limit_ = limit;
    // Where another module has let time pass in between, the core has stood still: its next cycle begins now.
    if (const sc_time due = time_of(core_->cycle()); sc_core::sc_time_stamp() > due)
        start_ += sc_core::sc_time_stamp() - due;
    if (view == View::batched)
        batch_.notify(sc_core::SC_ZERO_TIME);
    else
        tick_.notify(sc_core::SC_ZERO_TIME);
    sc_core::sc_start();
}

// The first cycle that must see another process's event.
std::uint64_t Driver::deadline() const {
    if (!sc_core::sc_pending_activity()) return limit_;
    const auto until = (sc_core::sc_time_stamp() + sc_core::sc_time_to_pending_activity() - start_).value();
    return std::min<std::uint64_t>(limit_, (until + period_.value() - 1) / period_.value());
}

// Runs ahead of simulated time up to the first cycle that must see another process's event, then lets time follow.
void Driver::batch() {
    while (!core_->stopped()) {
        const std::uint64_t end = deadline();
        if (core_->cycle() >= end) break;
        core_->run_until(end);
        if (core_->idle()) {  // which may have set a deadline
            if (!sc_core::sc_pending_activity())
                core_->stop(StopReason::waiting_forever);
            else if (!core_->observed())
                core_->skip_to(std::max(core_->cycle(), deadline()));
        }
        if (core_->cycle() == limit_) core_->stop(StopReason::cycles);
    }
    const sc_time rest = time_of(core_->cycle()) - sc_core::sc_time_stamp();
    if (core_->stopped() && rest == sc_core::SC_ZERO_TIME) return sc_core::sc_pause();
    batch_.notify(rest);
}

void Driver::tick() {
    if (core_->stopped()) return sc_core::sc_pause();
    core_->step_cycle();
    if (core_->idle() && !sc_core::sc_pending_activity()) core_->stop(StopReason::waiting_forever);
    if (core_->cycle() == limit_) core_->stop(StopReason::cycles);
    tick_.notify(period_);
}

std::optional<Bus::Window> Driver::window(std::uint64_t address, bool write) {
    if (address > ~std::uint64_t{0} >> format_.shift) return std::nullopt;
    payload_.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload_.set_address(address << format_.shift);
    tlm::tlm_dmi dmi;
    if (!socket->get_direct_mem_ptr(payload_, dmi)) return std::nullopt;
    return Window{dmi.get_start_address() >> format_.shift, dmi.get_end_address() >> format_.shift,
                  reinterpret_cast<std::byte*>(dmi.get_dmi_ptr()), dmi.is_write_allowed()};
}

bool Driver::transport(tlm::tlm_command command, std::uint64_t address, unsigned count, std::byte* bytes) {
    if (address > ~std::uint64_t{0} >> format_.shift) return false;
    payload_.set_command(command);
    payload_.set_address(address << format_.shift);
    payload_.set_data_ptr(reinterpret_cast<unsigned char*>(bytes));
    payload_.set_data_length(count << format_.shift);
    payload_.set_streaming_width(count << format_.shift);
    payload_.set_byte_enable_ptr(nullptr);
    payload_.set_dmi_allowed(false);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    sc_time delay = time_of(core_->cycle()) - sc_core::sc_time_stamp();
    socket->b_transport(payload_, delay);
    core_->yield();  // a device may have changed its deadline
    return payload_.is_response_ok();
}

bool Driver::read(std::uint64_t address, unsigned count, std::byte* bytes) {
    return transport(tlm::TLM_READ_COMMAND, address, count, bytes);
}

bool Driver::write(std::uint64_t address, unsigned count, const std::byte* bytes) {
    // The payload's pointer is not const; targets do not write through it on a write.
    return transport(tlm::TLM_WRITE_COMMAND, address, count, const_cast<std::byte*>(bytes));
}

void Driver::invalidate_direct_mem_ptr(sc_dt::uint64, sc_dt::uint64) {
    if (core_ != nullptr) core_->machine().forget_windows();
}

World::World() {
    driver.socket.bind(router.socket);
    router.ports[Router::ram_port].bind(ram.socket);
    for (unsigned i = 0; i < max_devices; ++i) router.ports[1 + i].bind(slots[i].socket);
    // Elaborates: from now on modules can be called, but none be added.
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

World& World::get() {
    // Never destroyed: the kernel outlives everything.
    static auto* const world = new World;
    return *world;
}

}  // namespace pogo::model
