// A mixture of ordinary work for measuring: lists, records, matrices, text, primes and checksums, ROUNDS times; prints
// what it found. SPDX-License-Identifier: Apache-2.0
#include <stddef.h>
#include <stdint.h>

#ifndef ROUNDS
#define ROUNDS 1
#endif

void* memcpy(void* to, const void* from, size_t count) {
    char* t = to;
    const char* f = from;
    while (count-- > 0) *t++ = *f++;
    return to;
}
void* memset(void* to, int value, size_t count) {
    char* t = to;
    while (count-- > 0) *t++ = (char)value;
    return to;
}

static uint64_t seed;
static uint32_t any(void) {  // Knuth's generator
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

// CRC-32 of Ethernet, bit by bit.
static uint32_t crc;
static void check(uint64_t value) {
    for (unsigned i = 0; i < 8; ++i, value >>= 8) {
        crc ^= value & 0xff;
        for (unsigned bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
}

// ---- Pointers ----------------------------------------------------------------------------------------------------

struct node {
    struct node* next;
    uint32_t key;
    uint16_t weight;
};
static struct node nodes[512];

static struct node* merge(struct node* a, struct node* b) {
    struct node *first = NULL, **end = &first;
    while (a && b) {
        struct node** least = a->key <= b->key ? &a : &b;
        *end = *least;
        end = &(*least)->next;
        *least = (*least)->next;
    }
    *end = a ? a : b;
    return first;
}
static struct node* sort(struct node* list) {
    if (!list || !list->next) return list;
    struct node* middle = list;
    for (struct node* end = list->next; end && end->next; end = end->next->next) middle = middle->next;
    struct node* rest = middle->next;
    middle->next = NULL;
    return merge(sort(list), sort(rest));
}
static void lists(void) {
    struct node* list = NULL;
    for (unsigned i = 0; i < 512; ++i) {
        nodes[i] = (struct node){list, any() & 0xffff, (uint16_t)i};
        list = &nodes[i];
    }
    list = sort(list);
    for (unsigned i = 0; i < 40; ++i) {
        const uint32_t key = any() & 0xffff;
        const struct node* found = list;
        while (found && found->key < key) found = found->next;
        check(found ? found->weight : 0);
    }
    for (const struct node* n = list; n->next; n = n->next)
        if (n->key > n->next->key) check(~0ul);
}

// ---- Records -----------------------------------------------------------------------------------------------------

struct record {
    struct record* other;
    int kind;
    union {
        int64_t number;
        char name[24];
    };
};
static int weigh(const struct record* r) {
    switch (r->kind) {
        case 0:
            return (int)(r->number >> 3);
        case 1:
            return r->name[3] - r->name[5];
        default:
            return r->other->kind;
    }
}
static void records(void) {
    static struct record table[16];
    memset(table, 0, sizeof table);
    int64_t sum = 0;
    for (unsigned i = 0; i < 600; ++i) {
        struct record* r = &table[any() % 16];
        *r = table[any() % 16];
        r->kind = (int)(any() % 3);
        r->other = &table[i % 16];
        if (r->kind == 0) r->number = (int64_t)any() - (1 << 20);
        if (r->kind == 1)
            for (unsigned k = 0; k < sizeof r->name; ++k) r->name[k] = (char)('a' + (i + k * k) % 26);
        sum += weigh(r);
    }
    check((uint64_t)sum);
}

// ---- Numbers -----------------------------------------------------------------------------------------------------

static void matrices(void) {
    enum { N = 24 };
    static int16_t a[N][N], b[N][N];
    static int32_t c[N][N];
    for (unsigned i = 0; i < N * N; ++i) a[i / N][i % N] = (int16_t)any(), b[i / N][i % N] = (int16_t)any();
    for (unsigned i = 0; i < N; ++i)
        for (unsigned j = 0; j < N; ++j) {
            int32_t sum = 0;
            for (unsigned k = 0; k < N; ++k) sum += a[i][k] * b[k][j] >> 4;
            c[i][j] = sum;
        }
    for (unsigned i = 0; i < N; ++i) check((uint32_t)c[i][N - 1 - i]);
}
static uint64_t gcd(uint64_t a, uint64_t b) {
    while (b != 0) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}
static void numbers(void) {
    static uint8_t composite[4096];
    memset(composite, 0, sizeof composite);
    unsigned primes = 0;
    for (unsigned i = 2; i < sizeof composite; ++i) {
        if (composite[i]) continue;
        ++primes;
        for (unsigned k = i * i; k < sizeof composite; k += i) composite[k] = 1;
    }
    check(primes);  // 564
    if (primes != 564) check(~0ul);
    uint64_t sum = 0;
    for (unsigned i = 0; i < 100; ++i)
        sum += gcd((uint64_t)any() << 20, any() | 1) + (any() >> (i & 31)) * 0x9e3779b97f4a7c15u;
    check(sum);
}

// ---- Text: which words are numbers -------------------------------------------------------------------------------

enum state { start, sign, integer, point, fraction, exponent, exponent_sign, scale, bad, states };
static enum state next(enum state s, char c) {
    const int digit = c >= '0' && c <= '9';
    switch (s) {
        case start:
            return digit ? integer : c == '.' ? point : c == '-' || c == '+' ? sign : bad;
        case sign:
            return digit ? integer : c == '.' ? point : bad;
        case integer:
            return digit ? integer : c == '.' ? fraction : c == 'e' ? exponent : bad;
        case point:
            return digit ? fraction : bad;
        case fraction:
            return digit ? fraction : c == 'e' ? exponent : bad;
        case exponent:
            return digit ? scale : c == '-' || c == '+' ? exponent_sign : bad;
        case exponent_sign:
        case scale:
            return digit ? scale : bad;
        default:
            return bad;
    }
}
static void words(void) {
    static char text[2048];
    for (unsigned i = 0; i < sizeof text; ++i) text[i] = "0123456789+-.e  1"[any() % 17];
    unsigned ends[states] = {0};
    enum state s = start;
    for (unsigned i = 0; i < sizeof text; ++i) {
        if (text[i] == ' ') {
            ++ends[s];
            s = start;
        } else {
            s = next(s, text[i]);
        }
    }
    for (unsigned i = 0; i < states; ++i) check(ends[i]);
}

static void print(const char* text) {
    while (*text) *(volatile char*)0x10000000 = *text++;
}
static void print_number(uint64_t value) {
    char digits[21] = {0};
    unsigned at = 20;
    do digits[--at] = (char)('0' + value % 10);
    while ((value /= 10) != 0);
    print(digits + at);
}

int main(void) {
    uint32_t first = 0;
    for (unsigned round = 0; round < ROUNDS; ++round) {
        seed = 1;
        crc = 0;
        lists();
        records();
        matrices();
        numbers();
        words();
        if (round == 0) first = crc;
        if (crc != first) return 1;  // every round finds the same
    }
    uint64_t instructions;
    __asm__ volatile("csrr %0, minstret" : "=r"(instructions));
    print("checksum ");
    print_number(first);
    print(", instructions ");
    print_number(instructions);
    print("\n");
    return 0;
}
