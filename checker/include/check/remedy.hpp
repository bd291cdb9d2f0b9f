// Remedies (docs/remedies.md): what has to trap, to be patched, to be translated, so that a guest runs as bare.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "check/vm_map.hpp"

namespace pogo::check {

/// An element of a trap set: forms of one instruction that have to trap in these modes of the real machine.
struct MustTrap {
    /// A field of the encoding with values that need no trap.
    struct Spared {
        std::string name;                   ///< of the field, in all the forms
        std::vector<std::uint64_t> values;  ///< ascending, not all that the field has
        friend bool operator==(const Spared&, const Spared&) = default;
    };
    isa::InstructionId instruction;
    std::vector<isa::FormId> forms;  ///< ascending
    std::vector<isa::ModeId> modes;
    std::vector<Spared> spared;
    /// Yes: for every form and mode of it, and every value that is not spared of a field that spares some, it was
    /// decided that without this alone an obligation is refuted.
    Verdict needed = Verdict::unknown;
    unsigned rechecks = 0;  ///< how many decisions that were
};

/// Does the element hold for this instruction?
[[nodiscard]] bool covers(const isa::Spec& spec, const MustTrap& element, const isa::Decoded& decoded);

/// A smallest set of instructions that must trap for the obligations of a VM map, or the hypothesis of Theorem 1 in a
/// context, to hold.
struct TrapSet {
    std::string map;                    ///< empty: it is about a context
    isa::ContextId context;             ///< of the map, or the one asked for
    Verdict already = Verdict::no;      ///< it holds without any trap more (under the configuration, if there is one)
    std::optional<Cube> configuration;  ///< which the map asked for and which is used
    isa::CauseId cause;                 ///< that the elements raise; invalid where none are needed or no trap will do
    std::vector<MustTrap> elements;     ///< in the order of the Spec
    /// Obligations, or invariants, that no trap of an instruction mends; or all, where no trap leaves the guest.
    std::vector<std::string> beyond;
    std::vector<std::string> undecided;  ///< on which the solver gave up

    /// With the elements all holds, as far as was decided one by one; and none of them can be left out.
    [[nodiscard]] Verdict exists() const;
    [[nodiscard]] Verdict minimal() const;
};

struct RemedyOptions {
    Options check;
    bool whole = false;                 ///< instructions trap as a whole: no operand cases, no values of fields
    bool strict = false;                ///< of a context: mode and relocation only
    std::optional<isa::CauseId> cause;  ///< what is to be raised; default: what is fit for it, privilege first
};

/// For a map; `findings` are those of the spec and the map under `options.check`.
[[nodiscard]] TrapSet trap_set(const isa::Spec& spec, const isa::VmMap& map, const MapFindings& findings,
                               const RemedyOptions& options);
/// Is an obligation refuted where all elements of the set trap but this one? Decided anew; no: it is superfluous.
[[nodiscard]] Verdict needed(const isa::Spec& spec, const isa::VmMap& map, const MapFindings& findings,
                             const TrapSet& set, std::size_t element, const RemedyOptions& options);
/// For Theorem 1 in the context of `findings`, which are those of `options.check`; instructions as a whole.
[[nodiscard]] TrapSet trap_set(const isa::Spec& spec, const Findings& findings, const RemedyOptions& options);

/// The machine in which the elements trap, each before anything else that its instructions do.
[[nodiscard]] isa::Spec trapping(const isa::Spec& spec, isa::CauseId cause, std::span<const MustTrap> elements);

/// The element as a statement of the instruction: `require privileged;` where a permission says the same, else
/// `trap privilege_violation when ccr.S == 0 && rd != 0;`.
[[nodiscard]] std::string statement(const isa::Spec& spec, isa::CauseId cause, const MustTrap& element);
/// When the element's instruction traps, for people: "ccr.S == 0 && rd != 0"; empty: always.
[[nodiscard]] std::string condition(const isa::Spec& spec, const MustTrap& element);
/// The part of it that is about fields of the encoding: "rd != 0"; empty: none.
[[nodiscard]] std::string fields_condition(const isa::Spec& spec, const MustTrap& element);

// ---- Hypercalls ---------------------------------------------------------------------------------------------------

/// What stands in the place of an instruction of so many parcels, and goes to the monitor wherever the guest runs.
struct Replacement {
    std::vector<std::uint64_t> parcels;
    std::optional<isa::FormId> form;    ///< what the first parcels decode to; none: nothing, which raises Spec::illegal
    Verdict leaves = Verdict::unknown;  ///< proved to go to the monitor from every state of the guest's
};

/// One form of an element.
struct Patch {
    isa::FormId form;
    std::size_t element = 0;      ///< index into TrapSet::elements
    std::size_t replacement = 0;  ///< index into PatchList::replacements; see there for none
    [[nodiscard]] bool possible() const { return replacement != none; }
    static constexpr std::size_t none = static_cast<std::size_t>(-1);
};

struct PatchList {
    TrapSet set;
    std::vector<Replacement> replacements;  ///< one for each length that is needed
    std::vector<Patch> patches;             ///< by FormId
    [[nodiscard]] const Patch* find(isa::FormId form) const;
    /// Every form has a replacement that is proved to leave.
    [[nodiscard]] Verdict complete() const;
};

/// `set` and `findings` are those of the spec and the map under `options`.
[[nodiscard]] PatchList patch_list(const isa::Spec& spec, const isa::VmMap& map, const MapFindings& findings,
                                   TrapSet set, const Options& options);

/// An instruction of a guest that is to be patched.
struct PatchSite {
    std::uint64_t address = 0;  ///< of its first unit
    isa::Decoded original;
    std::vector<std::uint64_t> before;  ///< units
    std::vector<std::uint64_t> after;   ///< as many
};

/// Reads the units, which lie at `base`, as instructions one after the other, and patches those that the list names.
/// Where nothing decodes it goes on with the next parcel. So the range must be code and begin with an instruction:
/// what is data there may be taken for an instruction, and what is jumped into the middle of is not seen.
[[nodiscard]] std::vector<PatchSite> patch(const isa::Spec& spec, const PatchList& list, std::span<std::uint64_t> units,
                                           std::uint64_t base);

// ---- Translation --------------------------------------------------------------------------------------------------

/// What a binary translator does with a form of an instruction.
struct Translated {
    enum class Why : std::uint8_t {
        same,       ///< copied: it does the same at any address and goes on to the next instruction
        refuted,    ///< it breaks the map: it has to be carried out on the virtual machine
        undecided,  ///< the solver gave up on its obligation
        traps,      ///< it never completes there
        jumps,      ///< it sets the program counter otherwise than to the next instruction
        reads_pc,   ///< its results, addresses or traps depend on where it lies
        delivers,   ///< it raises a trap that may go to the guest, which would see where it lies
    };
    Why why = Why::same;
    [[nodiscard]] bool copied() const { return why == Why::same; }
};
[[nodiscard]] std::string_view text(Translated::Why why);  ///< in a few words

struct TranslationTable {
    TrapSet set;
    std::vector<Translated> forms;  ///< by FormId
    /// What a block ends with to go to the monitor; none: nothing does from every state of the guest's.
    std::optional<Replacement> exit;
    /// Interrupts, and traps of fetches and the like, that the real machine takes into the guest, which then saves an
    /// address of the cache's: they have to be kept from it.
    std::vector<std::string> delivered;
    /// No: there is no way out, or something is refuted that is no instruction; unknown: something is undecided.
    Verdict complete = Verdict::unknown;
};

[[nodiscard]] TranslationTable translation_table(const isa::Spec& spec, const isa::VmMap& map,
                                                 const MapFindings& findings, TrapSet set, const Options& options);

}  // namespace pogo::check
