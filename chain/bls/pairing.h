/* SPDX-License-Identifier: Apache-2.0
 *
 * pairing: the optimal ate pairing of BLS12-381, as a product that is one or is not.
 *
 * Layer: chain/bls.
 */
#ifndef DR_BLS_PAIRING_H
#define DR_BLS_PAIRING_H

#include "chain/bls/fp12.h"
#include "chain/bls/g1.h"
#include "chain/bls/g2.h"

#define DR_PAIRING_MAX 8u /* pairs that share one loop's squarings */

/* dr_pairing_miller: the product of num Miller loops over |x|, 1 to DR_PAIRING_MAX: the inverse of what the pairing's
 * own, over x, would be, so that it is one if that is. Points of the subgroups, none infinity. */
void dr_pairing_miller(struct dr_fp12 *out, const struct dr_g1_affine *p, const struct dr_g2_affine *q, size_t num);

/* dr_pairing_final: f^(3 (p^12 - 1) / r): the cube of the reduced pairing, which is one only if that is, 3 not
 * dividing r. f is not 0. */
void dr_pairing_final(struct dr_fp12 *out, const struct dr_fp12 *f);

#endif
