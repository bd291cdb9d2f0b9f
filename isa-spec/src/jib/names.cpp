// Names of Jib IR and their z-encoding.
// SPDX-License-Identifier: Apache-2.0
#include "jib/ir.hpp"

namespace pogo::isa::jib {

namespace {

// Sail's own table (src/lib/util.ml, zchar): a character that no C identifier has is z and one of these; z is zz.
constexpr std::string_view codes = "0123456789ABCDEFGHIJKLMNOPQSTUVW";
constexpr std::string_view characters = " !\"#$%&'()*+,-./:;<=>?@[\\]^`{|}~";
static_assert(codes.size() == characters.size());

}  // namespace

std::string decode_name(std::string_view encoded) {
    if (!encoded.starts_with('z')) return std::string(encoded);
    std::string result;
    for (std::size_t i = 1; i < encoded.size(); ++i) {
        if (encoded[i] != 'z' || i + 1 == encoded.size()) {
            result += encoded[i];
            continue;
        }
        const char code = encoded[++i];
        const auto at = codes.find(code);
        result += at == std::string_view::npos ? code : characters[at];  // zz is z
    }
    return result;
}

std::string encode_name(std::string_view name) {
    std::string result = "z";
    for (const char c : name) {
        if (c == 'z') {
            result += "zz";
        } else if (const auto at = characters.find(c); at != std::string_view::npos) {
            result += 'z';
            result += codes[at];
        } else {
            result += c;
        }
    }
    return result;
}

Name Names::number(std::string_view text) {
    if (const auto found = numbers_.find(text); found != numbers_.end()) return found->second;
    const auto number = static_cast<Name>(texts_.size());
    texts_.emplace_back(text);
    numbers_.emplace(texts_.back(), number);
    return number;
}

std::optional<Name> Names::find(std::string_view text) const {
    const auto found = numbers_.find(text);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

std::string Names::readable(Name name) const { return decode_name(texts_[name]); }

std::optional<std::size_t> Composite::find(Name name) const {
    for (std::size_t i = 0; i < members.size(); ++i)
        if (members[i].name == name) return i;
    return std::nullopt;
}

}  // namespace pogo::isa::jib
