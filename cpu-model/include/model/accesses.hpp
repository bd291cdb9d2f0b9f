// What an instruction accesses, computed again from its meaning: for observers that want addresses as programs see
// them. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "isa/fold.hpp"
#include "isa/spec.hpp"
#include "isa/walk.hpp"

namespace pogo::model {

struct Access {
    bool store = false;
    bool direct = false;         ///< by physical address, not through the translation
    std::uint64_t address = 0;   ///< as the program sees it
    std::uint64_t physical = 0;  ///< after translation
    unsigned units = 1;
    isa::Word data = 0;  ///< what was loaded or stored
    bool used = true;    ///< not a load that is made for its faults only
};

/// Does not take part in running the machine, so it may be slow and may know memory only afterwards.
class Accesses {
  public:
    /// A unit of memory before the instruction, by physical address.
    using Memory = std::function<std::uint64_t(std::uint64_t)>;

    /// The spec must outlive it.
    explicit Accesses(const isa::Spec& spec);
    /// Of an instruction that completes in a state: loads, then stores, each in their order. Valid until the next call.
    [[nodiscard]] const std::vector<Access>& of(isa::FormId form, std::span<const std::uint64_t> fields,
                                                std::span<const std::uint64_t> slots, const Memory& memory);

  private:
    struct Form {
        isa::Program
            program;  ///< guard and address of each load and store, physical or as the program sees it, and data
        std::vector<bool> used;  ///< by load: something depends on its result
    };
    const Form& prepared(isa::FormId form);
    const isa::Spec& spec_;
    isa::Walk walk_;
    std::unordered_map<std::uint32_t, Form> forms_;
    std::vector<isa::Word> values_;  ///< by variable; of a file, its first slot
    std::vector<Access> accesses_;
};

}  // namespace pogo::model
