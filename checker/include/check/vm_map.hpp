// VM maps: does the real machine, where the guest runs directly, do what the virtual machine does?
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "check/check.hpp"

namespace pogo::check {

/// What one instruction, trap or interrupt owes the map: docs/vm-maps.md has the formulas.
struct Obligation {
    enum class Kind : std::uint8_t { instruction, trap, interrupt, relocation, preemption, where };
    Kind kind = Kind::instruction;
    std::string name;                ///< of the instruction's row, the cause, the interrupt; the kind for the others
    isa::InstructionId instruction;  ///< of Kind::instruction
    Verdict holds = Verdict::unknown;
    Verdict direct = Verdict::no;  ///< of an instruction: in some state it completes on the real machine
    Verdict leaves = Verdict::no;  ///< in some state the real machine goes to the monitor
    std::vector<Cube> settings;    ///< of what is synthesized, under which it holds; none where it always or never does
    Verdict mended = Verdict::no;  ///< yes: `settings` has a cube; unknown: the search stopped before finding one
    std::vector<std::string> modes;       ///< of an instruction: the virtual machine's in which it fails
    std::vector<isa::ElementId> changes;  ///< of the monitor's: whatever fails in the first of these modes changes them
    std::vector<Witness> witnesses;       ///< of what fails: the machines that Side::machine says
    std::string example;                  ///< where no witness can be run: values that show the failure
    std::vector<std::string> unknowns;
    Statistics statistics;
};

/// One configuration of the real machine under which every obligation that some setting mends holds.
struct Synthesis {
    Cube cube;                           ///< as few bits as were found to do
    std::vector<std::string> never;      ///< obligations that no setting mends
    std::vector<std::string> undecided;  ///< obligations for which the search gave up
    Verdict found = Verdict::no;         ///< no: those that have settings exclude one another
};

struct MapFindings {
    std::string name;  ///< of the map
    std::string context;
    Verdict holds = Verdict::unknown;     ///< under the map as it is, whatever the synthesized elements are
    std::vector<Obligation> obligations;  ///< instructions in the order of the Spec, then traps, interrupts, the rest
    std::optional<Synthesis> synthesis;   ///< if the map asks for one
    /// The verdict under the synthesized configuration; without one, `holds`.
    Verdict holds_configured = Verdict::unknown;
    Statistics statistics;
};

/// Modes in which the map means no virtual machine, by its `where`, what is invariant and what is assumed. Empty where
/// the solver cannot tell.
[[nodiscard]] std::vector<isa::ModeId> empty_modes(const isa::Spec& spec, const isa::VmMap& map,
                                                   const Options& options);

/// Decides the obligations of a map. `options.assumptions` are about the real machine; `options.context` is the map's.
[[nodiscard]] MapFindings check_vm_map(const isa::Spec& spec, const isa::VmMap& map, const Options& options);

/// One of them alone: `which` says of what kind, by name, and for an instruction by number.
[[nodiscard]] Obligation check_obligation(const isa::Spec& spec, const isa::VmMap& map, const Obligation& which,
                                          const Options& options);

/// The obligation of an instruction in one of its forms, for each value of a field alone: 0, 1, ….
[[nodiscard]] std::vector<Verdict> check_values(const isa::Spec& spec, const isa::VmMap& map, isa::FormId form,
                                                unsigned field, const Options& options);

/// Does the form go to the monitor from every state of the real machine in which the guest executes it?
[[nodiscard]] Verdict always_leaves(const isa::Spec& spec, const isa::VmMap& map, isa::FormId form,
                                    const Options& options);

}  // namespace pogo::check
