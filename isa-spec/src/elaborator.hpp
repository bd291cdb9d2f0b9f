// The elaborator: symbols, the path that statements are executed along, and the code over them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "isa/elaborate.hpp"

namespace pogo::isa {

// NOLINTNEXTLINE(modernize-use-using): __extension__, which -Wpedantic wants, goes with a typedef only.
__extension__ typedef __int128 Number;  // of elaboration; values are kept within ±2^126

/// Unwinds to the declaration (or form) being elaborated after an error was reported.
struct Abandon {};

struct Type {
    enum class Kind : std::uint8_t { bits, boolean, number, any_bits };
    Kind kind = Kind::bits;
    unsigned width = 0;
    const Ast* enumeration = nullptr;
};

struct OperandInstance;

/// What an expression is while a spec is elaborated.
struct Value {
    enum class Kind : std::uint8_t { number, term, operand };
    Kind kind = Kind::number;
    Number number = 0;
    unsigned width = 0;  ///< of a number written as 0x… or 0b…
    Term term;
    std::size_t operand = 0;

    static Value of(Number n, unsigned literal_width = 0) { return {Kind::number, n, literal_width, {}, 0}; }
    static Value of(Term t) { return {Kind::term, 0, 0, t, 0}; }
    [[nodiscard]] bool is_number() const { return kind == Kind::number; }
    [[nodiscard]] bool is_term() const { return kind == Kind::term; }
};

struct FileSymbol {
    ElementId element;
    unsigned size = 0;
    unsigned width = 0;
    std::vector<std::pair<unsigned, Word>> constants;
    std::vector<std::pair<unsigned, const Ast*>> others;  ///< entry, and what it is: a bank or a register
};

struct Target;

struct BankSymbol {
    struct Member {
        Word value = 0;  ///< of the selector
        const Target* target = nullptr;
    };
    unsigned width = 0;
    const Ast* selector = nullptr;
    std::vector<Member> members;
};

/// Bits of state, low to high: what can be assigned.
struct Target {
    struct Part {
        enum class Kind : std::uint8_t { constant, element, file, bank };
        Kind kind = Kind::constant;
        unsigned width = 0;
        unsigned low = 0;  ///< within the element, entry or bank
        ElementId element;
        const FileSymbol* file = nullptr;
        const BankSymbol* bank = nullptr;
        Term index;
        Word value = 0;  ///< of a constant
    };
    std::vector<Part> parts;
    [[nodiscard]] unsigned width() const {
        unsigned total = 0;
        for (const auto& part : parts) total += part.width;
        return total;
    }
};

/// What a write by software leaves in a field.
struct FieldRule {
    enum class Access : std::uint8_t { rw, ro, warl };
    unsigned high = 0;
    unsigned low = 0;
    Access access = Access::rw;
    std::vector<Word> legal;  ///< of warl: the values that are taken; others leave the field as it is
};

struct RegisterSymbol {
    Target target;
    std::map<std::string, FieldRule, std::less<>> fields;
};

struct Symbol {
    enum class Kind : std::uint8_t {
        number,
        enumeration,
        state,
        file,
        bank,
        function,
        procedure,
        cause,
        group,
        set,
        permission,
        interrupt,
        other
    };
    Kind kind = Kind::other;
    SourceRange where;
    const Ast* ast = nullptr;
    const Ast* in_virtual_state = nullptr;  ///< what a policy puts in the place of a function or procedure
    Value value;
    RegisterSymbol state;
    FileSymbol file;
    BankSymbol bank;
    CauseId cause;
    std::vector<std::string> cases;  ///< of a set
    std::uint32_t index = 0;         ///< of an interrupt or permission
    std::string set_group;
};

/// Names bound in one activation of a body.
struct Frame {
    struct Local {
        std::string name;
        Value value;
        const Ast* enumeration = nullptr;
    };
    std::vector<Local> locals;
    Term done;  ///< Bool: this activation has returned or trapped
    std::optional<Value> result;
    Type result_type;
    bool has_result = false;
};

/// An operand of the form being elaborated, with one case chosen.
struct OperandInstance {
    std::string name;
    const Ast* group = nullptr;
    const Ast* chosen = nullptr;
    std::vector<Frame::Local> environment;  ///< arguments, constants, then fields
};

/// The state along one path through statements. Forked at branches and joined after them.
struct Path {
    Term condition;               ///< Bool: this path is taken
    std::vector<Term> elements;   ///< current value of every scalar element; invalid: as before
    Term next;                    ///< where the pc will be
    std::vector<Term> addresses;  ///< of operands already resolved
    std::vector<bool> torn;       ///< operands resolved on only one of two joined paths
    bool stored = false;
};

struct FieldInfo {
    std::string name;
    unsigned width = 0;
    const Ast* enumeration = nullptr;
    Variable variable;
};

class Elaborator {
  public:
    Elaborator(const Ast& machine, const Ast* extension, const Arguments& arguments, Diagnostics& diagnostics,
               const Contribution& contribution)
        : machine_(machine),
          extension_(extension),
          arguments_(arguments),
          diagnostics_(diagnostics),
          contribution_(contribution) {}
    std::optional<Spec> run();

  private:
    // ---- diagnostics ----
    template <class... Args>
    [[noreturn]] void fail(Code code, SourceRange where, Args&&... args) {
        diagnostics_.report(code, where, std::forward<Args>(args)...);
        throw Abandon{};
    }
    template <class F>
    void attempt(F&& f) {
        const auto frames = frames_.size();
        const auto calls = calls_.size();
        try {
            f();
        } catch (const Abandon&) {
            accesses_allowed_ = true;
            load_name_ = "load";
            row_ = {};
            splits_ = 0;
            frames_.resize(frames);
            calls_.resize(calls);
        }
    }
    void spend(SourceRange where);

    // ---- declarations (declarations.cpp) ----
    void collect(const std::vector<Ast>& list, std::size_t from, std::vector<const Ast*>& into);
    const Ast* decided(const Ast& ast);
    void parameters();
    void properties();
    void declare(const Ast& ast);
    void define(const Ast& ast);
    Symbol& add(std::string_view name, Symbol::Kind kind, const Ast& ast);
    ElementId add_element(std::string name, unsigned width, unsigned entries, Role role, SourceRange where);
    Role role_of(const Ast& ast);
    void declare_register(const Ast& ast);
    void declare_view(const Ast& ast);
    FieldRule field_rule(const Ast& ast, unsigned high, unsigned low);
    void declare_file(const Ast& ast);
    void declare_bank(const Ast& ast);
    void declare_trap(const Ast& ast);
    void declare_access(const Ast& ast);
    [[nodiscard]] unsigned access_width();
    void declare_set(const Ast& ast);
    void declare_virtual(const Ast& ast);
    std::vector<std::string> set_cases(const Ast& ast, const Ast& group);
    void define_mode(const Ast& ast);
    void define_context(const Ast& ast);
    void define_permission(const Ast& ast);
    void vm_registers(const Ast& item, const std::vector<Frame::Local>& constants, VmMap& defined);
    void define_vm_map(const Ast& ast);
    VmMap::Tables vm_tables(const Ast& item, const Ast& map, const VmMap& defined);
    void define_translation(const Ast& ast);
    Translation translation_template(const Ast& ast, unsigned from_width);
    void define_tlb(const Ast& ast, Translation& translation);
    void define_timing(const Ast& ast);
    void define_platform(const Ast& ast);
    void define_device(const Ast& ast);
    Device::Drive drive(const Ast& ast, const DeviceKind& kind, const std::vector<Device::Drive>& before);
    void define_extension(const Ast& ast);
    std::vector<ElementId> whole_elements(const Ast& ast);
    /// Those of a list, `when`s decided.
    std::vector<ElementId> listed_elements(const Ast& list);
    void add_registers();
    void finish();
    void check_overlaps();
    unsigned positive(const Ast& ast, unsigned limit);

    // ---- instructions (instructions.cpp) ----
    void instruction(const Ast& ast);
    struct Items;
    struct Pieces;
    struct FormContext;
    void flatten(const std::vector<Ast>& list, std::vector<const Ast*>& into);
    void add_row(FormContext& context, Instruction row);
    static std::string row_of(const Ast& group, const Ast& chosen);
    static std::vector<std::string> case_rows(const Ast& group, const std::vector<std::string>& cases);
    void choose(FormContext& context, std::size_t at);
    void form(FormContext& context);
    void group_pieces(FormContext& context, const Ast& group, OperandInstance* operand, Pieces& into);
    FieldInfo& field(FormContext& context, const std::string& name, unsigned width, const Ast* enumeration,
                     SourceRange where);
    void add_assembly(FormContext& context, const Ast& text, const OperandInstance* operand,
                      std::vector<AssemblyPart>& parts);
    void place(FormContext& context, const Pieces& pieces, SourceRange where, Encoding& encoding);
    static std::string pattern(const std::vector<const Ast*>& items);

    // ---- meanings ----
    /// Runs `body` from a fresh state and returns the transition it describes.
    template <class F>
    Meaning meaning(Term pc_default, F&& body);
    /// The same with names that mean values, without accesses and without a next instruction.
    template <class F>
    Meaning pure(const std::vector<Frame::Local>& locals, F&& body);
    Meaning finish_meaning();
    [[nodiscard]] Path fresh_path(Term pc_default);

    // ---- statements (statements.cpp) ----
    void block(const Ast& ast, std::size_t from = 0);
    void statement(const Ast& ast);
    void branch(const Ast& ast);
    /// Executes both, each on its part of the path, and joins the paths.
    template <class Then, class Else>
    void fork(Term condition, SourceRange where, Then&& then, Else&& otherwise);
    void join(Term condition, Path&& taken);
    void join(Term condition, Frame&& taken, SourceRange where);
    void raise(const Ast& ast);
    void require_permission(const Ast& ast);
    void fence(const Ast& ast);
    [[nodiscard]] Term within(const Mode& mode);
    void assign(const Ast& ast);
    Value call(const Ast& ast, unsigned hint);
    std::vector<Value> arguments(const Ast& formals, std::span<const Ast> given, const std::string& name,
                                 SourceRange where);
    void enter(const Ast& formals, const std::vector<Value>& arguments, SourceRange where);
    Value invoke(const Ast& function, const std::vector<Value>& arguments, SourceRange where);
    Value legal(const Ast& ast);
    Value operand_member(const Ast& ast, std::size_t operand, const std::string& member,
                         const std::vector<Ast>& arguments, std::size_t from, unsigned hint);
    Term operand_address(std::size_t operand, SourceRange where);
    unsigned operand_units(std::size_t operand, SourceRange where);
    const Ast* operand_item(std::size_t operand, Syntax kind, std::string_view name = {});
    std::optional<Term> operand_piece(std::size_t operand, const std::string& name);
    /// `mem[address, units]` or `physical[address, units]`, perhaps with a kind of access.
    struct Place {
        Term address;
        unsigned units = 1;
        bool direct = false;
        unsigned access = 0;
    };
    Place place_of(const Ast& ast, Access access);
    Term load(const Place& place, SourceRange where);
    void store(const Place& place, Term data, SourceRange where);
    struct Translated {
        Term physical;
        Variable variable;  ///< see Load::translated
    };
    Translated translate(Term address, unsigned access, unsigned units, SourceRange where);
    void fault_of_access(Term address, unsigned access, unsigned units);

    // ---- state ----
    [[nodiscard]] Term current(ElementId element);
    Term read(const Target& target);
    Term read(const Target::Part& part);
    Term read_file(const FileSymbol& file, Term index);
    Term read_bank(const BankSymbol& bank);
    void require_no_function(SourceRange where);
    const Target& other_entry(const FileSymbol& file, const Ast& entry);
    void write(const Target& target, Term value, SourceRange where);
    void write(const Target::Part& part, Term value, Term guard, SourceRange where);
    void write_file(const FileSymbol& file, Term index, Term value, Term guard, SourceRange where);
    static Target cut(const Target& target, unsigned high, unsigned low);
    std::optional<Target> target_of(const Ast& ast);

    // ---- expressions (expressions.cpp) ----
    Value eval(const Ast& ast, unsigned hint = 0);
    Value binary(const Ast& ast, unsigned hint);
    Value unary(const Ast& ast, unsigned hint);
    Value conditional(const Ast& ast, unsigned hint);
    Value builtin(const Ast& ast, const std::string& name, unsigned hint, bool& known);
    Number number(const Ast& ast);
    Number number(const Value& value, SourceRange where);
    Term bits(const Value& value, unsigned width, SourceRange where);
    Term any_bits(const Value& value, SourceRange where, unsigned hint = 0);
    Term boolean(const Value& value, SourceRange where);
    Term condition(const Ast& ast);
    bool constant_condition(const Ast& ast);
    Value coerce(const Value& value, const Type& type, SourceRange where);
    Type type(const Ast& ast);
    std::string describe(const Value& value) const;
    Value choose(Term condition, const Value& a, const Value& b, SourceRange where);
    Frame::Local* find_local(std::string_view name);
    Symbol* find(std::string_view name);
    Symbol& lookup(const Ast& ast, Symbol::Kind kind, std::string_view what);
    Variable shared_variable(const std::string& name, Sort sort);
    [[noreturn]] void unknown_name(const Ast& ast);

    const Ast& machine_;
    const Ast* extension_;
    const Arguments& arguments_;
    Diagnostics& diagnostics_;
    const Contribution& contribution_;
    Spec spec_;
    std::map<std::string, Symbol, std::less<>> symbols_;
    std::map<std::string, Variable, std::less<>> variables_;  // shared between forms
    std::vector<const Ast*> declarations_;
    std::vector<const Ast*> extension_declarations_;
    std::deque<Ast> decided_;  // declarations without the `when`s in them
    const Ast* translate_ = nullptr;
    Ast access_;  // the enumeration `Access`, which every machine has
    bool in_extension_ = false;
    Term active_;  ///< Bool over the state: it is the virtual one; invalid without a policy that says so

    // the meaning being built
    Meaning meaning_;
    Path path_;
    std::vector<Frame> frames_;
    std::vector<OperandInstance> operands_;
    std::vector<const Ast*> calls_;
    SourceRange statement_;                ///< of the body itself, however deep in calls the elaboration is
    std::vector<SourceRange> written_at_;  ///< by element: the statement that wrote it last
    Term pc_value_;
    Term next_value_;
    InstructionId row_;  ///< being elaborated; invalid outside of instructions
    unsigned choice_count_ = 0;
    std::uint64_t spent_ = 0;
    unsigned splits_ = 0;  ///< conditional returns whose rest is being elaborated
    bool accesses_allowed_ = true;
    std::string load_name_ = "load";  ///< of the variables that loads give
};

template <class F>
Meaning Elaborator::meaning(Term pc_default, F&& body) {
    meaning_ = {};
    choice_count_ = 0;
    path_ = fresh_path(pc_default);
    statement_ = {};
    written_at_.assign(spec_.elements.size(), SourceRange{});
    frames_.emplace_back();
    frames_.back().done = spec_.terms.boolean(false);
    body();
    frames_.pop_back();
    return finish_meaning();
}

template <class F>
Meaning Elaborator::pure(const std::vector<Frame::Local>& locals, F&& body) {
    accesses_allowed_ = false;  // again when this is abandoned, too
    next_value_ = {};
    Meaning result = meaning(pc_value_, [&] {
        frames_.back().locals = locals;
        body();
    });
    accesses_allowed_ = true;
    return result;
}

}  // namespace pogo::isa
