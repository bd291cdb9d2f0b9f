// Every unprivileged instruction of RV64, with corner and random operands, on the model and on QEMU: the same results.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "command.hpp"
#include "isa/assembly.hpp"
#include "support.hpp"

namespace pogo::integration {
namespace {

using namespace isa;

bool begins(std::string_view text, std::initializer_list<std::string_view> with) {
    return std::any_of(with.begin(), with.end(), [&](auto each) { return text.starts_with(each); });
}

/// Writes a user program: case after case, each leaves what it computed and a digest of all registers in the signature,
/// and at the end the signature is printed, a number a line.
///
/// x1 to x26 are the cases' own. x27 is the digest's factor, x28 scratch, x29 links to `digest`, x30 walks the
/// operands, x31 the signature.
class Generator {
  public:
    explicit Generator(const Spec& spec) : spec_(spec), decoder_(spec) {
        for (unsigned i = 1; i <= own; ++i) load(i, random_());
        for (const Form& form : spec.forms) {
            const std::string& name = spec[form.instruction].name;
            // What belongs to the system is not for user programs.
            const bool system = form.encoding.parcels.size() == 2 && (form.encoding.parcels[0].value & 0x7f) == 0x73;
            if (system || name == "c.ebreak") continue;
            unsigned count = 50;
            if (begins(name, {"lr.", "sc.", "amo"})) count = 15;  // in four forms
            for (unsigned n = 0; n < count; ++n) add(form, name);
            if (begins(name, {"mul", "div", "rem"}))
                for (const std::uint64_t a : corners)
                    for (const std::uint64_t b : corners) add_pair(form, a, b);
        }
    }
    /// What each line of the output is about.
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }

    [[nodiscard]] std::string source() const {
        std::string out =
            "\t.option norvc\n\t.option norelax\n"
            "\t.section .text.start, \"ax\"\n\t.globl _start\n"
            "_start:\tla x30, operands\n\tla x31, signature\n\tli x27, 0x9e3779b97f4a7c15\n" +
            text_ +
            // The signature as text, then write(1, …) and exit(0).
            "\tla x8, signature\n\tla x9, printed\n"
            "1:\tld x10, 0(x8)\n\taddi x8, x8, 8\n\tli x11, 60\n"
            "2:\tsrl x12, x10, x11\n\tandi x12, x12, 15\n\tla x13, digits\n\tadd x12, x12, x13\n\tlbu x12, 0(x12)\n"
            "\tsb x12, 0(x9)\n\taddi x9, x9, 1\n\taddi x11, x11, -4\n\tbgez x11, 2b\n"
            "\tli x12, '\\n'\n\tsb x12, 0(x9)\n\taddi x9, x9, 1\n\tbltu x8, x31, 1b\n"
            "\tli x10, 1\n\tla x11, printed\n\tsub x12, x9, x11\n\tli x17, 64\n\tecall\n"
            "\tli x10, 0\n\tli x17, 93\n\tecall\n"
            // Everything the cases may have changed, as one number.
            "digest:\tli x28, 0\n";
        for (unsigned i = 1; i <= own; ++i) {
            out += fmt::format("\txor x28, x28, x{}\n", i);
            out += "\tmul x28, x28, x27\n";
        }
        out += "\tsd x28, 0(x31)\n\taddi x31, x31, 8\n\tjr x29\n";
        out += "digits:\t.ascii \"0123456789abcdef\"\n";
        out += "\t.data\n\t.balign 8\noperands:\n" + operands_;
        out += "\t.balign 4096\nscratch:\n";
        std::mt19937_64 contents(7);
        for (unsigned i = 0; i < scratch_size / 8; ++i) out += fmt::format("\t.8byte {:#x}\n", contents());
        out += fmt::format("\t.bss\n\t.balign 8\nsignature:\t.space {}\nprinted:\t.space {}\n", 8 * notes_.size(),
                           17 * notes_.size());
        return out;
    }

  private:
    static constexpr unsigned own = 26;
    static constexpr unsigned scratch_size = 512;

    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    static constexpr std::array<std::uint64_t, 12> corners = {0,
                                                              1,
                                                              3,
                                                              ~0ULL,
                                                              0x7fff'ffff,
                                                              0x8000'0000,
                                                              0xffff'ffff,
                                                              0x1'0000'0000,
                                                              0xffff'ffff'8000'0000,
                                                              0xffff'ffff'7fff'ffff,
                                                              0x7fff'ffff'ffff'ffff,
                                                              0x8000'0000'0000'0000};
    // A corner, a small number, any number, or the one before again.
    std::uint64_t operand() {
        switch (below(8)) {
            case 0:
                return last_;
            case 1:
                return last_ = below(130) - 65;
            case 2:
                return last_ = random_() >> below(64);
            case 3:
            case 4:
                return last_ = random_();
            default:
                return last_ = corners[below(corners.size())];
        }
    }

    void line(const std::string& text) { text_ += "\t" + text + "\n"; }
    void load_expression(unsigned reg, const std::string& value) {
        if (reg == 0) return;
        operands_ += "\t.8byte " + value + "\n";
        line(fmt::format("ld x{}, 0(x30)", reg));
        line("addi x30, x30, 8");
    }
    void load(unsigned reg, std::uint64_t value) { load_expression(reg, fmt::format("{:#x}", value)); }
    void record(unsigned reg, const std::string& note) {
        line(fmt::format("sd x{}, 0(x31)", reg));
        line("addi x31, x31, 8");
        notes_.push_back(note);
    }
    void digest(const std::string& note) {
        line("jal x29, digest");
        notes_.push_back(note + ": all registers");
    }

    struct Case {
        std::string word;  ///< as a directive
        std::string note;
        std::vector<std::pair<std::string, std::uint64_t>> fields;
        [[nodiscard]] std::optional<std::uint64_t> field(std::string_view name) const {
            for (const auto& [each, value] : fields)
                if (each == name) return value;
            return std::nullopt;
        }
        /// The register that a field names: those of three bits begin at x8.
        [[nodiscard]] std::optional<unsigned> reg(std::string_view name, const Form& form) const {
            for (std::size_t i = 0; i < fields.size(); ++i)
                if (fields[i].first == name)
                    return static_cast<unsigned>(fields[i].second) + (form.fields[i].width == 3 ? 8U : 0U);
            return std::nullopt;
        }
    };

    // Field values that the form permits; `fixed` ones as given.
    std::optional<Case> pick(const Form& form, const std::vector<std::pair<std::string, std::uint64_t>>& fixed = {}) {
        std::vector<std::uint64_t> values;
        for (const Field& field : form.fields) {
            const auto all = static_cast<std::uint64_t>(ones(field.width));
            const bool reg = field.name == "rd" || field.name == "rs1" || field.name == "rs2";
            const std::uint64_t kind = below(6);
            std::uint64_t value = reg && field.width == 5 ? below(own + 1)
                                  : kind == 0             ? 0
                                  : kind == 1             ? all
                                                          : random_() & all;
            for (const auto& [name, given] : fixed)
                if (name == field.name) value = given & all;
            values.push_back(value);
        }
        const auto parcels = encode(form, values);
        unsigned wanted = 0;
        const auto decoded = decoder_.decode(parcels, wanted);
        if (!decoded || &spec_[decoded->form] != &form) return std::nullopt;
        Case result;
        result.word = fmt::format(".2byte {:#x}", parcels[0]);
        if (parcels.size() > 1) result.word += fmt::format(", {:#x}", parcels[1]);
        result.note = disassemble(spec_, *decoded, 0);
        for (std::size_t i = 0; i < form.fields.size(); ++i)
            result.fields.emplace_back(form.fields[i].name, decoded->fields[i]);
        return result;
    }

    void add(const Form& form, const std::string& name) {
        for (;;) {
            const auto one = pick(form);
            if (!one) continue;
            const bool memory = one->field("d") || begins(name, {"lr.", "sc.", "amo"});
            const bool goes = begins(name, {"jal", "c.j", "b", "c.b"});
            if (memory ? add_access(form, name, *one) : goes ? add_jump(form, *one) : add_computation(form, *one))
                return;
        }
    }

    void add_pair(const Form& form, std::uint64_t a, std::uint64_t b) {
        const auto one = pick(form, {{"rd", 10}, {"rs1", 11}, {"rs2", 12}});
        load(11, a);
        load(12, b);
        line(one->word);
        record(10, fmt::format("{} of {:#x}, {:#x}", one->note, a, b));
    }

    bool add_computation(const Form& form, const Case& one) {
        load(2, operand());
        if (const auto imm = one.field("imm"); imm && below(4) == 0)
            last_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(*imm << 52) >> 52);
        for (const char* field : {"rd", "rs1", "rs2"})
            if (const auto reg = one.reg(field, form)) load(*reg, operand());
        line(one.word);
        if (const auto rd = one.reg("rd", form)) record(*rd, one.note);
        digest(one.note);
        return true;
    }

    bool add_access(const Form& form, const std::string& name, const Case& one) {
        const bool atomic = begins(name, {"lr.", "sc.", "amo"});
        const bool conditional = name.starts_with("sc.");
        const char letter = atomic ? name.back() : name[name.starts_with("c.") ? 3 : 1];
        const unsigned size = letter == 'b' ? 1 : letter == 'h' ? 2 : letter == 'w' ? 4 : 8;
        const unsigned base = one.reg("rs1", form).value_or(2);
        if (base == 0) return false;
        std::int64_t displacement = 0;
        if (const auto d = one.field("d"))
            displacement =
                name.starts_with("c.") ? static_cast<std::int64_t>(*d) : static_cast<std::int64_t>(*d << 52) >> 52;
        const std::uint64_t place = below((scratch_size - 16) / size) * size;
        if (const auto rd = one.reg("rd", form)) load(*rd, operand());
        if (const auto rs2 = one.reg("rs2", form)) load(*rs2, operand());
        std::string note = one.note;
        if (conditional) {
            // Reserved by an LR of the same size: the place, another one, another one since, nothing since an SC
            // (UM 8.2).
            const auto kind = below(4);
            note += fmt::format(", kind {}", kind);
            const auto reserve = [&](std::uint64_t where) {
                line(fmt::format("la x28, scratch + {}", where));
                line(fmt::format("lr.{} x28, (x28)", letter));
            };
            reserve(kind == 1 ? place + 8 : place);
            if (kind == 2) reserve(place + 8);
            if (kind == 3) {
                line(fmt::format("la x28, scratch + {}", place));
                line(fmt::format("sc.{} x28, x0, (x28)", letter));
            }
        }
        load_expression(base, fmt::format("scratch + {}", static_cast<std::int64_t>(place) - displacement));
        line(one.word);
        if (const auto rd = one.reg("rd", form)) record(*rd, note);
        line(fmt::format("la x28, scratch + {}", place & ~std::uint64_t{7}));
        line("ld x28, 0(x28)");
        record(28, note + ": memory");
        digest(note);
        return true;
    }

    // x28 is 1 where the next instruction is executed, 2 at the target; bytes that nobody should come to are zero.
    bool add_jump(const Form& form, const Case& chosen) {
        const unsigned id = labels_++;
        const bool indirect = !std::any_of(form.assembly.begin(), form.assembly.end(), [](const AssemblyPart& part) {
            return part.kind == AssemblyPart::Kind::relative;
        });
        Case one = chosen;
        std::int64_t distance = 0;
        if (!indirect) {
            const auto imm = std::find_if(form.fields.begin(), form.fields.end(),
                                          [](const Field& field) { return field.name == "imm"; });
            const std::int64_t reach = std::int64_t{1} << (imm->width - 1);
            const std::int64_t most = std::min<std::int64_t>(reach, below(8) == 0 ? 4096 : 200);
            distance = static_cast<std::int64_t>(16 + below(static_cast<std::uint64_t>(most) - 17)) & ~std::int64_t{1};
            if (most == reach && below(4) == 0) distance = reach - 2;
            if (below(2) == 0) distance = distance == reach - 2 ? -reach : -distance;
            std::vector<std::pair<std::string, std::uint64_t>> fixed = chosen.fields;
            for (auto& [field, value] : fixed)
                if (field == "imm") value = static_cast<std::uint64_t>(distance);
            const auto again = pick(form, fixed);
            if (!again) return false;
            one = *again;
        }
        const auto a = one.reg("rs1", form);
        const auto b = one.reg("rs2", form);
        const std::uint64_t left = operand();
        if (indirect) {
            if (*a == 0) return false;
            const auto imm = static_cast<std::int64_t>(one.field("imm").value_or(0) << 52) >> 52;
            // Bit 0 of the sum is ignored (UM 2.5).
            load_expression(*a, fmt::format("target{} - ({}) + {}", id, imm, below(2)));
        } else if (a) {
            load(*a, below(4) == 0 ? 0 : left);
            if (b) load(*b, below(3) == 0 ? left : below(3) == 0 ? left ^ 1ULL << 63 : operand());
        }
        const auto fall = [&] {
            line(one.word);
            line("li x28, 1");
            line(fmt::format("j done{}", id));
        };
        const auto target = [&] {
            text_ += fmt::format("target{}:\n", id);
            line("li x28, 2");
        };
        if (indirect || distance > 0) {
            text_ += fmt::format("from{}:\n", id);
            fall();
            if (!indirect) line(fmt::format(".org from{} + {}, 0", id, distance));
            target();
        } else {
            line(fmt::format("j from{}", id));
            target();
            line(fmt::format("j done{}", id));
            line(fmt::format(".org target{} + {}, 0", id, -distance));
            text_ += fmt::format("from{}:\n", id);
            fall();
        }
        text_ += fmt::format("done{}:\n", id);
        record(28, one.note + ": taken");
        digest(one.note);
        return true;
    }

    const Spec& spec_;
    Decoder decoder_;
    std::mt19937_64 random_{64};
    std::string text_;
    std::string operands_;
    std::vector<std::string> notes_;
    std::uint64_t last_ = 0;
    unsigned labels_ = 0;
};

class Rv64Execution : public FolderTest {};

TEST_F(Rv64Execution, EqualsQemu) {
    if (!std::filesystem::exists(POGO_BUILT_PROGRAMS "/rv64-supervisor.elf"))
        GTEST_SKIP() << "no riscv64-unknown-elf-gcc";
    if (!installed("qemu-riscv64")) GTEST_SKIP() << "no qemu-riscv64 to compare with";
    const Spec spec = machine("rv64.isa");
    const Generator generator(spec);
    const std::string program = (folder_ / "cases.elf").string();
    const auto built =
        shell(fmt::format("riscv64-unknown-elf-gcc -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany "
                          "-nostdlib -static -Wl,--build-id=none -Wl,--no-relax -T {}/rv64/user.ld -o {} {} 2>&1",
                          POGO_PROGRAMS, program, file("cases.s", generator.source())));
    ASSERT_EQ(built.code, 0) << built.out;
    const auto theirs = shell("qemu-riscv64 " + program + " 2>&1");
    ASSERT_EQ(theirs.code, 0) << theirs.out;
    const auto ours = shell(std::string(POGO_COMMAND) +
                            " run " POGO_SPECS "/rv64.isa --elf " POGO_BUILT_PROGRAMS "/rv64-supervisor.elf --elf " +
                            program + " 2>/dev/null");
    ASSERT_EQ(ours.code, 0);
    std::istringstream expected(theirs.out);
    std::istringstream got(ours.out);
    std::string a;
    std::string b;
    for (const auto& note : generator.notes()) {
        ASSERT_TRUE(std::getline(expected, a)) << note;
        ASSERT_TRUE(std::getline(got, b)) << note;
        ASSERT_EQ(b, a) << note;
    }
    EXPECT_EQ(ours.out, theirs.out);
    EXPECT_GT(generator.notes().size(), 15'000U);
}

}  // namespace
}  // namespace pogo::integration
