// pogo explain: the long text of a diagnostic code.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "session.hpp"

namespace pogo::cli {

void add_explain(CLI::App& app, Session& session) {
    auto* command = app.add_subcommand("explain", "Explain a diagnostic code, or list them all");
    auto code = std::make_shared<std::string>();
    command->add_option("CODE", *code, "for example E0203");
    command->callback([code, &session] {
        if (code->empty()) {
            for (const isa::Code each : isa::all_codes()) {
                const auto& row = isa::info(each);
                fmt::print("{}  {}\n", row.name, row.message);
            }
            return;
        }
        const auto found = isa::find_code(*code);
        if (!found) session.fail(usage, isa::Code::E0901, {}, fmt::format("there is no diagnostic `{}`", *code));
        fmt::print("{}", isa::explain(*found));
    });
}

}  // namespace pogo::cli
