// What the tests of the reports share: shipped specs, checked, confirmed and reported on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "check/check.hpp"
#include "isa/elaborate.hpp"
#include "report/confirm.hpp"
#include "report/report.hpp"
#include "vt/extend.hpp"

namespace pogo::report {

/// A machine with the sources it came from.
struct Machine {
    isa::SourceManager sources;
    isa::Diagnostics diagnostics;
    isa::Spec spec;
    Request request;

    /// A shipped spec, registered under its name without any folder.
    explicit Machine(const std::string& file, const isa::Arguments& arguments = {}, const std::string& policy = {}) {
        std::optional<std::uint32_t> extension;
        const auto machine = sources.add(file, read(file));
        if (!policy.empty()) extension = sources.add(policy, read(policy));
        load(machine, extension, arguments);
        request.file = file;
        if (!policy.empty()) request.extension_file = policy;
    }
    /// A machine by its text.
    struct Text {
        std::string name;
        std::string text;
    };
    explicit Machine(const Text& text) {
        load(sources.add(text.name, text.text), {}, {});
        request.file = text.name;
    }

  private:
    static std::string read(const std::string& file) {
        std::ifstream in(POGO_SPECS "/" + file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void load(std::uint32_t machine, std::optional<std::uint32_t> extension, const isa::Arguments& arguments) {
        auto loaded = isa::load_spec(sources, machine, extension, arguments, diagnostics);
        EXPECT_TRUE(loaded) << isa::render(diagnostics, sources);
        if (loaded) spec = loaded->extension ? vt::extend(*loaded) : std::move(*loaded);
        request.tool_version = "1.2.3";
        request.parameters = arguments;
        request.audit_seed = 7;
        request.audit_states = 16;
    }
};

/// The lecture CPU with its three flaws.
inline const isa::Arguments flawed = {{"popf", "true"}, {"read_ccr", "true"}, {"lra", "true"}};

inline model::Config bare() {
    model::Config config;
    config.bare = true;
    return config;
}

inline Report report_on(const Machine& machine, model::Simulator& simulator) {
    const auto findings = check::check(machine.spec, machine.request.check);
    const auto confirmation =
        confirm(machine.spec, findings, simulator,
                {machine.request.check.assumptions, machine.request.audit_seed, machine.request.audit_states});
    return make_report(machine.spec, machine.sources, findings, confirmation, machine.request);
}
inline Report report_on(const Machine& machine) {
    model::Simulator simulator(bare());
    return report_on(machine, simulator);
}

/// A folder that goes with its owner.
class Folder {
  public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "pogo-XXXXXX").string();
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
        return (path_ / name).string();
    }

  private:
    std::filesystem::path path_;
};

/// What a shell command prints on standard output, and how it ends.
struct Ran {
    int status = -1;
    std::string output;
};
inline Ran run(const std::string& command) {
    Ran result;
    std::FILE* const pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return result;
    std::array<char, 65536> buffer{};
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
        result.output.append(buffer.data(), n);
    result.status = pclose(pipe);
    return result;
}

inline std::size_t occurrences(const std::string& text, const std::string& what) {
    std::size_t count = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++count;
    return count;
}

}  // namespace pogo::report
