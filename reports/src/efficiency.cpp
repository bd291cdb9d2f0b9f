// Measuring a guest in all ways, and how that is written.
// SPDX-License-Identifier: Apache-2.0
#include "report/efficiency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "html.hpp"

namespace pogo::report {

namespace {

using model::StopReason;

struct End {
    StopReason reason = StopReason::cycles;
    std::uint64_t exit_code = 0;
    std::string output;
    friend bool operator==(const End&, const End&) = default;
};

std::string words(const End& end) {
    if (end.reason == StopReason::exit) return fmt::format("exit code {}", end.exit_code);
    return name(end.reason);
}

// How many instructions, traps and interrupts there were on the bare machine.
struct Steps final : model::Observer {
    model::Activity activity;
    void on_retire(const model::RetireEvent&) override { ++activity.direct; }
    void on_trap(const model::RetireEvent&) override { ++activity.kept; }
    void on_interrupt(const model::RetireEvent&) override { ++activity.kept; }
    void on_cycle(const model::CycleEvent& event) override {
        ++(event.stall == model::Stall::waiting ? activity.idle_cycles : activity.direct_cycles);
    }
};

// Hypercalls in the place of what the list names, wherever there may be code.
bool patch_guest(const isa::Spec& spec, const check::PatchList& list, const EfficiencyRequest& request,
                 model::Monitor& monitor) {
    for (const auto& image : request.images)
        for (const auto& segment : image.segments) {
            if (!segment.code) continue;
            std::vector<std::uint64_t> units = segment.units;
            for (const auto& site : check::patch(spec, list, units, segment.address))
                if (!monitor.patch(0, site.address, site.after)) return false;
        }
    return true;
}

EfficiencyRow monitored(const isa::Spec& spec, const isa::VmMap* map, const Remedied* remedy,
                        const EfficiencyRequest& request, std::uint64_t cycles, End& end) {
    EfficiencyRow row;
    model::Monitor monitor(spec, map, request.config);
    model::Monitor::Constants constants;
    for (const auto& constant : request.constants)
        if (map != nullptr && std::any_of(map->constants.begin(), map->constants.end(), [&](auto variable) {
                return spec.terms.name(variable) == map->name + "." + constant.first;
            }))
            constants.push_back(constant);
    if (auto problem = monitor.add_guest(constants)) {
        row.problem = *problem;
        return row;
    }
    for (const auto& image : request.images)
        if (const auto error = monitor.load(0, image)) {
            row.problem = error->message;
            return row;
        }
    if (remedy != nullptr && remedy->patches && !patch_guest(spec, *remedy->patches, request, monitor)) {
        row.problem = "two patches lie over each other";
        return row;
    }
    if (remedy != nullptr && remedy->cache) monitor.translate(0, *remedy->cache);
    monitor.reset(0);
    monitor.input(0, request.input);
    monitor.run(cycles);
    end = {monitor.reason(0), monitor.exit_code(0), monitor.take_output(0)};
    row.problem = monitor.broken(0);
    row.activity = monitor.activity(0);
    return row;
}

std::string per(double value) { return fmt::format("{:.1f}", value); }

struct Column {
    const char* title;
    std::string (*cell)(const EfficiencyRow& row, const EfficiencyRow& bare);
};

const std::vector<Column>& columns() {
    static const std::vector<Column> all{
        {"instructions", [](const auto& row, const auto&) { return fmt::format("{}", row.activity.instructions()); }},
        {"directly, %",
         [](const auto& row, const auto&) { return fmt::format("{:.2f}", 100 * row.activity.direct_share()); }},
        {"exits", [](const auto& row, const auto&) { return fmt::format("{}", row.activity.exits); }},
        {"per thousand", [](const auto& row, const auto&) { return per(row.activity.exits_per_thousand()); }},
        {"cycles", [](const auto& row, const auto&) { return fmt::format("{}", row.activity.cycles()); }},
        {"direct", [](const auto& row, const auto&) { return fmt::format("{}", row.activity.direct_cycles); }},
        {"of traps", [](const auto& row, const auto&) { return fmt::format("{}", row.activity.trap_cycles); }},
        {"of the monitor", [](const auto& row, const auto&) { return fmt::format("{}", row.activity.monitor_cycles); }},
        {"idle", [](const auto& row, const auto&) { return fmt::format("{}", row.activity.idle_cycles); }},
        {"times bare",
         [](const auto& row, const auto& bare) {
             return fmt::format("{:.2f}", static_cast<double>(row.activity.cycles()) /
                                              static_cast<double>(std::max<std::uint64_t>(bare.activity.cycles(), 1)));
         }},
        {"output", [](const auto& row, const auto&) { return std::string(row.same ? "the same" : "other"); }},
    };
    return all;
}

std::string costs(const Efficiency& efficiency) {
    return fmt::format(
        "A monitor's work is taken to cost {} cycles to leave a guest and to enter it again, and {} for each "
        "interpretive routine or interpreted instruction.",
        efficiency.exit_cycles, efficiency.routine_cycles);
}

// Cycles by what they went for, to the scale of the bare run; what is much longer is cut off and says so.
std::string chart(const Efficiency& efficiency) {
    constexpr unsigned label = 210;
    constexpr unsigned width = 520;
    constexpr unsigned line = 26;
    constexpr double most = 64;  // times bare
    const double bare = static_cast<double>(std::max<std::uint64_t>(efficiency.rows.front().activity.cycles(), 1));
    double longest = 1;
    for (const auto& row : efficiency.rows)
        longest = std::max(longest, static_cast<double>(row.activity.cycles()) / bare);
    const double scale = width / std::min(longest, most);
    std::string out = fmt::format(
        "<div class=\"glance\"><svg id=\"efficiency\" role=\"img\" aria-label=\"Cycles by way and cause; the table "
        "below "
        "has the same as numbers\" width=\"{}\" height=\"{}\">\n",
        label + width + 90, line * efficiency.rows.size() + 8);
    unsigned y = 4;
    for (const auto& row : efficiency.rows) {
        out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\n", label - 8, y + 16,
                           html::escaped(row.way));
        double x = label;
        const auto piece = [&](const char* kind, std::uint64_t cycles) {
            const double room = label + width - x;
            const double w = std::min(static_cast<double>(cycles) / bare * scale, room);
            if (w <= 0) return;
            out += fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"18\"/>\n", kind, x,
                               y + 2, w);
            x += w;
        };
        piece("g-t", row.activity.direct_cycles);
        piece("g-w", row.activity.trap_cycles);
        piece("g-r", row.activity.monitor_cycles);
        piece("g-none", row.activity.idle_cycles);
        const double times = static_cast<double>(row.activity.cycles()) / bare;
        out += fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}{:.2f} ×</text>\n", x + 6, y + 16, times > most ? "▸ " : "",
                           times);
        y += line;
    }
    return out +
           "</svg></div>\n<p class=\"legend\"><span><span class=\"key k-t\">&nbsp;</span>executed directly</span>"
           "<span><span class=\"key k-w\">&nbsp;</span>traps of the hardware</span>"
           "<span><span class=\"key k-r\">&nbsp;</span>the monitor</span>"
           "<span>the bare machine's cycles are 1; ▸ goes on</span></p>\n";
}

}  // namespace

bool Efficiency::all_same() const {
    return std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.same && row.problem.empty(); });
}

std::optional<model::CodeCache> code_cache(const isa::VmMap& map, const check::TranslationTable& table,
                                           std::uint64_t address, std::uint64_t units) {
    if (table.complete != check::Verdict::yes || !table.exit || !table.delivered.empty()) return std::nullopt;
    model::CodeCache cache;
    for (const auto& form : table.forms) cache.copied.push_back(form.copied());
    cache.exit = table.exit->parcels;
    for (const auto& mode : map.modes) cache.modes.push_back(mode.first);
    cache.address = address;
    cache.units = units;
    return cache;
}

std::variant<Efficiency, std::string> measure(const isa::Spec& spec, const EfficiencyRequest& request) {
    Efficiency result{request.guest, request.config.exit_cycles, request.config.routine_cycles, {}};
    End expected;
    {
        EfficiencyRow bare;
        bare.way = "bare";
        bare.about = "on the machine itself";
        model::Simulator simulator({.view = request.config.view, .stale_tlb = true});
        if (auto problem = simulator.load(spec)) return *problem;
        for (const auto& image : request.images)
            if (const auto error = simulator.load(image)) return error->message;
        simulator.reset();
        simulator.uart_input(request.input);
        Steps steps;
        simulator.attach(steps);
        const auto run = simulator.run({.cycles = request.cycles});
        simulator.retire_all();
        simulator.detach(steps);
        expected = {run.reason, run.exit_code, simulator.take_uart_output()};
        if (run.reason != StopReason::exit && run.reason != StopReason::halted)
            return fmt::format("on the bare machine the guest does not come to an end: {}", name(run.reason));
        bare.activity = steps.activity;
        result.rows.push_back(std::move(bare));
    }
    // Interpretation takes some tens of times as long; what takes hundreds does not get there.
    const std::uint64_t most = std::min(request.cycles, 300 * result.rows.front().activity.cycles() + 1'000'000);
    const auto add = [&](const isa::VmMap* map, const Remedied* remedy, std::string way, std::string about) {
        End end;
        EfficiencyRow row = monitored(spec, map, remedy, request, most, end);
        row.way = std::move(way);
        row.about = std::move(about);
        row.same = row.problem.empty() && end == expected;
        if (row.problem.empty() && !row.same && end.reason == StopReason::cycles)
            row.problem = fmt::format("has not come to an end after {} cycles", row.activity.cycles());
        if (row.problem.empty() && !row.same)
            row.problem = end.output == expected.output ? "ends otherwise: " + words(end) : "another output";
        result.rows.push_back(std::move(row));
    };
    for (const auto& map : spec.vm_maps) {
        std::string modes;
        for (const auto& [from, to] : map.modes)
            modes += (modes.empty() ? "" : ", ") + spec[from].name + " in " + spec[to].name;
        add(&map, nullptr, map.name, "VM map: " + modes);
    }
    for (const auto& remedy : request.remedies)
        add(remedy.map, &remedy, remedy.patches ? "paravirtual" : "translation",
            (remedy.patches ? "hypercalls, VM map " : "binary translation, VM map ") + remedy.map->name);
    add(nullptr, nullptr, "interpretation", "each instruction by a routine");
    return result;
}

std::string to_text(const Efficiency& efficiency) {
    std::vector<std::vector<std::string>> cells{{"way"}};
    for (const auto& column : columns()) cells[0].emplace_back(column.title);
    for (const auto& row : efficiency.rows) {
        cells.push_back({row.way});
        for (const auto& column : columns()) cells.back().push_back(column.cell(row, efficiency.rows.front()));
    }
    std::vector<std::size_t> widths(cells[0].size(), 0);
    for (const auto& line : cells)
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
    std::string out;
    for (const auto& line : cells) {
        std::string text = fmt::format("{:<{}}", line[0], widths[0]);
        for (std::size_t i = 1; i < line.size(); ++i) text += fmt::format("  {:>{}}", line[i], widths[i]);
        out += text + "\n";
    }
    for (const auto& row : efficiency.rows)
        if (!row.problem.empty()) out += fmt::format("{}: {}\n", row.way, row.problem);
    return out + costs(efficiency) + "\n";
}

std::string to_markdown(const Efficiency& efficiency) {
    std::string out = "| way |";
    std::string rule = "|---|";
    for (const auto& column : columns()) {
        out += fmt::format(" {} |", column.title);
        rule += "--:|";
    }
    out += "\n" + rule + "\n";
    for (const auto& row : efficiency.rows) {
        out += fmt::format("| {} |", row.way);
        for (const auto& column : columns()) out += " " + column.cell(row, efficiency.rows.front()) + " |";
        out += "\n";
    }
    return out + "\n" + costs(efficiency) + "\n";
}

std::string to_html(const Efficiency& efficiency) {
    std::string out = fmt::format("<h2>Efficiency</h2>\n<p>One guest, <code>{}</code>, in {} ways. {}</p>\n",
                                  html::escaped(efficiency.guest), efficiency.rows.size(), costs(efficiency));
    out += chart(efficiency);
    out += "<div class=\"scroller\"><table class=\"states\"><thead><tr><th>way</th>";
    for (const auto& column : columns()) out += fmt::format("<th>{}</th>", column.title);
    out += "</tr></thead><tbody>\n";
    for (const auto& row : efficiency.rows) {
        out += fmt::format("<tr><th class=\"name\">{}<br><small class=\"soft\">{}</small></th>", html::escaped(row.way),
                           html::escaped(row.problem.empty() ? row.about : row.problem));
        for (const auto& column : columns())
            out += fmt::format("<td>{}</td>", html::escaped(column.cell(row, efficiency.rows.front())));
        out += "</tr>\n";
    }
    return out + "</tbody></table></div>\n";
}

std::string to_json(const Efficiency& efficiency) {
    using Json = nlohmann::ordered_json;
    Json rows = Json::array();
    for (const auto& row : efficiency.rows) {
        const auto& a = row.activity;
        rows.push_back({{"way", row.way},
                        {"instructions", a.instructions()},
                        {"direct", a.direct},
                        {"emulated", a.emulated},
                        {"interpreted", a.interpreted},
                        {"exits", a.exits},
                        {"reflected", a.reflected},
                        {"interrupts", a.interrupts},
                        {"kept", a.kept},
                        {"fills", a.fills},
                        {"cycles",
                         {{"all", row.activity.cycles()},
                          {"direct", a.direct_cycles},
                          {"traps", a.trap_cycles},
                          {"monitor", a.monitor_cycles},
                          {"idle", a.idle_cycles}}},
                        {"same", row.same},
                        {"problem", row.problem}});
    }
    const Json document{{"schema", "pogo-efficiency-1"},
                        {"guest", efficiency.guest},
                        {"exit_cycles", efficiency.exit_cycles},
                        {"routine_cycles", efficiency.routine_cycles},
                        {"rows", rows}};
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace pogo::report
