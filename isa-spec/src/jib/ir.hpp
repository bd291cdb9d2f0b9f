// Jib IR, the flat goto language that the Sail tool chain prints (`sail -ir`): its declarations as data.
// SPDX-License-Identifier: Apache-2.0
//
// Grammar: docs/sail.md. Names are kept as they stand in the file (z-encoded); `readable` decodes them.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "isa/diagnostic.hpp"
#include "isa/term.hpp"

namespace pogo::isa::jib {

/// A name of the file, by number.
using Name = std::uint32_t;

/// The names of one import, each once.
class Names {
  public:
    Name number(std::string_view text);
    /// As in the file, or nothing.
    [[nodiscard]] std::optional<Name> find(std::string_view text) const;
    [[nodiscard]] std::string_view text(Name name) const { return texts_[name]; }
    /// As the Sail source has it: "zcur_privilege" is "cur_privilege". What is not z-encoded stays.
    [[nodiscard]] std::string readable(Name name) const;

  private:
    std::deque<std::string> texts_;
    std::unordered_map<std::string_view, Name> numbers_;
};

/// Undoes z-encoding: a leading z, then `zz` for z and z0 to zW for the characters that no C identifier has.
[[nodiscard]] std::string decode_name(std::string_view encoded);
/// A Sail identifier z-encoded: "cur_privilege" is "zcur_privilege".
[[nodiscard]] std::string encode_name(std::string_view name);

struct Type {
    enum class Kind : std::uint8_t {
        integer,  ///< %i, of any size; %i64 too
        bits,     ///< %bv, %bvN; %bit is one bit
        boolean,
        unit,
        string,
        real,  ///< %real and floating-point numbers: without operations here
        enumeration,
        structure,
        union_,
        vector,  ///< %vec, %fvec and %list
        reference,
    };
    Kind kind = Kind::unit;
    std::optional<unsigned> width;  ///< of %bvN (zero included); nothing for %bv
    Name name = 0;                  ///< of enumerations, structures and unions
    std::shared_ptr<const Type> of;
};

struct Expression {
    enum class Kind : std::uint8_t {
        name,
        boolean,  ///< value
        unit,
        bits,       ///< value, width
        integer,    ///< value, two's complement
        string,     ///< text
        reference,  ///< & name
        undefined,  ///< type
        structure,  ///< name, members and operands
        is,         ///< operand is NOT of constructor `name`: the test that jumps away
        as,         ///< the operand's payload, of constructor `name`
        field,      ///< operand . name
        operation,  ///< @name(operands)
    };
    Kind kind = Kind::unit;
    Name name = 0;
    Word value = 0;
    unsigned width = 0;
    std::string text;
    std::vector<Name> members;
    std::vector<Expression> operands;
    std::shared_ptr<const Type> type;
    SourceRange where;
};

struct Place {
    Name name = 0;
    std::vector<Name> fields;
    bool referenced = false;  ///< what the variable refers to
};

struct Instruction {
    enum class Kind : std::uint8_t {
        declare,  ///< place: type [= value]
        assign,   ///< place = value
        call,     ///< place = callee(arguments)
        jump,     ///< to `target` if value
        go,       ///< to `target`
        stop,     ///< the path ends here without an answer; text says how
        end,      ///< of the function; its result is in `return`
        nothing,
    };
    Kind kind = Kind::nothing;
    Place place;
    std::optional<Expression> value;
    Name callee = 0;
    std::vector<Expression> arguments;
    std::uint32_t target = 0;  ///< number of an instruction of this body
    std::shared_ptr<const Type> type;
    std::string text;
    SourceRange where;
};
using Body = std::vector<Instruction>;

struct Member {
    Name name = 0;
    Type type;
};
/// A structure's fields or a union's constructors.
struct Composite {
    std::vector<Member> members;
    [[nodiscard]] std::optional<std::size_t> find(Name name) const;
};
struct Signature {
    std::vector<Type> parameters;
    Type result;
    std::optional<std::string> primitive;  ///< as the file names it
};
struct Function {
    std::vector<Name> parameters;
    Body body;
    SourceRange where;
};
struct Global {
    Name name = 0;
    Type type;
    bool is_register = false;
    SourceRange where;
};
struct Let {
    std::vector<Name> names;
    Body body;
};

/// One model: the declarations of a file, and of texts that come after it and take the place of functions of it.
struct Model {
    Names names;
    std::unordered_map<Name, std::vector<Name>> enumerations;
    std::unordered_map<Name, std::pair<Name, unsigned>> enumerators;  ///< enumeration and number
    std::unordered_map<Name, Composite> structures;
    std::unordered_map<Name, Composite> unions;
    std::unordered_map<Name, std::pair<Name, unsigned>> constructors;  ///< union and number
    std::unordered_map<Name, Signature> signatures;
    std::unordered_map<Name, Function> functions;
    std::vector<Global> globals;  ///< registers, and what `let` binds
    std::unordered_map<Name, std::size_t> global_numbers;
    std::vector<Let> lets;
};

/// Reads one buffer into the model. With `over`, functions, registers and primitives may be declared already: these
/// take their place. Goes on after errors with the next declaration.
void parse(const SourceManager& sources, std::uint32_t buffer, Model& model, bool over, Diagnostics& diagnostics);

}  // namespace pogo::isa::jib
