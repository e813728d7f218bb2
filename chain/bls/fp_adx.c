/* SPDX-License-Identifier: Apache-2.0 */
#include "chain/bls/fp_impl.h"

#if defined(__x86_64__)

/* mulx leaves the flags alone, adcx knows the carry only and adox the overflow only: two chains of carries at once
 * (Intel, New instructions supporting large integer arithmetic, 2012). A compiler makes no such code of C. */

#define KERNEL_TARGET __attribute__((target("bmi2,adx")))
#define KERNEL_NAME   dr_fp_kernel_adx

#define REGS [r0] "=&r"(r0), [r1] "=&r"(r1), [r2] "=&r"(r2), [r3] "=&r"(r3), [r4] "=&r"(r4), [r5] "=&r"(r5)

/* The product of rdx and the word at AT: low to R, high to S, each with its chain's carry. */
#define STEP(AT, R, S)                                                                                               \
	"mulx " AT ", %%rax, %%rcx\n\t"                                                                              \
	"adcx %%rax, %[" R "]\n\t"                                                                                   \
	"adox %%rcx, %[" S "]\n\t"

/* The last of a row: its high word is new, in R0, and both chains end in it. */
#define LAST(AT, R5, R0)                                                                                             \
	"mulx " AT ", %%rax, %[" R0 "]\n\t"                                                                          \
	"adcx %%rax, %[" R5 "]\n\t"                                                                                  \
	"mov $0, %%eax\n\t"                                                                                          \
	"adcx %%rax, %[" R0 "]\n\t"                                                                                  \
	"adox %%rax, %[" R0 "]\n\t"

/* A row of the schoolbook's: the registers, six columns from I on, += a b[I]; column I is done. */
#define ROW(I, R0, R1, R2, R3, R4, R5)                                                                               \
	"mov 8*" I "(%[b]), %%rdx\n\t"                                                                               \
	"xor %%eax, %%eax\n\t" STEP("(%[a])", R0, R1) "mov %[" R0 "], 8*" I "(%[out])\n\t" STEP("8(%[a])", R1, R2)   \
		STEP("16(%[a])", R2, R3) STEP("24(%[a])", R3, R4) STEP("32(%[a])", R4, R5) LAST("40(%[a])", R5, R0)

KERNEL_TARGET static inline void product(uint64_t out[static 12], const uint64_t a[static 6],
					 const uint64_t b[static 6])
{
	uint64_t r0, r1, r2, r3, r4, r5;

	__asm__("mov (%[b]), %%rdx\n\t"
		"mulx (%[a]), %%rax, %[r1]\n\t"
		"mov %%rax, (%[out])\n\t"
		"mulx 8(%[a]), %%rax, %[r2]\n\t"
		"add %%rax, %[r1]\n\t"
		"mulx 16(%[a]), %%rax, %[r3]\n\t"
		"adc %%rax, %[r2]\n\t"
		"mulx 24(%[a]), %%rax, %[r4]\n\t"
		"adc %%rax, %[r3]\n\t"
		"mulx 32(%[a]), %%rax, %[r5]\n\t"
		"adc %%rax, %[r4]\n\t"
		"mulx 40(%[a]), %%rax, %[r0]\n\t"
		"adc %%rax, %[r5]\n\t"
		"adc $0, %[r0]\n\t" /* clang-format off */
		ROW("1", "r1", "r2", "r3", "r4", "r5", "r0")
		ROW("2", "r2", "r3", "r4", "r5", "r0", "r1")
		ROW("3", "r3", "r4", "r5", "r0", "r1", "r2")
		ROW("4", "r4", "r5", "r0", "r1", "r2", "r3")
		ROW("5", "r5", "r0", "r1", "r2", "r3", "r4") /* clang-format on */
		: REGS
		: [a] "r"(a), [b] "r"(b), [out] "r"(out)
		: "rax", "rcx", "rdx", "cc", "memory");
	out[6] = r0;
	out[7] = r1;
	out[8] = r2;
	out[9] = r3;
	out[10] = r4;
	out[11] = r5;
}

/* Column COL, in memory or in R, is done: doubled, and the square's word in PART added. */
#define DOUBLED_AT(COL, PART)                                                                                        \
	"mov 8*" COL "(%[out]), %%r8\n\t"                                                                            \
	"adcx %%r8, %%r8\n\t"                                                                                        \
	"adox " PART ", %%r8\n\t"                                                                                    \
	"mov %%r8, 8*" COL "(%[out])\n\t"
#define DOUBLED(R, PART)                                                                                             \
	"adcx %[" R "], %[" R "]\n\t"                                                                                \
	"adox " PART ", %[" R "]\n\t"
#define SQUARED(I)                                                                                                   \
	"mov 8*" I "(%[a]), %%rdx\n\t"                                                                               \
	"mulx %%rdx, %%rax, %%rcx\n\t"

/* The fifteen mixed products once, doubled, and the six squares. Columns 1 to 4 go through memory, 5 to 10 stay. */
KERNEL_TARGET static inline void square(uint64_t out[static 12], const uint64_t a[static 6])
{
	uint64_t r0, r1, r2, r3, r4, r5, top;

	__asm__("mov (%[a]), %%rdx\n\t"
		"mulx 8(%[a]), %%rax, %[r1]\n\t"
		"mov %%rax, 8(%[out])\n\t"
		"mulx 16(%[a]), %%rax, %[r2]\n\t"
		"add %%rax, %[r1]\n\t"
		"mov %[r1], 16(%[out])\n\t"
		"mulx 24(%[a]), %%rax, %[r3]\n\t"
		"adc %%rax, %[r2]\n\t"
		"mulx 32(%[a]), %%rax, %[r4]\n\t"
		"adc %%rax, %[r3]\n\t"
		"mulx 40(%[a]), %%rax, %[r5]\n\t"
		"adc %%rax, %[r4]\n\t"
		"adc $0, %[r5]\n\t" /* columns 3 to 6 are r2 r3 r4 r5 */
		"mov 8(%[a]), %%rdx\n\t"
		"xor %%eax, %%eax\n\t" STEP("16(%[a])", "r2", "r3") "mov %[r2], 24(%[out])\n\t" STEP(
			"24(%[a])", "r3", "r4") "mov %[r3], 32(%[out])\n\t" STEP("32(%[a])", "r4", "r5")
			LAST("40(%[a])", "r5", "r0") /* columns 5 to 7 are r4 r5 r0 */
		"mov 16(%[a]), %%rdx\n\t"
		"xor %%eax, %%eax\n\t" STEP("24(%[a])", "r4", "r5") STEP("32(%[a])", "r5", "r0")
			LAST("40(%[a])", "r0", "r1") /* columns 7 and 8 are r0 r1 */
		"mov 24(%[a]), %%rdx\n\t"
		"xor %%eax, %%eax\n\t" STEP("32(%[a])", "r0", "r1") LAST("40(%[a])", "r1", "r2") /* column 9 is r2 */
		"mov 32(%[a]), %%rdx\n\t"
		"mulx 40(%[a]), %%rax, %[r3]\n\t"
		"add %%rax, %[r2]\n\t"
		"adc $0, %[r3]\n\t" /* columns 5 to 10 are r4 r5 r0 r1 r2 r3 */
		"xor %%eax, %%eax\n\t" SQUARED("0") "mov %%rax, (%[out])\n\t" /* clang-format off */
		DOUBLED_AT("1", "%%rcx") SQUARED("1")
		DOUBLED_AT("2", "%%rax") DOUBLED_AT("3", "%%rcx") SQUARED("2")
		DOUBLED_AT("4", "%%rax") DOUBLED("r4", "%%rcx") SQUARED("3")
		DOUBLED("r5", "%%rax") DOUBLED("r0", "%%rcx") SQUARED("4")
		DOUBLED("r1", "%%rax") DOUBLED("r2", "%%rcx") SQUARED("5")
		DOUBLED("r3", "%%rax") /* clang-format on */
		"mov $0, %%r8d\n\t"
		"adcx %%r8, %%r8\n\t"
		"adox %%rcx, %%r8\n\t"
		"mov %%r8, %[top]\n\t"
		: REGS, [top] "=&r"(top)
		: [a] "r"(a), [out] "r"(out)
		: "rax", "rcx", "rdx", "r8", "cc", "memory");
	out[5] = r4;
	out[6] = r5;
	out[7] = r0;
	out[8] = r1;
	out[9] = r2;
	out[10] = r3;
	out[11] = top;
}

/* A multiple of p that makes the lowest word zero is added; its place is the new highest. */
#define ROUND(R0, R1, R2, R3, R4, R5)                                                                                \
	"mov %[n0], %%rdx\n\t"                                                                                       \
	"imul %[" R0 "], %%rdx\n\t"                                                                                  \
	"xor %%eax, %%eax\n\t" STEP("(%[p])", R0, R1) STEP("8(%[p])", R1, R2) STEP("16(%[p])", R2, R3)               \
		STEP("24(%[p])", R3, R4) STEP("32(%[p])", R4, R5) LAST("40(%[p])", R5, R0)

KERNEL_TARGET static inline void reduce(uint64_t out[static 6], const uint64_t a[static 12])
{
	uint64_t r0, r1, r2, r3, r4, r5;

	__asm__("mov (%[a]), %[r0]\n\t"
		"mov 8(%[a]), %[r1]\n\t"
		"mov 16(%[a]), %[r2]\n\t"
		"mov 24(%[a]), %[r3]\n\t"
		"mov 32(%[a]), %[r4]\n\t"
		"mov 40(%[a]), %[r5]\n\t" /* clang-format off */
		ROUND("r0", "r1", "r2", "r3", "r4", "r5")
		ROUND("r1", "r2", "r3", "r4", "r5", "r0")
		ROUND("r2", "r3", "r4", "r5", "r0", "r1")
		ROUND("r3", "r4", "r5", "r0", "r1", "r2")
		ROUND("r4", "r5", "r0", "r1", "r2", "r3")
		ROUND("r5", "r0", "r1", "r2", "r3", "r4") /* clang-format on */
		"add 48(%[a]), %[r0]\n\t"                                         /* <= p + (p - 1) */
		"adc 56(%[a]), %[r1]\n\t"
		"adc 64(%[a]), %[r2]\n\t"
		"adc 72(%[a]), %[r3]\n\t"
		"adc 80(%[a]), %[r4]\n\t"
		"adc 88(%[a]), %[r5]\n\t"
		: REGS
		: [a] "r"(a), [p] "r"(dr_fp_p.w), [n0] "r"(DR_FP_N0)
		: "rax", "rcx", "rdx", "cc", "memory");
	out[0] = r0;
	out[1] = r1;
	out[2] = r2;
	out[3] = r3;
	out[4] = r4;
	out[5] = r5;
}

#include "chain/bls/fp_kernel.h"

#endif
