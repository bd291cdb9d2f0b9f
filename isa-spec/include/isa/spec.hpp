// Spec: the typed, elaborated machine. The only currency between Pogo's parts; nothing here needs syntax.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/source.hpp"
#include "isa/term.hpp"

namespace pogo::isa {

/// What a state element holds (semantics, section 1; Popek & Goldberg 1974, section 2).
enum class Role : std::uint8_t { data, memory, pc, mode, relocation, control, io, time };
[[nodiscard]] std::string_view name(Role role);

/// Why control passes to a trap entry. `unmodelled` is no trap of the machine's: an imported meaning says nothing of
/// what happens there, so nothing is concluded from it.
enum class TrapKind : std::uint8_t { memory, privilege, call, arithmetic, illegal, exit, unmodelled };
/// "memory", "privilege", "call", "arithmetic", "illegal", "virtual", "unmodelled".
[[nodiscard]] std::string_view name(TrapKind kind);

/// A number into one vector of a Spec, told apart by type.
template <class Tag>
struct Id {
    std::uint32_t index = 0xffffffff;
    friend auto operator<=>(const Id&, const Id&) = default;
    [[nodiscard]] bool valid() const { return index != 0xffffffff; }
};
using ElementId = Id<struct ElementTag>;
using CauseId = Id<struct CauseTag>;
using ModeId = Id<struct ModeTag>;
using ContextId = Id<struct ContextTag>;
using InstructionId = Id<struct InstructionTag>;
using FormId = Id<struct FormTag>;

/// A piece of state with exactly one role: a register, one field of a register, or a register file.
/// A register whose fields have roles of their own is several elements, named "sr.S", "sr.I", ….
struct Element {
    std::string name;
    unsigned width = 0;    ///< bits, 1 to 64
    unsigned entries = 1;  ///< 1 for a scalar, else the number of registers of the file
    Role role = Role::data;
    Variable variable;         ///< BitVec(width), or Array(index_width, width) for a file
    unsigned index_width = 0;  ///< bits of a file's index; 0 for a scalar
    unsigned slot = 0;         ///< first of its 2^index_width slots in a State
    bool input = false;        ///< driven by the platform (an interrupt line), not by instructions
    SourceRange where;
    [[nodiscard]] bool is_file() const { return index_width != 0; }
    [[nodiscard]] unsigned slots() const { return 1U << index_width; }
};

/// A register as the manuals name it, put together from elements: how states are read and printed by name.
struct Register {
    struct Piece {
        ElementId element;
        unsigned entry = 0;  ///< of a register file
        unsigned high = 0;   ///< bits of the register, inclusive
        unsigned low = 0;
        unsigned from = 0;  ///< lowest bit of the element
    };
    std::string name;
    unsigned width = 0;
    std::vector<Piece> pieces;
    std::uint64_t constant = 0;  ///< what the bits that no piece covers read as
};

/// Registers of which one at a time stands under the bank's name (68000 A7; Arm r13).
struct Bank {
    struct Member {
        Word value = 0;  ///< of the selector
        ElementId element;
    };
    std::string name;
    Term selector;
    std::vector<Member> members;
    SourceRange where;
};

/// A processor mode: values of elements of role mode. Elements not named may have any value.
struct Mode {
    struct Part {
        ElementId element;
        Word value = 0;
    };
    std::string name;
    std::vector<Part> cube;
    SourceRange where;
};

/// The pair of modes that counts: where the guest's supervisor believes to be and where it really runs.
struct Context {
    std::string name;
    ModeId supervisor;
    ModeId user;
    std::vector<ElementId> guest;  ///< elements that belong to the guest here, so count as data whatever their role
    SourceRange where;
};

/// A cause of traps. Its entry is a transition from the state in which the instruction began.
struct Meaning;

/// A load from memory. Loads happen in order; each sees memory as it was before the instruction.
struct Load {
    Term guard;
    Term address;         ///< as the program sees it (width Spec::address_width)
    Term physical;        ///< after translation (width Spec::physical_width)
    bool direct = false;  ///< by physical address, not through the translation
    unsigned units = 1;
    Variable result;  ///< BitVec(units * unit bits), in the machine's endianness
    SourceRange where;
    unsigned access = 1;    ///< what the translation is told of it: a value of the machine's enumeration `Access`
    Variable translated{};  ///< valid: the translation loads, so `physical` is this variable, which stands for what
                            ///< Spec::translation gives for `address` and `access`; its faults come with the load
};

/// A store to memory. Stores happen in order, after all loads and only when no trap fires.
struct Store {
    Term guard;
    Term address;
    Term physical;
    bool direct = false;
    unsigned units = 1;
    Term data;
    SourceRange where;
    unsigned access = 2;
    Variable translated{};  ///< as for loads; the faults come after all traps of the list
};

/// The instruction gives way to a trap entry if the guard holds and no earlier trap of the list fired.
struct Trap {
    CauseId cause;
    Term guard;
    std::vector<Term> arguments;  ///< as many as the cause has parameters
    unsigned loads_before = 0;    ///< the trap is decided after this many loads
    SourceRange where;
};

/// element := value, or element[index] := value if guard. A scalar element occurs at most once and has a true guard;
/// writes to one register file happen in order.
struct Write {
    ElementId element;
    Term index;  ///< invalid for a scalar
    Term value;
    Term guard;
    SourceRange where;
};

/// Drops entries of the TLB: those of which all that is asked for is so. It has no other effect, and none at all on a
/// machine that walks at every access, as meanings say; a model with a TLB keeps stale entries until a fence.
struct Fence {
    struct Match {
        unsigned tag = 0;  ///< of Translation::tags; after the last of them the page's number
        Term value;
        Term when;  ///< Bool: asked for
    };
    Term guard;
    std::vector<Match> matches;
};

/// A guarded, parallel transition. All terms speak of the state before it, of results of its loads (those before in
/// order), of the fields of the encoding, of `choices`, and in a trap entry of the cause's parameters.
/// If a trap fires, neither writes nor stores happen.
struct Meaning {
    std::vector<Load> loads;
    std::vector<Trap> traps;
    std::vector<Store> stores;
    std::vector<Write> writes;      ///< a transition of an instruction always writes the pc
    std::vector<Variable> choices;  ///< unpredictable values: any will do
    std::vector<Fence> fences;
};

struct Cause {
    std::string name;
    TrapKind kind = TrapKind::illegal;
    std::vector<Variable> parameters;
    /// Reads `pc` as the address of the instruction that trapped (or would have been next) and Spec::next_pc.
    Meaning entry;
    SourceRange where;
};

/// Taken between instructions when the condition holds; the first of Spec::interrupts that does wins.
struct Interrupt {
    std::string name;
    Term condition;
    Meaning entry;  ///< reads `pc` as the address of the instruction that would have been next
    SourceRange where;
};

/// A VM map (Popek & Goldberg 1974, section "The virtual machine map"): f, from states of the virtual machine, which is
/// the machine itself as the guest sees it, to states of the real one while the guest runs. Registers of the guest's
/// (the context's, pc, data) are themselves, through banks; the real mode is that of `modes`; what `map` names is as it
/// says; every other register of the real machine is the monitor's, of any value. docs/vm-maps.md has the obligations.
struct VmMap {
    std::string name;
    ContextId context;
    std::vector<Variable> constants;               ///< of the monitor's: any values for which `where` holds
    std::vector<std::pair<ModeId, ModeId>> modes;  ///< of the virtual machine → of the real one
    /// What real elements hold, over the virtual state and constants: guards are true, indices of entries are constant.
    std::vector<Write> map;
    std::vector<ElementId> guest;        ///< of the guest's here, beside those of the context
    std::vector<ElementId> synthesized;  ///< of the real machine: values are to be found
    Variable address;                    ///< BitVec(physical_width) in `memory`
    Term memory;                         ///< where a guest's physical address is; invalid: not said
    Term exists;                         ///< Bool over `address`: the guest has memory there
    Term where;                          ///< Bool: the virtual states and constants meant
    /// Page tables of the monitor's, for a translation that loads.
    struct Tables {
        bool shadow = false;  ///< they follow the guest's translation as it is used; else they are filled beforehand
                              ///< with all memory of the guest's, for a translation of its physical addresses
        Variable root;        ///< the constant that says where they are: a physical address
        std::uint64_t units = 0;  ///< size of the first table; the others take 2^Translation::page units
        unsigned levels = 0;      ///< loads of a walk that ends at a page
        Variable table_at;        ///< BitVec(physical_width) in `table`
        Term table;               ///< the entry that leads to a table there
        Variable page_at;         ///< BitVec(physical_width) in `page`, and Bools:
        Variable fetch;           ///< the guest may fetch from the page,
        Variable load;            ///< load,
        Variable store;           ///< store
        Term page;                ///< the entry that maps the page there
    };
    std::optional<Tables> tables;
    /// Where the guest's memory lies is a matter of what translations compute, so it can be decided.
    [[nodiscard]] bool composes() const { return memory.valid() && !tables; }
    Meaning monitor;  ///< what a monitor does with its own registers before it starts the guest
    std::vector<std::pair<std::uint32_t, std::uint32_t>> interrupts;  ///< numbers: the real one is the virtual one
    SourceRange range;
};

/// A field of an encoding: a variable part of the instruction's bits.
struct Field {
    std::string name;
    unsigned width = 0;
    Variable variable;
    std::vector<std::string> names;  ///< how values 0, 1, … are written in assembly; empty: as numbers
};

/// The bits of an instruction: parcels in the order of their addresses, each read in the machine's endianness.
struct Encoding {
    struct Parcel {
        std::uint64_t mask = 0;   ///< bits that are fixed
        std::uint64_t value = 0;  ///< their values
    };
    struct Piece {
        unsigned field = 0;  ///< index into Form::fields
        unsigned from = 0;   ///< lowest bit of the field
        unsigned width = 0;
        unsigned parcel = 0;
        unsigned low = 0;  ///< lowest bit in the parcel
    };
    std::vector<Parcel> parcels;
    std::vector<Piece> pieces;
    Term where;  ///< Bool over the fields: other values are not this instruction
};

/// Assembly text as it is printed: literal text and operands by field.
struct AssemblyPart {
    enum class Kind : std::uint8_t {
        text,      ///< `text` as it is
        number,    ///< the field, unsigned, decimal
        signed_,   ///< the field, two's complement, decimal
        hex,       ///< the field, 0x…
        name,      ///< Field::names[value]
        relative,  ///< an address: that of the instruction + offset + the sign-extended field << shift
    };
    Kind kind = Kind::text;
    std::string text;
    unsigned field = 0;
    int offset = 0;  ///< units
    unsigned shift = 0;
};

/// One concrete shape of an instruction: all operand cases chosen, so a fixed length and one meaning.
struct Form {
    InstructionId instruction;
    std::string variant;  ///< the operand cases chosen, as in "W.Dn.PreDec"; empty where there is one form
    Encoding encoding;
    std::vector<Field> fields;
    std::vector<AssemblyPart> assembly;
    Meaning meaning;
};

/// A row of every report.
struct Instruction {
    std::string name;                   ///< as people say it: "MOVE from SR"
    std::string identifier;             ///< as in the spec: move_from_sr
    std::string assembly;               ///< pattern for people: "move.w %sr,<ea>"
    std::string encoding;               ///< pattern for people: "0100000011 mode reg"
    std::vector<std::string> operands;  ///< names, in the order of the cases in Form::variant
    std::uint32_t first_form = 0;
    std::uint32_t form_count = 0;
    unsigned timing_class = 0;  ///< index into Timing::classes
    SourceRange where;
};

/// Who may do what: the lines are tried in order, the first whose mode and condition hold decides. Elaboration makes
/// the traps of the instructions that require it from the same lines; here they stand as a table for people and tools.
/// vt::extend adds what a policy makes leave the virtual state: a permission whose traps are exits.
struct Permission {
    struct Line {
        ModeId mode;            ///< invalid: any mode (`else`)
        std::string condition;  ///< as written; empty: none
        CauseId cause;          ///< invalid: the instruction executes
    };
    std::string name;
    std::vector<Line> lines;
    std::vector<InstructionId> instructions;  ///< that require it, in ascending order
    SourceRange where;
};

/// Address translation as a template over three variables; `physical` holds where no fault's guard does.
/// One that loads (a page-table walk) is run at every access; of others each access has its own instance, and the
/// faults are among the traps of the meaning. Queries leave one that loads uninterpreted over `reads`. Even then
/// faults at its beginning that depend on its variables alone (alignment) are among the traps of the meaning.
struct Translation {
    Variable address;         ///< BitVec(address_width)
    Variable access;          ///< of the width of the enumeration Access: see there
    Variable units;           ///< BitVec(8): size of the access
    std::vector<Load> loads;  ///< by physical address, in order; faults say after how many of them they are decided
    Term physical;            ///< BitVec(physical_width)
    std::vector<Trap> faults;
    std::vector<Trap> of_access;  ///< where it loads: those of loads and stores that are traps of the meaning
    std::vector<ElementId> reads;
    /// What fences tell entries of a TLB apart by, beside the page: see Fence.
    struct Tag {
        std::string name;
        Term value;  ///< BitVec over the state and `access`
    };
    std::vector<Tag> tags;
    std::vector<ElementId>
        stale;          ///< of `reads`: a change of these takes a fence to be noticed; that of others does not
    unsigned page = 0;  ///< naturally aligned accesses of one kind within 2^page units fault or map alike; 0: unknown
};
/// What every translation knows of an access; a machine may add kinds of its own after these.
enum class Access : std::uint8_t { fetch = 0, load = 1, store = 2 };

/// A range of physical addresses with a role of its own (vectors, PSW cells), for direct accesses.
struct Region {
    std::string name;
    Word first = 0;
    Word last = 0;
    Role role = Role::control;
    SourceRange where;
};

/// A property that restricts the states quantified over.
struct Invariant {
    std::string name;
    Term holds;
    SourceRange where;
    bool assumed = false;  ///< whether the machine keeps it is not asked; reports say that it is assumed
};

/// The timing contract: see docs/timing.md.
struct Timing {
    struct Class {
        std::string name;
        unsigned occupies = 1;    ///< cycles in the execute stage
        unsigned latency = 1;     ///< cycles from entering execute until a dependent instruction may enter it
        bool serialises = false;  ///< younger instructions are fetched anew after it
    };
    /// What an access to memory may find nearer than memory. Only time depends on it.
    struct Cache {
        std::uint64_t size = 0;  ///< units; 0: there is none
        unsigned line = 0;       ///< units
        unsigned ways = 1;
        unsigned miss = 0;  ///< cycles more
        /// Where a cache of this shape has its sets: a power of two.
        [[nodiscard]] std::uint64_t sets() const { return size / line / ways; }
        friend bool operator==(const Cache&, const Cache&) = default;
    };
    std::vector<std::string> stages{"fetch", "decode", "execute", "memory", "writeback"};
    unsigned decode_stage = 1;  ///< indices into stages
    unsigned execute_stage = 2;
    unsigned memory_stage = 3;
    bool forwarding = true;      ///< without it results are ready when the instruction leaves the last stage
    unsigned fetch_parcels = 1;  ///< parcels fetched per cycle
    unsigned load_latency = 1;   ///< extra cycles in the memory stage per load
    unsigned store_latency = 0;
    unsigned branch_penalty = 0;  ///< cycles beyond refilling the pipeline
    unsigned trap_cycles = 1;     ///< cycles in execute for a trap entry
    unsigned interrupt_cycles = 1;
    unsigned tlb_entries = 1024;  ///< mappings that are remembered: a power of two
    Cache icache;
    Cache dcache;
    std::vector<Class> classes;  ///< class 0 is the default
};

/// A device of the platform, by physical address.
struct Device {
    enum class Kind : std::uint8_t {
        ram,
        uart,
        timer,
        interrupt_controller,
        exit,
        ns16550,
        clint,
        plic,
        finisher,
        htif,
    };
    struct Drive {
        unsigned output = 0;  ///< number in DeviceKind::outputs
        ElementId input;
    };
    Kind kind = Kind::ram;
    std::string name;
    std::uint64_t base = 0;  ///< in units
    std::uint64_t size = 0;  ///< in units
    unsigned line = 0;       ///< input of the interrupt controller
    unsigned timebase = 1;   ///< cycles of a tick
    unsigned sources = 96;   ///< inputs of an interrupt controller, numbered from 1
    std::vector<Drive> drives;
    SourceRange where;
};

/// What a spec may say of a kind of device.
struct DeviceKind {
    struct Output {
        std::string_view name;  ///< empty where there is only one
        unsigned width = 0;     ///< bits; 0: any
    };
    std::string_view name;
    std::uint64_t least = 1;    ///< units that its registers take
    bool bytes = false;         ///< its registers count in bytes: for machines with units of 8 bits
    bool over_ram = false;      ///< it listens to memory and may lie over RAM
    std::string_view single{};  ///< a platform has at most one device that is this
    std::vector<std::string_view> properties{};
    std::vector<Output> outputs{};
};
[[nodiscard]] const DeviceKind& device_kind(Device::Kind kind);

/// How the outside world meets the machine: devices and the input elements they drive.
struct Platform {
    /// What the core counts by itself, the outputs of `core`.
    enum Count : unsigned { cycles, retired };
    std::vector<Device> devices;
    std::vector<Device::Drive> counts;
    std::string isa;  ///< for the device tree: the processor's riscv,isa
    std::string mmu;  ///< for the device tree: its mmu-type
};

/// A rule of a VT extension: which instructions leave the virtual state, under which condition.
struct ExitRule {
    enum class Select : std::uint8_t { privileged, instruction };
    Select select = Select::privileged;
    InstructionId instruction;  ///< for Select::instruction
    Term when;                  ///< Bool over the state, beyond being virtual
    std::string condition;      ///< `when` as written; empty: none
    SourceRange where;
};

/// A VT extension as declared by its policy, not yet applied: vt::extend makes an extended Spec of it.
struct Extension {
    std::string name;
    Term active;                  ///< Bool over the state: the processor is in the virtual state
    Term supervisor;              ///< Bool over the state: the guest is in its supervisor mode
    std::string active_text;      ///< as written
    std::string supervisor_text;  ///< as written
    CauseId exit;                 ///< the special trap; its first parameter is the number of the instruction's row
    std::vector<ExitRule> rules;
    std::optional<Translation> second;      ///< guest physical → host physical, applied in the virtual state
    std::vector<std::uint32_t> interrupts;  ///< numbers of interrupts that belong to real mode: taken as exits
    /// Causes and interrupts from these numbers on are the policy's own: their entries run in the real state.
    std::uint32_t first_cause = 0;
    std::uint32_t first_interrupt = 0;
    SourceRange where;
};

struct Parameter {
    std::string name;
    std::string value;  ///< as chosen
};

struct Spec {
    std::string name;
    std::string title;  ///< one line for people
    std::vector<Parameter> parameters;
    bool big_endian = false;
    unsigned unit_bits = 8;       ///< bits of an addressable unit of memory, at most 64
    unsigned address_width = 32;  ///< bits of an address as programs see it, at most 64
    unsigned physical_width = 32;
    unsigned parcel_units = 1;            ///< instructions are made of parcels of this many units, at most 64 bits
    std::optional<unsigned> elf_machine;  ///< e_machine of its ELF files

    Terms terms;
    std::vector<Element> elements;
    std::vector<Register> registers;
    std::vector<Bank> banks;
    std::vector<Mode> modes;        ///< in order, most privileged first
    std::vector<Context> contexts;  ///< the first is the default
    std::vector<Region> regions;
    std::vector<Cause> causes;
    std::vector<Interrupt> interrupts;
    std::vector<VmMap> vm_maps;
    std::vector<Permission> permissions;
    std::vector<Invariant> invariants;
    std::vector<Instruction> instructions;
    std::vector<Form> forms;
    Translation translation;
    Meaning reset;
    Timing timing;
    Platform platform;
    std::optional<Extension> extension;

    ElementId pc;
    Variable next_pc;    ///< address of the following instruction, in trap entries
    Variable opcode;     ///< the first parcel, in the arguments of `illegal`
    Trap illegal;        ///< what happens where nothing decodes (guard is true)
    Term waiting;        ///< Bool: no instruction starts while it holds (WFI, STOP)
    Term halted;         ///< Bool: the machine has stopped for good
    unsigned slots = 0;  ///< number of slots of a State

    [[nodiscard]] const Element& operator[](ElementId id) const { return elements[id.index]; }
    [[nodiscard]] const Cause& operator[](CauseId id) const { return causes[id.index]; }
    [[nodiscard]] const Mode& operator[](ModeId id) const { return modes[id.index]; }
    [[nodiscard]] const Context& operator[](ContextId id) const { return contexts[id.index]; }
    [[nodiscard]] const Instruction& operator[](InstructionId id) const { return instructions[id.index]; }
    [[nodiscard]] const Form& operator[](FormId id) const { return forms[id.index]; }
    [[nodiscard]] unsigned parcel_bits() const { return parcel_units * unit_bits; }
    [[nodiscard]] ElementId find_element(std::string_view wanted) const;
    [[nodiscard]] const Register* find_register(std::string_view wanted) const;
    [[nodiscard]] CauseId find_cause(std::string_view wanted) const;
    [[nodiscard]] ModeId find_mode(std::string_view wanted) const;
    [[nodiscard]] ContextId find_context(std::string_view wanted) const;
    /// By name or identifier.
    [[nodiscard]] InstructionId find_instruction(std::string_view wanted) const;
};

/// Names with dots (elements, rows by operand class) as people list them: "mstatus.{SIE,SPIE}" for "mstatus.SIE" and,
/// next to it, "mstatus.SPIE".
[[nodiscard]] std::vector<std::string> grouped(std::span<const std::string> names);

/// Architectural registers as numbers: one slot a scalar element, 2^index_width slots a register file.
struct State {
    std::vector<std::uint64_t> slots;
    explicit State(const Spec& spec) : slots(spec.slots, 0) {}
    State() = default;
    [[nodiscard]] std::uint64_t get(const Element& element, unsigned entry = 0) const {
        return slots[element.slot + entry];
    }
    void set(const Element& element, std::uint64_t value, unsigned entry = 0) { slots[element.slot + entry] = value; }
    [[nodiscard]] std::uint64_t get(const Register& reg, const Spec& spec) const;
    void set(const Register& reg, const Spec& spec, std::uint64_t value);
    friend bool operator==(const State&, const State&) = default;
};

/// An instruction as found in memory.
struct Decoded {
    FormId form;
    std::vector<std::uint64_t> fields;  ///< values, in the order of Form::fields
};

/// Finds forms by their bits. Built once per Spec.
class Decoder {
  public:
    explicit Decoder(const Spec& spec);
    /// The parcels the first of the given ones begin; nothing when no form fits. `wanted` is set to the number of
    /// parcels to supply when more are needed to decide (never more than the longest encoding).
    [[nodiscard]] std::optional<Decoded> decode(std::span<const std::uint64_t> parcels, unsigned& wanted) const;

  private:
    struct Branch {
        std::uint64_t mask = 0;  ///< of the first parcel; zero in a leaf
        unsigned shift = 0;
        std::vector<std::uint32_t> children;  ///< indexed by (parcel & mask) >> shift; numbers of branches
        std::vector<std::uint32_t> forms;     ///< of a leaf
    };
    std::uint32_t build(std::vector<std::uint32_t> forms, std::uint64_t used);
    const Spec* spec_;
    std::vector<Branch> branches_;
};

/// Whether Encoding::where holds for the given field values.
[[nodiscard]] bool permits(const Spec& spec, const Form& form, std::span<const std::uint64_t> fields);

/// The parcels of an instruction with the given field values.
[[nodiscard]] std::vector<std::uint64_t> encode(const Form& form, std::span<const std::uint64_t> fields);

}  // namespace pogo::isa
