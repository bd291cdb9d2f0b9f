// A VM map in an arena of its own: f as a function of the virtual state, and what it means that two runs commute with
// it. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <unordered_map>
#include <vector>

#include "condition.hpp"
#include "run.hpp"

namespace pogo::check {

/// A virtual state and its real image.
struct Pair {
    Before machine;  ///< the virtual one
    Before real;
    isa::Term meant;  ///< the map's `where`, and what the states must satisfy
};

class MapInWorld {
  public:
    MapInWorld(const isa::Spec& spec, const isa::VmMap& map, const Options& options, const Roles& roles);

    World world;

    /// The virtual machine in the mode number `mode` of the map.
    [[nodiscard]] Pair pair(std::size_t mode);
    /// The real machine's results are the image of the virtual machine's, the monitor's state on either side is as
    /// before.
    [[nodiscard]] isa::Term commute(const Pair& before, const Run& machine, const Run& real);
    /// Memory by physical address: what the virtual machine touches holds the same where it lies on the real one.
    [[nodiscard]] isa::Term memories_agree(const Pair& before, const Run& machine);
    /// The virtual machine is in a mode of the map.
    [[nodiscard]] isa::Term in_a_mode(const Before& machine);
    /// The map's `where` holds of the virtual machine after this run.
    [[nodiscard]] isa::Term remains(const Run& machine);
    /// After the entry of this trap the real machine still runs the guest. A mode that the entry loads from memory is
    /// the monitor's, as the memory is.
    [[nodiscard]] isa::Term stays(const Before& real, const isa::Meaning& entry,
                                  const std::vector<isa::Variable>& parameters,
                                  const std::vector<isa::Term>& arguments);
    /// The synthesized elements that a goal depends on, nothing said of them yet.
    [[nodiscard]] std::vector<Said> synthesized(std::span<const isa::Term> goals);

    /// Where the virtual machine's physical address lies on the real one, and whether it has memory there.
    struct Place {
        isa::Term physical;
        isa::Term exists;
    };
    [[nodiscard]] Place place(const std::vector<isa::Term>& elements, isa::Term address);

    /// The real machine as far as a walk of the guest's tables goes. Under `compose` what the map assigns of role
    /// relocation is a second level, which leads where `memory` does or faults: here it is one that the virtual
    /// machine might have.
    struct Level {
        Before real;
        isa::Term meant;  ///< the virtual machine might
    };
    [[nodiscard]] Level first_level(const Pair& pair);
    /// What the virtual machine has from this physical address on, the real one has at the other, which its first level
    /// leads to. Tables that shadow are never the guest's.
    [[nodiscard]] isa::Term same_cells(const Pair& pair, isa::Term machine, isa::Term real, unsigned units);

    [[nodiscard]] bool guest(std::uint32_t e) const {
        return roles_.role[e] == isa::Role::data || roles_.role[e] == isa::Role::pc;
    }
    [[nodiscard]] const isa::Spec& spec() const { return world.spec; }
    isa::Terms& terms() { return world.terms; }

  private:
    [[nodiscard]] bool two_levels() const { return map_.tables && !map_.tables->shadow; }
    std::vector<isa::Term> image(const std::vector<isa::Term>& from);
    void bind(const std::vector<isa::Term>& elements);
    isa::Term is(const std::vector<isa::Term>& elements, isa::ModeId mode);
    [[nodiscard]] bool mapped(std::uint32_t e) const;
    isa::Term monitors(std::uint32_t e);
    isa::Term shown(const Pair& before, std::uint32_t e);
    std::vector<isa::Term> after(const Run& run);
    isa::Term physical_commutes(const Pair& before, const Run& machine, const Run& real,
                                const std::vector<isa::Term>& then);

    const isa::VmMap& map_;
    const Roles& roles_;
    Instance scratch_;
    std::vector<isa::Term> constants_;
    std::vector<const isa::Write*> mapped_;  ///< over the Spec's variables
    std::vector<std::uint32_t> shown_;       ///< virtual elements that a guest's real element stands for
    std::unordered_map<std::uint32_t, isa::Term> monitors_;
    isa::Variable real_memory_;  ///< by physical address, of the real machine; the World's where the map says nothing
};

}  // namespace pogo::check
