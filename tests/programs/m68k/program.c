// A user program that works its way through ordinary C: runs under qemu-m68k and on the model, with the same output.
// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

int write_bytes(int fd, const void *from, unsigned count);

// ---- What a C library would have -------------------------------------------------------------------------------

void *memcpy(void *to, const void *from, size_t count) {
    char *t = to;
    const char *f = from;
    while (count-- > 0) *t++ = *f++;
    return to;
}

void *memset(void *to, int value, size_t count) {
    char *t = to;
    while (count-- > 0) *t++ = (char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t count) {
    const unsigned char *x = a, *y = b;
    for (; count > 0; --count, ++x, ++y)
        if (*x != *y) return *x - *y;
    return 0;
}

size_t strlen(const char *s) {
    const char *end = s;
    while (*end) ++end;
    return (size_t)(end - s);
}

static int compare_strings(const char *a, const char *b) {
    while (*a && *a == *b) ++a, ++b;
    return (unsigned char)*a - (unsigned char)*b;
}

static char line[256];
static unsigned used;

static void put(char c) {
    line[used++] = c;
    if (c == '\n' || used == sizeof line) {
        write_bytes(1, line, used);
        used = 0;
    }
}

static void put_number(uint32_t value, unsigned base, unsigned width, char fill) {
    char digits[34];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (width > n) put(fill), --width;
    while (n > 0) put(digits[--n]);
}

// %d %u %x %s %c, with a width and 0.
static void print(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (; *format; ++format) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        char fill = ' ';
        unsigned width = 0;
        if (*++format == '0') fill = '0', ++format;
        while (*format >= '0' && *format <= '9') width = width * 10 + (unsigned)(*format++ - '0');
        switch (*format) {
            case 'd': {
                int value = va_arg(arguments, int);
                if (value < 0) {
                    put('-');
                    put_number(0u - (uint32_t)value, 10, width > 0 ? width - 1 : 0, fill);
                } else {
                    put_number((uint32_t)value, 10, width, fill);
                }
                break;
            }
            case 'u': put_number(va_arg(arguments, uint32_t), 10, width, fill); break;
            case 'x': put_number(va_arg(arguments, uint32_t), 16, width, fill); break;
            case 'c': put((char)va_arg(arguments, int)); break;
            case 's': {
                const char *s = va_arg(arguments, const char *);
                unsigned n = (unsigned)strlen(s);
                while (*s) put(*s++);
                while (n++ < width) put(' ');
                break;
            }
            default: put(*format); break;
        }
    }
    va_end(arguments);
}

// ---- CRC-32, twice: bit by bit and by table ----------------------------------------------------------------------

static uint32_t crc_table[256];

static void make_crc_table(void) {
    for (uint32_t n = 0; n < 256; ++n) {
        uint32_t c = n;
        for (int k = 0; k < 8; ++k) c = c & 1 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
        crc_table[n] = c;
    }
}

static uint32_t crc(uint32_t seed, const void *from, size_t count) {
    const uint8_t *p = from;
    uint32_t c = ~seed;
    while (count-- > 0) c = crc_table[(c ^ *p++) & 255] ^ (c >> 8);
    return ~c;
}

static uint32_t crc_slowly(const void *from, size_t count) {
    const uint8_t *p = from;
    uint32_t c = ~0u;
    while (count-- > 0) {
        c ^= *p++;
        for (int k = 0; k < 8; ++k) c = (c >> 1) ^ (0xEDB88320u & -(c & 1));
    }
    return ~c;
}

// ---- Sorting -------------------------------------------------------------------------------------------------------

static uint32_t seed = 1;

static uint32_t next_random(void) {
    seed = seed * 1103515245u + 12345u;
    return seed >> 8;
}

static void quicksort(int16_t *first, int16_t *last) {
    while (last - first > 1) {
        const int16_t pivot = first[(last - first) / 2];
        int16_t *low = first, *high = last - 1;
        while (low <= high) {
            while (*low < pivot) ++low;
            while (*high > pivot) --high;
            if (low <= high) {
                const int16_t t = *low;
                *low++ = *high;
                *high-- = t;
            }
        }
        if (high + 1 - first < last - low) {
            quicksort(first, high + 1);
            first = low;
        } else {
            quicksort(low, last);
            last = high + 1;
        }
    }
}

struct word {
    const char *text;
    uint8_t length;
    int32_t weight;
};

static int by_weight(const struct word *a, const struct word *b) {
    return a->weight != b->weight ? (a->weight < b->weight ? -1 : 1) : compare_strings(a->text, b->text);
}
static int by_text(const struct word *a, const struct word *b) { return compare_strings(a->text, b->text); }

static void insertion_sort(struct word *words, int count, int (*order)(const struct word *, const struct word *)) {
    for (int i = 1; i < count; ++i) {
        const struct word moved = words[i];
        int j = i;
        for (; j > 0 && order(&moved, &words[j - 1]) < 0; --j) words[j] = words[j - 1];
        words[j] = moved;
    }
}

// ---- Primes, Collatz, recursion, wide numbers --------------------------------------------------------------------------

static uint8_t composite[2000 / 8 + 1];

static unsigned sieve(unsigned limit) {
    unsigned found = 0;
    memset(composite, 0, sizeof composite);
    for (unsigned i = 2; i < limit; ++i) {
        if (composite[i / 8] & (1u << (i & 7))) continue;
        ++found;
        for (unsigned j = i * i; j < limit; j += i) composite[j / 8] |= (uint8_t)(1u << (j & 7));
    }
    return found;
}

static unsigned collatz(uint32_t n) {
    unsigned steps = 0;
    for (; n != 1; ++steps) n = n & 1 ? 3 * n + 1 : n / 2;
    return steps;
}

static int ackermann(int m, int n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

// The Fibonacci numbers until they need more than 64 bits, printed in hexadecimal.
static uint64_t last_fibonacci(int *index) {
    uint64_t a = 0, b = 1;
    *index = 1;
    for (;;) {
        const uint64_t c = a + b;
        if (c < b) return b;
        a = b;
        b = c;
        ++*index;
    }
}

// ---- A calculator in reverse Polish notation, with a switch that becomes a jump table ---------------------------------

static int calculate(const char *text, int *result) {
    int stack[16];
    int depth = 0;
    for (; *text; ++text) {
        if (*text == ' ') continue;
        if (*text >= '0' && *text <= '9') {
            int value = 0;
            while (*text >= '0' && *text <= '9') value = value * 10 + (*text++ - '0');
            --text;
            if (depth == 16) return 0;
            stack[depth++] = value;
            continue;
        }
        if (depth < 2) return 0;
        const int b = stack[--depth], a = stack[--depth];
        int value = 0;
        switch (*text) {
            case '+': value = a + b; break;
            case '-': value = a - b; break;
            case '*': value = a * b; break;
            case '/': value = a / b; break;
            case '%': value = a % b; break;
            case '&': value = a & b; break;
            case '\'': value = a ^ b; break;
            case '(': value = a << b; break;
            case ')': value = a >> b; break;
            default: return 0;
        }
        stack[depth++] = value;
    }
    *result = stack[0];
    return depth == 1;
}

// ---- Matrices, bits, packed fields ------------------------------------------------------------------------------------

static int16_t left_matrix[6][6], right_matrix[6][6];
static int32_t product[6][6];

static int32_t multiply_matrices(void) {
    int32_t trace = 0;
    for (int i = 0; i < 6; ++i)
        for (int j = 0; j < 6; ++j) {
            left_matrix[i][j] = (int16_t)(i * 7 - j * 11);
            right_matrix[i][j] = (int16_t)(100 - i * j * 13);
        }
    for (int i = 0; i < 6; ++i)
        for (int j = 0; j < 6; ++j) {
            int32_t sum = 0;
            for (int k = 0; k < 6; ++k) sum += (int32_t)left_matrix[i][k] * right_matrix[k][j];
            product[i][j] = sum;
            if (i == j) trace += sum;
        }
    return trace;
}

static unsigned reverse_bits(unsigned v) {
    v = ((v >> 1) & 0x55555555u) | ((v & 0x55555555u) << 1);
    v = ((v >> 2) & 0x33333333u) | ((v & 0x33333333u) << 2);
    v = ((v >> 4) & 0x0F0F0F0Fu) | ((v & 0x0F0F0F0Fu) << 4);
    v = ((v >> 8) & 0x00FF00FFu) | ((v & 0x00FF00FFu) << 8);
    return (v >> 16) | (v << 16);
}

struct packed {
    unsigned sign : 1;
    unsigned exponent : 8;
    unsigned fraction : 23;
};

// ---- Everything in turn -------------------------------------------------------------------------------------------------

static const char text[] = "The quick brown fox jumps over the lazy dog";
static int16_t numbers[200];
static struct word words[] = {
    {"supervisor", 10, 30}, {"user", 4, -7}, {"trap", 4, 1000}, {"vector", 6, 30}, {"privilege", 9, -70000}, {"mode", 4, 0},
};
enum { word_count = sizeof words / sizeof words[0] };
static const char *const sums[] = {"2 3 + 4 *", "1000000 7 / 13 %", "1 20 ( 3 - 5 )", "0 17 - 5 /", "0 17 - 5 %", "12 34 ' 7 &", "1 +"};

int main(void) {
    print("hello from user mode\n");

    make_crc_table();
    print("crc %08x %08x\n", crc(0, text, sizeof text - 1), crc_slowly(text, sizeof text - 1));

    for (int i = 0; i < 200; ++i) numbers[i] = (int16_t)next_random();
    const uint32_t before = crc(0, numbers, sizeof numbers);
    quicksort(numbers, numbers + 200);
    int sorted = 1;
    for (int i = 1; i < 200; ++i) sorted &= numbers[i - 1] <= numbers[i];
    print("sorted %d: %d ... %d, crc %08x -> %08x\n", sorted, numbers[0], numbers[199], before, crc(0, numbers, sizeof numbers));

    insertion_sort(words, word_count, by_weight);
    for (int i = 0; i < word_count; ++i) print("%s %d\n", words[i].text, words[i].weight);
    insertion_sort(words, word_count, by_text);
    for (int i = 0; i < word_count; ++i) print("%s ", words[i].text);
    put('\n');

    print("primes below 2000: %u\n", sieve(2000));
    print("collatz 27: %u, 837799: %u\n", collatz(27), collatz(837799));
    print("ackermann(2, 5) = %d\n", ackermann(2, 5));
    int index;
    const uint64_t fibonacci = last_fibonacci(&index);
    print("fibonacci(%d) = %08x%08x\n", index, (uint32_t)(fibonacci >> 32), (uint32_t)fibonacci);

    for (unsigned i = 0; i < sizeof sums / sizeof sums[0]; ++i) {
        int result = 0;
        if (calculate(sums[i], &result))
            print("%s = %d\n", sums[i], result);
        else
            print("%s is no expression\n", sums[i]);
    }

    print("trace %d, corner %d\n", multiply_matrices(), product[5][5]);
    print("reversed %08x\n", reverse_bits(0x12345678u));
    struct packed p = {1, 0x85, 0x2AAAAA};
    p.exponent += 3;
    print("packed %u %x %x, %d\n", p.sign, p.exponent, p.fraction, memcmp(&p, "\xC4\x2A\xAA\xAA", 4));

    // Divisions of all kinds, folded into one number.
    uint32_t fold = 0;
    for (int i = 0; i < 300; ++i) {
        const int32_t a = (int32_t)(next_random() << (i & 15)), b = (int32_t)(next_random() >> (i % 23)) - 40;
        if (b != 0) fold = crc(fold ^ (uint32_t)(a / b), &(int32_t){a % b}, 4);
        if (b != 0) fold = crc(fold ^ ((uint32_t)a / (uint32_t)b), &(uint32_t){(uint32_t)a % (uint32_t)b}, 4);
        if ((int16_t)b != 0) fold ^= (uint32_t)(int16_t)((int16_t)a / (int16_t)b) + (uint16_t)((uint16_t)a % (uint16_t)b);
    }
    print("divisions %08x\n", fold);
    return 42;
}
