/* SPDX-License-Identifier: Apache-2.0
 *
 * g2: the twist E'(Fp2): y^2 = x^3 + 4 (1 + u), and its subgroup of order r, G2. Signatures are of it, and what
 * messages are hashed to. Encodings as in g1.h, the imaginary part of x first.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_G2_H
#define DR_BLS_G2_H

#include "chain/base/err.h"
#include "chain/bls/fp2.h"

#define DR_G2_LEN 96u

/* As struct dr_g1. */
struct dr_g2 {
	struct dr_fp2 x, y, z;
};

/* Never infinity. */
struct dr_g2_affine {
	struct dr_fp2 x, y;
};

bool dr_g2_is_infinity(const struct dr_g2 *p);
void dr_g2_of_affine(struct dr_g2 *out, const struct dr_g2_affine *p);
void dr_g2_neg(struct dr_g2 *out, const struct dr_g2 *p);
void dr_g2_dbl(struct dr_g2 *out, const struct dr_g2 *p);
void dr_g2_add(struct dr_g2 *out, const struct dr_g2 *p, const struct dr_g2 *q);
void dr_g2_add_affine(struct dr_g2 *out, const struct dr_g2 *p, const struct dr_g2_affine *q);
bool dr_g2_eq_affine(const struct dr_g2 *p, const struct dr_g2_affine *q);
void dr_g2_affine(struct dr_g2_affine *out, const struct dr_g2 *p, const struct dr_fp2 *z_inv);
void dr_g2_mul_x(struct dr_g2 *out, const struct dr_g2 *p);
void dr_g2_mul_x_affine(struct dr_g2 *out, const struct dr_g2_affine *p);

/* dr_g2_psi: the endomorphism "untwist, Frobenius, twist". */
void dr_g2_psi(struct dr_g2 *out, const struct dr_g2 *p);

/* dr_g2_clear_cofactor: a point of the curve into G2, times h_eff of RFC 9380, 8.8.2. */
void dr_g2_clear_cofactor(struct dr_g2 *out, const struct dr_g2 *p);

bool dr_g2_is_on_curve(const struct dr_g2_affine *p);
bool dr_g2_is_in_subgroup(const struct dr_g2_affine *p);

/* As dr_g1_get and dr_g1_put. */
enum dr_err dr_g2_get(struct dr_g2_affine *out, const uint8_t text[static DR_G2_LEN], struct dr_fail *fail);
void dr_g2_put(uint8_t text[static DR_G2_LEN], const struct dr_g2_affine *p);

#endif
