// What a mapping file says of a Sail model: which functions mean what, and the roles of registers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "isa/spec.hpp"
#include "isa/toml.hpp"

namespace pogo::isa::jib {

/// A word of the file and where it stands. Names are Sail's, not z-encoded.
struct Mention {
    std::string text;
    SourceRange where;
};

struct Mapping {
    Mention spec;                 ///< file: a machine in Pogo's language, for what Sail does not say
    std::optional<Mention> code;  ///< file: functions in Jib IR that take the place of the model's

    Mention instructions;             ///< union of all instructions
    std::vector<Mention> decode;      ///< functions from an instruction's bits to that union
    std::vector<Mention> illegal;     ///< its constructors for bits that are no instruction
    Mention run;                      ///< function of an instruction: the whole step, the pc included
    std::optional<Mention> assembly;  ///< function from an instruction to its text
    std::map<std::string, std::vector<std::string>> operands;  ///< constructor → names of its payload's parts
    std::vector<std::string> free;                             ///< operands that do not make rows
    std::vector<std::pair<std::string, Mention>> classes;      ///< operand → function from its value to a row's name
    std::vector<std::pair<std::string, std::string>> rows;     ///< pattern of such names → the row they share

    Mention trap;              ///< function: a call with `trap_constructor` among its arguments is a trap
    Mention trap_constructor;  ///< its payload is a structure
    Mention trap_cause;        ///< the field of it that says why, a union
    Mention trap_entry;        ///< function of the cause and then the payload's other fields: enters the handler
    struct Cause {
        Mention constructor;
        std::string name;
        TrapKind kind = TrapKind::illegal;
    };
    std::vector<Cause> causes;

    std::optional<Mention> due;    ///< function of an interrupt, an enumerator: it is taken now
    std::optional<Mention> enter;  ///< function of it: enters the handler
    std::vector<std::pair<Mention, std::string>> interrupts;  ///< enumerators and names

    Mention translation;  ///< function of address, kind of access and units: the physical address
    unsigned page = 0;

    struct File {
        std::string name;
        Mention read;   ///< function of the number
        Mention write;  ///< function of the number and the value
        std::optional<unsigned> zero;
    };
    std::vector<File> files;

    std::vector<std::pair<Mention, Role>> roles;  ///< patterns of registers
    std::vector<Mention> scratch;                 ///< patterns of registers that an instruction writes before it reads
    std::vector<std::pair<std::string, const Toml*>> constants;
    Toml text;  ///< what `constants` lead into
};

[[nodiscard]] std::optional<Mapping> read_mapping(const SourceManager& sources, std::uint32_t buffer,
                                                  Diagnostics& diagnostics);

}  // namespace pogo::isa::jib
