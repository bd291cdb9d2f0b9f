// Finds the encodings of a Sail model's instructions by running its decoder on bits of which nothing is known.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "isa/spec.hpp"
#include "jib/executor.hpp"
#include "jib/mapping.hpp"

namespace pogo::isa::jib {

/// A form without its meaning: that is what the model makes of `bits`, which are the form's fields and fixed bits.
struct FoundForm {
    Form form;
    Name decode = 0;  ///< function of `bits`
    Term bits;
};
struct FoundRow {
    std::string name;
    std::string identifier;
    std::string assembly;
    std::string encoding;
    std::vector<FoundForm> forms;
};

/// All instructions that the decoder knows, in its order. A constructor makes one row for every choice of the parts of
/// its payload that are no bits (enumerations, truth values) and of classes that the mapping asks for. Bits for which
/// the decoder's conditions depend on the state belong to the form; its meaning asks the state.
[[nodiscard]] std::vector<FoundRow> find_rows(const Model& model, const Mapping& mapping, Executor& executor,
                                              Spec& spec, const PathState& start, Diagnostics& diagnostics);

}  // namespace pogo::isa::jib
