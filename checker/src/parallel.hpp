// Independent pieces of work on threads.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>

namespace pogo::check {

/// Does 0 … total - 1, each once, on `jobs` threads; tells `progress`, if any, after each, one call at a time. An
/// exception of a piece is thrown here when the others that had begun are done; no more are begun.
void in_parallel(std::size_t total, unsigned jobs,
                 const std::function<void(std::size_t done, std::size_t total)>& progress,
                 const std::function<void(std::size_t)>& piece);

}  // namespace pogo::check
