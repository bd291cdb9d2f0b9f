// Any text as Jib IR: read as it is, and imported as the model, and as the code over the model, of the tests' toy.
// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "isa/sail.hpp"
#include "jib/ir.hpp"
#include "support.hpp"

namespace {

using namespace pogo::isa;

/// The toy's files, with one of them to be written anew.
class Directory {
  public:
    Directory() : path_(std::filesystem::temp_directory_path() / ("pogo-fuzz-jib-" + std::to_string(getpid()))) {
        std::filesystem::create_directories(path_);
        for (const char* name : {"toy.ir", "toy.toml", "toy.isa", "toy_code.ir"}) {
            Diagnostics diagnostics;
            const auto text = read_file(std::string(POGO_TESTS "/unit/isa/sail/") + name, diagnostics);
            if (!text) std::abort();
            put(name, *text);
            if (std::string_view(name) == "toy_code.ir") code_ = *text;
        }
    }
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    void put(const std::string& name, std::string_view text) const {
        std::ofstream(path_ / name, std::ios::binary) << text;
    }
    void restore() const { put("toy_code.ir", code_); }
    void import(const std::string& model) const {
        SourceManager sources;
        Diagnostics diagnostics;
        const auto spec =
            load_sail_file(sources, (path_ / model).string(), (path_ / "toy.toml").string(), {}, diagnostics);
        if (spec.has_value() == diagnostics.has_errors()) std::abort();
        if (diagnostics.has_errors() && render(diagnostics, sources).empty()) std::abort();
    }

  private:
    std::filesystem::path path_;
    std::string code_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Directory directory;
    const std::string text(reinterpret_cast<const char*>(data), size);
    SourceManager sources;
    Diagnostics diagnostics;
    jib::Model model;
    const auto buffer = sources.add("fuzz.ir", text);
    jib::parse(sources, buffer, model, false, diagnostics);
    jib::parse(sources, buffer, model, true, diagnostics);
    for (const auto& diagnostic : diagnostics.all())
        if (diagnostic.where.begin > diagnostic.where.end || diagnostic.where.end > size) std::abort();
    if (diagnostics.has_errors()) return 0;
    directory.put("fuzz.ir", text);
    directory.import("fuzz.ir");
    directory.put("toy_code.ir", text);
    directory.import("toy.ir");
    directory.restore();
    return 0;
}
