// The cache against one written in the obvious way.
// SPDX-License-Identifier: Apache-2.0
#include "model/cache.hpp"

#include <gtest/gtest.h>

#include <list>
#include <map>
#include <random>

namespace pogo::model::test {
namespace {

/// For each set the lines it holds, the last used first.
struct Obvious {
    isa::Timing::Cache shape;
    std::map<std::uint64_t, std::list<std::uint64_t>> sets;
    bool access(std::uint64_t address) {
        const std::uint64_t line = address / shape.line;
        auto& set = sets[line % (shape.size / shape.line / shape.ways)];
        const auto before = set.size();
        set.remove(line);
        const bool hit = set.size() != before;
        set.push_front(line);
        if (set.size() > shape.ways) set.pop_back();
        return hit;
    }
};

TEST(Caches, AreAsTheObviousOne) {
    std::mt19937_64 random(1);
    for (const isa::Timing::Cache& shape :
         {isa::Timing::Cache{64, 8, 1, 1}, {64, 8, 8, 1}, {256, 4, 4, 1}, {1024, 2, 2, 1}, {16, 16, 1, 1}}) {
        Cache cache(shape);
        Obvious obvious{shape, {}};
        std::uint64_t hits = 0;
        for (unsigned i = 0; i < 20000; ++i) {
            // Near ones, some as far away as there are.
            const std::uint64_t address = random() % 16 == 0 ? ~(random() % 64) : random() % (3 * shape.size);
            const bool hit = cache.access(address);
            ASSERT_EQ(hit, obvious.access(address)) << shape.size << ", access " << i << " at " << address;
            hits += hit ? 1 : 0;
        }
        EXPECT_GT(hits, 2000U);
        EXPECT_LT(hits, 18000U);
        cache.clear();
        EXPECT_FALSE(cache.access(0));
    }
}

TEST(Caches, CountEachLineOfAnAccess) {
    Cache cache({64, 8, 2, 1});
    Traffic::Cache counts;
    EXPECT_EQ(cache.access(6, 2, 0xff, counts), 1U);
    EXPECT_EQ(cache.access(6, 3, 0xff, counts), 1U);  // the second line is new
    EXPECT_EQ(cache.access(0, 32, 0xff, counts), 2U);
    EXPECT_EQ(cache.access(0xfe, 4, 0xff, counts), 1U);  // goes on at 0, which is there
    EXPECT_EQ(counts, (Traffic::Cache{1 + 2 + 4 + 2, 5}));
}

}  // namespace
}  // namespace pogo::model::test
