// From TOML to what a mapping says.
// SPDX-License-Identifier: Apache-2.0
#include "jib/mapping.hpp"

#include <fmt/format.h>

namespace pogo::isa::jib {

namespace {

class Reader {
  public:
    Reader(Mapping& mapping, Diagnostics& diagnostics) : mapping_(mapping), diagnostics_(diagnostics) {}

    void run() {
        TomlTable top(mapping_.text, diagnostics_);
        mapping_.spec = mention(top, mapping_.text, "spec");
        mapping_.code = optional(top, "code");
        section(top, "instructions", [&](TomlTable& table, const Toml& at) { instructions(table, at); });
        section(top, "trap", [&](TomlTable& table, const Toml& at) { trap(table, at); });
        if (top.table("interrupts") != nullptr)
            section(top, "interrupts", [&](TomlTable& table, const Toml& at) { interrupts(table, at); });
        section(top, "translation", [&](TomlTable& table, const Toml& at) {
            mapping_.translation = mention(table, at, "function");
            mapping_.page = small(table, "page").value_or(0);
        });
        if (const Toml* files = top.table("files"))
            for (const auto& entry : files->entries) {
                if (!is(entry.value, Toml::Kind::table, diagnostics_)) continue;
                TomlTable table(entry.value, diagnostics_);
                mapping_.files.push_back({entry.key, mention(table, entry.value, "read"),
                                          mention(table, entry.value, "write"), small(table, "zero")});
                table.finish();
            }
        section(top, "roles", [&](TomlTable& table, const Toml&) { roles(table); });
        if (const Toml* constants = top.table("constants"))
            for (const auto& entry : constants->entries) mapping_.constants.emplace_back(entry.key, &entry.value);
        top.finish();
    }

  private:
    template <class F>
    void section(TomlTable& top, std::string_view key, F&& read) {
        const Toml* found = top.table(key);
        if (found == nullptr) {
            diagnostics_.report(Code::E0812, mapping_.text.where, std::string(key));
            return;
        }
        TomlTable table(*found, diagnostics_);
        read(table, *found);
        table.finish();
    }
    static Mention at(const Toml& value) { return {value.text, value.where}; }
    std::optional<Mention> optional(TomlTable& table, std::string_view key) {
        const Toml* found = table.find(key, Toml::Kind::string);
        return found == nullptr ? std::nullopt : std::optional(at(*found));
    }
    Mention mention(TomlTable& table, const Toml& of, std::string_view key) {
        const auto before = diagnostics_.errors();
        if (auto found = optional(table, key)) return *found;
        if (diagnostics_.errors() == before) diagnostics_.report(Code::E0812, of.where, std::string(key));
        return {};
    }
    std::vector<Mention> mentions(TomlTable& table, std::string_view key) {
        std::vector<Mention> result;
        if (const Toml* list = table.array(key))
            for (const auto& item : list->items)
                if (is(item, Toml::Kind::string, diagnostics_)) result.push_back(at(item));
        return result;
    }
    std::optional<unsigned> small(TomlTable& table, std::string_view key) {
        const Toml* found = table.find(key, Toml::Kind::integer);
        if (found == nullptr) return std::nullopt;
        if (found->integer >= 0 && found->integer < 64) return static_cast<unsigned>(found->integer);
        diagnostics_.report(Code::E0302, found->where, fmt::format("{}", found->integer), "0 to 63");
        return std::nullopt;
    }

    void instructions(TomlTable& table, const Toml& of) {
        mapping_.instructions = mention(table, of, "union");
        mapping_.decode = mentions(table, "decode");
        mapping_.illegal = mentions(table, "illegal");
        mapping_.run = mention(table, of, "run");
        mapping_.assembly = optional(table, "assembly");
        mapping_.free = table.strings("free");
        if (const Toml* operands = table.table("operands"))
            for (const auto& entry : operands->entries)
                if (is(entry.value, Toml::Kind::array, diagnostics_))
                    mapping_.operands[entry.key] = strings_of(entry.value, diagnostics_);
        if (const Toml* classes = table.table("classes"))
            for (const auto& entry : classes->entries)
                if (is(entry.value, Toml::Kind::string, diagnostics_))
                    mapping_.classes.emplace_back(entry.key, at(entry.value));
        if (const Toml* rows = table.table("rows"))
            for (const auto& entry : rows->entries)
                if (is(entry.value, Toml::Kind::string, diagnostics_))
                    mapping_.rows.emplace_back(entry.key, entry.value.text);
    }

    void trap(TomlTable& table, const Toml& of) {
        mapping_.trap = mention(table, of, "function");
        mapping_.trap_constructor = mention(table, of, "constructor");
        mapping_.trap_cause = mention(table, of, "cause");
        mapping_.trap_entry = mention(table, of, "entry");
        const Toml* causes = table.table("causes");
        if (causes == nullptr) {
            diagnostics_.report(Code::E0812, of.where, "causes");
            return;
        }
        for (const auto& entry : causes->entries) {
            if (!is(entry.value, Toml::Kind::table, diagnostics_)) continue;
            TomlTable cause(entry.value, diagnostics_);
            const Mention kind = mention(cause, entry.value, "kind");
            Mapping::Cause result{{entry.key, entry.where}, mention(cause, entry.value, "name").text, {}};
            cause.finish();
            bool known = false;
            for (const TrapKind candidate :
                 {TrapKind::memory, TrapKind::privilege, TrapKind::call, TrapKind::arithmetic, TrapKind::illegal})
                if (name(candidate) == kind.text) {
                    result.kind = candidate;
                    known = true;
                }
            if (!known && kind.where.valid()) diagnostics_.report(Code::E0314, kind.where, kind.text);
            mapping_.causes.push_back(std::move(result));
        }
    }

    void interrupts(TomlTable& table, const Toml& of) {
        mapping_.due = mention(table, of, "due");
        mapping_.enter = mention(table, of, "enter");
        if (const Toml* names = table.table("names"))
            for (const auto& entry : names->entries)
                if (is(entry.value, Toml::Kind::string, diagnostics_))
                    mapping_.interrupts.emplace_back(Mention{entry.key, entry.where}, entry.value.text);
    }

    void roles(TomlTable& table) {
        for (const Role role :
             {Role::data, Role::pc, Role::mode, Role::relocation, Role::control, Role::io, Role::time})
            for (auto& pattern : mentions(table, name(role))) mapping_.roles.emplace_back(std::move(pattern), role);
        mapping_.scratch = mentions(table, "scratch");
    }

    Mapping& mapping_;
    Diagnostics& diagnostics_;
};

}  // namespace

std::optional<Mapping> read_mapping(const SourceManager& sources, std::uint32_t buffer, Diagnostics& diagnostics) {
    auto text = parse_toml(sources, buffer, diagnostics);
    if (!text) return std::nullopt;
    const auto before = diagnostics.errors();
    Mapping mapping;
    mapping.text = std::move(*text);
    Reader(mapping, diagnostics).run();
    if (diagnostics.errors() != before) return std::nullopt;
    return mapping;
}

}  // namespace pogo::isa::jib
