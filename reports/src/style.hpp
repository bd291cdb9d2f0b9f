// The style sheet of the HTML page.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace pogo::report {

inline constexpr std::string_view style_sheet = R"css(
:root {
  color-scheme: light dark;
  --paper: #fcfcfb; --card: #ffffff; --ink: #1c1e21; --soft: #5d646d; --line: #dfe2e6; --faint: #f2f3f5;
  --good: #14733c; --good-paper: #e5f5eb; --bad: #b3261e; --bad-paper: #fdebe9; --open: #8a5a00; --open-paper: #fff3d9;
  --read: #1a63c0; --read-paper: #d8e7fb; --write: #b04a00; --write-paper: #fde0c8; --trap: #14733c; --trap-paper: #cfeedb;
  --mono: ui-monospace, "Cascadia Mono", "JetBrains Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --card: #1c1f23; --ink: #e6e8ea; --soft: #9aa3ad; --line: #33383f; --faint: #24282d;
    --good: #6fd598; --good-paper: #16331f; --bad: #ff9b93; --bad-paper: #401a17; --open: #f0c060; --open-paper: #3a2d0c;
    --read: #8ebcff; --read-paper: #1b3558; --write: #ffb27d; --write-paper: #4f2b10; --trap: #6fd598; --trap-paper: #17402a;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 78rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.15rem; font-weight: 600; color: var(--soft); margin: 0 0 .75rem; }
h2 { font-size: 1.3rem; margin: 2.75rem 0 .9rem; letter-spacing: -.01em; }
h3 { font-size: 1.1rem; margin: 0; }
p { margin: .5rem 0; }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; }
a:hover { text-decoration-color: currentColor; }
code, pre, .mono { font-family: var(--mono); font-size: .87em; }
pre { margin: .5rem 0; padding: .75rem 1rem; background: var(--faint); border-radius: 6px; overflow-x: auto; line-height: 1.5; }
pre.wrap { white-space: pre-wrap; overflow-wrap: anywhere; }
.soft { color: var(--soft); }
.verdict { border-left: 5px solid var(--open); background: var(--open-paper); border-radius: 0 8px 8px 0; padding: 1.1rem 1.4rem;
  font-size: 1.3rem; line-height: 1.4; font-weight: 600; letter-spacing: -.01em; }
.verdict.proved { border-color: var(--good); background: var(--good-paper); }
.verdict.refuted { border-color: var(--bad); background: var(--bad-paper); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(13.5rem, 1fr)); gap: .75rem; margin: 1rem 0 0; padding: 0; }
.fact { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem .95rem; }
.fact b { display: block; font-size: .8rem; font-weight: 600; color: var(--soft); }
.fact small { display: block; color: var(--soft); font-size: .8rem; }
.fact .pair { display: grid; grid-template-columns: auto 1fr; gap: 0 .6rem; }
.proved-word { color: var(--good); font-weight: 600; } .refuted-word { color: var(--bad); font-weight: 600; }
.unknown-word { color: var(--open); font-weight: 600; }
.glance { width: fit-content; max-width: 100%; overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; }
.glance svg { display: block; }
.glance text { fill: var(--ink); font: 11px var(--mono); } .glance text.crit { fill: var(--bad); font-weight: 700; }
.glance text.role { fill: var(--soft); }
.g-none { fill: var(--faint); } .g-r { fill: var(--read); } .g-w { fill: var(--write); } .g-t { fill: var(--trap); }
.g-u { fill: var(--open); } .g-crit { fill: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; margin: .7rem 0; color: var(--soft); font-size: .87rem; align-items: center; }
.key { display: inline-block; min-width: 1.5em; text-align: center; border-radius: 3px; font: 600 .8rem/1.5 var(--mono); margin-right: .35em; }
.filter { display: flex; gap: 1rem; margin: .5rem 0 .75rem; font-size: .9rem; }
.filter label { cursor: pointer; } .filter input { accent-color: var(--read); margin: 0 .35em 0 0; }
.scroller { max-height: 44rem; overflow: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); width: fit-content; max-width: 100%; }
table { border-collapse: separate; border-spacing: 0; font-size: .87rem; }
.matrix th, .matrix td { border-bottom: 1px solid var(--line); padding: .12rem .3rem; }
.matrix thead th { position: sticky; top: 0; z-index: 2; background: var(--card); vertical-align: bottom; font-weight: 500; }
.matrix thead th.up { height: 8rem; padding: .4rem .25rem; }
.matrix thead th.up span { writing-mode: vertical-rl; transform: rotate(180deg); font-family: var(--mono); font-size: .8rem; white-space: nowrap; }
.matrix th.first { position: sticky; left: 0; z-index: 1; background: var(--card); text-align: left; font-weight: 500; white-space: nowrap;
  padding: .12rem .9rem .12rem .75rem; border-right: 1px solid var(--line); }
.matrix thead th.first { z-index: 3; }
.matrix td { text-align: center; } .matrix td.word { text-align: left; color: var(--soft); padding-right: .9rem; }
.matrix tr.critical th.first { color: var(--bad); font-weight: 700; box-shadow: inset 4px 0 var(--bad); }
.matrix tr.innocuous th.first { color: var(--soft); font-weight: 400; }
.matrix tbody tr:hover td, .matrix tbody tr:hover th { background: var(--faint); }
.mark { display: block; min-width: 1.9em; border-radius: 3px; font: 600 .78rem/1.55 var(--mono); }
.r { background: var(--read-paper); color: var(--read); } .w { background: var(--write-paper); color: var(--write); }
.rw { background: linear-gradient(100deg, var(--read-paper) 48%, var(--write-paper) 52%); color: var(--ink); }
.wt { background: linear-gradient(100deg, var(--write-paper) 48%, var(--trap-paper) 52%); color: var(--ink); }
.rt { background: linear-gradient(100deg, var(--read-paper) 48%, var(--trap-paper) 52%); color: var(--ink); }
.rwt { background: linear-gradient(100deg, var(--read-paper) 31%, var(--write-paper) 35%, var(--write-paper) 64%, var(--trap-paper) 68%); color: var(--ink); }
.k-r { background: var(--read); color: var(--card); } .k-w { background: var(--write); color: var(--card); }
.k-t { background: var(--trap); color: var(--card); } .k-u { background: var(--open); color: var(--card); }
.t { background: var(--trap-paper); color: var(--trap); } .u { background: var(--open-paper); color: var(--open); }
.dot { color: var(--line); }
#show-sensitive:checked ~ .scroller tr.innocuous, #show-critical:checked ~ .scroller tr.innocuous,
#show-critical:checked ~ .scroller tr.sensitive { display: none; }
.hidden { position: absolute; opacity: 0; pointer-events: none; }
.hidden:focus-visible + .filter, .hidden:focus-visible ~ .filter { outline: 2px solid var(--read); outline-offset: 3px; border-radius: 4px; }
.filter label { padding: .1rem .7rem; border: 1px solid var(--line); border-radius: 99px; }
#show-all:checked ~ .filter [for=show-all], #show-sensitive:checked ~ .filter [for=show-sensitive],
#show-critical:checked ~ .filter [for=show-critical] { background: var(--ink); color: var(--paper); border-color: var(--ink); }
.case { background: var(--card); border: 1px solid var(--line); border-top: 3px solid var(--bad); border-radius: 8px; padding: 1.1rem 1.4rem 1.2rem; margin: 0 0 1.5rem; }
.case > header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
.case.fine { border-top-color: var(--good); padding: .6rem 1rem; margin-bottom: .5rem; }
.source { position: relative; } .source .caret { color: var(--bad); font-weight: 700; }
.states { margin: .6rem 0; } .states th, .states td { padding: .22rem 1.1rem .22rem 0; text-align: left; border-bottom: 1px solid var(--line); }
.states td { font-family: var(--mono); font-size: .87em; } .states thead th { color: var(--soft); font-weight: 600; }
.states tbody th { font-weight: 400; color: var(--soft); } .states .name { color: var(--ink); }
.states td.diff { color: var(--bad); font-weight: 700; }
.states tr.outcome th, .states tr.outcome td { background: var(--faint); }
.states th:first-child { padding-left: .6rem; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: .5rem 2rem; }
.pipe { margin: .3rem 0; } .pipe th, .pipe td { padding: .08rem .45rem; font-size: .8rem; text-align: center; color: var(--soft); font-weight: 400; }
.pipe th:first-child { text-align: left; padding-left: 0; } .pipe td.on { background: var(--read-paper); color: var(--read); font-weight: 600; }
.badge { display: inline-block; padding: 0 .6em; border-radius: 99px; font-size: .8rem; font-weight: 600; line-height: 1.7; }
.badge.good { background: var(--good-paper); color: var(--good); } .badge.bad { background: var(--bad-paper); color: var(--bad); }
.badge.open { background: var(--open-paper); color: var(--open); }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--soft); } details[open] > summary { margin-bottom: .4rem; }
ul { margin: .4rem 0; padding-left: 1.3rem; } li { margin: .15rem 0; }
footer { margin-top: 3rem; color: var(--soft); font-size: .87rem; } footer code { overflow-wrap: anywhere; }
@media print { .scroller { max-height: none; overflow: visible; } .filter { display: none; } .case { break-inside: avoid; } }
)css";

}  // namespace pogo::report
