/* SPDX-License-Identifier: Apache-2.0
 *
 * g1: E(Fp): y^2 = x^3 + 4, and its subgroup of order r, G1. Public keys are of it. Encodings are those of
 * draft-irtf-cfrg-bls-signature-05, Appendix A (ZCash's).
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_G1_H
#define DR_BLS_G1_H

#include "chain/base/err.h"
#include "chain/bls/fp.h"

#define DR_G1_LEN 48u

/* Jacobian: x / z^2, y / z^3; infinity if z is 0, as zeroed memory is. */
struct dr_g1 {
	struct dr_fp x, y, z;
};

/* Never infinity. */
struct dr_g1_affine {
	struct dr_fp x, y;
};

/* The opposite of the generator. */
extern const struct dr_g1_affine dr_g1_minus_generator;

bool dr_g1_is_infinity(const struct dr_g1 *p);
void dr_g1_of_affine(struct dr_g1 *out, const struct dr_g1_affine *p);
void dr_g1_neg(struct dr_g1 *out, const struct dr_g1 *p);
void dr_g1_dbl(struct dr_g1 *out, const struct dr_g1 *p);
void dr_g1_add(struct dr_g1 *out, const struct dr_g1 *p, const struct dr_g1 *q);
void dr_g1_add_affine(struct dr_g1 *out, const struct dr_g1 *p, const struct dr_g1_affine *q);
bool dr_g1_eq_affine(const struct dr_g1 *p, const struct dr_g1_affine *q);

/* dr_g1_affine: z_inv is 1 / p->z; p is not infinity. */
void dr_g1_affine(struct dr_g1_affine *out, const struct dr_g1 *p, const struct dr_fp *z_inv);

/* dr_g1_mul_x: times |x| = 0xd201000000010000. */
void dr_g1_mul_x(struct dr_g1 *out, const struct dr_g1 *p);
void dr_g1_mul_x_affine(struct dr_g1 *out, const struct dr_g1_affine *p);

bool dr_g1_is_on_curve(const struct dr_g1_affine *p);

/* dr_g1_is_in_subgroup: of a point on the curve. */
bool dr_g1_is_in_subgroup(const struct dr_g1_affine *p);

/* dr_g1_get: a point of the curve, its subgroup not looked at, and not infinity. DR_ERR_SYNTAX: flags;
 * DR_ERR_NONCANONICAL: x not below p; DR_ERR_PROOF: no point, or infinity. *out is zeroed on failure. */
enum dr_err dr_g1_get(struct dr_g1_affine *out, const uint8_t text[static DR_G1_LEN], struct dr_fail *fail);

/* dr_g1_put: the other way. */
void dr_g1_put(uint8_t text[static DR_G1_LEN], const struct dr_g1_affine *p);

#endif
