// The model and a peer, instruction by instruction: the first difference ends it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "cosim/peer.hpp"
#include "cosim/target.hpp"
#include "model/accesses.hpp"
#include "model/observer.hpp"

namespace pogo::cosim {

/// Watches a run of the model. For each instruction that completes or traps the peer makes one step; then all registers
/// that both have, by name, and the memory stored to must be equal, but for the target's exemptions. (Registers that
/// the peer cannot give in one answer are looked at after instructions that have to do with any of them, traps and
/// differences, before stores to devices, at the end, and every 64 instructions.) The model leads: where a difference
/// is legitimate, the peer is given the model's value, so a run is the same each time and the same as without a peer.
///
/// Legitimate is, in the registers and memory that the instruction writes, what depends on the platform: its meaning
/// reads an input or an element of role time, or it loaded from a device. An interrupt is the model's alone: the peer
/// takes none, its entry is given to it.
///
/// docs/cosimulation.md says what is compared and what is not.
class Lockstep final : public model::Observer {
  public:
    /// What is given must outlive it. Memory is the model's, unit by unit.
    Lockstep(const isa::Spec& spec, const Target& target, Peer& peer, model::Accesses::Memory memory);

    /// Memory that a device listens to beyond those of the platform.
    void add_device(std::uint64_t address, std::uint64_t size) { devices_.push_back({address, size}); }
    /// Brings the peer into a state, and its memory to the model's in these ranges. Throws PeerError if it does not
    /// take it.
    void start(const isa::State& state, std::span<const Peer::Range> memory);

    void on_retire(const model::RetireEvent& event) override { advance(event, Event::completed); }
    void on_trap(const model::RetireEvent& event) override { advance(event, Event::trapped); }
    void on_interrupt(const model::RetireEvent& event) override { advance(event, Event::interrupted); }

    /// Compares what has not been compared since the last instructions: at the end of a run.
    void settle();

    /// Nothing more is compared.
    [[nodiscard]] bool over() const { return !difference_.empty() || !failure_.empty(); }
    /// Where and how they part, for people; empty if they do not.
    [[nodiscard]] const std::string& difference() const { return difference_; }
    /// What the peer did that ended the comparison; empty if nothing.
    [[nodiscard]] const std::string& failure() const { return failure_; }
    /// What has been compared, in one line.
    [[nodiscard]] std::string summary() const;
    /// Instructions and traps that agree.
    [[nodiscard]] std::uint64_t agreed() const { return agreed_; }

  private:
    enum class Event : std::uint8_t { completed, trapped, interrupted };
    struct Past {
        Event kind = Event::completed;
        std::uint64_t pc = 0;
        isa::FormId form;
        std::vector<std::uint64_t> fields;
        std::string what;  ///< trap or interrupt
    };
    struct Pair {
        const isa::Register* ours = nullptr;
        std::size_t theirs = 0;
    };
    struct Stored {
        Peer::Range range;
        std::vector<std::uint8_t> bytes;
    };

    void advance(const model::RetireEvent& event, Event kind);
    void remember(const model::RetireEvent& event, Event kind);
    void compare(const model::RetireEvent& event, Event kind);
    void impose(const model::RetireEvent& event);
    /// The bits of a register exempted in this way after the event.
    [[nodiscard]] std::uint64_t exempt(Exemption::Kind kind, std::string_view reg,
                                       const model::RetireEvent* event) const;
    [[nodiscard]] bool waits(const model::RetireEvent& event) const;
    [[nodiscard]] bool depends_on_platform(const model::RetireEvent& event);
    struct Nature {
        bool platform = false;  ///< reads an input or an element of role time
        bool plain = false;     ///< has to do only with registers that the peer reads together
    };
    [[nodiscard]] Nature nature_of(isa::FormId form);
    [[nodiscard]] bool device(std::uint64_t address) const;
    [[nodiscard]] bool writes(const model::RetireEvent& event, const isa::Register& reg) const;
    [[nodiscard]] std::vector<Stored> stored(const model::RetireEvent& event) const;
    [[nodiscard]] std::string line(const Past& past) const;
    void report(const std::string& table);

    const isa::Spec& spec_;
    const Target& target_;
    Peer& peer_;
    model::Accesses accesses_;
    model::Accesses::Memory memory_;
    std::vector<Peer::Range> devices_;
    std::vector<Pair> pairs_;
    std::vector<std::string> alone_;  ///< registers that are not compared
    isa::State before_;
    isa::State state_;
    std::set<std::uint32_t> apart_;                      ///< elements of registers that the peer reads one by one
    std::unordered_map<std::uint32_t, Nature> natures_;  ///< by form
    unsigned since_ = 0;                                 ///< instructions since everything was compared
    std::deque<Past> past_;
    bool ended_ = false;  ///< the peer's machine
    std::uint64_t agreed_ = 0;
    std::uint64_t followed_ = 0;
    std::uint64_t imposed_ = 0;
    std::string difference_;
    std::string failure_;
};

}  // namespace pogo::cosim
